"""Formulas are set, prose is left alone, and nothing is let through unescaped."""

import pytest

from figures.described import described
from figures.mathematics import mathml, prose, with_mathematics
from figures.style import label_axes, panels
from proofs_check import claims_table


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("alpha c^2 >= 2/eta", "α c<sup>2</sup> ≥ 2/η"),
        ("c_inf^2 = kappa", "c<sub>inf</sub><sup>2</sup> = κ"),
        ("epsilon0 < 0", "ε<sub>0</sub> &lt; 0"),
        ("e^(-2 tau)", "e<sup>-2 τ</sup>"),
        ("proofs_check and linmodel.phases", "proofs_check and linmodel.phases"),
        ("about beta-testing eta", "about β-testing η"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_prose(typed, set_):
    assert prose(typed) == set_


def test_formulas_between_dollars():
    text = with_mathematics("so $c^2 < 1$ & <i>")
    assert "<msup>" in text and "&amp; &lt;i&gt;" in text and "$" not in text


def test_a_word_between_backticks_is_code():
    for say in (with_mathematics, prose):
        assert str(say("by `make test` <b>")) == "by <code>make test</code> &lt;b&gt;"


def test_formulas_that_captions_type_are_set():
    text = with_mathematics("αc² rises through 2/η; ηαc∞² = 2")
    assert text.count("<math") == 3 and "²" not in text and text.endswith(" = 2")


def test_every_formula_of_the_ledger_is_set():
    for claim in claims_table():
        assert "\\" not in mathml(claim["latex"]), claim["id"]


def test_a_figure_is_described_by_what_is_in_it():
    figure, axes = panels(1, 1, (3, 2))
    axes[0, 0].plot([0, 1, 2], [1.0, 4.0, 3.0], label="descent")
    label_axes(axes[0, 0], "time", "sharpness", "The model")
    assert described(figure) == (
        "The model: sharpness against time: descent from 1 to 3, at most 4."
    )
