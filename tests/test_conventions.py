"""One name a module, and one way to say what a constant is: a comment."""

import ast
from itertools import pairwise

from figures.sources import PACKAGES, ROOT

# Folders in which a module is named after the one elsewhere that it is about: claims state a
# module's theorems, kernels compile it, observers run it, figures draw it. `command` and
# `installed` are what each package has of its own.
ABOUT = ("proofs_check/claims", "linmodel/kernels", "realnet/observers", "figures")
OWN = {"__init__", "__main__", "command", "installed"}


def test_no_two_modules_have_one_name():
    seen = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if not path.relative_to(ROOT).as_posix().startswith(ABOUT) and path.stem not in OWN:
                seen.setdefault(path.stem, []).append(path.relative_to(ROOT).as_posix())
    assert {name: there for name, there in seen.items() if len(there) > 1} == {}


def _strings_below(tree):
    """Names of the module's constants that a string follows, as a docstring would."""
    for one, after in pairwise(tree.body):
        constant = isinstance(one, ast.Assign | ast.AnnAssign)
        if constant and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield ast.unparse(one)


def test_constants_are_documented_by_comments():
    assert list(_strings_below(ast.parse('A = 1\n"""An A."""'))) == ["A = 1"]
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert not list(_strings_below(ast.parse(path.read_text("utf-8")))), path
