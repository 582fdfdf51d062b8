"""G4e, G4f: regions in which descent provably settles, below the edge and through it."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.descent import NEXT
from proofs_check.claims.field import B, alpha, c, epsilon, eta, n, o
from proofs_check.ledger import Claim, Step, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity

# The edge's units: g^2 = eta alpha, x = g c, e = g epsilon, b = g^2 B, w = eta (alpha o^2 + n^2).
g, x, e, w, b, m, s, d, E = sp.symbols("g x e w b m s d E", real=True)
k, after, U, V, h, low, r, p, y, v = sp.symbols("k k_1 U U_1 h h_1 r p y v", real=True)
u, z, theta, zeta, z1, w1, top = sp.symbols("u z theta zeta z_1 w_1 w_top", real=True)
LACK = b - x * e  # alpha eta (B - c epsilon), the signal that is still missing
Q = LACK / alpha
X_NEXT, E_NEXT = x * (1 - w) + e * Q, e + x * Q
WEIGHT = eta * (alpha * o**2 + n**2)
UNITS = {x: g * c, e: g * epsilon, b: g**2 * B, w: WEIGHT.subs(eta, g**2 / alpha)}
INSIDE = [x > 0, e >= 0, LACK >= 0, alpha > 0, w >= 0, w <= sp.Rational(3, 10)]
K = x**2 - (1 + s) * e**2  # its limit is U with U^2 - K U - (1 + s) b^2 = 0
MARGIN = (x**2 + e**2) / alpha + x * e * LACK / alpha**2


def _near(first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """(4 - S)^2 D of G7's throw at the weights u, w."""
    return (4 - first - second) ** 2 * (first - second)


BELOW_ALPHA = implies([U > 0, U + b**2 / U <= E, alpha > 0, E + b**2 / (4 * alpha) <= alpha],
                      alpha >= U)  # fmt: skip
COMMON: tuple[Step, ...] = (
    step(
        "Descent (G1) in these units: x+ = x (1 - w) + e q, e+ = e + x q, where q = (b - x "
        "e)/alpha = eta (B - c epsilon).",
        identity((g * NEXT[0]).subs(eta, g**2 / alpha), X_NEXT.subs(UNITS), reads=r"g\,c_+=x_+"),
        identity((g * NEXT[1]).subs(eta, g**2 / alpha), E_NEXT.subs(UNITS),
                 reads=r"g\,\epsilon_+=e_+"),
    ),
    by_lemma(
        "induction",
        "While x > 0, e >= 0, x e <= b and w <= 3/10: x+ >= x (1 - w) > 0 and e+ >= e.",
        step=implies(INSIDE, (x * (1 - w) <= X_NEXT) & (x * (1 - w) > 0) & (e <= E_NEXT)),
    ),
    by_lemma(
        "induction",
        "b - x+ e+ = (b - x e)(1 - (x^2 (1-w) + e^2)/alpha - x e (b - x e)/alpha^2) + w x e stays "
        ">= 0: with m <= x^2 <= U0 and x e <= b the bracket is, by the last hypothesis.",
        step=(
            identity(b - X_NEXT * E_NEXT, LACK * (1 - MARGIN + x**2 * w / alpha) + w * x * e),
            implies([m > 0, m <= u, u <= U, m + b**2 / m <= E, U + b**2 / U <= E],
                    u + b**2 / u <= E),
            implies([x > 0, x**2 * e**2 <= b**2, x**2 + b**2 / x**2 <= E], x**2 + e**2 <= E),
            implies([sp.Eq(p, x * e)], p * (b - p) <= b**2 / 4),
            implies([alpha > 0, y <= E, p <= b**2 / 4, E + b**2 / (4 * alpha) <= alpha],
                    y / alpha + p / alpha**2 <= 1),
            implies([p >= 0, r >= 0, alpha > 0, w >= 0, x > 0, e >= 0],
                    p * (r + x**2 * w / alpha) + w * x * e >= 0),
        ),
    ),
    by_lemma(
        "induction",
        "k = x^2 - (1+s) e^2 falls by at least x^2 (2w - w^2), where 8 alpha m s = b^2: then e q "
        "<= 2 s x, which covers what G8's rise of a negative kappa may add.",
        step=(
            implies([x > 0, x**2 >= m, alpha > 0, s >= 0, sp.Eq(8 * alpha * m * s, b**2),
                     x * p <= b**2 / 4], p <= 2 * alpha * s * x),
            identity(X_NEXT**2 - (1 + s) * E_NEXT**2,
                     K - x**2 * (2 * w - w**2) - 2 * w * x * e * Q + (e**2 - x**2) * Q**2
                     - s * (2 * e * x * Q + x**2 * Q**2)),
            implies([x > 0, e >= 0, p >= 0, s >= 0, w >= 0, e * p <= 2 * s * x],
                    (e**2 - x**2) * p**2 - 2 * w * x * e * p - s * (2 * e * x * p + x**2 * p**2)
                    <= 0),
        ),
    ),
    step(
        "So x^2 <= U, U^2 - k U = (1+s) b^2, at every step, and U does not rise.",
        implies([u > 0, U > 0, s >= 0, sp.Eq(U**2 - k * U, (1 + s) * b**2), u * y <= b**2,
                 sp.Eq(k, u - (1 + s) * y)], u <= U),
        implies([U > 0, r >= 0, sp.Eq(U**2 - k * U, r), sp.Eq(V**2 - after * V, r),
                 after <= k], V <= U),
    ),
)  # fmt: skip
A = sp.Rational(7, 10)  # 2 - w >= 1.7 = 1 + A
SETTLED: tuple[Step, ...] = (
    by_lemma(
        "telescoping",
        "k + t (b - x e) falls each step by at least m w + t (7/10) (m/alpha) (b - x e), where t "
        "b = (7/10) m, and is bounded below, as e <= b/x: so w and b - x e are summable, and with "
        "them the steps of x, at most x w + e q, and of e, x q. The limit has w = 0, x e = b.",
        decrease=(
            implies([m > 0, u >= m, w >= 0, w <= 1 - A, p >= 0, after <= k - u * (2 * w - w**2)],
                    after <= k - (1 + A) * m * w),
            implies([m > 0, alpha > 0, b > 0, x**2 >= m, p >= 0, w >= 0, w <= 1 - A, x * e <= b,
                     r >= (x**2 * (1 - w)) / alpha, v <= p * (1 - r) + w * x * e],
                    v <= p * (1 - A * m / alpha) + w * b),
            implies([m > 0, alpha > 0, b > 0, w >= 0, after <= k - (1 + A) * m * w,
                     v <= p * (1 - A * m / alpha) + w * b],
                    after + A * m / b * v <= k + A * m / b * p - m * w
                    - A * m / b * (A * m / alpha) * p),
        ),
        below=implies([m > 0, x**2 >= m, x * e <= b, e >= 0, s >= 0, p >= 0, x > 0],
                      K + p >= -(1 + s) * b**2 / m),
        steps=(
            identity(X_NEXT - x, -x * w + e * Q),
            implies([x >= 0, x <= r, e >= 0, e <= y, w >= 0, p >= 0, alpha > 0],
                    (-x * w + e * p / alpha <= r * w + y * p / alpha)
                    & (-x * w + e * p / alpha >= -r * w - y * p / alpha)
                    & (x * p / alpha <= r * p / alpha) & (x * p / alpha >= 0)),
        ),
    ),
)  # fmt: skip
UNITS_WORDS = (
    "eta > 0, alpha > 0, B > 0; u = eta alpha c^2, y = eta alpha epsilon^2, w = eta (alpha o^2 + "
    "n^2), b = eta alpha B",
    "c0 > 0, epsilon0 >= 0, c0 epsilon0 <= B, w0 <= 3/10",
    "U0 is the positive root of U^2 - (u0 - (1+s) y0) U = (1+s) b^2, s = b^2/(8 alpha m)",
    "max(m + b^2/m, U0 + b^2/U0) + b^2/(4 alpha) <= alpha",
)
READ = (
    "the inductions run together: what a step assumes of the present state the others keep; "
    "c*, epsilon* are the limits; alpha c*^2 <= 2/eta for o_j never 0 is G4; e <= b/x because x e "
    "<= b"
)
G4F = Claim(
    "G4f",
    "Below the edge descent settles",
    "Let U0 < 2 and m = u0 - 2/(2-U0) eta alpha o0^2 - 2/(2-U0/alpha) eta alpha n0^2 > 0, besides "
    "the hypotheses. Then descent converges to a minimum with c epsilon = B, n = o = 0; at every "
    "step m <= eta alpha c^2 <= U0 < 2, |o| and |n| do not rise, epsilon does not fall, c epsilon "
    "<= B.",
    r"U_0<2\;\Rightarrow\;m\le\eta\alpha c_j^2\le U_0,\quad c_j\epsilon_j\to B,\ n_j,o_j\to0",
    Verdict.PROVED,
    hypotheses=UNITS_WORDS,
    steps=(
        *COMMON,
        by_lemma(
            "induction",
            "Floor: with W = eta alpha o^2 and z = eta alpha n^2, W - W+ = W u (2-u) and z - z+ = "
            "(z/alpha) u (2 - u/alpha), so that u - 2 W/(2-U0) - 2 z/(2 - U0/alpha) does not fall, "
            "as U0 <= alpha. And w does not rise.",
            step=(
                identity(w1 - w1 * (1 - u) ** 2, w1 * u * (2 - u)),
                identity(z - z * (1 - u / alpha) ** 2, z / alpha * u * (2 - u / alpha)),
                implies([u >= 0, u <= top, top < 2, w1 >= 0, sp.Eq(theta * (2 - top), 2)],
                        2 * u * w1 <= theta * (w1 * u * (2 - u))),
                implies([u >= 0, u <= top, top < 2 * alpha, alpha > 0, z >= 0,
                         sp.Eq(zeta * (2 - top / alpha), 2)],
                        2 * u * (z / alpha) <= zeta * (z / alpha * u * (2 - u / alpha))),
                BELOW_ALPHA,
                implies([u >= 0, y >= u * (1 - w) ** 2], y >= u - 2 * u * w),
                implies([u >= 0, u <= 2, w1 >= 0], w1 * (1 - u) ** 2 <= w1),
            ),
        ),
        *SETTLED,
    ),
    rests_on=("G1",),
    function="settling.settles",
    by_hand=READ,
)  # fmt: skip
GROWN = (1 + h) ** 2 * (p + h**2)  # p = 4 gamma w
G4E = Claim(
    "G4e",
    "Through the edge descent still settles, if it is not thrown too far",
    "With v0 = eta alpha o0^2, let w0 <= W <= 3/10, v0 < u0 <= 2, H = max(U0 - 2, 0) <= 1, 0 < m "
    "<= 4/3 with m (4-m)^2 + 32 eta alpha n0^2/(2 - U0/alpha) <= min((4-u0-v0)^2 (u0-v0), "
    "(2-W)^3), and (1+H)^2 (4 gamma w0 + H^2) <= 4 gamma W, where gamma = 4 (1 - W/2)/(4 + (1+s) "
    "b^2), besides the hypotheses. Then descent converges to a minimum with c epsilon = B and n = "
    "o = 0, however often it is thrown; at every step m <= eta alpha c^2 <= U0 and eta (alpha o^2 "
    "+ n^2) <= W. It ends at eta alpha c^2 <= 2 unless o becomes exactly 0.",
    r"(1+H)^2(4\gamma w_0+H^2)\le4\gamma W\;\Rightarrow\;m\le\eta\alpha c_j^2\le2+H,\ "
    r"\eta(\alpha o_j^2+n_j^2)\le W,\quad c_j\epsilon_j\to B,\ n_j,o_j\to0",
    Verdict.PROVED,
    source="ours; Liu, Zhang, Du, Zhao (arXiv 2503.02809) treat this net",
    hypotheses=UNITS_WORDS,
    steps=(
        *COMMON,
        step(
            "Ceiling of w. While u > 2 (so U = 2 + h, h >= 0), w+ = v (1-u)^2 + (w-v) "
            "(1-u/alpha)^2 <= w (1+h)^2, v = eta alpha o^2, as u <= U0 <= alpha; and k falls by at "
            "least 2 (2w - w^2), so h by at least 4 gamma w.",
            implies([u >= 0, u <= 2 + h, h >= 0], (1 - u) ** 2 <= (1 + h) ** 2),
            BELOW_ALPHA,
            implies([w1 >= 0, z1 >= 0, alpha > 0, u >= 0, u <= alpha, r >= (1 - u) ** 2, r >= 1],
                    w1 * (1 - u) ** 2 + z1 * (1 - u / alpha) ** 2 <= (w1 + z1) * r),
            implies([U >= 2, V >= 2, r > 0, sp.Eq(U**2 - k * U, r), sp.Eq(V**2 - after * V, r),
                     after <= k - d, d >= 0], (U - V) * (4 + r) >= 4 * d),
            implies([u >= 2, w >= 0, w <= top, top <= sp.Rational(3, 10)],
                    u * (2 * w - w**2) >= 4 * w * (1 - top / 2)),
        ),
        by_lemma(
            "induction",
            "With p = 4 gamma w: (1+h)^2 (p + h^2) does not rise while h >= 0, so 4 gamma w+ <= "
            "(1+h)^2 p stays <= 4 gamma W. Where u <= 2, w and h do not rise; once U < 2, never.",
            step=(
                identity(p * (1 + h) ** 2 + (h - p) ** 2, (p + h**2) * (1 + p)),
                implies([h >= 0, h <= 1, p >= 0, p <= h],
                        (1 + h - p) ** 2 * (1 + p) <= (1 + h) ** 2),
                implies([h >= 0, p >= 0, p <= h, y >= 0, y <= (1 + h) ** 2,
                         sp.Eq(y, (1 + h - p) ** 2 * (1 + p))], y * (p + h**2) <= GROWN),
                implies([h >= 0, p >= 0], p * (1 + h) ** 2 <= GROWN),
                implies([low >= 0, low <= h, y >= 0, y <= p],
                        (1 + low) ** 2 * (y + low**2) <= GROWN),
                implies([u >= 0, u <= 2], (1 - u) ** 2 <= 1),
            ),
        ),
        by_lemma(
            "induction",
            "Floor of u. Where u <= 2, F = min((4-u-v)^2 (u-v), (2-W)^3) less 32 z/(2 - U0/alpha), "
            "z = eta alpha n^2, does not fall: without n and the signal's pull the first grows by "
            "(1+P)^2 (1-P) >= 1, P = u v <= 3/5; n lowers u by at most 2 u z/alpha more, and F "
            "by 16 times that at most, while z falls by u (2 - u/alpha) z/alpha; the pull only "
            "raises u, along which the first rises and then falls, to (2-v)^3 at u = 2.",
            step=(
                identity(_near(u * (1 - w) ** 2, w * (1 - u) ** 2),
                         _near(u, w) * (1 + u * w) ** 2 * (1 - u * w)),
                implies([p >= 0, p <= sp.Rational(3, 5)], (1 + p) ** 2 * (1 - p) >= 1),
                implies([u <= 2, w >= 0, w <= sp.Rational(3, 10)],
                        u * w <= sp.Rational(3, 5)),
                implies([u > w, u * w <= 1], u * (1 - w) ** 2 >= w * (1 - u) ** 2),
                implies([u >= w, u <= y, y <= 2, w >= 0, w <= sp.Rational(3, 10)],
                        (_near(y, w) >= _near(u, w)) | (_near(y, w) >= (2 - w) ** 3)),
                implies([w1 <= w, w <= 2], (2 - w1) ** 3 >= (2 - w) ** 3),
                implies([w1 >= 0, z1 >= 0, w1 <= 1, u >= 0],
                        u * (1 - w1 - z1) ** 2 >= u * (1 - w1) ** 2 - 2 * u * z1),
                implies([u >= 0, u <= y, y <= 2, w >= 0, w <= 1],
                        _near(u, w) >= _near(y, w) - 16 * (y - u)),
                identity(z - z * (1 - u / alpha) ** 2, z / alpha * u * (2 - u / alpha)),
                implies([u >= 0, u <= top, top <= alpha, alpha > 0, z >= 0,
                         sp.Eq(zeta * (2 - top / alpha), 32)],
                        32 * u * (z / alpha) <= zeta * (z / alpha * u * (2 - u / alpha))),
                implies([m > 0, m < 4, w <= 1, u <= 2, _near(u, w) >= m * (4 - m) ** 2], u > w),
            ),
        ),
        step(
            "Coming back from u > 2: u+ >= 2 (1-w)^2 >= 2 (1-W)^2, and there the first is at least "
            "(2-W)^3 too, as it falls with v <= W. And u >= m follows from (4-u-v)^2 (u-v) >= m "
            "(4-m)^2.",
            implies([x**2 > 2, x > 0, w >= 0, w <= sp.Rational(3, 10), y >= x * (1 - w)],
                    y**2 >= 2 * (1 - w) ** 2),
            implies([w >= 0, w <= sp.Rational(3, 10)], _near(2 * (1 - w) ** 2, w) >= (2 - w) ** 3),
            implies([w1 >= 0, w1 <= w, w <= u, u + w <= 4], _near(u, w1) >= _near(u, w)),
            implies([m <= sp.Rational(4, 3), u > w, w >= 0, u <= 2, w <= 1,
                     _near(u, w) >= m * (4 - m) ** 2], u >= m),
        ),
        *SETTLED,
    ),
    rests_on=("G1", "G4", "G7"),
    function="settling.settles",
    by_hand=READ,
)  # fmt: skip
CLAIMS = (G4E, G4F)
