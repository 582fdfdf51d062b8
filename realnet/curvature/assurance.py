"""How probable it is that a larger eigenvalue was missed: Lanczos from a random vector.

X (k, n) has been found, values theta, residuals R = (1 - X^T X) H X^T. C is H in the complement of
X, of dimension d = n - k, and b a random unit vector in it, drawn after X. m Lanczos steps from b
give T_m (coefficients alpha, beta) and p_m(x) = det(x - T_m), with |p_m(C) b| = beta_1 ... beta_m.
So, if C has an eigenvector u with an eigenvalue above nu, nu above all of T_m's,

    |u . b| <= beta_1 ... beta_m / p_m(nu),  which has at most the probability
    sqrt(2 d / pi) beta_1 ... beta_m / p_m(nu)

since |u . b| <= t has at most the probability sqrt(2 d / pi) t. It falls exponentially with m, as
Kuczynski and Wozniakowski have it before anything is known of C (1992, SIAM J. Matrix Anal. Appl.
13, theorem 4.2: 1.648 sqrt(d) exp(-sqrt(e) (2 m - 1)) that the relative error exceeds e); this is
the same question asked after the coefficients are known (van Dorsselaer, Hochstenbach and van der
Vorst 2000, SIAM J. Matrix Anal. Appl. 22). And where C <= nu, the j-th eigenvalue of H is at most
M > nu if that of diag(theta) + R R^T / (M - nu) is (Schur complement): that is how nu is chosen.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from realnet.curvature.secant import dots, norm

MISSED = 1e-3  # the probability at which the question is taken as answered


def ceiling(values: Tensor, gram: Tensor, now: Tensor, allowed: Tensor) -> float:
    """A nu, such that C <= nu bounds the j-th eigenvalue of H by now_j + allowed_j, for all j.

    values (k,): Ritz values of X, gram (k, k) = R R^T, both as they were when X was set apart;
    now (k,): Ritz values as they are now, not smaller. The j-th of diag(theta) + R R^T / (M - nu)
    is at most theta_j + |R|^2 / (M - nu).
    """
    room = now + allowed - values
    if not bool((room > 0).all()):
        return -math.inf
    largest = float(torch.linalg.eigvalsh(gram)[-1])
    return float((now + allowed - max(largest, 0.0) / room).min())


class Lanczos:
    """Three-term recurrence in the complement of X (k, n), orthonormal rows, from `start` (n,).

    `start` is overwritten: X, `current`, `previous` and the image are all the vectors that there
    are.
    """

    def __init__(self, found: Tensor, start: Tensor) -> None:
        self.found = found
        self.alpha: list[float] = []
        self.beta: list[float] = []
        whole = norm(start)
        self._remove(start)
        self._remove(start)
        size = norm(start)
        self.current: Tensor | None = start.div_(size) if size > 1e-3 * whole else None
        self.previous: Tensor | None = None

    def step(self, image: Tensor) -> None:
        """Take in H times `current`; `current` is None where the complement is exhausted."""
        assert self.current is not None
        if self.previous is None:
            rest = image.clone()
        else:
            rest = self.previous.mul_(-self.beta[-1]).add_(
                image
            )  # in the memory of the last but one
        self._remove(rest)
        self.alpha.append(float(dots(rest[None], self.current)))
        rest.add_(self.current, alpha=-self.alpha[-1])
        self._remove(rest)
        size = norm(rest)
        self.beta.append(size)
        scale = max(abs(self.alpha[-1]), *self.beta)
        exhausted = size <= 16 * torch.finfo(rest.dtype).eps * scale
        self.previous, self.current = self.current, None if exhausted else rest.div_(size)

    def top(self) -> float:
        """The largest eigenvalue of T_m: C has one at least as large."""
        return float(self._ritz()[-1])

    def missed(self, level: float) -> float:
        """A bound on the probability that C has an eigenvalue above `level`; 1 where unknown."""
        ritz = self._ritz()
        if not level > float(ritz[-1]):
            return 1.0
        n = self.found.shape[1] - len(self.found)
        log = 0.5 * math.log(2 * n / math.pi) - float((level - ritz).log().sum())
        log += sum(math.log(beta) if beta > 0 else -math.inf for beta in self.beta)
        return min(math.exp(log), 1.0) if log > -700 else 0.0

    def _ritz(self) -> Tensor:
        alpha = torch.tensor(self.alpha, dtype=torch.float64, device="cpu")
        beside = torch.tensor(self.beta[:-1], dtype=torch.float64, device="cpu")
        return torch.linalg.eigvalsh(alpha.diag() + beside.diag(1) + beside.diag(-1))

    def _remove(self, vector: Tensor) -> None:
        """Its part in the span of X, in place."""
        vector.addmv_(self.found.T, self.found @ vector, alpha=-1.0)
