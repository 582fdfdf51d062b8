"""The analytic lemmas that proofs may name: textbook facts, hypotheses checked case by case.

A step that uses one must hand in a machine check for every hypothesis listed here
(`ledger.by_lemma` refuses otherwise).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lemma:
    """A textbook fact: `statement` holds whenever the named hypotheses do.

    rocq  theorems of rocq/*.v that are this lemma; with none it is believed
    """

    statement: str
    hypotheses: dict[str, str]
    rocq: tuple[str, ...] = ()


LEMMAS: dict[str, Lemma] = {
    "expectation": Lemma(
        "Expectation is linear; a product of a mean-zero factor with an independent factor has "
        "mean 0, and so has an odd function of a symmetric random vector.",
        {"expansion": "the integrand is this sum; each dropped product is of those kinds"},
    ),
    "sum of nonnegatives": Lemma(
        "A finite sum of nonnegative terms is nonnegative, and zero exactly when every term is.",
        {"terms": "each term is nonnegative and is zero only where stated"},
        ("sum_of_nonnegatives",),
    ),
    "uniqueness": Lemma(
        "A system whose right-hand side is locally Lipschitz (a polynomial is) has one solution "
        "through each initial state: a curve that satisfies the system is the solution, and an "
        "equilibrium is not reached in finite time.",
        {
            "smooth": "the right-hand side is a polynomial",
            "satisfies": "the curve satisfies the system",
        },
        ("uniqueness", "uniqueness_back"),
    ),
    "continuation": Lemma(
        "A solution that stays bounded on every bounded time interval exists for all time.",
        {
            "smooth": "the right-hand side is a polynomial",
            "bounded": "an a priori bound on each interval",
        },
    ),
    "constant of motion": Lemma(
        "A smooth function whose derivative along the flow is zero is constant along it.",
        {"derivative": "the derivative along the flow is zero"},
        ("constant_of_motion",),
    ),
    "change of time": Lemma(
        "Where tau' > 0, curves may be written in tau: dx/dtau = x'/tau'.",
        {"quotient": "the right-hand side is this quotient"},
        ("change_of_time",),
    ),
    "Metzler": Lemma(
        "x' = A(t) x with A continuous and off-diagonal entries >= 0 keeps x >= 0; a component "
        "that is positive once stays positive; where x_i = 0 and an entry a_ij x_j > 0, x_i is "
        "positive at once.",
        {"form": "the system has this form", "sign": "the off-diagonal entries are >= 0"},
        ("metzler", "metzler_positive"),
    ),
    "integrating factor": Lemma(
        "v' >= -a(t) v with a continuous keeps v > 0 when v(0) > 0 (v exp(int a) does not "
        "decrease).",
        {"inequality": "the derivative obeys this inequality"},
        ("integrating_factor",),
    ),
    "variation of constants": Lemma(
        "y' = a(t) y + f(t), a and f continuous: y exp(-int a) has the derivative f exp(-int a). "
        "So where f <= 0, y < 0 once is y < 0 ever after, with |y| rising wherever a > 0; where "
        "f = 0, y keeps its sign, and |y| rises wherever a > 0.",
        {"equation": "y obeys this equation", "sign": "the sign of f"},
        ("variation_of_constants",),
    ),
    "Gronwall": Lemma(
        "w' <= a w on an interval with a constant gives w(t) <= w(0) exp(a t); >= likewise.",
        {"inequality": "the derivative obeys this inequality"},
        ("gronwall_above", "gronwall_below"),
    ),
    "comparison": Lemma(
        "For a scalar equation u' = f(t, u) with f locally Lipschitz in u: v' >= f(t, v) and "
        "v(0) >= u(0) give v >= u for as long as both exist; <= likewise.",
        {"inequality": "the derivative obeys this inequality", "solution": "u solves the equation"},
        ("comparison",),
    ),
    "monotone": Lemma(
        "A differentiable function with derivative > 0 (< 0) strictly increases (decreases).",
        {"sign": "the sign of the derivative"},
        ("monotone_up", "monotone_down"),
    ),
    "convex": Lemma(
        "A twice differentiable function with second derivative >= 0 on an interval lies above its "
        "tangents and, between their ends, below its chords.",
        {"second": "the sign of the second derivative"},
        ("convex_tangent", "convex_chord"),
    ),
    "strict minima": Lemma(
        "A C^2 function on an interval whose second derivative is positive at each critical point "
        "has at most one critical point; it strictly decreases before it and strictly increases "
        "after it.",
        {
            "smooth": "the function is smooth",
            "positive": "second derivative > 0 where the first is 0",
        },
        ("strict_minima",),
    ),
    "growth": Lemma(
        "A positive function with logarithmic derivative >= m > 0 for as long as it is below 1 "
        "gets to 1 in finite time.",
        {"rate": "the logarithmic derivative is at least m", "positive": "m > 0"},
        ("growth",),
    ),
    "monotone limit": Lemma(
        "A bounded monotone function of time converges; if its derivative converges as well, the "
        "derivative tends to 0.",
        {"monotone": "the sign of the derivative", "bounded": "a bound"},
        ("monotone_limit_up", "monotone_limit_down"),
    ),
    "intermediate value": Lemma(
        "A strictly increasing continuous function on [a, b) takes each value strictly between its "
        "value at a and its limit at b exactly once, and no value outside.",
        {"increasing": "strictly increasing", "ends": "the two end values"},
        ("intermediate_value",),
    ),
    "orthogonal splitting": Lemma(
        "A symmetric map that leaves mutually orthogonal subspaces invariant has, with "
        "multiplicity, the eigenvalues of its restrictions; their dimensions add up to the whole "
        "dimension.",
        {
            "invariant": "each subspace is invariant, with this restriction",
            "count": "the dimensions add up",
        },
    ),
    "Rayleigh": Lemma(
        "The largest eigenvalue of a symmetric matrix is at least v.Hv / v.v for every v, with "
        "equality at an eigenvector; restricted to a subspace the largest eigenvalue is no larger.",
        {"quotient": "the value of the quadratic form on the chosen vectors"},
    ),
    "Weyl": Lemma(
        "For symmetric matrices the largest eigenvalue is subadditive, and adding a positive "
        "semidefinite matrix does not lower it.",
        {"sum": "the matrix is this sum", "parts": "the largest eigenvalues of the parts"},
    ),
    "continuity of eigenvalues": Lemma(
        "The largest eigenvalue of a symmetric matrix depends continuously on its entries.",
        {"limit": "the eigenvalues of the limit matrix"},
    ),
    "linear map": Lemma(
        "Iterates of a symmetric linear map stay bounded exactly when every |eigenvalue| <= 1; an "
        "eigenvector with |eigenvalue| > 1 is a direction of growth, and all such directions span "
        "the eigenspaces with |eigenvalue| > 1.",
        {"eigenvalues": "the eigenvalues and where they exceed 1 in size"},
    ),
    "spectral radius": Lemma(
        "Iterates of a linear map tend to 0 from every start exactly when every eigenvalue, complex"
        " ones included, is below 1 in size; with one above 1 they grow from almost every start.",
        {"eigenvalues": "the eigenvalues' sizes"},
    ),
    "induction": Lemma(
        "What holds at the start and passes from each step to the next holds at every step.",
        {"step": "passes from one step to the next"},
        ("induction",),
    ),
    "ratio": Lemma(
        "A positive sequence whose successive ratios tend to a limit > 1 is unbounded.",
        {"ratio": "the ratio of successive terms, and its limit"},
        ("ratio",),
    ),
    "bounded product": Lemma(
        "If x_(j+1) = x_j (1 + P_j) with x_j > 0, P_j >= 0 and x bounded, then the P_j are "
        "summable, so P_j tends to 0, x converges, and so does every product of factors 1 - P_j.",
        {"factor": "x grows by this factor", "bound": "P >= 0, x > 0, and the bound of x"},
        ("bounded_product",),
    ),
    "telescoping": Lemma(
        "If a_j >= 0, s_(j+1) <= s_j - a_j and the s_j are bounded below, the a_j are summable: "
        "they tend to 0, and a sequence whose steps are at most a constant times a_j in size "
        "converges.",
        {
            "decrease": "s falls by at least a_j",
            "below": "a lower bound of s",
            "steps": "the steps, in terms of a_j",
        },
        ("telescoping",),
    ),
    "Euler": Lemma(
        "For x' = f(x) with f of class C^1, Euler's method with step size eta stays within C eta "
        "of the solution on any interval [0, T] on which it exists, for eta small enough; C "
        "depends on T.",
        {
            "smooth": "the right-hand side is a polynomial",
            "scheme": "the iteration is Euler's method",
        },
    ),
    "strict saddles": Lemma(
        "For the gradient flow of an analytic function, the initial states that converge to "
        "critical points whose Hessian has a negative eigenvalue form a set of measure zero "
        "(centre-stable manifolds; the points need not be isolated).",
        {
            "gradient": "the system is minus the gradient of a polynomial",
            "saddle": "a negative eigenvalue",
        },
    ),
    "Chebyshev": Lemma(
        "P(|X - E X| >= a) <= Var X / a^2 for a > 0.",
        {"moments": "the mean and the variance", "bound": "the resulting bound"},
    ),
    "unbounded": Lemma(
        "If f(x) >= g(x) for all large x and g tends to infinity, no constant bounds f.",
        {"lower": "f >= g", "limit": "g tends to infinity"},
        ("unbounded",),
    ),
}
