"""The report as one HTML page: images inlined, no network, no script."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from figures.table import Table

STYLE = """
:root { --ink: #1a1a1a; --soft: #555; --line: #ddd; --blue: #0072B2; }
* { box-sizing: border-box; }
html { scroll-padding-top: 4rem; }
body { margin: 0; color: var(--ink); background: #fff; line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
nav { position: sticky; top: 0; z-index: 1; background: #fff; border-bottom: 1px solid var(--line);
  padding: .6rem 1rem; display: flex; gap: .2rem 1.1rem; overflow-x: auto; white-space: nowrap; }
nav a { color: var(--blue); text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { max-width: 62rem; margin: 0 auto; padding: 0 1rem 4rem; }
h1 { line-height: 1.2; margin: 2rem 0 .5rem; font-size: 1.8rem; }
h2 { margin: 3rem 0 .5rem; border-bottom: 2px solid var(--ink); padding-bottom: .2rem; }
h3 { margin: 2rem 0 .3rem; }
figure { margin: 1rem 0; }
figure img { width: 100%; height: auto; border: 1px solid var(--line); }
figcaption { color: var(--soft); font-size: .95rem; max-width: 50rem; }
.ids { font-size: .9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; min-width: 4rem; }
td:first-child, th:first-child { overflow-wrap: normal; }
th { border-bottom: 2px solid var(--ink); white-space: nowrap; }
tr:target { background: #fff6d6; }
.note { border-left: 4px solid #E69F00; padding: .3rem .8rem; background: #fffaf0; }
.failed { border-left: 4px solid #D55E00; padding: .3rem .8rem; background: #fff3ee; }
.verdict { font-weight: 600; white-space: nowrap; }
.verdict.proved, .verdict.certified { color: #005a8c; }
.verdict.tested, .verdict.open { color: #7a5c00; }
.verdict.refuted, .verdict.error { color: #a84300; }
code { font-size: .9em; }
details summary { cursor: pointer; color: var(--blue); }
@media (max-width: 40rem) { figure img { min-width: 36rem; } h1 { font-size: 1.4rem; }
  main { padding: 0 .7rem 3rem; } }
@media print { nav { display: none; } h2 { break-before: auto; } .scroll { overflow: visible; }
  figure, tr { break-inside: avoid; } body { font-size: 10pt; } a { color: inherit; }
  details::details-content { content-visibility: visible; block-size: auto; } }
"""
LONG_TEXT = 400
VERDICTS = ("proved", "certified", "tested", "open", "refuted", "error")


@dataclass(frozen=True)
class Section:
    """One figure of the page: its texts, picture (SVG text) and tables; or a note, or a failure."""

    name: str
    title: str
    caption: str = ""
    statements: tuple[str, ...] = ()
    svg: str = ""
    words: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    note: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Chapter:
    """A heading of the page with its sections."""

    anchor: str
    title: str
    opening: str
    sections: list[Section]


def page(
    title: str,
    about: list[str],
    chapters: list[Chapter],
    verdicts: dict[str, str],
    foot: list[Table],
    beside: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The whole HTML text. `verdicts` (id -> verdict) turns statement ids into links.

    beside  other pages in the same folder: file name -> what it is
    """
    links = [("#about", "About"), *((f"#{each.anchor}", each.title) for each in chapters)]
    links += [("#provenance", "Provenance"), *beside.items()]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>",
        "<nav>" + "".join(f'<a href="{a}">{html.escape(t)}</a>' for a, t in links) + "</nav><main>",
        f'<h1 id="about">{html.escape(title)}</h1>',
        *(f"<p>{html.escape(text)}</p>" for text in about),
    ]
    for chapter in chapters:
        parts.append(f'<h2 id="{chapter.anchor}">{html.escape(chapter.title)}</h2>')
        if chapter.opening:
            parts.append(f"<p>{html.escape(chapter.opening)}</p>")
        parts += [_section(section, verdicts) for section in chapter.sections]
    parts.append('<h2 id="provenance">Environment and provenance</h2>')
    parts += [table_html(table) for table in foot]
    return "\n".join([*parts, "</main></body></html>", ""])


def _section(section: Section, verdicts: dict[str, str]) -> str:
    parts = [f'<h3 id="{section.name}">{html.escape(section.title)}</h3>']
    if section.note:
        parts.append(f'<p class="note">{html.escape(section.note)}</p>')
    if section.failure:
        parts.append(f'<p class="failed">This part failed: {html.escape(section.failure)}</p>')
    if section.svg:
        data = base64.b64encode(section.svg.encode()).decode()
        alt = html.escape(section.title, quote=True)
        image = f'<img alt="{alt}" src="data:image/svg+xml;base64,{data}">'
        parts.append(f'<figure><div class="scroll">{image}</div>')
        parts.append(f"<figcaption>{html.escape(section.caption)}{_ids(section, verdicts)}")
        parts.append("</figcaption></figure>")
    parts += [f"<p>{html.escape(text)}</p>" for text in section.words]
    parts += [table_html(table) for table in section.tables]
    return "\n".join(parts)


def _ids(section: Section, verdicts: dict[str, str]) -> str:
    if not section.statements:
        return ""
    names = [_id(name, verdicts) for name in section.statements]
    return f'<div class="ids">Statements: {", ".join(names)}.</div>'


def _id(name: str, verdicts: dict[str, str]) -> str:
    if name not in verdicts:
        return html.escape(name)
    verdict = verdicts[name]
    return f'<a href="#claim-{name}">{name}</a> (<span class="verdict {verdict}">{verdict}</span>)'


def table_html(table: Table) -> str:
    """An HTML table; texts that are long fold; a cell that is a verdict is coloured as one."""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in table.heading)
    anchors = table.anchors or [""] * len(table.rows)
    rows = []
    for anchor, row in zip(anchors, table.rows, strict=True):
        mark = f' id="{html.escape(anchor, quote=True)}"' if anchor else ""
        rows.append(f"<tr{mark}>" + "".join(f"<td>{_cell(text)}</td>" for text in row) + "</tr>")
    title = f"<h3>{html.escape(table.title)}</h3>" if table.title else ""
    top = f"<thead><tr>{head}</tr></thead>"
    body = "<tbody>" + "\n".join(rows) + "</tbody>"
    return f'{title}<div class="scroll"><table>{top}{body}</table></div>'


def _cell(text: str) -> str:
    if text in VERDICTS:
        return f'<span class="verdict {text}">{text}</span>'
    if len(text) <= LONG_TEXT:
        return html.escape(text)
    cut = text[: LONG_TEXT // 3].rsplit(" ", 1)[0]
    return f"<details><summary>{html.escape(cut)} …</summary>{html.escape(text)}</details>"
