"""G4d: runs of descent in Arb balls, so that no rounding can be blamed for what they do."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx, fmpq

from proofs_check.enclosure import below, certified
from proofs_check.ledger import Claim, Verdict, step


def descent_in_balls(
    alpha: str, b_norm: str, start: tuple[str, str, str, str], eta: str, steps: int, bits: int
) -> tuple[arb, arb, arb, arb]:
    """Descent from decimal inputs in Arb balls: the true state lies inside the returned balls."""
    with ctx.workprec(bits):
        a, b_, h, *state = (
            arb(fmpq(*Fraction(text).as_integer_ratio())) for text in (alpha, b_norm, eta, *start)
        )
        c_, e, n_, o_ = state
        for _ in range(steps):
            pull = e * (b_ - c_ * e) - c_ * (n_ * n_ + a * o_ * o_)
            square_ = h * c_ * c_
            c_, e, n_, o_ = (
                c_ + h * pull,
                e + h * c_ * (b_ - c_ * e),
                n_ * (1 - square_),
                o_ * (1 - a * square_),
            )
        return c_, e, n_, o_


def flow_edge(alpha: str, b_norm: str, start: tuple[str, str, str, str], eta: str) -> arb:
    """eta alpha c_inf^2 (F5) as a ball."""
    a, b_, h, c_, e, n_, o_ = (arb(text) for text in (alpha, b_norm, eta, *start))
    kappa = c_ * c_ - e * e - n_ * n_ - o_ * o_
    return h * a * (kappa + (kappa * kappa + 4 * b_ * b_).sqrt()) / 2


BELOW = ("40", "1", ("0.22", "0.37", "0", "0.00003"), "0.104")
ABOVE = ("50", "10", ("1", "0.1", "0.4", "0.9"), "0.00805")


def _diverges_below() -> tuple[bool | None, str]:
    c_, *_ = descent_in_balls(*BELOW, 48, 2000)
    edge = flow_edge(*BELOW)
    return below((arb(10) ** 20, abs(c_)), (edge, arb("3.99"))), (
        f"|c| = {abs(c_).str(6)} after 48 steps, eta alpha c_inf^2 = {edge.str(8)}"
    )


def _settles_above() -> tuple[bool | None, str]:
    c_, e, n_, o_ = descent_in_balls(*ABOVE, 4000, 20_000)
    edge, here = flow_edge(*ABOVE), arb(ABOVE[3]) * 50 * c_ * c_
    small = [(abs(value), arb("1e-20")) for value in (10 - c_ * e, n_, o_)]
    loss = ((10 - c_ * e) ** 2 + (c_ * n_) ** 2 + 50 * (c_ * o_) ** 2) / 2
    return below((arb("4.01"), edge), (here, arb(2)), (loss, arb("2e-38")), *small), (
        f"eta alpha c_inf^2 = {edge.str(8)}; after 4000 steps eta alpha c^2 = {here.str(8)}, "
        f"L = {loss.str(4)}"
    )


FAR_ABOVE = ("1000", "10", ("1.7320508", "1.729", "0.05", "0.001"), "0.0005")


def settles_far_above() -> tuple[bool | None, str]:
    """G4b: a run with eta alpha c_inf^2 > 5 that comes to rest just below the edge, enclosed."""
    c_, e, n_, o_ = descent_in_balls(*FAR_ABOVE, 10_000, 400)
    edge, here = flow_edge(*FAR_ABOVE), arb("0.5") * c_ * c_
    rest = [(abs(x), arb("0.0001")) for x in (10 - c_ * e, n_, o_)]
    return below((arb(5), edge), (here, arb("1.9995")), *rest), (
        f"eta alpha c_inf^2 = {edge.str(6)}; after 10,000 steps eta alpha c^2 = {here.str(8)}, "
        f"o = {o_.str(4)}"
    )


G4D = Claim(
    "G4d",
    "Two runs that settle the matter, in exact arithmetic",
    "eta alpha c_inf^2 = 4 divides nothing, on either side: at alpha = 40, B = 1, eta = 0.104 from "
    "(0.22, 0.37, 0, 3e-5) it is below 3.99 and |c| is above 1e20 after 48 steps; at alpha = 50, B "
    "= 10, eta = 0.00805 from (1, 0.1, 0.4, 0.9) it is above 4.01 and after 4000 steps the loss "
    "(less 1/2 E g^2) is below 2e-38, B - c epsilon, n, o below 1e-20, with eta alpha c^2 < 2.",
    r"\eta\alpha c_\infty^2<3.99:\ |c_{48}|>10^{20};\quad "
    r"\eta\alpha c_\infty^2>4.01:\ \eta\alpha c_{4000}^2<2,\ L<2\cdot10^{-38}",
    Verdict.CERTIFIED,
    hypotheses=("the two stated runs",),
    steps=(
        step("Below 4 and gone.", certified(_diverges_below)),
        step("Above 4 and at rest.", certified(_settles_above)),
    ),
    rests_on=("F5", "G1"),
    function="phases.observe_phase",
)
CLAIMS = (G4D,)
