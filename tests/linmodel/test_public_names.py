"""linmodel's list of public names: whole, true, and each module found when it is asked for."""

import re
import subprocess
import sys
from types import ModuleType

import pytest

import linmodel

LISTED = re.findall(r"^    (\w+) {2,}\w", linmodel.__doc__ or "", re.MULTILINE)


def test_every_public_name_has_one_line_and_exists():
    assert sorted(LISTED) == sorted([*linmodel.__all__, *linmodel._MODULES])
    for name in LISTED:
        assert name in dir(linmodel)
        assert getattr(linmodel, name).__doc__


def test_modules_are_imported_when_asked_for():
    look = "print('linmodel.certified.pieces' in sys.modules)"
    code = f"import sys, linmodel; {look}; linmodel.certified; {look}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    assert all(isinstance(getattr(linmodel, name), ModuleType) for name in linmodel._MODULES)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = linmodel.nothing
