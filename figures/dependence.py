"""What a figure's data depend on: its `compute` and what that needs, not its caption or drawing.

Of a figure's module only the definitions count that are reached from `compute`, and those that
another figure takes from it; of every other module the whole source (figures.sources).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator

from figures.sources import definers, is_ours, module_path, module_tree, reached

ROOT = "compute"
# A figure's module and a name that it defines.
Definition = tuple[str, str]


def data_fingerprint(module: str) -> str:
    """SHA-256 over the definitions that `compute` of a figure's `module` reaches, and over the
    modules that these import. Comments and layout do not count."""
    waiting: list[Definition] = [(module, ROOT)]
    seen: set[Definition] = set()
    whole: set[str] = set()
    texts: set[str] = set()
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        node = _named(item[0]).get(item[1])
        if node is None:
            continue
        texts.add(f"{item[0]}: {ast.unparse(node)}")
        waiting += [(item[0], name) for name in _names(node)]
        for other, names in _imports(item[0], node):
            if _is_figure(other):
                waiting += [(other, each) for each in (ROOT, *names)]
            else:
                whole |= reached(other)
    texts |= {f"{name}: {module_path(name).read_text(encoding='utf-8')}" for name in whole}
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def _is_figure(module: str) -> bool:
    return module.startswith("figures.") and ROOT in _named(module)


def _named(module: str) -> dict[str, ast.stmt]:
    """Top-level definitions and assignments by name."""
    found: dict[str, ast.stmt] = {}
    for node in module_tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {name: node for target in targets for name in _names(target)}
    return found


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _imports(module: str, node: ast.stmt) -> Iterator[tuple[str, set[str]]]:
    """Modules of the project that `node` needs, and the names that it takes from each."""
    used = _names(node)
    attributes: dict[str, set[str]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            attributes.setdefault(part.value.id, set()).add(part.attr)
    for part in (*module_tree(module).body, *ast.walk(node)):
        if isinstance(part, ast.ImportFrom) and part.module and is_ours(part.module):
            for alias in part.names:
                bound = alias.asname or alias.name
                if bound in used:
                    taken = attributes.get(bound, set()) | {alias.name}
                    yield from ((each, taken) for each in definers(part.module, alias.name))
        elif isinstance(part, ast.Import):
            for alias in part.names:
                if is_ours(alias.name) and (alias.asname or alias.name.split(".")[0]) in used:
                    yield alias.name, set()
