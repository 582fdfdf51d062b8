"""G4g: states from which descent surely diverges, whatever the slow directions do."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.descent import NEXT
from proofs_check.claims.field import alpha, eta, n, o
from proofs_check.claims.settling import UNITS, b, d, e, g, r, u, v, x, y, z
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity

a, f, t, low = sp.symbols("a f t l", real=True)  # |x|, e b/alpha, what multiplies -x, a bound
TURNED = v - 1 + (e**2 + z) / alpha
UNITS_TOO = UNITS | {v: eta * alpha * o**2, z: eta * alpha * n**2}
HALF = sp.Rational(1, 2)
G4G = Claim(
    "G4g",
    "States from which descent diverges",
    "Let d > 0, eta alpha c^2 >= 2 + d, eta alpha o^2 >= 2 + d and eta B^2 <= 2 d c^2 at one step: "
    "the signs of c, epsilon, o, and epsilon and n themselves, may be anything. Then it is so at "
    "every step after, |c| grows by the factor 1 + d/2 at least and |o| by 1 + d at least.",
    r"\eta\alpha c^2,\eta\alpha o^2\ge2+d,\ \eta B^2\le2dc^2\;\Rightarrow\;"
    r"|c_+|\ge(1+\tfrac d2)|c|,\ |o_+|\ge(1+d)|o|",
    Verdict.PROVED,
    hypotheses=(
        "eta > 0, alpha > 0, B >= 0, d > 0; x, e, b, u as in G4e, v = eta alpha o^2, "
        "z = eta alpha n^2",
    ),
    steps=(
        step(
            "Descent (G1) in G4e's units: x+ = -x t + e b/alpha, t = v - 1 + (e^2 + z)/alpha.",
            identity((g * NEXT[0]).subs(eta, g**2 / alpha),
                     (-x * TURNED + e * b / alpha).subs(UNITS_TOO).subs(eta, g**2 / alpha),
                     reads=r"g\,c_+=-xt+eb/\alpha"),
        ),
        step(
            "|x+| >= |x| t - |e| b/alpha, with |e| b <= |x| e^2 + b^2/(4|x|): at least (1 + d/2) "
            "|x|, as b^2 <= 2 alpha d x^2.",
            implies([a > 0], r * b <= a * r**2 + b**2 / (4 * a)),
            implies([a > 0, alpha > 0, z >= 0, d > 0, v >= 2 + d, b**2 <= 2 * alpha * d * a**2,
                     y <= a * r**2 + b**2 / (4 * a)],
                    a * (v - 1 + (r**2 + z) / alpha) - y / alpha >= (1 + HALF * d) * a),
            implies([a >= 0, t >= 0, r >= 0, sp.Eq(a**2, x**2), sp.Eq(r**2, f**2), low >= 0,
                     a * t - r >= low], (-x * t + f) ** 2 >= low**2),
        ),
        by_lemma(
            "induction",
            "o+ = o (1-u), 1 - u <= -(1+d); so all three hypotheses pass to the next step.",
            step=(
                implies([d > 0, u >= 2 + d], (1 - u) ** 2 >= (1 + d) ** 2),
                implies([d > 0, u >= 2 + d, y >= (1 + HALF * d) ** 2 * u], y >= u),
                implies([d > 0, v >= 2 + d, y >= (1 + d) ** 2 * v], y >= v),
            ),
        ),
    ),
    rests_on=("G1",),
    function="settling.diverges",
    by_hand="|p + q| >= |p| - |q|, squared in the last check; b^2 <= 2 alpha d u is eta B^2 <= 2 d "
    "c^2; (1 + d/2)^j tends to infinity",
)  # fmt: skip
CLAIMS = (G4G,)
