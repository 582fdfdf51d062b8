"""Docstrings' aligned columns, "name   what it is", as lists in the reference.

Markdown would run their lines together. Readers of the code see docstrings as they are.
"""

import re
from typing import NamedTuple

from griffe import Extension

ROW = re.compile(r"( *)([^\s=](?:[^=]{0,38}[^\s=,])?) {2,}([^\s#].*)")
STEP = re.compile(r"( *)(\d+\.) (\S.*)")


class Columns(Extension):
    """What griffe has read, with lists in place of columns."""

    def on_instance(self, *, obj, **_):
        if obj.docstring is not None:
            obj.docstring.value = as_lists(obj.docstring.value)


class Item(NamedTuple):
    """Of a list: how far its line is indented, its Markdown, the column where its text begins."""

    indent: int
    text: str
    column: int


def as_lists(text):
    """`text` with rows and numbered steps, and the lines that go on below them, as lists."""
    return "\n\n".join(_paragraph(part.split("\n")) for part in text.split("\n\n"))


def _paragraph(lines):
    """What stands before and after a list is a paragraph of its own."""
    items = [_item(line) for line in lines]
    made, depths, column = [[]], [], 0
    for i, line in enumerate(lines):
        item = items[i] or (depths and _narrow(line, column, items[i + 1 :], lines[i + 1 :]))
        if item:
            if not depths:
                made.append([])
            depths = [each for each in depths if each < item.indent] + [item.indent]
            column = item.column
            gap = "\n" if "".join(made[-1][-1:]).startswith("\n") else ""
            made[-1].append(gap + "    " * (len(depths) - 1) + item.text)
        elif depths and _indent(line) > depths[-1]:
            made[-1][-1] += f" {line.strip()}"
        elif depths and _indent(line) > depths[0]:  # below a list within the item
            depths = [each for each in depths if each < _indent(line)]
            made[-1].append("\n" + "    " * len(depths) + line.strip())
        else:
            made, depths = ([*made, []] if depths else made), []
            made[-1].append(line)
    return "\n\n".join("\n".join(part) for part in made if part)


def _item(line):
    if row := ROW.fullmatch(line):
        return Item(len(row[1]), f"- `{row[2]}`: {row[3]}", row.start(3))
    step = STEP.fullmatch(line)
    return step and Item(len(step[1]), f"{step[2]} {step[3]}", step.start(3))


def _narrow(line, column, items, below):
    """A row whose name leaves one space before the column: more of the list must follow it."""
    name, text = line[:column], line[column:]
    goes_on = any(items) or (below and _indent(below[0]) == column)
    if goes_on and name.endswith(" ") and name.strip() and text.strip():
        return Item(_indent(name.rstrip()), f"- `{name.strip()}`: {text}", column)
    return None


def _indent(line):
    return len(line) - len(line.lstrip())
