"""One module a figure, each from Datasets to a matplotlib Figure; and the report.

A figure's module has NAME, TITLE, STATEMENTS (ids), CAPTION (what to see), OPTIONS (names of the
options that its data depend on), compute(work) -> dict of Datasets, draw(datasets) -> Figure.
"""

import linmodel.interrupt  # first: a signal during the imports is one line  # noqa: F401
