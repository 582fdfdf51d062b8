"""Gradient flow for general spectra (M11), its sharpness (H3) at given times; one opposing mode.

c and the modes of b are integrated by Dormand and Prince's pair of orders 5 and 4; o is explicit,
o0 exp(-alpha tau) with tau = int c^2 dt (M7), so that a large alpha makes nothing stiff but c.
"""

from __future__ import annotations

import numpy as np

from linmodel.kernels.lanes import kernel

TOLERANCE = 1e-9
MOST_STEPS = 20_000
# Status of a toy: solved; or given up after MOST_STEPS steps, or not a number.
GOOD, BACK = 0, 1
HALVINGS = 100

# Dormand and Prince 1980: the coefficients of the stages, and of the error.
STAGES = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
ERROR = np.array(
    [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
)


@kernel
def rate(state, eigenvalues, target, alpha, o0, out):
    """d/dt of state = (c, alpha tau, b_1, ..., b_m)."""
    c, slope = state[0], 0.0
    for i in range(eigenvalues.size):
        pull = eigenvalues[i] * (target[i] - c * state[2 + i])
        slope += state[2 + i] * pull
        out[2 + i] = c * pull
    o = o0 * np.exp(-state[1])
    out[0] = slope - c * alpha * o * o
    out[1] = alpha * c * c


@kernel
def sharpness(state, eigenvalues, target, alpha, o0):
    """H3: the arrowhead's largest eigenvalue, by bisection on its distance from the diagonal's."""
    c, o = state[0], o0 * np.exp(-state[1])
    corner, opposing = alpha * o * o, (2 * alpha * c * o) ** 2
    highest, square = alpha * c * c, opposing
    for i in range(eigenvalues.size):
        b = state[2 + i]
        corner += eigenvalues[i] * b * b
        square += (eigenvalues[i] * (2 * c * b - target[i])) ** 2
        highest = max(highest, eigenvalues[i] * c * c)
    low, high = 0.0, max(corner - highest, 0.0) + np.sqrt(square)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        x = highest + middle
        total = 0.0
        if opposing > 0:
            total += opposing / (middle + highest - alpha * c * c)
        for i in range(eigenvalues.size):
            border = (eigenvalues[i] * (2 * c * state[2 + i] - target[i])) ** 2
            if border > 0:
                total += border / (middle + highest - eigenvalues[i] * c * c)
        if x - corner < total:
            low = middle
        else:
            high = middle
        if high - low <= 1e-15 * (highest + high):
            break
    return highest + high


@kernel
def step(state, h, eigenvalues, target, alpha, o0, stages, trial):
    """One step of length h from `state` into `trial`; returns its error over the tolerance."""
    size = state.size
    for place in range(7):
        for i in range(size):
            moved = 0.0
            for before in range(min(place, 6)):
                moved += STAGES[place, before] * stages[before, i]
            trial[i] = state[i] + h * moved
        rate(trial, eigenvalues, target, alpha, o0, stages[place])
    scale = 0.0
    for i in range(2, size):
        scale = max(scale, abs(state[i]))
    worst = 0.0
    for i in range(size):
        error = 0.0
        for place in range(7):
            error += ERROR[place] * stages[place, i]
        floor = 1.0 if i == 1 else max(abs(state[i]), 1e-3 * scale, 1e-6)
        share = abs(h * error) / (TOLERANCE * floor)
        if not share < np.inf:
            return np.inf
        worst = max(worst, share)
    return worst


@kernel
def spectral_sharpness_at(eigenvalues, target, alpha, start, o0, times, out, status):
    """Sharpness of each toy at its own times, into out (toys, times); status (toys,).

    eigenvalues  (toys, m); target (toys, m): beta in the modes; alpha, o0 (toys,)
    start        (toys, 1 + m): c0 and the modes of b0
    times        (toys, times): ascending, >= 0
    """
    modes = eigenvalues.shape[1]
    state, trial = np.empty(2 + modes), np.empty(2 + modes)
    stages = np.empty((7, 2 + modes))
    for toy in range(alpha.size):
        state[0], state[1] = start[toy, 0], 0.0
        for i in range(modes):
            state[2 + i] = start[toy, 1 + i]
        values, beta = eigenvalues[toy], target[toy]
        now, steps, status[toy] = 0.0, 0, GOOD
        h = 1e-3 * times[toy, times.shape[1] - 1]
        for place in range(times.shape[1]):
            while now < times[toy, place] and status[toy] == GOOD:
                left = times[toy, place] - now
                length = min(h, left)
                worst = step(state, length, values, beta, alpha[toy], o0[toy], stages, trial)
                steps += 1
                if worst <= 1:
                    now = times[toy, place] if length == left else now + length
                    for i in range(2 + modes):
                        state[i] = trial[i]
                growth = 0.9 * max(worst, 1e-6) ** -0.2
                tried = length * min(5.0, max(0.1, growth))
                # A step cut short by a time asked for says nothing about the next one's length.
                h = max(h, tried) if worst <= 1 and length < h else tried
                if steps > MOST_STEPS or h < 1e-14 * times[toy, times.shape[1] - 1]:
                    status[toy] = BACK
            if status[toy] != GOOD:
                out[toy, place] = np.nan
            else:
                out[toy, place] = sharpness(state, values, beta, alpha[toy], o0[toy])
