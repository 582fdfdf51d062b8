"""M5-M8: the exact reduction, the conserved quantity, intrinsic time, the closed form."""

from __future__ import annotations

from typing import Any

import sympy as sp

from proofs_check.claims.field import (
    KAPPA,
    STATE,
    VELOCITY,
    B,
    M,
    Vector,
    along,
    alpha,
    c,
    dot,
    epsilon,
    gram,
    n,
    o,
    t,
    tau,
    vector,
)
from proofs_check.claims.network import gamma, loss_along, slope_at_zero
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.symbolic import at, identity, limit, polynomial, times, total

b_, bo_, beta_ = vector(b=1), vector(bo=1), vector(beta=1)
FULL_C = dot(beta_, b_) - c * dot(b_, b_) - alpha * c * dot(bo_, bo_, "P")
FULL_B: Vector = vector(beta=c, b=-(c**2))
FULL_BO = -alpha * c**2  # times P b_o

# b = epsilon h + n e, beta = B h, P b_o = o f; h, e orthonormal, f a unit vector of P's range
ANSATZ: Vector = vector(h=epsilon, e=n)
SIGNAL: Vector = vector(h=B)
ORTHONORMAL: dict[Any, Any] = {
    gram("h", "h"): 1,
    gram("e", "e"): 1,
    gram("e", "h"): 0,
    gram("f", "f", "P"): 1,
}


def _reduced(expression: sp.Expr) -> sp.Expr:
    return sp.expand(expression.subs(ORTHONORMAL))


def _on_ansatz(full: Vector, parts: dict[str, Vector]) -> Vector:
    """A combination of the network's vectors, each replaced by its combination of h and e."""
    names = {name for part in parts.values() for name in part}
    return {
        name: sum((size * parts[key].get(name, 0) for key, size in full.items()), sp.S.Zero)
        for name in names
    }


KEPT = vector(f=o)
REDUCED_C = _reduced(
    FULL_C.subs(
        {
            gram("beta", "b"): dot(SIGNAL, ANSATZ),
            gram("b", "b"): dot(ANSATZ, ANSATZ),
            gram("bo", "bo", "P"): dot(KEPT, KEPT, "P"),
        }
    )
)
TURN = _on_ansatz(FULL_B, {"b": ANSATZ, "beta": SIGNAL})
PLANE = tuple(_reduced(dot(vector(**{name: 1}), TURN)) for name in ("h", "e"))
FULL_SLOPE = -(gamma * FULL_C + dot(FULL_B, vector(v=1)) + FULL_BO * dot(bo_, vector(w=1), "P"))
M5 = Claim(
    "M5",
    "Exact reduction to four numbers",
    "For Sigma = I and Sigma_o = alpha P, P an orthogonal projection of any rank r >= 1, the full "
    "(1 + d1 + d2)-dimensional gradient flow projects exactly onto (c, epsilon, n, o), for any "
    "d1, d2, r; b stays in the plane of beta and b(0), P b_o keeps its direction, (1-P) b_o does "
    "not move.",
    r"\dot c=\epsilon B-c(\epsilon^2+n^2)-\alpha co^2,\ \dot\epsilon=c(B-c\epsilon),\ "
    r"\dot n=-c^2n,\ \dot o=-\alpha c^2 o",
    Verdict.PROVED,
    hypotheses=("Sigma = I", "Sigma_o = alpha P", "B > 0 (else h is any unit vector)"),
    steps=(
        step(
            "The full flow: c' = beta.b - c|b|^2 - alpha c |P b_o|^2, b' = c (beta - c b), "
            "b_o' = -alpha c^2 P b_o is minus the gradient, in every direction (gamma, v, w).",
            identity(
                slope_at_zero(loss_along()),
                FULL_SLOPE,
                reads=r"dL(\gamma,v,w)=-(\gamma\dot c+v\cdot\dot b+w\cdot\dot b_o)",
            ),
        ),
        by_lemma(
            "uniqueness",
            "b = epsilon h + n e, P b_o = o f (h = beta/B; e, f the initial directions) with the "
            "four equations satisfies the full flow.",
            smooth=polynomial([*VELOCITY, FULL_SLOPE], *STATE),
            satisfies=(
                identity(
                    REDUCED_C,
                    VELOCITY[0],
                    reads=r"\beta\cdot b-c|b|^2-\alpha c|Pb_o|^2=\epsilon B-c(\epsilon^2+n^2)-"
                    r"\alpha co^2",
                ),
                identity(PLANE[0], VELOCITY[1], reads=r"h\cdot(c\beta-c^2b)=c(B-c\epsilon)"),
                identity(
                    at(dot(vector(e=1), TURN), ORTHONORMAL),
                    VELOCITY[2],
                    reads=r"e\cdot(c\beta-c^2b)=-c^2n",
                ),
                identity(
                    times(FULL_BO, o), VELOCITY[3], reads=r"f\cdot(-\alpha c^2Pb_o)=-\alpha c^2o"
                ),
            ),
        ),
    ),
    rests_on=("M1",),
    function="reduction.reduce",
    by_hand="h, e, f are unit vectors along beta, the rest of b(0) and P b_o(0) (any, where one "
    "is 0); (1-P) b_o has velocity 0",
)
M6 = Claim(
    "M6",
    "A conserved quantity",
    "kappa = c^2 - epsilon^2 - n^2 - o^2 is constant along the flow; in the full network so is "
    "c^2 - |b|^2 - |b_o|^2.",
    r"\kappa = c^2-\epsilon^2-n^2-o^2,\quad \dot\kappa=0",
    Verdict.PROVED,
    steps=(
        by_lemma(
            "constant of motion",
            "The derivative along the reduced and along the full flow is zero.",
            derivative=(
                identity(along(KAPPA), reads=r"\dot\kappa=0"),
                identity(
                    2 * c * FULL_C - 2 * dot(b_, FULL_B) - 2 * FULL_BO * dot(bo_, bo_, "P"),
                    reads=r"(c^2-|b|^2-|b_o|^2)^{\boldsymbol\cdot}=0",
                ),
            ),
        ),
    ),
    rests_on=("M5",),
    function="problem.State",
)
n0, o0, mode, rate, b0 = sp.symbols("n0 o0 y lambda_i y0", real=True)
M7 = Claim(
    "M7",
    "Intrinsic time",
    "For c0 != 0 and tau = int c^2 dt, until c reaches 0: n = n0 e^-tau, o = o0 e^(-alpha tau), "
    "c^2 = kappa + epsilon^2 + n^2 + o^2, d epsilon/dtau = B/c - epsilon. A mode of Sigma_o with "
    "eigenvalue lambda_i decays as e^(-lambda_i tau). c reaches 0 only if c0 epsilon0 < 0.",
    r"n=n_0e^{-\tau},\ o=o_0e^{-\alpha\tau},\ c^2=\kappa+\epsilon^2+n^2+o^2,\ "
    r"\tfrac{d\epsilon}{d\tau}=\tfrac Bc-\epsilon",
    Verdict.PROVED,
    hypotheses=("c0 != 0", "c has not reached 0"),
    steps=(
        by_lemma(
            "change of time",
            "Dividing the equations by tau' = c^2.",
            quotient=(
                identity(VELOCITY[1] / c**2, B / c - epsilon),
                identity(times(VELOCITY[2], c**-2), -n, reads=r"\dot n/c^2=-n"),
                identity(times(VELOCITY[3], c**-2), -alpha * o, reads=r"\dot o/c^2=-\alpha o"),
            ),
        ),
        by_lemma(
            "uniqueness",
            "The exponentials solve the linear equations for n, o and, for a general spectrum, "
            "for each mode y of b_o: y' = -lambda_i c^2 y is minus the slope of the loss in y.",
            smooth=polynomial([-n, -alpha * o, -rate * mode], n, o, mode),
            satisfies=(
                identity(sp.Derivative(n0 * sp.exp(-tau), tau), -n0 * sp.exp(-tau)),
                identity(
                    sp.Derivative(o0 * sp.exp(-alpha * tau), tau),
                    -alpha * o0 * sp.exp(-alpha * tau),
                ),
                identity(
                    -sp.Derivative(c**2 * rate * mode**2 / 2, mode) / c**2,
                    -rate * mode,
                    reads=r"-\partial_y(\tfrac12c^2\lambda_iy^2)/c^2=-\lambda_iy",
                ),
                identity(
                    sp.Derivative(b0 * sp.exp(-rate * tau), tau), -rate * b0 * sp.exp(-rate * tau)
                ),
            ),
        ),
        step(
            "c^2 from the conserved quantity.",
            identity(
                total(KAPPA, epsilon**2, n**2, o**2), c**2, reads=r"\kappa+\epsilon^2+n^2+o^2=c^2"
            ),
        ),
    ),
    rests_on=("M5", "M6", "M10", "M11", "F1"),
    function="flow.gradient_flow",
    by_hand="c keeps its sign where c0 epsilon0 >= 0: F1 for c0 > 0, and M10 (s -> -s) for c0 < 0",
)
lam, bb, sb, norm, w0, mu = sp.symbols("lambda b.b beta.b N w0 mu", real=True)
y, beta_i = sp.symbols("b_i beta_i", real=True)
LAM = c**2 - bb
TWO = sp.Matrix([[-lam / 2, B], [B, lam / 2]])
rho = sp.Symbol("rho", positive=True)
EXPONENTIAL = sp.cosh(rho * t) * sp.eye(2) + sp.sinh(rho * t) / rho * TWO
U = sp.Function("U")(t)
W = sp.Function("W")(t)  # 1 + int |U|^2, so that W' = |U|^2
FU, UU = sp.symbols("FU UU", real=True)
# U' = F U (its component: FU), W' = |U|^2 =: UU
QUOTIENT = sp.Derivative(U / sp.sqrt(W), t).doit()
LOGISTIC = mu / (1 - (1 - mu / w0) * sp.exp(-2 * alpha * mu * t))
FLAT = w0 / (1 + 2 * alpha * w0 * t)
M8 = Claim(
    "M8",
    "Closed form where the opposing term is absent or like the rest",
    "For o0 = 0, or alpha = 1 (b_o joins n): Q = (b, c) obeys Q' = F Q - 1/2 |Q|^2 Q with F = "
    "[[-lam/2 I, beta],[beta^T, lam/2]], lam = c0^2 - |b0|^2, hence Q(t) = e^(Ft) Q0 / sqrt(1 + "
    "int |e^(Fs) Q0|^2 ds), with rho = sqrt(B^2 + lam^2/4) in the hyperbolic functions. For B = 0, "
    "epsilon = n = 0, with mu = c0^2 - o0^2: c^2 = mu / (1 - (1 - mu/c0^2) e^(-2 alpha mu t)), and "
    "c0^2 / (1 + 2 alpha c0^2 t) at mu = 0.",
    r"Q(t) = e^{Ft}Q_0\Big/\sqrt{1+\int_0^t|e^{Fs}Q_0|^2ds}",
    Verdict.PROVED,
    hypotheses=(
        "o0 = 0, or alpha = 1, or (B = 0, epsilon0 = n0 = 0 and c0 != 0)",
        "rho > 0; at rho = 0 its limit e^(Ft) = I + tF",
    ),
    steps=(
        step(
            "With lam = c^2 - |b|^2 (constant, M6) the flow is Q' = F Q - 1/2 |Q|^2 Q, coordinate "
            "by coordinate of b and for c.",
            identity(-LAM / 2 * y + c * beta_i - (bb + c**2) / 2 * y, c * beta_i - c**2 * y),
            identity(sb + LAM / 2 * c - (bb + c**2) / 2 * c, sb - c * bb),
        ),
        step(
            "At alpha = 1, o enters like n: the equations depend on n^2 + o^2 only.",
            identity(sp.Subs(M, alpha, 1), n**2 + o**2),
            identity(
                at(VELOCITY[3], {alpha: 1}) / o,
                VELOCITY[2] / n,
                reads=r"\dot o/o=\dot n/n\text{ at }\alpha=1",
            ),
        ),
        by_lemma(
            "uniqueness",
            "With U = e^(Ft) Q0 and W = 1 + int |U|^2, Q = U / sqrt(W) has Q' = F Q - 1/2 |Q|^2 Q.",
            smooth=polynomial([-lam / 2 * y + c * beta_i - (bb + c**2) / 2 * y], y, c),
            satisfies=identity(
                at(QUOTIENT, {sp.Derivative(U, t): FU, sp.Derivative(W, t): UU}),
                FU / sp.sqrt(W) - (UU / W) * (U / sp.sqrt(W)) / 2,
                reads=r"\dot Q=FQ-\tfrac12|Q|^2Q,\ Q=U/\sqrt W,\ \dot W=|U|^2",
            ),
        ),
        step(
            "On (epsilon, c), F^2 = rho^2 I, so e^(Ft) = cosh(rho t) I + sinh(rho t)/rho F; "
            "across, e^(Ft) is e^(-lam t/2).",
            identity(
                at(TWO**2, {B: sp.sqrt(rho**2 - lam**2 / 4)}),
                rho**2 * sp.eye(2),
                reads=r"F^2=\rho^2I",
            ),
            identity(
                sp.diff(EXPONENTIAL, t),
                (TWO * EXPONENTIAL).applyfunc(
                    lambda entry: sp.expand(entry).subs(B**2, rho**2 - lam**2 / 4)
                ),
                reads=r"\tfrac d{dt}e^{Ft}=Fe^{Ft}",
            ),
            identity(at(EXPONENTIAL, {t: 0}), sp.eye(2), reads=r"e^{F0}=I"),
            limit(sp.sinh(rho * t) / rho, rho, 0, t, "+"),
        ),
        by_lemma(
            "uniqueness",
            "Without signal, w = c^2 obeys w' = -2 alpha w (w - mu): both explicit curves solve "
            "it.",
            smooth=polynomial([-2 * alpha * norm * (norm - mu)], norm),
            satisfies=(
                identity(
                    at(along(c**2), {B: 0, epsilon: 0, n: 0}),
                    -2 * alpha * c**2 * (c**2 - (c**2 - o**2)),
                    reads=r"(c^2)^{\boldsymbol\cdot}=-2\alpha c^2(c^2-\mu)",
                ),
                identity(sp.Derivative(LOGISTIC, t), -2 * alpha * LOGISTIC * (LOGISTIC - mu)),
                identity(sp.Subs(LOGISTIC, t, 0), w0),
                identity(sp.Derivative(FLAT, t), -2 * alpha * FLAT**2),
                identity(sp.Subs(FLAT, t, 0), w0),
            ),
        ),
    ),
    rests_on=("M5", "M6"),
    function="closed_form.closed_form",
    by_hand="across the plane of beta and c, F is -lam/2 times the identity, so e^(Ft) acts on "
    "each coordinate alone",
)
CLAIMS = (M5, M6, M7, M8)
