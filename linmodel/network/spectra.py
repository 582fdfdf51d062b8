"""General spectra: any covariances Sigma of the signal and Sigma_o of the opposing coordinates.

In the eigenbases of Sigma (eigenvalues lambda_i) and Sigma_o (mu_j) the loss (factor 1/2) is
    L = 1/2 sum_i lambda_i (c b_i - beta_i)^2 + 1/2 c^2 sum_j mu_j b_oj^2,
and every mode moves by itself, given c:
    c' = sum_i lambda_i b_i (beta_i - c b_i) - c sum_j mu_j b_oj^2
    b_i' = lambda_i c (beta_i - c b_i),     b_oj' = -mu_j c^2 b_oj.
So b_oj = b_oj(0) exp(-mu_j tau), tau = int c^2 dt (M7); c^2 - |b|^2 - |b_o|^2 is conserved (M6).
The reduced model is lambda = (1, 1), mu = (alpha): modes of one eigenvalue act as one, their norm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from linmodel.arguments import typed
from linmodel.curves import head, label
from linmodel.errors import FlowFailed, integer, real, refuse
from linmodel.network.arrowhead import top_eigenvalue
from linmodel.problem import ESCAPE, Array, OpposingSignals, State, single
from linmodel.times import time_grid


@dataclass(frozen=True)
class Spectra:
    """Eigenvalues `signal` (m,) of Sigma, the target `beta` (m,) in its eigenbasis, and the
    eigenvalues `opposing` (r,) of Sigma_o. All eigenvalues are >= 0; m, r >= 1.

    Raises InvalidInput.
    """

    signal: Array
    beta: Array
    opposing: Array

    def __post_init__(self) -> None:
        for name in ("signal", "beta", "opposing"):
            object.__setattr__(self, name, _vector(name, getattr(self, name)))
        if self.signal.shape != self.beta.shape:
            refuse("beta", f"{self.beta.size} numbers", f"{self.signal.size}, one a signal mode")
        for name in ("signal", "opposing"):
            if (getattr(self, name) < 0).any():
                refuse(name, getattr(self, name).min(), "eigenvalues >= 0")

    @classmethod
    def of_problem(cls, problem: OpposingSignals) -> Spectra:
        """The reduced model as two signal modes (epsilon and n) and one opposing mode (o)."""
        return cls(np.ones(2), np.array([problem.beta_norm, 0.0]), np.array([problem.alpha]))

    def as_dict(self) -> dict[str, list[float]]:
        """The three lists, ready for JSON."""
        return {name: getattr(self, name).tolist() for name in ("signal", "beta", "opposing")}


@dataclass(frozen=True)
class ModeState:
    """c, b (m,) in Sigma's eigenbasis, b_o (r,) in Sigma_o's. Raises InvalidInput."""

    c: float
    b: Array
    b_o: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "c", real("c", self.c))
        object.__setattr__(self, "b", _vector("b", self.b))
        object.__setattr__(self, "b_o", _vector("b_o", self.b_o))

    @classmethod
    def of_state(cls, state: State) -> ModeState:
        """The reduced state in `Spectra.of_problem`'s modes."""
        c, epsilon, n, o = (float(np.asarray(value)) for value in single(state))
        return cls(c, np.array([epsilon, n]), np.array([o]))

    def as_dict(self) -> dict[str, object]:
        """The numbers, ready for JSON."""
        return {"c": self.c, "b": self.b.tolist(), "b_o": self.b_o.tolist()}


@typed
def eigenbasis(
    sigma: ArrayLike, sigma_o: ArrayLike, beta: ArrayLike
) -> tuple[Spectra, Array, Array]:
    """Spectra of two covariance matrices, and the bases: b_modes = basis^T b, likewise b_o.

    sigma (d1, d1) and sigma_o (d2, d2) symmetric, >= 0; beta (d1,). Raises InvalidInput.
    """
    values, basis = _eigen("sigma", sigma)
    values_o, basis_o = _eigen("sigma_o", sigma_o)
    target = _vector("beta", beta)
    if target.size != values.size:
        refuse("beta", f"{target.size} numbers", f"{values.size}, as many as sigma has rows")
    return Spectra(values, basis.T @ target, values_o), basis, basis_o


@typed
def spectral_sharpness(spectra: Spectra, c: ArrayLike, b: ArrayLike, b_o: ArrayLike) -> Array:
    """H1 for general spectra: top eigenvalue of the Hessian, an arrowhead with corner c.

    H_cc = sum lambda b^2 + sum mu b_o^2, H_cb = lambda (2 c b - beta), H_bb = c^2 lambda,
    H_co = 2 mu c b_o, H_oo = c^2 mu. Shapes c (...), b (..., m), b_o (..., r).
    """
    c, b, b_o = (np.asarray(value, dtype=float) for value in (c, b, b_o))
    scale = c[..., None]
    corner = (spectra.signal * b**2).sum(axis=-1) + (spectra.opposing * b_o**2).sum(axis=-1)
    border_b = spectra.signal * (2 * scale * b - spectra.beta)
    border = np.concatenate([border_b, 2 * spectra.opposing * scale * b_o], axis=-1)
    diagonal = np.concatenate([scale**2 * spectra.signal, scale**2 * spectra.opposing], axis=-1)
    return top_eigenvalue(corner, border, diagonal)


@typed
def spectral_flow(
    spectra: Spectra,
    start: ModeState,
    times: ArrayLike,
    *,
    rtol: float = 1e-12,
    atol: float = 1e-15,
) -> xr.Dataset:
    """Gradient flow for general spectra: a Dataset on `time` of every mode and the usual names.

    b (time, signal_mode), b_o (time, opposing_mode); c; epsilon = beta_hat.b, n = |b - epsilon
    beta_hat|, o = |b_o|; loss above its minimum, opposing_curvature = c^2 max mu, sharpness.
    Integrates (c, b, w), w = max(mu, 1) tau, by LSODA: every b_oj keeps all its digits.

    Raises InvalidInput, FlowFailed.
    """
    _check_fit(spectra, start)
    grid = time_grid(times)
    rtol, atol = real("rtol", rtol, low=2.3e-14), real("atol", atol, above=0)
    fast = max(float(spectra.opposing.max()), 1.0)
    size = math.sqrt(start.c**2 + (start.b**2).sum() + (start.b_o**2).sum())

    def rate(_t: float, y: Array) -> Array:
        c, b, w = y[0], y[1:-1], y[-1]
        b_o = start.b_o * np.exp(-w * spectra.opposing / fast)
        pull = spectra.signal * (spectra.beta - c * b)
        slope = b @ pull - c * (spectra.opposing @ b_o**2)
        return np.concatenate([[slope], c * pull, [fast * c * c]])

    values = np.concatenate([[start.c], start.b, [0.0]])[:, None]
    if grid[-1] > 0:
        tolerance = np.full(len(values), atol * max(size, 1e-300))
        tolerance[-1] = atol
        solution = solve_ivp(
            rate, (0, grid[-1]), values[:, 0], "LSODA", grid, rtol=rtol, atol=tolerance
        )
        if not solution.success:
            raise FlowFailed(f"the integrator stopped: {solution.message} rtol = {rtol:g}.")
        values = solution.y
    b_o = start.b_o * np.exp(-values[-1][:, None] * spectra.opposing / fast)
    settings = {"rtol": rtol, "atol": atol}
    return _dataset(spectra, start, grid, values[0], values[1:-1].T, b_o, "spectral_flow", settings)


@typed
def spectral_descent(
    spectra: Spectra, start: ModeState, step_size: float, steps: int
) -> xr.Dataset:
    """Gradient descent for general spectra (G1 mode by mode), |b_oj| carried as a logarithm.

    b_oj+ = b_oj (1 - eta mu_j c^2): mode j changes sign iff eta mu_j c^2 > 1 and grows iff > 2, so
    the top mode of Sigma_o oscillates first. Adds log_abs_b_o (time, opposing_mode); attribute
    `status` as in gradient_descent.

    Raises InvalidInput.
    """
    _check_fit(spectra, start)
    eta, steps = real("step_size", step_size, above=0), integer("steps", steps, low=1)
    c, b, log_o, sign = start.c, start.b, _log_abs(start.b_o), np.sign(start.b_o)
    rows = []
    for _ in range(steps + 1):
        b_o = sign * np.exp(log_o)
        rows.append((c, b, b_o, log_o))
        pull = spectra.signal * (spectra.beta - c * b)
        factor = 1 - eta * spectra.opposing * c * c
        slope = b @ pull - c * (spectra.opposing @ b_o**2)
        log_o, sign = log_o + _log_abs(factor), sign * np.sign(factor)
        c, b = c + eta * slope, b + eta * c * pull
        if not (max(abs(c), np.abs(b).max()) < ESCAPE and log_o.max() < math.log(ESCAPE)):
            break
    cs, bs, b_os, logs = (np.array(column) for column in zip(*rows, strict=True))
    time = eta * np.arange(len(rows))
    settings = {"step_size": eta, "steps": steps}
    found = _dataset(spectra, start, time, cs, bs, b_os, "spectral_descent", settings)
    found["log_abs_b_o"] = (("time", "opposing_mode"), logs, {"units": "1"})
    found["log_abs_b_o"].attrs["long_name"] = "natural logarithm of |b_o| mode by mode"
    found.attrs["status"] = "completed" if len(rows) == steps + 1 else "diverged"
    if len(rows) <= steps:
        found.attrs["diverged_at_step"] = len(rows)
    return found


def _dataset(
    spectra: Spectra,
    start: ModeState,
    time: Array,
    c: Array,
    b: Array,
    b_o: Array,
    method: str,
    settings: Mapping[str, object],
) -> xr.Dataset:
    norm = float(np.linalg.norm(spectra.beta))
    beta_hat = spectra.beta / norm if norm > 0 else np.eye(1, spectra.beta.size)[0]
    epsilon = b @ beta_hat
    miss = (c[:, None] * b - spectra.beta) ** 2 @ spectra.signal
    found = xr.Dataset(
        {
            "c": ("time", c),
            "epsilon": ("time", epsilon),
            "n": ("time", np.linalg.norm(b - epsilon[:, None] * beta_hat, axis=1)),
            "o": ("time", np.linalg.norm(b_o, axis=1)),
            "b": (("time", "signal_mode"), b),
            "b_o": (("time", "opposing_mode"), b_o),
            "loss": ("time", 0.5 * (miss + c**2 * (b_o**2 @ spectra.opposing))),
            "opposing_curvature": ("time", c**2 * spectra.opposing.max()),
            "sharpness": ("time", spectral_sharpness(spectra, c, b, b_o)),
        },
        coords={"time": time},
    )
    label(found)
    found["n"].attrs["long_name"] = "norm of the rest of b, n"
    found["o"].attrs["long_name"] = "norm of b_o, o"
    found["b"].attrs = {"long_name": "b in the eigenbasis of Sigma", "units": "1"}
    found["b_o"].attrs = {"long_name": "b_o in the eigenbasis of Sigma_o", "units": "1"}
    found.attrs = head(
        method,
        f"two-layer linear model with general spectra: {method.replace('_', ' ')}",
        spectra=spectra.as_dict(),
        start=start.as_dict(),
        settings=settings,
    )
    return found


def _check_fit(spectra: Spectra, start: ModeState) -> None:
    if start.b.shape != spectra.signal.shape or start.b_o.shape != spectra.opposing.shape:
        refuse(
            "sizes of (b, b_o)",
            (start.b.size, start.b_o.size),
            f"{spectra.signal.size} and {spectra.opposing.size}, as the spectra have modes",
        )


def _vector(name: str, values: ArrayLike) -> Array:
    allowed = "a non-empty list of finite numbers"
    try:
        vector = np.array(values, dtype=float, ndmin=1)
    except (TypeError, ValueError, OverflowError):
        refuse(name, values, allowed)
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        refuse(name, values, allowed)
    return vector


def _eigen(name: str, matrix: ArrayLike) -> tuple[Array, Array]:
    array = np.asarray(matrix, dtype=float)
    allowed = "a symmetric positive semidefinite matrix"
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not np.isfinite(array).all():
        refuse(name, f"an array of shape {array.shape}", allowed)
    if not np.allclose(array, array.T, rtol=0, atol=1e-12 * np.abs(array).max()):
        refuse(name, "not symmetric", allowed)
    values, basis = np.linalg.eigh(array)
    if values[0] < -1e-10 * np.abs(values).max():
        refuse(name, f"a matrix with eigenvalue {values[0]:g}", allowed)
    return np.maximum(values, 0.0), basis


def _log_abs(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(np.abs(values))
