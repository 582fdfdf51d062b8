"""M12: finite samples of any law: what survives with sample moments in place of Sigma."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import c, dot, gram, vector
from proofs_check.claims.network import G, curvature_at_zero, gamma, loss_along, s, slope_at_zero
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.symbolic import at, identity

# b is all of w = (b, b_o), beta the least-squares solution w*, S the sample's matrix.
LOSS = loss_along("S", size=sp.S.Zero)
w, v, best = (vector(**{name: 1}) for name in ("b", "v", "beta"))
LACK = vector(beta=1, b=-c)
C_RATE = dot(LACK, w, "S")
TURNED = {
    gamma: c,
    gram("b", "v", "S"): -gram("b", "b", "S"),
    gram("beta", "v", "S"): -gram("b", "beta", "S"),
    gram("v", "v", "S"): gram("b", "b", "S"),
}
M12 = Claim(
    "M12",
    "Finite samples",
    "For any N samples z = (x, x_o), y, of any law, x and x_o dependent or not: with S = sum "
    "z z^T/N, h = sum z y/N and w* a least-squares solution (S w* = h), w = (b, b_o), the "
    "empirical loss is 1/2 (c w - w*)^T S (c w - w*) + const. So M11, H3, the conserved "
    "quantity (M6), the minima (M4, cw = w* where S > 0), G8 and S13 hold with S for Sigma, "
    "w* for beta and no opposing part. M5, M7's exponentials, H1 and F1-F13 do not follow: "
    "they need S = I + alpha P and w* = (beta, 0).",
    r"\hat L=\tfrac12(cw-w_*)^\top S(cw-w_*)+\text{const},\quad S=\tfrac1N\sum zz^\top,\ "
    r"Sw_*=\tfrac1N\sum zy",
    Verdict.PROVED,
    source="ours, beside M1",
    hypotheses=("y and z finite",),
    steps=(
        step(
            "The mean of (c w.z - y)^2/2 in the moments, h = S w* put in.",
            identity(
                at(LOSS, {s: 0}),
                (c**2 * dot(w, w, "S") - 2 * c * dot(w, best, "S") + dot(best, best, "S") + G) / 2,
                reads=r"\tfrac12(cw-w_*)^\top S(cw-w_*)+\tfrac12G=\tfrac12(c^2w^\top Sw-2cw^\top h"
                r"+w_*^\top Sw_*+G),\ G=\overline{y^2}-w_*^\top Sw_*",
            ),
        ),
        step(
            "Its gradient and Hessian in every direction are M11's and H3's, with S for Sigma.",
            identity(
                slope_at_zero(LOSS),
                -gamma * C_RATE - c * dot(LACK, v, "S"),
                reads=r"d\hat L(\gamma,v)=-\gamma\dot c-v\cdot\dot w",
            ),
            identity(
                curvature_at_zero(LOSS),
                gamma**2 * dot(w, w, "S")
                + 2 * gamma * dot(vector(b=2 * c, beta=-1), v, "S")
                + c**2 * dot(v, v, "S"),
                reads=r"\partial_s^2\hat L=\gamma^2w^\top Sw+2\gamma\,v\cdot S(2cw-w_*)"
                r"+c^2v\cdot Sv",
            ),
        ),
        by_lemma(
            "constant of motion",
            "(c^2 - |w|^2)' = 2c c' - 2w.w' is -2 times the slope in the direction (c, -w).",
            derivative=identity(at(slope_at_zero(LOSS), TURNED), reads=r"d\hat L(c,-w)=0"),
        ),
    ),
    rests_on=("M11", "H3", "G8"),
    function="network.moments.sample_moments",
    by_hand="the normal equations S w* = h always have a solution; M11, H3, M6, M4, G8 and S13 "
    "use no more of the loss than this form of it",
)
CLAIMS = (M12,)
