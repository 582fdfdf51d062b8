"""The report as one HTML page: images inlined, no network; its script only filters and unfolds."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from figures.mathematics import with_mathematics
from figures.table import Table

LONG_TEXT = 400
MANY_ROWS = 10
VERDICTS = ("proved", "certified", "tested", "open", "refuted", "error")


@dataclass(frozen=True)
class Section:
    """One figure of the page: its texts, picture (SVG text) and tables; or a note, or a failure.

    alt      what is seen, for who does not see it
    files    links to the data, relative to the page
    command  what makes it
    """

    name: str
    title: str
    caption: str = ""
    statements: tuple[str, ...] = ()
    svg: str = ""
    words: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    note: str = ""
    failure: str = ""
    alt: str = ""
    files: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class Finding:
    """One sentence of the first page with its picture, and the anchor that says more."""

    sentence: str
    svg: str
    alt: str
    anchor: str
    more: str = "more"


@dataclass(frozen=True)
class Chapter:
    """A heading of the page with its sections; folded until it is opened."""

    anchor: str
    title: str
    opening: str
    sections: list[Section]

    @property
    def contents(self) -> str:
        """What is inside, in one line."""
        titles = [section.title for section in self.sections]
        said = "; ".join(titles[:3])
        return said if len(titles) <= 3 else f"{said}; and {len(titles) - 3} more"


def page(
    title: str,
    about: list[str],
    chapters: list[Chapter],
    verdicts: dict[str, str],
    foot: list[Table],
    beside: Mapping[str, str] = MappingProxyType({}),
    findings: Sequence[Finding] = (),
) -> str:
    """The whole HTML text. `verdicts` (id -> verdict) turns statement ids into links.

    beside    other pages in the same folder: file name -> what it is
    findings  the first page
    """
    return _template("report.html").render(
        title=title,
        about=about,
        chapters=chapters,
        verdicts=verdicts,
        foot=foot,
        beside=beside,
        findings=findings,
        anchors={part.name for chapter in chapters for part in chapter.sections},
        style=_source("report.css"),
        script=_source("report.js"),
    )


def table_html(table: Table) -> str:
    """An HTML table; texts that are long fold; a cell that is a verdict is coloured as one."""
    return str(_template("parts.html").make_module().shown(table))  # type: ignore[attr-defined]


@cache
def _environment() -> Environment:
    """Templates that escape every text; what is Markup already stays."""
    made = Environment(
        loader=PackageLoader("figures"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
        "cut": lambda text: text[: LONG_TEXT // 3].rsplit(" ", 1)[0],
        "mathematics": with_mathematics,
        "name": lambda path: PurePosixPath(path).name,
    }
    made.tests["set"] = lambda text: isinstance(text, Markup)
    made.globals |= {"verdicts_known": VERDICTS, "long_text": LONG_TEXT, "many_rows": MANY_ROWS}
    return made


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


def _source(name: str) -> Markup:
    """A style or a script of the house's own, as it stands."""
    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), name)[0])
