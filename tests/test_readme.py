"""README and pages of docs/: the ledger's table, links that lead somewhere, Python that runs."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

from linmodel import InvalidInput
from proofs_check.readme import with_table

ROOT = Path(__file__).parent.parent
README, STATEMENTS = ROOT / "README.md", ROOT / "docs" / "statements.md"
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
REFERENCE = sorted((ROOT / "docs" / "reference").glob("*.md"))
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
    if "torch" in read(page) or "realnet import" in read(page):
        pytest.importorskip("torch")
    shared = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", read(page), re.DOTALL):
        exec(compile(block, str(page), "exec"), shared)
    shown = re.findall(r"!\[[^]]+\]\((\w+\.png)\)", read(page)) if page in TUTORIALS else []
    assert all((tmp_path / picture).stat().st_size > 5_000 for picture in shown)
    if page.stem == "groups":
        assert set(shared["pair"].members) >= set(range(12))  # it finds what it planted


@pytest.mark.parametrize("page", TUTORIALS, ids=name)
def test_a_tutorial_is_short_and_ends_in_a_picture(page):
    assert len(read(page).splitlines()) <= 60
    assert re.search(r"!\[[^]]{20,}\]\(\w+\.png\)\s*$", read(page))


@pytest.mark.parametrize("page", REFERENCE, ids=name)
def test_examples_of_the_reference_say_what_comes_out(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    if page.stem == "realnet":
        pytest.importorskip("torch")
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted and not found.failed


@pytest.mark.parametrize("package", ["linmodel", "proofs_check", "realnet", "realnet.bridge"])
def test_every_public_name_is_in_an_example_that_runs(package):
    text = read(ROOT / "docs" / "reference" / f"{package.partition('.')[0]}.md")
    code = "\n".join(re.findall(r"```pycon\n(.*?)```", text, re.DOTALL))
    assert "+SKIP" not in code
    names = import_module(package).__all__
    assert [one for one in names if not re.search(rf"\b{one}\b", code)] == []


@pytest.mark.parametrize("package", ["linmodel", "proofs_check", "realnet"])
def test_every_public_name_is_in_the_reference(package):
    pytest.importorskip("mkdocs")
    hooks = import_module("docs.hooks")
    text = hooks.whole(read(ROOT / "docs" / "reference" / f"{package}.md"), package)
    public = import_module(package).__all__
    assert [each for each in public if f"::: {package}.{each}\n" not in text] == []
    assert hooks.whole(text, package) == text
    assert "## More" in hooks.whole("", package)


def test_columns_of_a_docstring_are_a_list_on_its_page():
    pytest.importorskip("griffe")
    as_lists = import_module("docs.columns").as_lists
    text = """What it does: a = b,    c = d.

rng         a seed
sampler     a law:
    "one"   the first
    "two"   the second, which
            goes on
step_number of the run
            so far
Raises what it raises."""
    assert as_lists(text).split("\n") == [
        "What it does: a = b,    c = d.",
        "",
        "- `rng`: a seed",
        "- `sampler`: a law:",
        '    - `"one"`: the first',
        '    - `"two"`: the second, which goes on',
        "- `step_number`: of the run so far",
        "",
        "Raises what it raises.",
    ]


def test_every_page_is_in_the_navigation():
    pytest.importorskip("mkdocs")
    hooks = import_module("docs.hooks")
    assert hooks.with_the_rest([{"Home": "index.md"}], ["index.md"]) == [{"Home": "index.md"}]
    nav = hooks.with_the_rest([{"Home": "index.md"}], ["index.md", "new.md"])
    assert nav[1:] == [{"More": ["new.md"]}]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_formula_on_display_is_a_paragraph_of_its_own(page):
    for around in re.split(r"\$\$[^$]+\$\$", "\n\n" + read(page) + "\n\n"):
        assert around.startswith("\n\n") and around.endswith("\n\n"), around[:40]


def test_formulas_and_names_of_code_fit_a_phone():
    pytest.importorskip("mkdocs")
    hooks = import_module("docs.hooks")
    made = hooks.on_page_content(
        '<p><span class="arithmatex">\\(c^2\\)</span>.</p>', None, None, None
    )
    assert made.startswith('<p><span class="whole"><math') and made.endswith("</math>.</span></p>")
    made = hooks.on_page_content('<div class="arithmatex">\\[c\\]</div>', None, None, None)
    assert 'class="wide"' in made and 'display="block"' in made
    code = hooks.on_page_content("<code>linmodel.gradient_flow 0.5</code>", None, None, None)
    assert code == "<code>linmodel.<wbr>gradient_<wbr>flow 0.5</code>"
    number = hooks.on_page_content('<a href="x 1e-3">off by 2.5e-2</a>', None, None, None)
    assert number == '<a href="x 1e-3">off by <span class="whole">2.5e-2</span></a>'
    block = "<pre><span></span><code>a_b.c</code></pre>"
    assert hooks.on_page_content(block, None, None, None) == block


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_the_page_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", read(page)):
        made = target.endswith(".png") and page.parent != ROOT  # by the page itself, or the site
        assert made or (page.parent / target).exists(), target
