"""Beyond the reduced model: general spectra, and the full network under many optimisers."""
