"""The first page of the report: sentences with numbers read from the data, a small picture each.

A finding is a function (Datasets of the figures that it needs) -> (sentence, Figure); NEEDS says
whose. What has no data here is left out.
"""
