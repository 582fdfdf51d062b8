"""Random problems for a user's theorem: floats look for a counterexample, intervals confirm it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, ctx

from linmodel import OpposingSignals, State, gradient_descent, gradient_flow, sharpness
from linmodel.bounds import limit
from linmodel.certified import CannotEnclose, certified_flow
from linmodel.certified.sharpness import largest_eigenvalue
from linmodel.errors import InvalidInput
from proofs_check.claims.descent import NEXT
from proofs_check.enclosure import BITS
from proofs_check.expressions import enclose
from proofs_check.ledger import Outcome, Verdict
from proofs_check.replay import with_replay

RANGES: dict[str, tuple[float, float]] = {
    "alpha": (1.0, 1000.0),
    "B": (0.1, 100.0),
    "k": (0.1, 100.0),
    "eta": (1e-4, 1.0),
    "c0": (0.1, 2.0),
    "epsilon0": (0.0, 1.0),
    "n0": (0.0, 1.0),
    "o0": (0.0, 1.5),
}
FIXED = {*RANGES, "kappa"}  # what a problem and its start fix
TIMES = 120
ATTEMPTS = 400  # draws for each example wanted
STATE_NAMES = ("c", "epsilon", "n", "o")
MARGIN = 1e-6  # relative: a smaller violation in floats is not worth confirming


@dataclass(frozen=True)
class Trial:
    """A parsed theorem: hypotheses on problem and start, conclusion, moment, how to try it."""

    hypotheses: tuple[Any, ...]
    conclusion: Any
    when: str
    examples: int
    ranges: dict[str, tuple[float, float]]


def try_examples(trial: Trial, seed: int = 0) -> Outcome:
    """`refuted` with a confirmed counterexample, `tested`, or `open` where neither is honest."""
    moving = sorted(str(one) for part in trial.hypotheses for one in part.free_symbols
                    if str(one) not in FIXED)  # fmt: skip
    if moving:
        return Outcome(Verdict.OPEN, f"a hypothesis is about {moving[0]} at the moment itself, "
                                     "which is not drawn: no example was tried")  # fmt: skip
    rng = np.random.default_rng(seed)
    done = unconfirmed = 0
    for _ in range(trial.examples * ATTEMPTS):
        if done == trial.examples:
            break
        drawn = _draw(trial, rng)
        if drawn is None:
            continue
        done += 1
        time = _violation(trial, drawn)
        if time is not None:
            shown = ", ".join(f"{name} = {value!r}" for name, value in drawn.items())
            if _confirmed(trial, drawn, time):
                found = Outcome(Verdict.REFUTED, f"confirmed by intervals: t = {time!r}, {shown}")
                return with_replay(found, trial.conclusion, trial.when, drawn, time)
            unconfirmed += 1
            last = f"t = {time!r}, {shown}"
    if done < trial.examples:
        return Outcome(Verdict.OPEN, f"only {done} draws met the hypotheses: narrow the ranges")
    if unconfirmed:
        return Outcome(
            Verdict.OPEN, f"{unconfirmed} violations in floats, unconfirmed; one at {last}"
        )
    return Outcome(Verdict.TESTED, f"{done} random problems, seed {seed}; no proof found")


def _draw(trial: Trial, rng: np.random.Generator) -> dict[str, float] | None:
    values = {name: float(rng.uniform(low, high)) for name, (low, high) in trial.ranges.items()}
    for name in ("alpha", "B", "k", "eta"):
        low, high = trial.ranges[name]
        if low > 0:
            values[name] = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    for part in trial.hypotheses:  # `name == value` fixes the name
        if isinstance(part, sp.Equality) and str(part.lhs) in values:
            right = part.rhs.subs(_with_kappa(values))
            if right.is_number:
                values[str(part.lhs)] = float(right)
    put = _with_kappa(values)
    holds = all(bool(part.subs(put)) for part in trial.hypotheses)
    return values if holds else None


def _with_kappa(values: dict[str, float]) -> dict[sp.Symbol, float]:
    start = State(*(values[name] for name in ("c0", "epsilon0", "n0", "o0")))
    return {
        sp.Symbol(name, real=True): value
        for name, value in (values | {"kappa": float(start.kappa)}).items()
    }


def _problem(values: dict[str, float]) -> tuple[OpposingSignals, State]:
    problem = OpposingSignals(alpha=values["alpha"], beta_norm=values["B"], k=values["k"])
    return problem, State(*(values[name] for name in ("c0", "epsilon0", "n0", "o0")))


def _moments(trial: Trial, values: dict[str, float]) -> dict[str, np.ndarray]:
    """Time, state and sharpness where the conclusion is to hold; arrays."""
    problem, start = _problem(values)
    if trial.when == "limit":
        end = limit(problem, start)
        state = State(end.c, end.epsilon, 0.0, 0.0)
        return _columns(np.array([np.inf]), state, np.atleast_1d(end.sharpness))
    if trial.when == "start":
        return _columns(np.zeros(1), start, np.atleast_1d(sharpness(problem, start)))
    if trial.when == "step":
        after = gradient_descent(problem, start, values["eta"], 1).isel(time=[-1])
        state = State(*(after[name].values for name in ("c", "epsilon", "n", "o")))
        return _columns(np.zeros(1), state, after.sharpness.values)
    scale = 1 / (problem.beta_norm + problem.alpha * values["c0"] ** 2 + 1)
    times = np.concatenate([[0.0], np.geomspace(1e-3 * scale, 50 / problem.beta_norm, TIMES)])
    flow = gradient_flow(problem, start, times)
    if trial.when == "dip":
        times = np.array([0.0, float(flow["t_dip"])])[: 2 if flow["t_dip"] > 0 else 1]
        flow = gradient_flow(problem, start, times).isel(time=[-1])
    state = State(flow.c.values, flow.epsilon.values, flow.n.values, flow.o.values)
    return _columns(flow.time.values, state, flow.sharpness.values)


def _columns(time: np.ndarray, state: State, top: np.ndarray) -> dict[str, np.ndarray]:
    names = ("c", "epsilon", "n", "o")
    columns = {name: np.atleast_1d(x) for name, x in zip(names, state, strict=True)}
    return {"t": time, "sharpness": top} | columns


def _violation(trial: Trial, values: dict[str, float]) -> float | None:
    """The time of the clearest violation in floats, or None."""
    columns = _moments(trial, values)
    fixed = trial.conclusion.subs(_with_kappa(values))
    if fixed in (sp.true, sp.false):
        return None if fixed == sp.true else float(columns["t"][0])
    names = [sp.Symbol(name, real=True) for name in columns]
    with np.errstate(all="ignore"):
        left, right = (_values(side, names, columns) for side in _sides(fixed))
        lack = (right - left) / (np.abs(left) + np.abs(right))
    worst = int(np.nanargmax(lack)) if np.isfinite(lack).any() else 0
    return float(columns["t"][worst]) if lack[worst] > MARGIN else None


def _sides(fixed: Any) -> tuple[sp.Expr, sp.Expr]:
    """The side that must be the larger, and the other; of an equation: 0 and the gap."""
    if isinstance(fixed, sp.Equality):
        return sp.S.Zero, sp.Abs(fixed.lhs - fixed.rhs)
    return fixed.gts, fixed.lts


def _values(side: sp.Expr, names: list[sp.Symbol], columns: dict[str, np.ndarray]) -> np.ndarray:
    shape = columns["t"].shape
    return np.broadcast_to(sp.lambdify(names, side, "numpy")(*columns.values()), shape)


def _confirmed(trial: Trial, values: dict[str, float], time: float) -> bool:
    """Is the conclusion certainly false at this example? By intervals, all ends included."""
    with ctx.workprec(BITS):
        balls = {name: arb(value) for name, value in values.items()}
        c0, *rest = (balls[name] ** 2 for name in ("c0", "epsilon0", "n0", "o0"))
        balls["kappa"] = c0 - sum(rest)
        state = _state_at(trial, values, balls, time)
        if state is None:
            return False
        left, right = (enclose(side, balls | state) for side in trial.conclusion.args)
        false = {
            sp.StrictGreaterThan: left <= right,
            sp.GreaterThan: left < right,
            sp.StrictLessThan: left >= right,
            sp.LessThan: left > right,
            sp.Equality: left < right or left > right,
        }
        return bool(false[type(trial.conclusion)])


def _state_at(
    trial: Trial, values: dict[str, float], balls: dict[str, arb], time: float
) -> dict[str, arb] | None:
    if trial.when == "limit":
        return _end(balls)
    return _after(balls, values) if trial.when == "step" else _state(trial, values, time)


def _state(trial: Trial, values: dict[str, float], time: float) -> dict[str, arb] | None:
    """Enclosures at one time; None at the dip, whose time is not known exactly."""
    if trial.when == "dip":
        return None
    try:
        found = certified_flow(*_problem(values), [0.0, time] if time > 0 else [0.0])
    except (CannotEnclose, InvalidInput):
        return None
    names = ("c", "epsilon", "n", "o", "sharpness")
    ends = {name: found[name].values[-1] for name in names}
    return {name: arb(low).union(arb(high)) for name, (low, high) in ends.items()} | {
        "t": arb(time)
    }


def _after(balls: dict[str, arb], values: dict[str, float]) -> dict[str, arb]:
    """G1 in intervals: the state after a step, and its sharpness."""
    before = balls | {name: balls[f"{name}0"] for name in STATE_NAMES}
    c, epsilon, n, o = (enclose(part, before) for part in NEXT)
    top = largest_eigenvalue(values["alpha"], values["B"], (c, epsilon, n, o))
    return {"c": c, "epsilon": epsilon, "n": n, "o": o, "sharpness": top}


def _end(balls: dict[str, arb]) -> dict[str, arb]:
    """F5 in intervals."""
    kappa, signal, zero = balls["kappa"], balls["B"], arb(0)
    c = ((kappa + (kappa**2 + 4 * signal**2).sqrt()) / 2).sqrt()
    top = (balls["alpha"] * c**2).max(c**2 + (signal / c) ** 2)
    return {"c": c, "epsilon": signal / c, "n": zero, "o": zero, "sharpness": top}
