"""The page: self-contained, linked, honest about what is missing or failed; the command line."""

import base64
import os
import re
import runpy
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from figures import report
from figures.cache import Unavailable, read_manifest
from figures.findings import first
from figures.options import Options
from figures.page import Chapter, Section, page, table_html
from figures.table import Table
from linmodel.errors import InvalidInput
from tests.figures.made import bridge_data, ledger_data, run_data

ROOT = Path(__file__).resolve().parents[2]
REST = ["experiment-decisive_strong", "bench-sweep"]
MADE = {"ledger": ledger_data, "real_run": run_data, "bridge": bridge_data}


class Links(HTMLParser):
    """Ids, links and sources of a page; counts tags that are not closed."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.sources, self.open = set(), [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found["id"]} if "id" in found else set()
        self.links += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def list_items(text):
    return re.findall("<li>", text)


def parsed(text):
    links = Links()
    links.feed(text)
    assert links.open == []
    return links


@pytest.fixture
def quick(monkeypatch):
    """The report with made-up data for everything that takes long."""
    real = report.figure_data

    def data(source, work):
        return MADE[source.NAME]() if source.NAME in MADE else real(source, work)

    monkeypatch.setattr(report, "figure_data", data)
    monkeypatch.setattr(report, "names", lambda: ["edge", "ledger", "real_run", "bridge"])
    for source in (report.pages, report.benchmarks):
        part = Section(f"{source.__name__}-part", "made beforehand", "shown")
        monkeypatch.setattr(source, "sections", lambda part=part: [part])


def test_page_is_self_contained_and_its_links_lead_somewhere(quick, tmp_path):
    path, worked = report.build(Options(), tmp_path / "out")
    assert worked
    text = path.read_text(encoding="utf-8")
    links = parsed(text)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert text.count("<script>") == 1 and "src=" not in text.split("<script>")[1]
    assert len(links.sources) == 4 + len(list_items(text))
    assert all(source.startswith("data:image/svg+xml;base64,") for source in links.sources)
    files = [link for link in links.links if link.startswith("data/")]
    assert "data/edge.flow.nc" in files
    assert all((path.parent / link).is_file() for link in files)
    inside = [link for link in links.links if link not in {"explorer.html", *files}]
    astray = [link for link in inside if link[:1] != "#" or link[1:] not in links.ids]
    assert astray == []
    explorer = (path.parent / "explorer.html").read_text(encoding="utf-8")
    assert '"F4"' in explorer and "opposingSignals" in explorer
    assert {
        "about",
        "theory",
        "ledger",
        "bridge",
        "experiments",
        "benchmarks",
        "provenance",
        "claim-F4",
    } <= links.ids
    for word in ("SHA-256", "option seed", "numpy", "This part is not installed here"):
        assert word in text
    picture = base64.b64decode(links.sources[0].split(",")[1]).decode()
    assert picture.startswith("<?xml")


def test_missing_torch_is_explained_and_the_rest_is_there(quick, tmp_path, monkeypatch):
    def data(source, work):
        if source.NAME in {"real_run", "bridge"}:
            raise Unavailable("Install the extra realnet.")
        return ledger_data()

    monkeypatch.setattr(report, "figure_data", data)
    monkeypatch.setattr(report, "names", lambda: ["ledger", "real_run", "bridge"])
    path, worked = report.build(Options(), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert worked and text.count("Install the extra realnet.") == 2


def test_a_failing_part_is_shown_as_failed(quick, tmp_path, monkeypatch):
    def broken(source, work):
        raise RuntimeError("planted <failure>")

    monkeypatch.setattr(report, "figure_data", broken)
    path, worked = report.build(Options(), tmp_path)
    assert not worked
    assert "planted &lt;failure&gt;" in path.read_text(encoding="utf-8")


def test_a_measured_chapter_that_cannot_be_read_is_shown_as_failed(quick, tmp_path, monkeypatch):
    def broken():
        raise ValueError("planted")

    monkeypatch.setattr(report.benchmarks, "sections", broken)
    path, worked = report.build(Options(), tmp_path)
    assert not worked
    assert "ValueError: planted" in path.read_text(encoding="utf-8")


def test_text_is_escaped_and_long_text_folds():
    text = table_html(Table("a < b", ["x"], [["<script>"], ["word " * 200], ["proved"]]))
    assert "<script>" not in text and "a &lt; b" in text
    assert "<details>" in text
    assert '<span class="verdict proved">' in text


@pytest.mark.parametrize("harm", ["verdict", "anchor", "title", "name", "alt", "caption"])
def test_nothing_reaches_the_page_unescaped(harm):
    evil = '"><script>alert(1)</script>'
    text = {key: evil if key == harm else "good" for key in ("anchor", "title", "name", "alt")}
    caption = f"$c^2$ {evil}" if harm == "caption" else "$c^2$"
    sections = [Section(text["name"], text["title"], caption, ("F4",), "<svg/>", alt=text["alt"])]
    verdicts = {"F4": evil if harm == "verdict" else "proved"}
    chapters = [Chapter(text["anchor"], text["title"], "", sections)]
    made = page("t", [], chapters, verdicts, [])
    assert "alert(1)" not in made or "<script>alert" not in made
    assert "<msup>" in made
    parsed(made)


def test_long_tables_fold_and_can_be_filtered():
    short, long = ([[str(i)] for i in range(count)] for count in (3, 40))
    assert '<table class="long">' in table_html(Table("many", ["x"], long))
    assert "many (40 rows)" in table_html(Table("many", ["x"], long))
    assert "<details" not in table_html(Table("few", ["x"], short))


def test_statements_link_only_where_the_ledger_has_them():
    sections = [Section("s", "title", "caption", ("F4", "F99"), "<svg/>")]
    text = page("t", [], [Chapter("c", "C", "", sections)], {"F4": "proved"}, [])
    assert '<details class="chapter" id="c">' in text
    assert 'href="#claim-F4"' in text
    assert "#claim-F99" not in text


def test_findings_read_their_numbers_from_the_data(quick, tmp_path):
    path, _ = report.build(Options(), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "Of 3 statements about the model, 2 proved, 1 refuted" in text
    assert text.index("Findings</h2>") < text.index("Of 3 statements") < text.index('id="theory"')
    again = first.findings({"ledger": ledger_data()})
    assert [each.anchor for each in again] == ["ledger", *REST]
    assert all(each.alt for each in again)


def test_a_finding_that_fails_does_not_cost_the_page(quick, tmp_path, monkeypatch):
    def broken(known):
        raise KeyError("planted")

    monkeypatch.setattr(report, "findings", broken)
    path, worked = report.build(Options(), tmp_path)
    assert not worked and "planted" in path.read_text(encoding="utf-8")


def test_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="output folder"):
        report.build(Options(), tmp_path / "file")


def test_same_data_same_picture():
    from figures import ledger

    texts = {report.svg_text(ledger.draw(ledger_data())) for _ in range(2)}
    assert len(texts) == 1


def shell(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "figures", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
    )


def test_command_draws_a_figure(tmp_path):
    done = shell("closed_form", "--out", str(tmp_path), "--format", "svg")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "closed_form.svg").read_text().startswith("<?xml")
    assert (tmp_path / "data" / "manifest.json").is_file()


def test_no_browser_is_one_sentence_and_the_report_is_there(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(report, "build", lambda options, out: (tmp_path / "index.html", True))
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    monkeypatch.setattr(sys, "argv", ["figures", "report", "--open"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("figures", run_name="__main__")
    said = capsys.readouterr()
    assert end.value.code == 0 and str(tmp_path / "index.html") in said.out
    assert said.err.startswith("No browser was found here: open ") and said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "edge, oscillation"),
        (("edge", "--steps", "-1"), "steps"),
        (("edge", "--format", "bmp"), "png, svg"),
    ],
)
def test_bad_input_exits_with_2_and_no_traceback(arguments, words, tmp_path):
    done = shell(*arguments, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", [b"[]", b'{"edge": 3}', b"\xff\xfe"])
def test_a_damaged_manifest_counts_as_none(tmp_path, text):
    (tmp_path / "manifest.json").write_bytes(text)
    assert read_manifest(tmp_path) == {}
