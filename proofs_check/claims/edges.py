"""G9-G11: edges of momentum, Adam and SAM at a minimum; weight decay."""

from __future__ import annotations

import sympy as sp

from proofs_check.claims.field import (
    KAPPA,
    LOSS,
    STATE,
    VELOCITY,
    B,
    along,
    alpha,
    c,
    epsilon,
    n,
    o,
    t,
)
from proofs_check.ledger import Claim, Verdict, by_lemma, step
from proofs_check.smt import implies
from proofs_check.symbolic import at, identity

# h = eta lambda; z = x + i y an eigenvalue of the iteration; r its root of the discriminant
h, m, z, x, y, r, S, eta, lam, rho, P = sp.symbols("h m z x y r S eta lambda rho P", real=True)
T, p = sp.symbols("T p", real=True)
old, now, speed, first = sp.symbols("theta_1 theta v mu_1", real=True)
MOMENTUM = [m >= 0, m < 1, h > 0]


def _within(trace: sp.Expr, product: sp.Expr, edge: sp.Expr) -> tuple:
    """Both roots of z^2 - trace z + product lie inside the unit circle for 0 < h < edge."""
    below = [*MOMENTUM, h * edge.as_numer_denom()[1] < edge.as_numer_denom()[0]]
    return (
        implies([*below, sp.Eq(z**2 - trace * z + product, 0)], (z < 1) & (z > -1)),
        # Imaginary and real part of the polynomial at x + i y, for any trace T and product p.
        implies([sp.Ne(y, 0), sp.Eq(2 * x * y - T * y, 0)], sp.Eq(2 * x, T)),
        implies([sp.Eq(2 * x, T), sp.Eq(x**2 - y**2 - T * x + p, 0)], sp.Eq(x**2 + y**2, p)),
        implies([*below], product < 1),
    )  # fmt: skip


def _outside(trace: sp.Expr, product: sp.Expr, edge: sp.Expr) -> tuple:
    """One root is below -1 for h > edge."""
    top, bottom = edge.as_numer_denom()
    above = [m >= 0, m < 1, h * bottom > top]
    return (
        implies(above, trace**2 - 4 * product > 0),
        implies([*above, r >= 0, sp.Eq(r**2, trace**2 - 4 * product), sp.Eq(2 * z, trace - r)],
                z < -1),
        implies([sp.Eq(r**2, T**2 - 4 * p), sp.Eq(2 * z, T - r)], sp.Eq(z**2 - T * z + p, 0)),
    )  # fmt: skip


def _iteration(next_value: sp.Expr, trace: sp.Expr, product: sp.Expr):
    """theta+ as a combination of theta and the value before has this characteristic polynomial."""
    block = sp.Matrix([[sp.diff(next_value, now), sp.diff(next_value, old)], [1, 0]])
    return identity((block - z * sp.eye(2)).det(), z**2 - trace * z + product)


HEAVY = now - h * now + m * (now - old)
NESTEROV = (1 - h) * (now + m * (now - old))
SHAPES = {
    "heavy": (1 + m - h, m, 2 * (1 + m)),
    "nesterov": ((1 - h) * (1 + m), m * (1 - h), 2 * (1 + m) / (1 + 2 * m)),
}
G9 = Claim(
    "G9",
    "Edges of momentum and Adam at a minimum",
    "At a minimum, along curvature lambda > 0: heavy ball (momentum m in [0, 1)) is linearly "
    "stable iff lambda < 2 (1 + m)/eta, up to the edge itself; Nesterov iff lambda < 2 (1 + "
    "m)/((1 + 2m) eta); Adam with frozen scales is heavy ball with step (1 - b1) eta on the "
    "preconditioned Hessian: 2 (1 + b1)/((1 - b1) eta). So a stable minimum exists iff eta <= "
    "(1 + m) eta*, respectively (1 + m)/(1 + 2m) eta*, eta* of G3. These are statements near "
    "the minimum: with m = 0.9 runs diverge on the way at step sizes well below.",
    r"\lambda<\frac{2(1+m)}\eta,\quad\lambda<\frac{2(1+m)}{(1+2m)\eta},\quad"
    r"\lambda_P<\frac{2(1+\beta_1)}{(1-\beta_1)\eta}",
    Verdict.PROVED,
    hypotheses=("0 <= m < 1", "eta > 0", "Adam: scales frozen, no bias correction"),
    steps=(
        step(
            "The linearised iterations (h = eta lambda) and their characteristic polynomials.",
            _iteration(HEAVY, *SHAPES["heavy"][:2]),
            _iteration(NESTEROV, *SHAPES["nesterov"][:2]),
            identity(
                at(now - eta * (m * speed + lam * now), {speed: (old - now) / eta}),
                at(HEAVY, {h: eta * lam}),
                reads=r"v_+=mv+\lambda\theta,\ \theta_+=\theta-\eta v_+",
            ),
            identity(
                at(now - eta * (m * first + (1 - m) * lam * now) / P,
                   {first: (old - now) * P / eta}),
                at(HEAVY, {h: eta * (1 - m) * lam / P}),
                reads=r"\mu_+=\beta_1\mu+(1-\beta_1)g,\ \theta_+=\theta-\eta P^{-1}\mu_+",
            ),
        ),
        by_lemma(
            "spectral radius",
            "Heavy ball: real roots lie in (-1, 1), complex ones have modulus^2 = m < 1, below the "
            "edge; above it one root is below -1.",
            eigenvalues=(*_within(*SHAPES["heavy"])[:3], *_outside(*SHAPES["heavy"])),
        ),
        by_lemma(
            "spectral radius",
            "Nesterov: likewise, modulus^2 = m (1 - h) < 1.",
            eigenvalues=(*_within(*SHAPES["nesterov"]), *_outside(*SHAPES["nesterov"])),
        ),
        step(
            "Stable minima: the least sharpness of a minimum is S = 2/eta* (G3).",
            implies([S > 0, eta > 0, m >= 0, 2 * (1 + m) / eta >= S], eta <= (1 + m) * (2 / S)),
            implies([S > 0, eta > 0, m >= 0, 2 * (1 + m) / ((1 + 2 * m) * eta) >= S],
                    eta * (1 + 2 * m) <= (1 + m) * (2 / S)),
        ),
    ),
    rests_on=("G2", "G3"),
    function="edges.edge",
    by_hand="P^-1 H has the eigenvalues of P^(-1/2) H P^(-1/2); in a Hessian's eigenbasis "
    "(spectral theorem) the linearised iteration is one of these for each curvature",
)  # fmt: skip
STRETCHED = lam * (1 + rho * lam)
G10 = Claim(
    "G10",
    "The edge of sharpness-aware minimisation",
    "Unnormalised SAM, theta+ = theta - eta grad L(theta + rho grad L(theta)), is linearly "
    "unstable at a minimum iff lambda (1 + rho lambda) > 2/eta for the sharpness lambda, that "
    "is lambda > (sqrt(1 + 8 rho/eta) - 1)/(2 rho); so a stable minimum exists iff eta <= "
    "2/(S (1 + rho S)), S = 2/eta* (G3). With normalisation the step is not differentiable at "
    "a minimum: no such edge.",
    r"\lambda(1+\rho\lambda)>\tfrac2\eta\iff\lambda>\frac{\sqrt{1+8\rho/\eta}-1}{2\rho}",
    Verdict.PROVED,
    hypotheses=("eta > 0", "rho > 0", "lambda >= 0"),
    steps=(
        by_lemma(
            "linear map",
            "Along curvature lambda a step multiplies by 1 - eta lambda (1 + rho lambda), which is "
            "never above 1 and is below -1 iff the inequality holds.",
            eigenvalues=(
                identity(now - eta * lam * (now + rho * (lam * now)), (1 - eta * STRETCHED) * now),
                implies([eta > 0, rho > 0, lam >= 0, 2 / eta < STRETCHED],
                        1 - eta * STRETCHED < -1),
                implies([eta > 0, rho > 0, lam >= 0, 2 / eta >= STRETCHED],
                        (1 - eta * STRETCHED >= -1) & (1 - eta * STRETCHED <= 1)),
            ),
        ),
        step(
            "The edge in terms of lambda; lambda (1 + rho lambda) rises with lambda >= 0.",
            implies([eta > 0, rho > 0, lam >= 0, r >= 0, sp.Eq(r**2, 1 + 8 * rho / eta),
                     lam * (2 * rho) > r - 1], 2 / eta < STRETCHED),
            implies([eta > 0, rho > 0, lam >= 0, r >= 0, sp.Eq(r**2, 1 + 8 * rho / eta),
                     2 / eta < STRETCHED], lam * (2 * rho) > r - 1),
            implies([rho > 0, S >= 0, lam >= S], S * (1 + rho * S) <= STRETCHED),
        ),
    ),
    rests_on=("G2", "G3"),
    function="edges.edge",
    by_hand="the gradient is 0 at a minimum, so SAM's derivative there is I - eta H (I + rho H)",
)  # fmt: skip
mu = sp.Symbol("mu", real=True)
DECAYED = tuple(f - mu * q for f, q in zip(VELOCITY, STATE, strict=True))
REDUCED = tuple(f.subs({n: 0, o: 0}) for f in DECAYED[:2])
FULL = LOSS + mu * (c**2 + epsilon**2 + n**2 + o**2) / 2
HESSIAN = sp.hessian(FULL, STATE)
REST = {epsilon: c, n: 0, o: 0, B: c**2 + mu}
BLOCK = sp.Matrix([[c**2 + mu, c**2 - mu, 0, 0], [c**2 - mu, c**2 + mu, 0, 0],
                   [0, 0, c**2 + mu, 0], [0, 0, 0, alpha * c**2 + mu]])  # fmt: skip
G11 = Claim(
    "G11",
    "Weight decay",
    "With mu/2 (c^2 + |b|^2 + |b_o|^2) added to the loss, kappa(t) = kappa0 e^(-2 mu t) along the "
    "flow. For 0 < mu < B the equilibria other than 0 are c = epsilon = +-sqrt(B - mu), n = o = 0, "
    "both strict minima in (c, epsilon, n, o), with eigenvalues 2 (B - mu), 2 mu, B and alpha (B - "
    "mu) + mu of the decayed loss; for mu >= B there is only 0. So descent is stable there "
    "iff max(alpha (B - mu) + mu, 2 (B - mu), B) <= 2/eta: decay balances and flattens.",
    r"\dot\kappa=-2\mu\kappa,\quad c^2=\epsilon^2=B-\mu,\quad"
    r"\lambda_{\max}=\max(\alpha(B-\mu)+\mu,\,2(B-\mu),\,B)",
    Verdict.PROVED,
    hypotheses=("B > 0", "mu > 0", "alpha >= 0"),
    steps=(
        step(
            "The flow of the decayed loss, and kappa along it.",
            identity(sp.Matrix([sp.diff(FULL, q) for q in STATE]), -sp.Matrix(DECAYED),
                     reads=r"\nabla(L+\tfrac\mu2|s|^2)=-(f-\mu s)"),
            identity(along(KAPPA, DECAYED), -2 * mu * KAPPA, reads=r"\dot\kappa=-2\mu\kappa"),
        ),
        step(
            "kappa0 e^(-2 mu t) solves that.",
            identity(sp.Derivative(P * sp.exp(-2 * mu * t), t), -2 * mu * P * sp.exp(-2 * mu * t)),
        ),
        step(
            "Equilibria: n = o = 0, then epsilon = c and, unless both are 0, c^2 = B - mu.",
            implies([mu > 0, sp.Eq(DECAYED[2], 0)], sp.Eq(n, 0)),
            implies([mu > 0, alpha >= 0, sp.Eq(DECAYED[3], 0)], sp.Eq(o, 0)),
            implies([mu > 0, B > 0, sp.Eq(REDUCED[0], 0), sp.Eq(REDUCED[1], 0)], sp.Eq(epsilon, c)),
            implies([mu > 0, sp.Eq(REDUCED[1], 0), sp.Eq(epsilon, c), sp.Ne(c, 0)],
                    sp.Eq(c**2, B - mu)),
            implies([mu > 0, mu >= B, sp.Eq(c**2, B - mu)], sp.Eq(c, 0)),
        ),
        step(
            "The Hessian there, and the eigenvalues of its (c, epsilon) block.",
            identity(at(HESSIAN, REST), BLOCK, reads=r"\nabla^2(L+\tfrac\mu2|s|^2)\text{ at rest}"),
            identity((BLOCK[:2, :2] - z * sp.eye(2)).det(), (z - 2 * c**2) * (z - 2 * mu)),
        ),
    ),
    rests_on=("M5", "M6", "G2"),
    function="decay.decayed_minimum",
    by_hand="directions outside the four numbers have curvature c^2 + mu = B, or mu, as in H1",
)  # fmt: skip
CLAIMS = (G9, G10, G11)
