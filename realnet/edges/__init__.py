"""Every edge: a quantity a file, each with its definition, its threshold and its source."""
