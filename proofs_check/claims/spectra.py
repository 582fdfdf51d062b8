"""M11, H3: any covariances Sigma and Sigma_o, mode by mode, in any dimension."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import c, dot, vector
from proofs_check.claims.network import curvature_at_zero, gamma, loss_along, slope_at_zero
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import identity

GENERAL = loss_along("Sigma", "Sigma_o", sp.S.One)
b, bo, v, w, beta = (vector(**{name: 1}) for name in ("b", "bo", "v", "w", "beta"))
LACK = vector(beta=1, b=-c)
C_RATE = dot(LACK, b, "Sigma") - c * dot(bo, bo, "Sigma_o")
mode, other, lam, mu, beta_i = sp.symbols("b_i b_oj lambda_i mu_j beta_i", real=True)
SIGNAL_MODE = lam * (c * mode - beta_i) ** 2 / 2  # one term of the loss
OPPOSING_MODE = mu * c**2 * other**2 / 2
M11 = Claim(
    "M11",
    "General spectra: every mode by itself",
    "For any Sigma, Sigma_o: c' = (beta - cb).Sigma b - c b_o.Sigma_o b_o, b' = c Sigma (beta - "
    "cb), b_o' = -c^2 Sigma_o b_o; c^2 - |b|^2 - |b_o|^2 is conserved. In the eigenbases b_i' = "
    "lambda_i c (beta_i - c b_i) and b_oj' = -mu_j c^2 b_oj: given c, every mode moves by itself.",
    r"\dot b_i=\lambda_ic(\beta_i-cb_i),\quad\dot b_{oj}=-\mu_jc^2b_{oj}",
    Verdict.PROVED,
    hypotheses=("those of M1",),
    steps=(
        step(
            "This is minus the gradient of M1, in every direction (gamma, v, w) and every "
            "dimension.",
            identity(
                slope_at_zero(GENERAL),
                -gamma * C_RATE - c * dot(LACK, v, "Sigma") + c**2 * dot(bo, w, "Sigma_o"),
                reads=r"dL(\gamma,v,w)=-(\gamma\dot c+v\cdot\dot b+w\cdot\dot b_o)",
            ),
        ),
        by_lemma(
            "constant of motion",
            "2c c' - 2 b.b' - 2 b_o.b_o' = 0.",
            derivative=identity(
                2 * c * C_RATE - 2 * c * dot(LACK, b, "Sigma") + 2 * c**2 * dot(bo, bo, "Sigma_o"),
                reads=r"(c^2-|b|^2-|b_o|^2)^{\boldsymbol\cdot}=0",
            ),
        ),
        step(
            "In the eigenbases the loss is a sum over modes, each with its own coordinate.",
            identity(-sp.Derivative(SIGNAL_MODE, mode), lam * c * (beta_i - c * mode)),
            identity(-sp.Derivative(OPPOSING_MODE, other), -mu * c**2 * other),
            identity(
                -sp.diff(SIGNAL_MODE + OPPOSING_MODE, c),
                lam * mode * (beta_i - c * mode) - c * mu * other**2,
            ),
        ),
    ),
    rests_on=("M1",),
    function="network.spectra.Spectra",
    by_hand="spectral theorem: symmetric matrices have orthonormal eigenbases",
)
corner, border, diagonal, x, rest, highest, y, part = sp.symbols("a h d x S D y p", real=True)
H3 = Claim(
    "H3",
    "The sharpness for general spectra",
    "In the eigenbases the Hessian is an arrowhead: corner b.Sigma b + b_o.Sigma_o b_o, border "
    "lambda_i (2c b_i - beta_i) and 2c mu_j b_oj, diagonal lambda_i c^2 and mu_j c^2. Above the "
    "largest diagonal entry its one eigenvalue, if any, is the root of x = corner + sum "
    "border_i^2/(x - d_i); if there is none, lambda_max is that entry.",
    r"x=a+\sum_i\frac{h_i^2}{x-d_i},\quad x>\max_id_i",
    Verdict.PROVED,
    hypotheses=("those of M1",),
    steps=(
        step(
            "The Hessian's form, in every direction and dimension; its entries mode by mode.",
            identity(
                curvature_at_zero(GENERAL),
                (
                    gamma**2 * (dot(b, b, "Sigma") + dot(bo, bo, "Sigma_o"))
                    + 2 * gamma * dot(vector(b=2 * c, beta=-1), v, "Sigma")
                    + 4 * c * gamma * dot(bo, w, "Sigma_o")
                    + c**2 * dot(v, v, "Sigma")
                    + c**2 * dot(w, w, "Sigma_o")
                ),
                reads=r"\partial_s^2L=\gamma^2a+2\gamma\,v\cdot\Sigma(2cb-\beta)"
                r"+4c\gamma\,w\cdot\Sigma_ob_o+c^2v\cdot\Sigma v+c^2w\cdot\Sigma_ow",
            ),
            identity(sp.Derivative(SIGNAL_MODE, c, mode), lam * (2 * c * mode - beta_i)),
            identity(sp.Derivative(OPPOSING_MODE, c, other), 2 * c * mu * other),
            identity(sp.Derivative(SIGNAL_MODE, (mode, 2)), lam * c**2),
            identity(sp.Derivative(OPPOSING_MODE, (other, 2)), mu * c**2),
            identity(
                sp.Derivative(SIGNAL_MODE + OPPOSING_MODE, (c, 2)), lam * mode**2 + mu * other**2
            ),
        ),
        step(
            "For x above the diagonal, (1, border_i/(x - d_i)) is an eigenvector exactly at a "
            "root: row i always holds, the first row is the equation.",
            implies(
                [x > diagonal, sp.Eq(y, border / (x - diagonal))],
                sp.Eq(border + diagonal * y, x * y),
            ),
            implies(
                [x > diagonal, sp.Eq(y * (x - diagonal), border), sp.Eq(corner + border * y, x)],
                sp.Eq((x - corner) * (x - diagonal), border**2),
            ),
        ),
        by_lemma(
            "monotone",
            "x - corner - sum border_i^2/(x - d_i) strictly rises above the diagonal: one root at "
            "most.",
            sign=(
                identity(
                    sp.Derivative(x - corner - border**2 / (x - diagonal), x),
                    1 + border**2 / (x - diagonal) ** 2,
                ),
                implies([part >= 0], 1 + part > 0),
            ),
        ),
        by_lemma(
            "Rayleigh",
            "On the modes alone (codimension 1) the form is at most the largest diagonal entry D, "
            "and D is attained: so lambda_max >= D, and at most one eigenvalue is above D.",
            quotient=implies([diagonal <= highest], diagonal * y**2 <= highest * y**2),
        ),
    ),
    rests_on=("M1",),
    function="network.arrowhead.top_eigenvalue",
    by_hand="spectral theorem: the eigenbases exist; the derivative of a finite sum is the sum "
    "of derivatives; above the diagonal an eigenvector with first entry 0 would be 0",
)
CLAIMS = (M11, H3)
