"""Where descent follows the flow, is thrown and settles, oscillates for ever, or diverges (G2-G4).

At the edge, with x = sqrt(eta alpha) c, y = sqrt(eta alpha) o and eta small against the slow rates,
one step of descent is the parameter-free map x+ = x (1 - y^2), y+ = y (1 - x^2) (exactly so where
B = epsilon = n = 0). With u = x^2, w = y^2, S = u + w, P = u w, D = u - w it obeys, exactly,

    S+ - 4 = (S - 4)(1 + P),    D+ = D (1 - P),    P+ = P (1 - S + P)^2,

so S < 4 settles (P is summable), S > 4 diverges unless some step has P = 0, and (4 - S) D is
multiplied by 1 - P^2: from u just before the throw it lands at 4 - u or below while P^2 <= 2 (G7).

Descent meets the edge with o so small that it overshoots: o falls while u < 2 and has to grow back,
so it is thrown when int log|1 - u| dt / eta is back at log(1 / (|o0| sqrt(eta alpha))) (entry and
exit). What decides is u at that exit, not u at the flow's end: u_exit < u_inf. From where it lands
the flow goes on, perhaps to the next throw: each one lowers kappa, and with it u_inf.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from linmodel.arguments import typed
from linmodel.assumptions import require_standing
from linmodel.bounds import largest_stable_step, limit
from linmodel.descent import gradient_descent
from linmodel.errors import real, refuse
from linmodel.flow import gradient_flow
from linmodel.landscape import sharpness
from linmodel.problem import ESCAPE, Array, OpposingSignals, State, single

LIKE_FLOW, CATAPULT, OSCILLATION, DIVERGENCE = (
    "like_flow",
    "catapult",
    "oscillating",
    "diverged",
)
NEVER_SETTLES, UNDECIDED = "never_settles", "unfinished"
DIES = 1e-14  # w at which the limit map has settled
MAP_STEPS = 100_000
RESOLUTION = 4000  # flow samples of the entry-exit integral; its error is of the order of 1e-3
DOUBLINGS = 12
PRECISION = 1e-4  # relative, of the step size of divergence
MOST_THROWS = 30
SEED = 1e-6  # w at the start of a throw; its phase only moves where the throw lands
RESTS = 1e-3  # relative change of alpha c^2 below which descent has come to rest


@dataclass(frozen=True)
class Exit:
    """The flow's state when the opposing weight has grown back to size 1 (entry and exit).

    time     step size x step; NaN fields where alpha c^2 stays below 2/eta
    u        eta alpha c^2 there; above 2
    u_limit  eta alpha c_inf^2 of that flow, above u
    """

    time: float
    u: float
    u_limit: float
    epsilon: float
    n: float


@dataclass(frozen=True)
class Throw:
    """One throw: where descent left the flow, and where the flow after it would end.

    time, u, u_limit  as in `Exit`, time from the start of descent
    landed            u after the throw (NaN: it diverges)
    u_next            eta alpha c_inf^2 of the flow from there: where descent settles if at most 2
    """

    time: float
    u: float
    u_limit: float
    landed: float
    u_next: float


NO_EXIT = Exit(*[float("nan")] * 5)


@dataclass(frozen=True)
class Phase:
    """What descent does, how that is known, and the numbers that decide.

    name     "like_flow", "catapult", "diverged"; predicted only: "never_settles" (oscillates or
             diverges); observed only: "oscillating", "unfinished"
    proved   True where a theorem says so for this very problem; False: leading order in eta
    u_limit  eta alpha c_inf^2 of the flow
    u_exit   the largest eta alpha c^2 at which descent is thrown off (NaN: not predicted)
    """

    name: str
    proved: bool
    because: str
    u_limit: float
    u_exit: float


@typed
def catapult_map(u: ArrayLike, w: ArrayLike) -> tuple[Array, Array]:
    """G7: (u (1 - w)^2, w (1 - u)^2), one step of the limit map; u = eta alpha c^2, w of o^2."""
    u, w = np.asarray(u, dtype=float), np.asarray(w, dtype=float)
    return u * (1 - w) ** 2, w * (1 - u) ** 2


@typed
def landing(u: float, w: float) -> tuple[float, float]:
    """G7: where the limit map settles from (u, w): one of the two is then 0 to rounding.

    (NaN, NaN) where u + w >= 4: it diverges, but for a null set that hits u = 1 or w = 1 exactly.
    Raises InvalidInput unless u, w >= 0.
    """
    u, w = real("u", u, low=0), real("w", w, low=0)
    if u + w >= 4:
        return float("nan"), float("nan")
    for _ in range(MAP_STEPS):
        if (w < DIES and u < 2) or (u < DIES and w < 2):
            break
        u, w = u * (1 - w) ** 2, w * (1 - u) ** 2
    return u, w


@typed
def delayed_exit(problem: OpposingSignals, start: State, step_size: float) -> Exit:
    """When and where descent is thrown off: |o| sqrt(eta alpha) = 1 again after the edge.

    log|o| = log|o0| + (1/eta) int log|1 - eta alpha c^2| dt along the flow: leading order in eta.
    Raises InvalidInput outside the standing hypotheses, for o0 = 0 or step_size <= 0.
    """
    eta = real("step_size", step_size, above=0)
    require_standing(problem, single(start))
    if start.o == 0:
        refuse("o0", start.o, "a number other than 0", "Without it descent never leaves the flow.")
    gain = eta * problem.alpha
    end = limit(problem, start)
    if gain * float(end.c) ** 2 <= 2:
        return NO_EXIT
    horizon = 8 / float(end.c**2 + end.epsilon**2)
    for _ in range(DOUBLINGS):
        times = np.linspace(0, horizon, RESOLUTION)
        flow = gradient_flow(problem, start, times)
        u = gain * flow.c.values**2
        growth = np.log(np.maximum(np.abs(1 - u), 1e-8))
        grown = np.concatenate([[0], np.cumsum((growth[1:] + growth[:-1]) / 2 * np.diff(times))])
        size = np.log(abs(float(np.asarray(start.o))) * np.sqrt(gain)) + grown / eta
        out = np.flatnonzero((size > 0) & (u > 2))
        if out.size:
            at = int(out[0])
            top = gain * float(end.c) ** 2
            here = flow.isel(time=at)
            return Exit(float(here.time), float(u[at]), top, float(here.epsilon), float(here.n))
        horizon *= 2
    return NO_EXIT


@typed
def throws(problem: OpposingSignals, start: State, step_size: float) -> Iterator[Throw]:
    """The predicted throws, in order, until descent settles or one has u >= 4 (then it diverges).

    Between throws: the limit map from (u_exit, small w) to where it lands, then the flow from
    there. Leading order in eta; times add up the flow's parts. Raises InvalidInput as
    `delayed_exit` does.
    """
    clock, nan = 0.0, float("nan")
    while (left := delayed_exit(problem, start, step_size)).u > 2:
        clock += left.time
        if left.u >= 4:
            yield Throw(clock, left.u, left.u_limit, nan, nan)
            return
        u, w = landing(left.u, SEED)
        start = _landed(problem, left, u, w, step_size)
        u_next = step_size * float(limit(problem, start).opposing_curvature)
        yield Throw(clock, left.u, left.u_limit, u, u_next)


def _landed(problem: OpposingSignals, left: Exit, u: float, w: float, step_size: float) -> State:
    gain = step_size * problem.alpha
    o = np.sqrt(max(w, SEED) / gain)
    # Thrown to c = 0: c is then led by its slow value, epsilon B / (alpha o^2).
    led = left.epsilon * problem.beta_norm / (problem.alpha * o**2)
    c = np.sqrt(u / gain) if u > DIES else min(led, np.sqrt(2 / gain))
    return State(c, left.epsilon, left.n, o)


@typed
def predict_phase(problem: OpposingSignals, start: State, step_size: float) -> Phase:
    """What descent will do, from the flow and the limit map, without running descent.

    Exact: eta*, above which no minimum is stable, so that only a null set of starts settles (G3;
    o0 = 0 stays 0, as with alpha = 0, whose eta* is 1/B); whether the flow's end is stable (G2).
    Leading order in eta: that descent follows the flow, and u_exit = 4 between catapult and
    divergence. Where c^2 + epsilon^2 alone passes 2/eta, |c^2 - epsilon^2| shrinks until a minimum
    is stable: a catapult, too, though `observe_phase` sees it only where alpha c^2 passes 2/eta.

    Raises InvalidInput outside the standing hypotheses, step_size <= 0, or where descent does not
    begin below the edge (eta lambda_max(0) >= 2: it does not follow the flow at all).
    """
    eta = real("step_size", step_size, above=0)
    require_standing(problem, single(start))
    at_start = eta * float(sharpness(problem, start))
    if at_start >= 2:
        refuse("step_size x sharpness at the start", at_start, "below 2", "Take a smaller step.")
    end = limit(problem, start)
    u_limit = eta * float(end.opposing_curvature)
    nan = float("nan")
    if eta * float(end.sharpness) <= 2:
        return Phase(LIKE_FLOW, False, "the flow's minimum is stable (G2)", u_limit, nan)
    signal_only = bool(start.o == 0)
    if signal_only and eta * float(end.c**2 + end.epsilon**2) <= 2:
        why = "o0 = 0 stays 0, and the flow's end is stable in (c, epsilon, n) (G2)"
        return Phase(LIKE_FLOW, False, why, u_limit, nan)
    moving = OpposingSignals(0.0, problem.beta_norm) if signal_only else problem
    if eta > largest_stable_step(moving):
        return Phase(NEVER_SETTLES, True, "eta > eta*: no minimum is stable (G3)", u_limit, nan)
    if signal_only or u_limit <= 2:
        why = "c^2 + epsilon^2 > 2/eta at the flow's minimum, and c^2 - epsilon^2 shrinks (G2)"
        return Phase(CATAPULT, False, why, u_limit, nan)
    u_exit = nan
    for thrown in islice(throws(problem, start, eta), MOST_THROWS):
        u_exit = float(np.fmax(u_exit, thrown.u))
        if u_exit >= 4:
            return Phase(DIVERGENCE, False, "u_exit >= 4: S grows (G7)", u_limit, u_exit)
        if thrown.u_limit < 4:  # each throw lowers it, and no exit lies above it
            break
    return Phase(CATAPULT, False, "2 < u_exit < 4: S shrinks, P dies out (G7)", u_limit, u_exit)


@typed
def divergence_step(problem: OpposingSignals, start: State) -> float:
    """The step size at which the first u_exit = 4: predicted boundary of divergence at once.

    To leading order in eta; below it a later throw may still diverge (`throws`). It lies above
    4 / (alpha c_inf^2), where u_limit would be 4: descent is thrown before c has reached c_inf.
    Raises InvalidInput as `delayed_exit` does.
    """
    scale = 1 / float(limit(problem, single(start)).opposing_curvature)
    low = 4 * scale
    high = 2 * low
    while (exit_at := delayed_exit(problem, start, high).u) < 4 and high < 1e6 * low:
        low, high = high, 2 * high
    if not exit_at >= 4:
        return float("inf")
    found = brentq(lambda eta: delayed_exit(problem, start, eta).u - 4, low, high, rtol=PRECISION)
    return float(found)


@typed
def observe_phase(
    problem: OpposingSignals, start: State, step_size: float, steps: int | None = None
) -> Phase:
    """Run descent and name what it did; "unfinished" where it has not come to rest.

    Without `steps`: time 60 / c_inf^2, within 2,000 to 400,000 steps. Settled: over the last fifth
    alpha c^2 varies by less than 1e-3 of its size and |o| falls or is 0. Oscillation: it varies by
    more, by half to twice of what it did in the fifth before, and turns round at least twice.
    Raises InvalidInput as `gradient_descent` does.
    """
    eta = real("step_size", step_size, above=0)
    end = limit(problem, single(start))
    if steps is None:
        steps = int(np.clip(60 / (eta * float(end.c) ** 2), 2_000, 400_000))
    run = gradient_descent(problem, start, eta, steps)
    u, u_limit, nan = (
        eta * run.opposing_curvature.values,
        float(eta * end.opposing_curvature),
        np.nan,
    )
    if run.attrs["status"] == "diverged":
        why = f"|state| > {ESCAPE:g} at step {run.attrs['diverged_at_step']}"
        return Phase(DIVERGENCE, False, why, u_limit, nan)
    fifth = max(len(u) // 5, 1)
    swing, earlier = (np.ptp(part) / part.max() for part in (u[-fifth:], u[-2 * fifth : -fifth]))
    log_o = run.log_abs_o.values
    if swing < RESTS and (log_o[-1] < log_o[-fifth] or log_o[-1] == -np.inf):
        name = CATAPULT if u.max() > 2 and u[-1] < u.max() * (1 - RESTS) else LIKE_FLOW
        return Phase(name, False, f"settled at eta alpha c^2 = {u[-1]:.6g}", u_limit, nan)
    turns = np.count_nonzero(np.diff(np.sign(np.diff(u[-fifth:]))))
    if turns >= 2 and swing >= RESTS and earlier / 2 < swing < 2 * earlier:
        return Phase(OSCILLATION, False, f"still swings by {swing:.2g}", u_limit, nan)
    return Phase(UNDECIDED, False, f"not at rest: swings by {swing:.2g}", u_limit, nan)
