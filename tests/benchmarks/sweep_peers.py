"""What people use today, on workload W: each peer a function (work, tolerance) -> (epsilon, tau).

All but `solve_ivp, four equations` are handed the reduced form. A peer that is not installed
raises ImportError. Sharpness is not part of a peer's time; it is part of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from linmodel.problem import Array
from tests.benchmarks.sweep_workload import Workload, reduced_rate

# epsilon and tau, both (cells, times), and the processor seconds that they took.
Solution = tuple[Array, Array, float]


def _timed(work: Workload, solve: Callable[[int], Any]) -> Solution:
    epsilon, tau = np.empty((2, work.cells, len(work.grid)))
    begun = time.process_time()
    for cell in range(work.cells):
        epsilon[cell], tau[cell] = solve(cell)
    return epsilon, tau, time.process_time() - begun


def scipy_lsoda(work: Workload, tolerance: float) -> Solution:
    from scipy.integrate import solve_ivp

    rows = work.parameters()

    def solve(cell: int):
        given = (*rows[cell], np.exp, np.sqrt)
        found = solve_ivp(
            lambda _s, y: reduced_rate(y, given), (0, 1), (0.1, 0.0), "LSODA", work.grid,
            rtol=tolerance, atol=tolerance * 1e-4,
        )  # fmt: skip
        return found.y

    return _timed(work, solve)


def scipy_four_equations(work: Workload, tolerance: float) -> Solution:
    """solve_ivp LSODA as a first user writes it: c, epsilon, n, o as they stand."""
    from scipy.integrate import solve_ivp

    c0, e0, n2, o2 = work.start

    def solve(cell: int):
        alpha, strength, span = work.alpha[cell], work.strength[cell], work.span[cell]

        def rate(_s, y):
            c, e, n, o = y
            residual = strength - c * e
            return (
                span * (e * residual - c * (n * n + alpha * o * o)),
                span * c * residual,
                -span * c * c * n,
                -span * alpha * c * c * o,
            )

        start = (c0, e0, n2[cell] ** 0.5, o2[cell] ** 0.5)
        found = solve_ivp(rate, (0, 1), start, "LSODA", work.grid, rtol=tolerance, atol=1e-14)
        return found.y[1], -np.log(found.y[2] / start[2])

    return _timed(work, solve)


def scipy_odeint(work: Workload, tolerance: float) -> Solution:
    from scipy.integrate import odeint

    rows, grid = work.parameters(), np.concatenate([[0.0], work.grid])

    def solve(cell: int):
        import math

        given = (*rows[cell], math.exp, math.sqrt)
        found = odeint(
            lambda y, _s: reduced_rate(y, given), (0.1, 0.0), grid,
            rtol=tolerance, atol=tolerance * 1e-4, mxstep=100_000,
        )  # fmt: skip
        return found[1:].T

    return _timed(work, solve)


def numbalsoda_lsoda(work: Workload, tolerance: float) -> Solution:
    import numba
    import numbalsoda

    @numba.cfunc(numbalsoda.lsoda_sig)
    def rate(_s, y, out, p):
        c2 = p[2] + y[0] * y[0] + p[3] * np.exp(-2 * y[1]) + p[4] * np.exp(-2 * p[0] * y[1])
        c = np.sqrt(c2)
        out[0] = p[5] * c * (p[1] - c * y[0])
        out[1] = p[5] * c2

    pointer, lsoda = rate.address, numbalsoda.lsoda

    @numba.njit
    def run(rows, grid, out, tolerance):
        for cell in range(rows.shape[0]):
            start = np.array([0.1, 0.0])
            found, _ = lsoda(pointer, start, grid, rows[cell], tolerance, tolerance * 1e-4, 100_000)
            out[cell] = found[1:].T

    return _batched(work, run, tolerance)


def cyrk_dop853(work: Workload, tolerance: float) -> Solution:
    import numba
    from CyRK import nbsolve_ivp

    @numba.njit
    def rate(_s, y, p0, p1, p2, p3, p4, p5):
        c2 = p2 + y[0] * y[0] + p3 * np.exp(-2 * y[1]) + p4 * np.exp(-2 * p0 * y[1])
        c = np.sqrt(c2)
        return np.array([p5 * c * (p1 - c * y[0]), p5 * c2])

    @numba.njit
    def run(rows, grid, out, tolerance):
        # One call an interval: with t_eval it interpolates linearly, to 4e-3 at any tolerance.
        for cell in range(rows.shape[0]):
            p = rows[cell]
            given = (p[0], p[1], p[2], p[3], p[4], p[5])
            y = np.array([0.1, 0.0])
            for place in range(grid.size - 1):
                found = nbsolve_ivp(
                    rate, (grid[place], grid[place + 1]), y, given, rtol=tolerance,
                    atol=tolerance * 1e-4, rk_method=2, warnings=False,
                )  # fmt: skip
                y = found.y[:, -1].copy()
                out[cell, :, place] = y

    return _batched(work, run, tolerance)


def _batched(work: Workload, run: Callable, tolerance: float) -> Solution:
    out = np.empty((work.cells, 2, len(work.grid)))
    rows, grid = work.parameters(), np.concatenate([[0.0], work.grid])
    run(rows[:1], grid, out[:1], tolerance)
    begun = time.process_time()
    run(rows, grid, out, tolerance)
    return out[:, 0], out[:, 1], time.process_time() - begun


def heyoka_batch(work: Workload, tolerance: float) -> Solution:
    """heyoka's SIMD batch, cells sorted so that a batch's are alike (as ours are)."""
    import heyoka

    width = heyoka.recommended_simd_size()
    state = heyoka.make_vars("epsilon", "tau")
    given = (*(heyoka.par[i] for i in range(6)), heyoka.exp, heyoka.sqrt)
    rates = reduced_rate(state, given)
    system = list(zip(state, rates, strict=True))
    solver = heyoka.taylor_adaptive_batch(
        system, np.zeros((2, width)), pars=np.ones((6, width)), tol=tolerance
    )
    rows = work.parameters()
    order = np.argsort(work.alpha * work.span / (1 + work.k))
    order = np.concatenate([order, np.full(-len(order) % width, order[-1])])
    grid = np.repeat(np.concatenate([[0.0], work.grid])[:, None], width, axis=1)
    out = np.empty((2, len(work.grid), work.cells))
    begun = time.process_time()
    for batch in order.reshape(-1, width):
        solver.set_time(0.0)
        solver.pars[:] = rows[batch].T
        solver.state[0], solver.state[1] = 0.1, 0.0
        values = solver.propagate_grid(grid)[-1]
        out[0][:, batch], out[1][:, batch] = values[1:, 0], values[1:, 1]
    seconds = time.process_time() - begun
    return np.ascontiguousarray(out[0].T), np.ascontiguousarray(out[1].T), seconds


def diffrax_tsit5(work: Workload, tolerance: float) -> Solution:
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)
    grid = jax.numpy.asarray(work.grid)

    def solve(row):
        given = (*(row[i] for i in range(6)), jax.numpy.exp, jax.numpy.sqrt)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda _s, y, _a: reduced_rate(y, given)), diffrax.Tsit5(), 0.0, 1.0,
            1e-7, (jax.numpy.asarray(0.1), jax.numpy.asarray(0.0)), max_steps=100_000,
            saveat=diffrax.SaveAt(ts=grid),
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance * 1e-4),
        )  # fmt: skip
        return found.ys

    run = jax.jit(jax.vmap(solve))
    rows = jax.numpy.asarray(work.parameters())
    jax.block_until_ready(run(rows))
    begun = time.process_time()
    epsilon, tau = jax.block_until_ready(run(rows))
    seconds = time.process_time() - begun
    return np.asarray(epsilon), np.asarray(tau), seconds


def _torch_rate(work: Workload):
    import torch

    columns = torch.from_numpy(work.parameters()).T
    given = (*columns, torch.exp, torch.sqrt)
    return lambda _s, y: torch.stack(reduced_rate((y[:, 0], y[:, 1]), given), dim=1)


def torchode_dopri5(work: Workload, tolerance: float) -> Solution:
    import torch
    import torchode

    torch.set_num_threads(1)
    term = torchode.ODETerm(_torch_rate(work))
    method = torchode.Dopri5(term=term)
    control = torchode.IntegralController(atol=tolerance * 1e-4, rtol=tolerance, term=term)
    solver = torchode.AutoDiffAdjoint(method, control)
    start = torch.tensor([[0.1, 0.0]], dtype=torch.float64).repeat(work.cells, 1)
    grid = torch.from_numpy(np.concatenate([[0.0], work.grid])).repeat(work.cells, 1)
    begun = time.process_time()
    with torch.no_grad():
        found = solver.solve(torchode.InitialValueProblem(y0=start, t_eval=grid)).ys
    seconds = time.process_time() - begun
    return found[:, 1:, 0].numpy(), found[:, 1:, 1].numpy(), seconds


def torchdiffeq_dopri8(work: Workload, tolerance: float) -> Solution:
    import torch
    import torchdiffeq

    torch.set_num_threads(1)
    start = torch.tensor([[0.1, 0.0]], dtype=torch.float64).repeat(work.cells, 1)
    grid = torch.from_numpy(np.concatenate([[0.0], work.grid]))
    begun = time.process_time()
    with torch.no_grad():
        found = torchdiffeq.odeint(
            _torch_rate(work), start, grid, method="dopri8", rtol=tolerance, atol=tolerance * 1e-4
        )
    seconds = time.process_time() - begun
    return found[1:, :, 0].T.numpy(), found[1:, :, 1].T.numpy(), seconds


# Name -> (function, cells it is timed on).
PEERS: dict[str, tuple[Callable[[Workload, float], Solution], int]] = {
    "heyoka, SIMD batch": (heyoka_batch, 20_000),
    "CyRK, DOP853 in numba": (cyrk_dop853, 2_000),
    "numbalsoda, LSODA": (numbalsoda_lsoda, 2_000),
    "diffrax, Tsit5 vmapped": (diffrax_tsit5, 1_000),
    "torchode, Dopri5": (torchode_dopri5, 1_000),
    "torchdiffeq, dopri8": (torchdiffeq_dopri8, 1_000),
    "SciPy odeint": (scipy_odeint, 300),
    "SciPy solve_ivp, LSODA": (scipy_lsoda, 100),
    "SciPy solve_ivp, LSODA, four equations": (scipy_four_equations, 100),
}
