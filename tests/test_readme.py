"""README and pages of docs/: the ledger's table, links that lead somewhere, Python that runs."""

import re
from pathlib import Path

import pytest

from linmodel import InvalidInput
from proofs_check.readme import with_table

ROOT = Path(__file__).parent.parent
README, STATEMENTS = ROOT / "README.md", ROOT / "docs" / "statements.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read(path):
    return path.read_text(encoding="utf-8")


def name(path):
    return str(path.relative_to(ROOT))


def test_ledger_table_is_the_ledgers():
    assert with_table(read(STATEMENTS)) == read(STATEMENTS), "run: python -m proofs_check.readme"


def test_a_wrong_verdict_in_the_table_is_seen():
    text = read(STATEMENTS)
    planted = text.replace("| proved |", "| certified |", 1)
    assert planted != text and with_table(planted) != planted


def test_missing_markers_are_refused():
    with pytest.raises(InvalidInput, match="markers"):
        with_table("# no table here")


def test_readme_is_short():
    assert len(read(README).splitlines()) <= 120


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_of_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shared = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", read(page), re.DOTALL):
        exec(compile(block, str(page), "exec"), shared)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_the_page_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", read(page)):
        assert (page.parent / target).exists(), target
