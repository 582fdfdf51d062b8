"""Closed-form comparison flows: what the envelope F11 is pieced together from.

c' = epsilon B - c (epsilon^2 + r^2), epsilon' = c (B - c epsilon), r' = -c^2 r: the flow without an
opposing signal, r^2 its part across beta. By M8, with kappa = c0^2 - epsilon0^2 - r0^2 and
rho = sqrt(B^2 + kappa^2/4), (epsilon, c) is a linear flow with eigenvalues +-rho divided by a root.
s is that flow's own time and tau = int c^2 ds its intrinsic time. All functions are elementwise on
arrays; c0 > 0, epsilon0 >= 0, rest = r0^2 >= 0, so every sum below but `_square` has terms >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.legendre import leggauss

from linmodel.bounds import limit_c_squared
from linmodel.problem import Array

NODES, WEIGHTS = leggauss(12)
SMALL = 0.5  # rho s below which the quadrature is exact to rounding (integrand: e^x, |x| <= 2)
NEWTON = 100


@dataclass(frozen=True)
class Comparison:
    """Comparison flows from (c, epsilon, rest), arrays of one shape; b_norm broadcasts."""

    c: Array
    epsilon: Array
    rest: Array
    b_norm: Array

    @cached_property
    def kappa(self) -> Array:
        """c^2 - epsilon^2 - rest, conserved."""
        return (self.c - self.epsilon) * (self.c + self.epsilon) - self.rest

    @cached_property
    def rho(self) -> Array:
        """The growing eigenvalue, sqrt(B^2 + kappa^2/4)."""
        return np.hypot(self.b_norm, self.kappa / 2)

    @cached_property
    def _axes(self) -> tuple[Array, Array, Array]:
        """u_c^2, u_epsilon^2, u_c u_epsilon of the unit eigenvector for +rho."""
        half = np.abs(self.kappa) / 2
        long = self.rho + half
        u_c = np.where(self.kappa >= 0, long, self.b_norm)
        u_e = np.where(self.kappa >= 0, self.b_norm, long)
        size = np.hypot(long, self.b_norm)
        return (u_c / size) ** 2, (u_e / size) ** 2, u_c * u_e / size**2

    @cached_property
    def _rate(self) -> Array:
        """2 rho + kappa = 2 c_inf^2."""
        return 2 * self.c_limit_squared

    @cached_property
    def c_limit_squared(self) -> Array:
        """c_inf^2 (F5)."""
        return limit_c_squared(self.kappa, self.b_norm)

    def at(self, s: Array) -> tuple[Array, Array]:
        """(c, epsilon) at own time s >= 0."""
        cc, ee, ce = self._axes
        gone = np.exp(-2 * self.rho * s)
        met = -np.expm1(-2 * self.rho * s)
        c_top = self.c * (cc + ee * gone) + self.epsilon * ce * met
        e_top = self.epsilon * (ee + cc * gone) + self.c * ce * met
        grow = self.epsilon**2 * ee + self.c**2 * cc + 2 * self.c * self.epsilon * ce
        fall = self.epsilon**2 * cc + self.c**2 * ee - 2 * self.c * self.epsilon * ce
        # e^(-2 rho s) int e^(-kappa x) dx; 2 rho - |kappa| is the slower of the two rates.
        size = np.abs(self.kappa)
        lead = np.where(
            self.kappa >= 0, gone, np.exp(-(4 * self.b_norm**2 / (2 * self.rho + size)) * s)
        )
        across = lead * s * _mean_decay(size * s)
        root = np.sqrt(gone + (grow + fall * gone) * met / (2 * self.rho) + self.rest * across)
        return c_top / root, e_top / root

    def intrinsic(self, s: Array) -> Array:
        """tau = int c^2 ds at own time s: e^(2 tau) - 1 = 2 int (c root)^2 e^(kappa s) ds."""
        short = self._short(s)
        with np.errstate(over="ignore", invalid="ignore"):
            long = self._long(s)
        return np.where(self.rho * s < SMALL, short, long)

    def _short(self, s: Array) -> Array:
        """By Gauss quadrature: positive terms only, so no digits are lost where c is small."""
        cc, ee, ce = self._axes
        s = np.minimum(s, SMALL / self.rho)
        total = np.zeros(np.broadcast_shapes(np.shape(s), self.kappa.shape))
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            x = s * (node + 1) / 2
            up, down = np.exp(self.rho * x), np.exp(-self.rho * x)
            top = self.c * (cc * up + ee * down) + self.epsilon * ce * 2 * np.sinh(self.rho * x)
            total = total + weight / 2 * top**2 * np.exp(self.kappa * x)
        return np.log1p(2 * s * total) / 2

    def _long(self, s: Array) -> Array:
        cc, ee, ce = self._axes
        p = self.c * cc + self.epsilon * ce
        q = self.c * ee - self.epsilon * ce
        scale = self._rate
        total = (
            p**2 * _integral(self._rate, s, scale)
            + 2 * p * q * _integral(self.kappa, s, scale)
            + q**2 * _integral(self.kappa - 2 * self.rho, s, scale)
        )
        grown = scale * s
        # log1p keeps all digits of a small tau, the other form does not overflow.
        small = np.log1p(2 * total * np.exp(np.minimum(grown, 1.0)))
        return np.where(grown < 1, small, grown + np.log(np.exp(-grown) + 2 * total)) / 2

    def clock(self, tau: Array) -> Array:
        """Own time s at which the intrinsic time is tau >= 0 (Newton inside a bracket)."""
        tau = np.asarray(tau, dtype=float)
        low = np.zeros(np.broadcast_shapes(tau.shape, self.kappa.shape))
        high = low + tau / np.minimum(self.c**2, self.c_limit_squared) + 1 / self.rho
        for _ in range(NEWTON):
            early = self.intrinsic(high) < tau
            if not early.any():
                break
            high = np.where(early, 2 * high, high)
        s = np.minimum(tau / self.c**2, high)
        for _ in range(NEWTON):
            miss = self.intrinsic(s) - tau
            low, high = np.where(miss <= 0, s, low), np.where(miss >= 0, s, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                guess = s - miss / self.at(s)[0] ** 2
            inside = (guess >= low) & (guess <= high)
            guess = np.where(inside, guess, (low + high) / 2)
            done = np.abs(guess - s) <= 1e-13 * s  # quadratic: the next step would be exact
            s = guess
            if done.all():
                break
        return s


def _mean_decay(x: Array) -> Array:
    """(1 - e^(-x)) / x for x >= 0, 1 at 0."""
    safe = np.where(x > 0, x, 1.0)
    return np.where(x > 0, -np.expm1(-safe) / safe, 1.0)


def _integral(rate: Array, s: Array, scale: Array) -> Array:
    """e^(-scale s) int_0^s e^(rate x) dx, scale >= rate, scale >= 0, without overflow."""
    end = np.maximum(rate, 0.0)
    return np.exp((end - scale) * s) * s * _mean_decay(np.abs(rate) * s)
