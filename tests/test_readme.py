import re
from pathlib import Path

import pytest

from linmodel import InvalidInput
from proofs_check.readme import with_table

README = Path(__file__).parent.parent / "README.md"


def test_ledger_table_is_the_ledgers():
    text = README.read_text(encoding="utf-8")
    assert with_table(text) == text, "run: python -m proofs_check.readme README.md"


def test_a_wrong_verdict_in_the_table_is_seen():
    text = README.read_text(encoding="utf-8")
    planted = text.replace("| proved |", "| certified |", 1)
    assert planted != text and with_table(planted) != planted


def test_missing_markers_are_refused():
    with pytest.raises(InvalidInput, match="markers"):
        with_table("# no table here")


def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_files_that_the_readme_shows_exist():
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (README.parent / target).exists(), target
