"""Data that need no download: images, planted groups, photographs, text; CIFAR from a folder."""
