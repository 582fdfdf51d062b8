"""One module a figure, each from Datasets to a matplotlib Figure; and the report."""
