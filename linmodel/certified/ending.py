"""How one run of descent ends, proved: enclosed in Arb up to where a theorem takes over."""

from __future__ import annotations

from flint import arb, ctx

from linmodel.arguments import typed
from linmodel.assumptions import require_standing
from linmodel.errors import integer, real
from linmodel.problem import ESCAPE, OpposingSignals, State, single
from linmodel.settling import settles

SETTLES, ESCAPES, UNDECIDED = "settles", "escapes", "undecided"
BITS = 400
EVERY = 10  # steps between two looks
SHARP = 1e-12  # relative radius up to which a ball's middle stands for it: settles' margin is 1e-9
Balls = tuple[arb, arb, arb, arb]


@typed
def certified_end(
    problem: OpposingSignals, start: State, step_size: float, steps: int = 10_000, bits: int = BITS
) -> str:
    """ "settles", "escapes" or "undecided": what descent from this very start is proved to do.

    The run is enclosed in Arb at `bits` of precision from the exact binary values given. "settles":
    it enters the region of G4e or G4f, from which it converges to a minimum. "escapes": it enters
    that of G4g, from which it diverges. "undecided": neither was seen, which says nothing.

    Raises InvalidInput outside the standing hypotheses, or for step_size <= 0 or steps < 1.
    """
    eta = real("step_size", step_size, above=0)
    steps, bits = integer("steps", steps, low=1), integer("bits", bits, low=53)
    require_standing(problem, single(start))
    with ctx.workprec(bits):
        state: Balls = tuple(arb(float(part)) for part in start)  # type: ignore[assignment]
        for j in range(steps + 1):
            if j % EVERY == 0 and (found := _look(problem, state, eta)):
                return found
            state = _step(problem, state, arb(eta))
    return UNDECIDED


def _step(problem: OpposingSignals, state: Balls, eta: arb) -> Balls:
    c, epsilon, n, o = state
    missing = arb(problem.beta_norm) - c * epsilon
    square, strong = eta * c * c, arb(problem.alpha)
    return (
        c + eta * (epsilon * missing - c * (n * n + strong * o * o)),
        epsilon + eta * c * missing,
        n * (1 - square),
        o * (1 - strong * square),
    )


def _gone(problem: OpposingSignals, state: Balls, eta: arb) -> bool:
    """Is every point of the balls in G4g's region with d = 1?"""
    c, _, _, o = state
    gain, strength = eta * arb(problem.alpha), arb(problem.beta_norm)
    return bool(gain * c * c > 3 and gain * o * o > 3 and 2 * c * c > eta * strength * strength)


def _look(problem: OpposingSignals, state: Balls, eta: float) -> str:
    """What is proved of the run from here, "" where nothing is."""
    if _gone(problem, state, arb(eta)):
        return ESCAPES
    if any(abs(part) > ESCAPE for part in state):  # a ball's exponent could grow without end
        return UNDECIDED
    known = all(part == 0 or part.rad() < SHARP * abs(part) for part in state)
    if not known:
        return UNDECIDED if any(not part.is_finite() for part in state) else ""
    c, epsilon, n, o = (float(part.mid()) for part in state)
    if c < 0:  # s -> -s is a symmetry (M10)
        c, epsilon = -c, -epsilon
    inside = c > 0 and epsilon >= 0 and 0 <= c * epsilon < problem.beta_norm * (1 - 1e-9)
    if inside and bool(settles(problem, State(c, epsilon, n, o), eta).proved):
        return SETTLES
    return ""
