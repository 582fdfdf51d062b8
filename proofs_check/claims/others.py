"""E1-E5, E8: what others state of minimal models, as verdicts on their claims in our model only."""

from __future__ import annotations

import sympy as sp
from flint import arb

from proofs_check.claims.edge import SQUARE
from proofs_check.claims.exact_runs import descent_in_balls, flow_edge
from proofs_check.claims.field import LOSS, STATE, VELOCITY, B, alpha, c, o
from proofs_check.enclosure import below, certified
from proofs_check.ledger import Claim, Verdict, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

kappa, after, X, Y = sp.symbols("kappa kappa_1 X Y", real=True)
ENDS = [X > 0, sp.Eq(X**2 - kappa * X - B**2, 0), sp.Eq(Y**2 - after * Y - B**2, 0)]
E1 = Claim(
    "E1",
    "Descent lowers the sharpness at which the flow from its weights would end",
    "Kreisler et al. prove it for scalar networks, under conditions. In our model: as long as "
    "kappa is >= 0 before and after a step (of GD or SGD), neither the opposing curvature "
    "alpha c_inf^2 nor the sharpness max(alpha c_inf^2, c_inf^2 + B^2/c_inf^2) of the flow's "
    "end rises. Where kappa < 0 it may (G8b).",
    r"\kappa\ge\kappa_+\ge0\Rightarrow\max\left(\alpha c_\infty^2,c_\infty^2+B^2/c_\infty^2\right)"
    r"\big|_{\kappa_+}\le\max(\cdots)\big|_\kappa",
    Verdict.PROVED,
    source="Kreisler, Nacson, Soudry, Carmon (arXiv 2305.13064), in our words and model",
    hypotheses=("the standing hypotheses at both points", "kappa >= 0 before and after the step"),
    steps=(
        step(
            "With X = c_inf^2 (F5) before and Y after, kappa_+ <= kappa (G8): Y <= X.",
            implies([*ENDS, after <= kappa], Y <= X),
            implies([alpha >= 0, Y <= X], alpha * Y <= alpha * X),
        ),
        step(
            "For kappa_+ >= 0, Y >= B, where X + B^2/X rises with X.",
            implies([Y > 0, after >= 0, sp.Eq(Y**2 - after * Y - B**2, 0)], Y >= B),
            implies([B > 0, Y >= B, X >= Y], Y + B**2 / Y <= X + B**2 / X),
        ),
    ),
    rests_on=("G8", "F5"),
)
CURVATURE = alpha * c**2
SLOPE = sp.Matrix([sp.diff(CURVATURE, q) for q in STATE])
FALL = -(sp.Matrix([sp.diff(LOSS, q) for q in STATE]).T * SLOPE)[0]  # -grad L . grad S
E2 = Claim(
    "E2",
    "Self-stabilisation's size of the oscillation is the central flow's",
    "Damian et al. let the curvature S sharpen at rate A = -grad L . grad S and be held at 2/eta "
    "by an oscillation of mean square 2 A/|grad S|^2 along the unstable direction. With S = alpha "
    "c^2 and that direction o, in our model: A is the rate of alpha c^2 along the flow, > 0 only "
    "where c rises (and at any time after the dip, F4), and 2 A/|grad S|^2 at o = 0 is G6's <o^2>.",
    r"\frac{2A}{|\nabla S|^2}\Big|_{o=0}=\frac1\alpha\Big(\frac{\epsilon B}c-\epsilon^2-n^2\Big),"
    r"\quad A=-\nabla L\cdot\nabla S",
    Verdict.PROVED,
    source="Damian, Nichani, Lee (arXiv 2209.15594), in our words and model",
    hypotheses=("c > 0", "alpha > 0", "after the dip: F4's hypotheses"),
    steps=(
        step(
            "A is the rate of alpha c^2 along the flow.",
            identity(FALL, 2 * alpha * c * VELOCITY[0],
                     reads=r"-\nabla L\cdot\nabla S=2\alpha c\dot c"),
            implies([alpha > 0, c > 0, VELOCITY[0] > 0], 2 * alpha * c * VELOCITY[0] > 0),
            implies([alpha > 0, c > 0, 2 * alpha * c * VELOCITY[0] > 0], VELOCITY[0] > 0),
        ),
        step(
            "The mean square.",
            identity(2 * at(FALL, {o: 0}) / (SLOPE.T * SLOPE)[0], SQUARE,
                     reads=r"2A/|\nabla S|^2\text{ at }o=0"),
        ),
    ),
    rests_on=("F4", "G6"),
)  # fmt: skip
GONE = ("40", "1", ("0.22", "0.37", "0", "0.00003"), "0.104")
E3 = Claim(
    "E3",
    "Past 2/eta self-stabilisation always brings descent back",
    "The mechanism of Damian et al., read without the conditions of their theorem. False here: at "
    "alpha = 40, B = 1, eta = 0.104 from (0.22, 0.37, 0, 3e-5), eta alpha c0^2 is below 1/4 and "
    "eta alpha c_inf^2 below 3.99, and |c| is above 1e20 after 48 steps. Where it does hold: G4e, "
    "G7.",
    r"\eta\alpha c_j^2>2\Rightarrow\text{returns below }2",
    Verdict.REFUTED,
    source="Damian, Nichani, Lee (arXiv 2209.15594), in our words and without conditions",
    witness=(
        "from proofs_check.claims.others import gone as f; good, shown = f(); assert good, shown"
    ),
)
SHORT = ("50", "10", ("1", "0.5", "0", "0.000001"), "0.006")


def gone() -> tuple[bool | None, str]:
    """E3: the run that starts below the edge and diverges, enclosed."""
    c_, *_ = descent_in_balls(*GONE, 48, 2000)
    start = arb(GONE[3]) * 40 * arb(GONE[2][0]) ** 2
    return below((start, arb("0.25")), (flow_edge(*GONE), arb("3.99")), (arb(10) ** 20, abs(c_))), (
        f"|c| = {abs(c_).str(6)} after 48 steps"
    )


def ends_short() -> tuple[bool | None, str]:
    """E4: the run that crosses the edge and rests 7% below it, enclosed."""
    c_, e, _, o_ = descent_in_balls(*SHORT, 1500, 2000)
    h, edge = arb(SHORT[3]), flow_edge(*SHORT)
    top = (h * 50 * c_ * c_).max(h * (c_ * c_ + e * e))
    rest = [(abs(value), arb("1e-13")) for value in (10 - c_ * e, o_)]
    return below((arb("3.1"), edge), (top, arb("1.86")), *rest), (
        f"eta alpha c_inf^2 = {edge.str(6)}; after 1500 steps eta sharpness = {top.str(6)}"
    )


E4 = Claim(
    "E4",
    "Descent that crosses the edge and settles ends just below 2/eta",
    "Zhu et al. explain it for a function of their own, and note that two-layer networks leave a "
    "larger gap. Read as `within 5%` it is false here: at alpha = 50, B = 10, eta = 0.006 from "
    "(1, 1/2, 0, 1e-6), with eta alpha c_inf^2 > 3.1, descent is at rest after 1500 steps (B - c "
    "epsilon and o below 1e-13) where eta times the sharpness is below 1.86.",
    r"\eta\lambda_{\max}\to[1.9,2]",
    Verdict.REFUTED,
    source="Zhu, Wang, Wang, Zhou, Ge (arXiv 2210.03294), in our words and model",
    steps=(step("The run, enclosed.", certified(ends_short)),),
    rests_on=("G1", "F5"),
    witness=(
        "from proofs_check.claims.others import ends_short as f; good, shown = f(); "
        "assert good, shown"
    ),
    by_hand="after the last step w, B - c epsilon shrink by (G1) factors below 9/10, so what is "
    "left moves c and epsilon by less than 1e-10; G4f: it converges",
)
imbalance, other, root, later = sp.symbols("C C_1 R R_1", real=True)
AT_END = [X > 0, sp.Eq(X**2 + imbalance * X - B**2, 0)]  # c^2 = X, epsilon = B/c
E5 = Claim(
    "E5",
    "The sharpness of a two-layer minimum lies between two bounds; with imbalance alpha c^2 falls",
    "Yoo et al., for one neuron a layer: with C = |u|^2 - v^2 (inner, outer weights) and Q the "
    "squared least-squares solution, v^2 = (sqrt(C^2 + 4Q) - C)/2 at a minimum, and its sharpness "
    "is between s v^2 + d_1^2/v^2 and s v^2 + sum d_i^2/v^2, s the largest data variance, d_i the "
    "shares of the signal; it falls with C. In our model v^2 = c^2, Q = B^2, and, as the signal "
    "has no share of the top direction for alpha > 1: alpha c^2 <= max(alpha c^2, c^2 + B^2/c^2) "
    "<= alpha c^2 + B^2/c^2; for alpha <= 1 all three are c^2 + B^2/c^2. c^2 falls with C, so "
    "alpha c^2 does; c^2 + B^2/c^2 = sqrt(C^2 + 4B^2) rises with C >= 0.",
    r"\alpha c^2\le\lambda_{\max}\le\alpha c^2+B^2/c^2,\quad "
    r"c^2=\tfrac12\big(\sqrt{C^2+4B^2}-C\big)",
    Verdict.PROVED,
    source="Yoo, Song, Yun (arXiv 2506.06940), by a public account, in our words and model",
    hypotheses=("B > 0", "alpha >= 0", "a minimum: c epsilon = B, n = o = 0, c != 0"),
    steps=(
        step(
            "C = epsilon^2 - c^2 with epsilon = B/c; X = c^2 by its square root R, and R itself.",
            identity(X**2 + (B**2 / X - X) * X - B**2, 0),
            implies([*AT_END, root >= 0, sp.Eq(root**2, imbalance**2 + 4 * B**2)],
                    sp.Eq(2 * X, root - imbalance) & sp.Eq(root, X + B**2 / X)),
        ),
        step(
            "The bounds: the sharpness (H1, G2) is the larger of alpha X and X + B^2/X.",
            implies([X > 0, alpha >= 1], alpha * X + B**2 / X >= X + B**2 / X),
            implies([X > 0, alpha <= 1], alpha * X <= X + B**2 / X),
        ),
        step(
            "With C, X does not rise; R does for C >= 0.",
            implies([*AT_END, sp.Eq(Y**2 + other * Y - B**2, 0), other >= imbalance],
                    Y <= X),
            implies([imbalance >= 0, other > imbalance, root >= 0, later >= 0,
                     sp.Eq(root**2, imbalance**2 + 4 * B**2),
                     sp.Eq(later**2, other**2 + 4 * B**2)], later > root),
        ),
    ),
    rests_on=("G2", "H1"),
    by_hand="the directions of the data are those of Sigma = I and Sigma_o = alpha P: s = max(1, "
    "alpha), and d is B along beta alone",
)  # fmt: skip


def overshoots() -> tuple[bool | None, str]:
    """E8: the run of E4, 88 steps on."""
    c_, *_ = descent_in_balls(*SHORT, 88, 2000)
    here = arb(SHORT[3]) * 50 * c_ * c_
    return below((arb("3.1"), here)), f"eta alpha c^2 = {here.str(6)} after 88 steps"


E8 = Claim(
    "E8",
    "Descent that crosses the edge and settles keeps its sharpness below (2 + delta)/eta",
    "Liu et al. prove such a bound, under conditions, for a two-layer net with a relevant and an "
    "irrelevant input, which is our model at n = 0. Read without conditions and with delta <= 1 "
    "it is false: E4's run (alpha = 50, B = 10, eta = 0.006 from (1, 1/2, 0, 1e-6)) has eta "
    "alpha c^2 > 3.1 after 88 steps, and settles.",
    r"\eta\lambda_{\max}(s_j)\le3",
    Verdict.REFUTED,
    source="Liu, Zhang, Du, Zhao (arXiv 2503.02809), in our words and without conditions",
    steps=(step("The run, enclosed.", certified(overshoots)),),
    rests_on=("H2",),
    witness=(
        "from proofs_check.claims.others import ends_short, overshoots; "
        "found = [overshoots(), ends_short()]; assert all(good for good, _ in found), found"
    ),
    by_hand="the sharpness is at least alpha c^2 (H2); that the run settles is E4's",
)
CLAIMS = (E1, E2, E3, E4, E5, E8)
