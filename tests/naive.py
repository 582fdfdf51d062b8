"""The full network, written out plainly: the independent twin of the reduced model's algebra."""

from __future__ import annotations

import numpy as np

from linmodel import OpposingSignals


def opposing_covariance(problem: OpposingSignals) -> np.ndarray:
    """Sigma_o, (d2, d2)."""
    if problem.support == "aligned":
        return problem.alpha / problem.d2 * np.ones((problem.d2, problem.d2))
    return problem.alpha * np.eye(problem.d2)


def split(problem: OpposingSignals, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """theta = (c, b, b_o) in R^(1 + d1 + d2), taken apart."""
    return theta[0], theta[1 : 1 + problem.d1], theta[1 + problem.d1 :]


def full_loss(problem: OpposingSignals, beta: np.ndarray, theta: np.ndarray) -> float:
    """Population loss above its minimum, factor 1/2, from second moments."""
    c, b, b_o = split(problem, theta)
    residual = c * b - beta
    return 0.5 * (residual @ residual + c**2 * b_o @ opposing_covariance(problem) @ b_o)


def full_gradient(problem: OpposingSignals, beta: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Gradient of `full_loss`, (1 + d1 + d2,)."""
    c, b, b_o = split(problem, theta)
    pushed = opposing_covariance(problem) @ b_o
    residual = c * b - beta
    return np.concatenate([[residual @ b + c * b_o @ pushed], c * residual, c**2 * pushed])


def full_hessian(problem: OpposingSignals, beta: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Central differences with one Richardson step: exact up to rounding for a cubic gradient."""

    def differences(h: float) -> np.ndarray:
        columns = []
        for index in range(theta.size):
            move = np.zeros(theta.size)
            move[index] = h
            forward = full_gradient(problem, beta, theta + move)
            columns.append((forward - full_gradient(problem, beta, theta - move)) / (2 * h))
        return np.array(columns)

    return (4 * differences(0.05) - differences(0.1)) / 3
