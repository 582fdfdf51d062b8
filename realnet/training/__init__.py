"""Training runs that resume bit for bit: losses, optimisers, records, the run folder."""
