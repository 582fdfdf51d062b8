"""What a module's results depend on: a digest of its source and of all that it imports.

Only the project's own packages count, and of a package only what is asked for: `from linmodel
import sweep` needs the module that defines sweep. Imports inside functions count as any other.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("linmodel", "proofs_check", "realnet", "figures")
ROOT = Path(__file__).resolve().parent.parent


def source_fingerprint(module: str) -> str:
    """SHA-256 over the source of `module` (its dotted name) and of what it imports, and so on."""
    digest = hashlib.sha256()
    for name in sorted(reached(module)):
        digest.update(name.encode())
        digest.update(module_path(name).read_bytes())
    return digest.hexdigest()


@cache
def reached(module: str) -> frozenset[str]:
    """The modules of the project that `module` needs, itself among them.

    Raises ValueError for a name that is no module of the project.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(name)
    return frozenset(found)


def _imports(module: str) -> Iterator[str]:
    tree = module_tree(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (name for name in names if is_ours(name))
            if "pkgutil" in names:  # it looks its neighbours up: all of them count
                yield from _neighbours(module)
        elif isinstance(node, ast.ImportFrom) and node.module and is_ours(node.module):
            for alias in node.names:
                yield from definers(node.module, alias.name)


def _neighbours(module: str) -> list[str]:
    path = module_path(module)
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    return [f"{package}.{other.stem}" for other in path.parent.glob("[!_]*.py")]


def definers(package: str, name: str) -> list[str]:
    """Modules that `from package import name` needs: a submodule, or where the name is defined."""
    if is_ours(f"{package}.{name}"):
        return [f"{package}.{name}"]
    if module_path(package).stem == "__init__":
        tree = module_tree(package)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
                return definers(str(node.module), name)
            if isinstance(node, ast.Dict):  # a table of names that are imported when asked for
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == name:
                        return [text for text in _texts(value) if is_ours(text)]
    return [package]


def _texts(node: ast.expr) -> list[str]:
    parts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
    return [part for part in parts if isinstance(part, str)]


@cache
def module_tree(module: str) -> ast.Module:
    """The parsed source of one of our modules. Raises ValueError where there is none."""
    return ast.parse(module_path(module).read_text(encoding="utf-8"))


def is_ours(module: str) -> bool:
    """Whether the dotted name is a module of our packages."""
    return module.split(".")[0] in PACKAGES and any(path.is_file() for path in _candidates(module))


def module_path(module: str) -> Path:
    """The file of one of our modules. Raises ValueError where there is none."""
    for path in _candidates(module):
        if path.is_file():
            return path
    raise ValueError(f"{module!r} is no module of {', '.join(PACKAGES)}")


def _candidates(module: str) -> tuple[Path, Path]:
    base = ROOT.joinpath(*module.split("."))
    return base.with_suffix(".py"), base / "__init__.py"
