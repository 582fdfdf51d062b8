"""The main job: compute (or find) every figure's data, draw, and write one self-contained page."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from figures import benchmarks
from figures.cache import Datasets, Unavailable, figure_data, read_manifest
from figures.catalogue import module, names
from figures.described import described
from figures.experiments.kit import pages
from figures.experiments.kit.shown import CURVES
from figures.explorer import explorer_page, statements_of
from figures.findings.first import findings
from figures.options import Options, Work
from figures.page import Chapter, Finding, Section, page
from figures.style import FORMATS, save, svg_text
from figures.table import Table
from linmodel.arguments import typed
from linmodel.console import progress
from linmodel.errors import InvalidInput, refuse
from linmodel.files import write_text
from linmodel.store import versions

TITLE = "Outliers with opposing signals: the linear model, checked, beside a real network"
ABOUT = [
    "Rosenfeld and Risteski (ICLR 2024) explain the rise of a network's sharpness, and its "
    "oscillation at the edge of stability, by small groups of samples whose signals pull in "
    "opposite directions. Their model is a two-layer linear network, $f = c\\,(b\\cdot x + "
    "b_o\\cdot "
    "x_o)$; it reduces exactly to four numbers $(c, \\epsilon, n, o)$. Losses carry the factor "
    "1/2; "
    "time is step size × step; sharpness is the largest eigenvalue of the loss Hessian; "
    "$\\alpha$ is "
    "the magnitude of the opposing signal, $B$ the strength of the signal, $k$ the pervasiveness "
    "of "
    "the opposing signal. F4, S14b, ... are statements; each leads to its verdict.",
]
# Chapters in the order of the page: anchor, title, opening sentence, figures.
CHAPTERS = (
    ("glance", "At a glance", "", ("overview",)),
    ("theory", "Theory", "", ("edge", "oscillation", "closed_form")),
    ("ledger", "Ledger", "", ("ledger",)),
    ("sweep", "Sweep", "", ("sweeps",)),
    ("real", "Real network", "", ("real_run",)),
    ("bridge", "Bridge", "", ("bridge",)),
    ("groups", "Opposing groups", "", ("signals",)),
)
ABSENT = "This part is not installed here."
NOTHING = Section("", "")


@typed
def build(options: Options, out: Path) -> tuple[Path, bool]:
    """Write OUT/index.html (data in OUT/data) and OUT/explorer.html beside it; return the page's
    path and whether every part worked.

    A part that cannot be computed here is explained on the page; a part that fails is shown as
    failed, and the rest is written. Killed and run again, it goes on from the data that are there.
    Raises InvalidInput when `out` cannot be made.
    """
    begun = time.monotonic()
    data = make_folder(out / "data")
    sections: dict[str, Section] = {}
    known: dict[str, Datasets] = {}
    verdicts: dict[str, str] = {}
    wanted = names()
    with progress(len(wanted), "report") as advance:
        work = Work(options, data, lambda note: advance(0, note))
        for name in wanted:
            advance(0, name)
            sections[name] = _section(module(name), work, verdicts, known)
            advance(1, name)
    beside = _explorer(work, out) if sections.get("ledger", NOTHING).svg else {}
    chapters = _chapters(sections)
    chapters.append(_measured("experiments", "Experiments", pages))
    pages.copy_data(CURVES, data)
    chapters.append(_measured("benchmarks", "Benchmarks", benchmarks))
    first = _findings(known, chapters)
    foot = _provenance(options, data, time.monotonic() - begun)
    text = page(TITLE, ABOUT, chapters, verdicts, foot, beside, first)
    worked = not any(section.failure for chapter in chapters for section in chapter.sections)
    return write_text(out / "index.html", text), worked


def _explorer(work: Work, out: Path) -> dict[str, str]:
    """Write the explorer with the ledger's verdicts; its file's name and what it is."""
    ledger = figure_data(module("ledger"), work)["claims"]
    path = write_text(out / "explorer.html", explorer_page(statements_of(ledger)))
    return {path.name: "Explorer"}


@typed
def make_folder(folder: Path) -> Path:
    """`folder`, made with its parents. Raises InvalidInput where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse("output folder", str(folder), "a folder that can be made and written", f"({error})")
    return folder


@typed
def check_format(kind: str) -> None:
    """Raises InvalidInput for a figure format that is not there."""
    if kind not in FORMATS:
        refuse("format", kind, "one of " + ", ".join(FORMATS))


def _section(
    source: ModuleType, work: Work, verdicts: dict[str, str], known: dict[str, Datasets]
) -> Section:
    try:
        datasets = figure_data(source, work)
        section = _drawn(source, datasets, verdicts, work.folder)
        known[source.NAME] = datasets
        return section
    except Unavailable as reason:
        return Section(source.NAME, source.TITLE, note=str(reason))
    except Exception as error:  # one broken part must not cost the reader the others
        failure = f"{type(error).__name__}: {error}"
        return Section(source.NAME, source.TITLE, failure=failure)


def _drawn(
    source: ModuleType, datasets: Datasets, verdicts: dict[str, str], folder: Path
) -> Section:
    if source.NAME == "ledger":
        claims = datasets["claims"]
        verdicts |= dict(
            zip(claims.claim.values.tolist(), claims.verdict.values.tolist(), strict=True)
        )
    drawn = source.draw(datasets)
    files = read_manifest(folder).get(source.NAME, {}).get("files", {})
    return Section(
        source.NAME,
        source.TITLE,
        source.CAPTION,
        tuple(source.STATEMENTS),
        svg_text(drawn),
        source.words(datasets) if hasattr(source, "words") else [],
        source.tables(datasets) if hasattr(source, "tables") else [],
        alt=described(drawn),
        files=tuple(f"{folder.name}/{record['file']}" for record in files.values()),
        command=f"python -m figures {source.NAME}",
    )


def _findings(known: dict[str, Datasets], chapters: list[Chapter]) -> list[Finding]:
    """The first page; where that fails, a section that says so, and no findings."""
    try:
        return findings(known)
    except Exception as error:  # as for the figures
        failure = f"{type(error).__name__}: {error}"
        chapters[0].sections.insert(0, Section("findings-failed", "Findings", failure=failure))
        return []


def _measured(anchor: str, title: str, source: ModuleType) -> Chapter:
    """A chapter of results that were made beforehand; the page only shows them."""
    try:
        there = source.sections()
    except Exception as error:  # as for the figures
        there = [Section(f"{anchor}-part", title, failure=f"{type(error).__name__}: {error}")]
    return Chapter(anchor, title, source.OPENING, there)


def _chapters(sections: dict[str, Section]) -> list[Chapter]:
    chapters = []
    placed: set[str] = set()
    for anchor, title, opening, members in CHAPTERS:
        there = [sections[name] for name in members if name in sections]
        placed |= set(members)
        if not there:
            there = [Section(members[0], title, note=ABSENT)]
        chapters.append(Chapter(anchor, title, opening, there))
    others = [section for name, section in sections.items() if name not in placed]
    if others:
        chapters.append(Chapter("more", "More", "", others))
    return chapters


def _provenance(options: Options, data: Path, seconds: float) -> list[Table]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {
        "written": now,
        "this run took": f"{seconds:.0f} s (data that were already there are not computed again)",
        "system": f"{platform.system()} {platform.machine()}",
        "processor cores": str(os.cpu_count()),
        **versions(),
        **{f"option {name}": str(value) for name, value in options.as_dict().items()},
    }
    environment = Table("", ["what", "value"], [[key, str(value)] for key, value in facts.items()])
    rows = [
        [name, entry["created"], record["file"], record["sha256"][:16]]
        for name, entry in sorted(read_manifest(data).items())
        for record in entry["files"].values()
    ]
    return [environment, Table("Data files", ["figure", "made", "file", "SHA-256 (start)"], rows)]


@typed
def draw_to(name: str, options: Options, folder: Path, data: Path, kind: str) -> Path:
    """Draw one figure into FOLDER/NAME.KIND. Raises InvalidInput where it cannot be computed."""
    check_format(kind)
    source = module(name)
    try:
        datasets = figure_data(source, Work(options, data))
    except Unavailable as reason:
        raise InvalidInput(f"figure {name} cannot be made here: {reason}") from reason
    return save(source.draw(datasets), folder / f"{name}.{kind}")
