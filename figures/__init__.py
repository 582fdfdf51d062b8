"""One module a figure: each turns Datasets into a matplotlib Figure; and the report that shows them."""
