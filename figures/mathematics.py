r"""Mathematics set as HTML: MathML for TeX between dollar signs, and formulas typed in prose.

Browsers set MathML by themselves: no script and no font is needed.
"""

from __future__ import annotations

import re

from latex2mathml.converter import convert
from markupsafe import Markup, escape

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "eta": "η",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "rho": "ρ",
    "Sigma": "Σ",
    "sigma": "σ",
    "tau": "τ",
}
_LETTER = "|".join(GREEK)
_FORMULA = re.compile(r"\$([^$]+)\$")
# As captions type them, longest first.
TYPED = {
    "ηαc∞²": r"\eta\alpha c_\infty^2",
    "αc∞²": r"\alpha c_\infty^2",
    "ηαc²": r"\eta\alpha c^2",
    "αc²": r"\alpha c^2",
    "2/η": r"2/\eta",
}
_TYPED = re.compile("(" + "|".join(TYPED) + ")(?![*0-9])")
_GREEK = re.compile(rf"(?<![A-Za-z_])({_LETTER})(?![A-Za-z])(\d|_[A-Za-z0-9]+\b)?")
_INDEX = re.compile(r"(?<![\w.;])([A-Za-z])_([A-Za-z]{1,3}\d?|\d)\b(?!\()")
_NUMBER = re.compile(r"(?<![\w.<])([a-z])(\d)(?![\w.])")
_POWER = re.compile(r"(?<=[\w)|\]>;*])\^(\([^()]*\)|-?[\wα-ω]+|[+*])")
_CODE = re.compile("`([^`]+)`")
_SIGNS = {
    "&gt;&gt;": "≫",
    "dtau": "dτ",
    "&lt;=": "≤",
    "&gt;=": "≥",
    "!=": "≠",
    "-&gt;": "→",
    "+-": "±",
    "sqrt(": "√(",
}


def mathml(latex: str) -> Markup:
    """TeX as MathML, in line."""
    return Markup(convert(latex.replace(r"\arg", r"\operatorname{arg}")))


def with_mathematics(text: str) -> Markup:
    """`text` escaped, with MathML in place of every $formula$, and of those of `TYPED`; a word
    between backticks is code."""
    parts = _FORMULA.split(_TYPED.sub(lambda typed: f"${TYPED[typed[0]]}$", text))
    done = [mathml(part) if i % 2 else _code(escape(part)) for i, part in enumerate(parts)]
    return Markup("").join(done)


def prose(text: str) -> Markup:
    """Formulas typed on a keyboard, set: "alpha c^2 >= c_inf" has α, a raised 2, ≥ and an index.

    Names of code (`proofs_check`, linmodel.bounds) stay as they are.
    """
    said = str(escape(text))
    for typed, sign in _SIGNS.items():
        said = said.replace(typed, sign)
    said = _INDEX.sub(r"\1<sub>\2</sub>", said)
    said = _NUMBER.sub(r"\1<sub>\2</sub>", said)
    said = _GREEK.sub(_greek, said)
    return _code(_POWER.sub(_raised, said))


def _code(said: str) -> Markup:
    return Markup(_CODE.sub(r"<code>\1</code>", str(said)))  # of a Markup, sub would escape it


def _greek(match: re.Match[str]) -> str:
    index = (match[2] or "").removeprefix("_")
    return GREEK[match[1]] + (f"<sub>{index}</sub>" if index else "")


def _raised(match: re.Match[str]) -> str:
    text = match[1]
    inner = text[1:-1] if text.startswith("(") else text
    return f"<sup>{inner}</sup>"
