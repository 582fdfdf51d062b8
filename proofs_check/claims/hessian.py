"""H1, H2: the spectrum of the full Hessian in any dimension, and bounds of its top."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import B, Vector, alpha, c, dot, epsilon, gram, n, o, vector
from proofs_check.claims.network import curvature_at_zero, gamma, hessian_form, loss_along
from proofs_check.claims.reduction import ORTHONORMAL
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity, total

x, rho, bb, root = sp.symbols("x rho b.b s", real=True)
T = sp.Symbol("T", real=True)  # max(|b|^2, c^2)
d1, d2, rank = sp.symbols("d1 d2 r", integer=True)
ZERO: Vector = {}
GENERIC = (sp.Symbol("gamma2", real=True), vector(v2=1), vector(w2=1))
ACROSS = (sp.S.Zero, vector(v=1), ZERO)
OPPOSED = (sp.S.Zero, ZERO, vector(w=1))

# rho u = 2cb - beta with u a unit vector; P b_o = o f with f a unit vector of P's range
CORE = sp.Matrix(
    [
        [bb + alpha * o**2, rho, 2 * alpha * c * o],
        [rho, c**2, 0],
        [2 * alpha * c * o, 0, alpha * c**2],
    ]
)
AXES = ((sp.S.One, ZERO, ZERO), (sp.S.Zero, vector(u=1), ZERO), (sp.S.Zero, ZERO, vector(f=1)))
CORE_GRAM = {
    gram("b", "b"): bb,
    gram("beta", "u"): 2 * c * gram("b", "u") - rho,
    gram("u", "u"): 1,
    gram("f", "f", "P"): 1,
    gram("bo", "f", "P"): o,
    gram("bo", "bo", "P"): o**2,
}
CORE_FORM = sp.Matrix(3, 3, lambda i, j: at(hessian_form(AXES[i], AXES[j]), CORE_GRAM))
CUBIC = (
    (bb + alpha * o**2 - x) * (c**2 - x) * (alpha * c**2 - x)
    - rho**2 * (alpha * c**2 - x)
    - (2 * alpha * c * o) ** 2 * (c**2 - x)
)
CROSS: Vector = vector(h=2 * c * epsilon - B, e=2 * c * n)
H1 = Claim(
    "H1",
    "Spectrum of the Hessian",
    "The Hessian's eigenvalues are c^2 (multiplicity d1-1), alpha c^2 (r-1), 0 (d2-r), and the "
    "three roots of (H_cc - x)(c^2 - x)(alpha c^2 - x) = |2cb-beta|^2 (alpha c^2 - x) + (2 alpha "
    "c o)^2 (c^2 - x), H_cc = epsilon^2 + n^2 + alpha o^2, for any d1, d2, r >= 1.",
    r"(H_{cc}-x)(c^2-x)(\alpha c^2-x)=|2cb-\beta|^2(\alpha c^2-x)+(2\alpha co)^2(c^2-x)",
    Verdict.PROVED,
    hypotheses=("Sigma = I", "Sigma_o = alpha P, rank r >= 1"),
    steps=(
        step(
            "The second derivative of L along (gamma, v, w) is the bilinear form used below.",
            identity(
                curvature_at_zero(loss_along()),
                hessian_form((gamma, vector(v=1), vector(w=1)), (gamma, vector(v=1), vector(w=1))),
                reads=r"\partial_s^2L(\theta+s\xi)|_{s=0}=H(\xi,\xi)",
            ),
        ),
        by_lemma(
            "orthogonal splitting",
            "v orthogonal to 2cb - beta: H acts as c^2. w in P's range orthogonal to P b_o: alpha "
            "c^2. w with P w = 0: 0. What is left is span(c, u, f).",
            invariant=(
                identity(
                    at(hessian_form(ACROSS, GENERIC), {gram("beta", "v"): 2 * c * gram("b", "v")}),
                    c**2 * gram("v", "v2"),
                    reads=r"H((0,v,0),\zeta)=c^2\,v\cdot v_\zeta\ \ (v\perp 2cb-\beta)",
                ),
                identity(
                    at(hessian_form(OPPOSED, GENERIC), {gram("bo", "w", "P"): 0}),
                    alpha * c**2 * gram("w", "w2", "P"),
                    reads=r"H((0,0,w),\zeta)=\alpha c^2\,w\cdot Pw_\zeta\ \ (w\perp Pb_o)",
                ),
                identity(
                    at(
                        hessian_form(OPPOSED, GENERIC),
                        {gram("bo", "w", "P"): 0, gram("w", "w2", "P"): 0},
                    ),
                    reads=r"H((0,0,w),\zeta)=0\ \ (Pw=0)",
                ),
                identity(
                    CORE_FORM,
                    CORE,
                    reads=r"H\text{ on }(e_c,u,f)=\begin{pmatrix}|b|^2+\alpha o^2&\rho&2\alpha co"
                    r"\\\rho&c^2&0\\2\alpha co&0&\alpha c^2\end{pmatrix}",
                ),
            ),
            count=identity(
                total(3, d1 - 1, rank - 1, d2 - rank),
                1 + d1 + d2,
                reads=r"3+(d_1-1)+(r-1)+(d_2-r)=1+d_1+d_2",
            ),
        ),
        step(
            "The 3 x 3 block has the stated cubic, with |2cb-beta|^2 = (2c epsilon - B)^2 + 4c^2 "
            "n^2.",
            identity((CORE - x * sp.eye(3)).det(), CUBIC),
            identity(
                at(dot(CROSS, CROSS), ORTHONORMAL),
                (2 * c * epsilon - B) ** 2 + 4 * c**2 * n**2,
                reads=r"4c^2|b|^2-4c\,b^\top\beta+B^2=(2c\epsilon-B)^2+4c^2n^2",
            ),
        ),
    ),
    rests_on=("M1",),
    function="landscape.hessian_spectrum",
    by_hand="where o = 0 or 2cb = beta any unit vector of P's range or of R^d1 serves as f or u",
)
# The opposing part of the (c, o) block; root^2 = (c^2 - o^2)^2 + 16 c^2 o^2, root >= 0.
OPPOSING = sp.Matrix([[alpha * o**2, 2 * alpha * c * o], [2 * alpha * c * o, alpha * c**2]])
TOP = alpha / 2 * (c**2 + o**2 + root)
BOTTOM = alpha / 2 * (c**2 + o**2 - root)
ROOT = sp.Eq(root**2, (c**2 - o**2) ** 2 + 16 * c**2 * o**2)
PARTS = (
    sp.Matrix(
        [[alpha * o**2, 0, 2 * alpha * c * o], [0, 0, 0], [2 * alpha * c * o, 0, alpha * c**2]]
    ),
    sp.diag(bb, c**2, 0),
    sp.Matrix([[0, rho, 0], [rho, 0, 0], [0, 0, 0]]),
)
OPPOSING_ROOTS = identity(
    ((OPPOSING - x * sp.eye(2)).det() - (x - TOP) * (x - BOTTOM)).expand().subs(root**2, ROOT.rhs)
)
LARGEST = implies([alpha >= 0, root >= 0], BOTTOM <= TOP)
H2 = Claim(
    "H2",
    "Two-sided bounds of the sharpness",
    "lambda_max >= alpha c^2 and lambda_max >= S := alpha/2 (c^2 + o^2 + sqrt((c^2-o^2)^2 + 16 "
    "c^2 o^2)), the top eigenvalue of the opposing part of the (c,o) block; lambda_max <= S + "
    "max(|b|^2, c^2) + |2cb-beta|.",
    r"\max(\alpha c^2, S)\le\lambda_{\max}\le S+\max(|b|^2,c^2)+|2cb-\beta|,\ "
    r"S=\tfrac\alpha2\left(c^2+o^2+\sqrt{(c^2-o^2)^2+16c^2o^2}\right)",
    Verdict.PROVED,
    hypotheses=("Sigma = I", "Sigma_o = alpha P, rank r >= 1", "alpha >= 0"),
    steps=(
        by_lemma(
            "Rayleigh",
            "The unit direction f in P's range has f.Hf = alpha c^2.",
            quotient=identity(
                at(hessian_form(AXES[2], AXES[2]), CORE_GRAM),
                alpha * c**2,
                reads=r"f^\top Hf=\alpha c^2",
            ),
        ),
        by_lemma(
            "Weyl",
            "H on span(c, f) is the opposing part plus |b|^2 on the c axis: its top is at least S "
            "(and H's at least that, by Rayleigh).",
            sum=identity(
                CORE_FORM.extract([0, 2], [0, 2]),
                OPPOSING + sp.diag(bb, 0),
                reads=r"H|_{(c,f)}=\begin{pmatrix}\alpha o^2&2\alpha co\\2\alpha co&\alpha c^2\end"
                r"{pmatrix}+\mathrm{diag}(|b|^2,0)",
            ),
            parts=(OPPOSING_ROOTS, LARGEST, implies([bb >= 0], bb * x**2 >= 0)),
        ),
        by_lemma(
            "Weyl",
            "H's 3 x 3 block is the opposing part plus diag(|b|^2, c^2, 0) plus an off-diagonal "
            "pair.",
            sum=identity(
                CORE_FORM,
                PARTS[0] + PARTS[1] + PARTS[2],
                reads=r"H|_{(c,u,f)}=\text{opposing part}+\mathrm{diag}(|b|^2,c^2,0)+\rho(e_1e_2^"
                r"\top+e_2e_1^\top)",
            ),
            parts=(
                OPPOSING_ROOTS,
                LARGEST,
                implies([alpha >= 0, root >= 0], TOP >= 0),
                identity((PARTS[2] - x * sp.eye(3)).det(), -x * (x - rho) * (x + rho)),
            ),
        ),
        step(
            "The eigenvalues outside that block, c^2, alpha c^2 and 0, are below the bound as "
            "well.",
            implies([alpha >= 0, root >= 0, ROOT], alpha * c**2 <= TOP),
            implies([alpha >= 0, root >= 0, rho >= 0, c**2 <= T], c**2 <= TOP + T + rho),
            implies([alpha >= 0, root >= 0, rho >= 0, c**2 <= T], TOP + T + rho >= 0),
        ),
    ),
    rests_on=("H1",),
    function="bounds.sharpness_range",
)
CLAIMS = (H1, H2)
