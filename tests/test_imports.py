"""No import cycles: neither those of run time nor those under TYPE_CHECKING."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from figures.sources import PACKAGES, ROOT, definers, is_ours


def imported(tree):
    """What the module's own statements import, under TYPE_CHECKING too; functions are left out."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and is_ours(node.module):
            for alias in node.names:
                yield from definers(node.module, alias.name)
        waiting += ast.iter_child_nodes(node)


def graph():
    """Module -> the modules that it imports."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = set(imported(ast.parse(path.read_text("utf-8")))) - {name}
    return found


def test_no_import_cycles():
    found = graph()
    assert len(found) > 200
    TopologicalSorter(found).prepare()


def test_a_planted_cycle_is_seen():
    """A type-only import back, as the check sees it."""
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import linmodel.flow\n"
    found = graph()
    below = next(name for name in sorted(found["linmodel.flow"]) if name.startswith("linmodel."))
    found[below] |= set(imported(ast.parse(code)))
    with pytest.raises(CycleError):
        TopologicalSorter(found).prepare()
