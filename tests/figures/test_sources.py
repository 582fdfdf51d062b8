"""A figure's data depend on its own module and what it imports: no less, and no more."""

import pytest

from figures import sources
from figures.catalogue import names
from figures.dependence import data_fingerprint
from figures.sources import reached, source_fingerprint

FILES = {
    "figures/__init__.py": "",
    "figures/plain.py": "import math\nfrom linmodel import late, quick\n",
    "figures/wide.py": "def compute():\n    from linmodel.claims import everything\n",
    "linmodel/__init__.py": "from linmodel.fast import quick\nLAZY = {'late': 'linmodel.slow'}\n",
    "linmodel/fast.py": "import linmodel.base\nquick = 1\n",
    "linmodel/slow.py": "late = 1\n",
    "linmodel/base.py": "x = 1\n",
    "linmodel/other.py": "x = 1\n",
    "linmodel/claims/__init__.py": "import pkgutil\neverything = 1\n",
    "linmodel/claims/one.py": "x = 1\n",
}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A small project of the same layout; `house(file, text)` writes a file."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        reached.cache_clear()
        sources.module_tree.cache_clear()

    for name, text in FILES.items():
        write(name, text)
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    yield write
    reached.cache_clear()
    sources.module_tree.cache_clear()


def test_what_is_imported_counts_by_name(house):
    found = {"figures.plain", "linmodel.fast", "linmodel.base", "linmodel.slow"}
    assert reached("figures.plain") == found
    found = {"figures.wide", "linmodel.claims", "linmodel.claims.one"}
    assert reached("figures.wide") == found


@pytest.mark.parametrize(
    ("file", "matters"),
    [("linmodel/base.py", True), ("linmodel/slow.py", True), ("linmodel/other.py", False)],
)
def test_only_what_is_imported_changes_the_fingerprint(house, file, matters):
    before = source_fingerprint("figures.plain")
    house(file, "x = 2\n")
    assert (source_fingerprint("figures.plain") != before) == matters


def test_every_figure_depends_on_itself_and_not_on_the_page():
    for name in names():
        found = reached(f"figures.{name}")
        assert {f"figures.{name}", "linmodel.errors"} <= found
        assert "figures.report" not in found
    assert "realnet.networks" not in reached("figures.edge")
    assert "linmodel.flow" in reached("figures.ledger")


def test_no_module_of_the_project():
    with pytest.raises(ValueError, match=r"numpy.*no module"):
        source_fingerprint("numpy")


FIGURES = {
    "figures/__init__.py": "",
    "figures/style.py": "ink = 1\n",
    "figures/first.py": "from linmodel.base import x\nfrom figures.style import ink\n"
    "CAPTION = 'a'\nSIZE = 3\ndef compute(work):\n    return helper()\n"
    "def helper():\n    return x\ndef draw(d):\n    return ink\n",
    "figures/second.py": "from figures import first\ndef compute(work):\n    return first.SIZE\n",
    "linmodel/__init__.py": "",
    "linmodel/base.py": "x = 1\n",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "first", "second"),
    [
        ("figures/first.py", "CAPTION = 'a'", "CAPTION = 'b'", False, False),
        ("figures/first.py", "return ink", "return 2 * ink", False, False),
        ("figures/first.py", "return x", "return 2 * x", True, True),
        ("figures/first.py", "SIZE = 3", "SIZE = 4", False, True),
        ("figures/style.py", "ink = 1", "ink = 2", False, False),
        ("linmodel/base.py", "x = 1", "x = 2", True, True),
    ],
)
def test_a_caption_is_no_reason_to_compute_again(house, file, old, new, first, second):
    for name, text in FIGURES.items():
        house(name, text)
    before = [data_fingerprint(f"figures.{name}") for name in ("first", "second")]
    assert old in FIGURES[file]
    house(file, FIGURES[file].replace(old, new))
    after = [data_fingerprint(f"figures.{name}") for name in ("first", "second")]
    assert [a != b for a, b in zip(after, before, strict=True)] == [first, second]
