"""What the site needs beyond its pages: formulas as MathML, the tutorials' pictures.

No script and no font is fetched: browsers set MathML themselves.
"""

import contextlib
import html
import io
import os
import re
import tempfile
from importlib import import_module
from pathlib import Path

from mkdocs.structure.files import File

from figures.mathematics import mathml

ROOT = Path(__file__).resolve().parent.parent
FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>([.,;:)]*)', re.DOTALL
)
CODE = re.compile(r"(?<!<pre>)(?<!<span></span>)<code>[^<]+</code>")  # in line, no block
BREAK = re.compile(r"(?<=\w)([._,(])(?=[A-Za-z])")
NUMBER = re.compile(r"(?<=[ >(\[])[−-]?\d[\d.]*e[−-]\d+(?=[^<>]*<)")  # of text, not of a tag
WIDE = 30  # signs of a formula that may be too wide for a phone: it scrolls there by itself


def on_config(config):
    """Pages that the navigation lacks come last in it: none is lost."""
    pages = sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))
    config.nav = with_the_rest(config.nav, pages)
    return config


def with_the_rest(nav, pages):
    """`nav` and the `pages` that are nowhere in it."""
    missing = [page for page in pages if f"'{page}'" not in repr(nav)]
    return [*nav, {"More": missing}] if missing else nav


def on_files(files, config):
    """Run every tutorial, and take its pictures; the first page has the report's."""
    for page in sorted((ROOT / "docs" / "tutorials").glob("*.md")):
        for name, picture in run(page).items():
            files.append(File.generated(config, f"tutorials/{name}", content=picture))
    overview = (ROOT / "figures" / "overview.png").read_bytes()
    files.append(File.generated(config, "overview.png", content=overview))
    return files


def run(page):
    """The PNG files that a page's Python writes, by name."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, str(page), "exec"), {"__name__": "tutorial"})
        finally:
            os.chdir(before)
        return {path.name: path.read_bytes() for path in Path(folder).glob("*.png")}


def on_page_markdown(markdown, page, config, files):
    """Every public name is on its package's reference page: what no section has comes last."""
    folder, _, package = page.file.src_uri.removesuffix(".md").rpartition("/")
    return whole(markdown, package) if folder == "reference" else markdown


def whole(markdown, package):
    """`markdown` and the public names of `package` that it lacks."""
    public = [f"::: {package}.{name}\n" for name in import_module(package).__all__]
    missing = [line for line in public if line not in markdown]
    return markdown + ("\n## More\n\n" + "".join(missing) if missing else "")


def on_page_content(content, page, config, files):
    """Formulas as MathML; code may break behind a dot or an underscore, numbers nowhere."""
    content = NUMBER.sub(r'<span class="whole">\g<0></span>', content)
    return CODE.sub(lambda code: BREAK.sub(r"\1<wbr>", code[0]), FORMULA.sub(_set, content))


def _set(match):
    made = str(mathml(html.unescape(match[3])))
    if match[1] == "div":
        made = made.replace('display="inline"', 'display="block"', 1)
    wide = match[1] == "div" or len(html.unescape(re.sub("<[^>]*>", "", made))) > WIDE
    return f'<span class="{"wide" if wide else "whole"}">{made}{match[4]}</span>'
