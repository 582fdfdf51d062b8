import numpy as np
import pytest
import torch

from realnet.curvature.trend import Trend


def turned(angle, n=6):
    """Two orthonormal rows in R^n, turned by `angle` out of and within their plane."""
    c, s = np.cos(angle), np.sin(angle)
    rows = torch.zeros(2, n, dtype=torch.float64)
    rows[0, 0], rows[0, 2] = c, s
    rows[1, 1], rows[1, 3] = c, -s
    return rows


def test_a_steady_turn_is_gone_on_with_to_second_order():
    trend, step = Trend(), 0.05
    for i in range(4):
        trend.learn(turned(i * step))
    ahead, expected = trend.guess(), turned(4 * step)
    missed = (expected - (expected @ ahead.T) @ ahead).norm(dim=1)
    still = torch.full((2,), np.sin(step), dtype=torch.float64)
    assert (missed < 2 * step**2).all() and (missed < 0.1 * still).all()
    torch.testing.assert_close(ahead @ ahead.T, torch.eye(2, dtype=torch.float64))


def test_signs_and_order_of_the_vectors_do_not_matter():
    plain, mixed = Trend(), Trend()
    for i in range(4):
        rows = turned(i * 0.05)
        plain.learn(rows)
        mixed.learn(rows if i % 2 else -rows.flip(0))
    a, b = plain.guess(), mixed.guess()
    torch.testing.assert_close(a.T @ a, b.T @ b)


@pytest.mark.parametrize("angles", [[0.0, 0.1, 0.0, 0.1, 0.0], [0.0, 1.5, 0.2, 1.3, 0.1]])
def test_no_guess_where_standing_still_was_better(angles):
    trend = Trend()
    for angle in angles:
        trend.learn(turned(angle))
    assert trend.guess() is None


def test_no_guess_before_one_has_been_tried_or_when_the_number_of_vectors_changes():
    trend = Trend()
    for i in range(3):
        assert trend.guess() is None
        trend.learn(turned(i * 0.05))
    trend.learn(turned(0.15))
    assert trend.guess() is not None
    trend.learn(turned(0.2)[:1])
    assert trend.guess() is None


def test_a_restored_trend_guesses_the_same():
    trend, other = Trend(), Trend()
    for i in range(4):
        other.restore(trend.state())
        trend.learn(turned(i * 0.05))
        other.learn(turned(i * 0.05))
        assert (trend.guess() is None) == (other.guess() is None)
    assert torch.equal(trend.guess(), other.guess())


def test_a_rotated_trend_goes_on_in_the_rotated_basis():
    trend, other = Trend(), Trend()
    draw = torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = torch.linalg.qr(draw).Q
    for i in range(4):
        trend.learn(turned(i * 0.05))
        other.learn(turned(i * 0.05) @ (basis if i > 2 else torch.eye(6, dtype=torch.float64)))
        if i == 2:
            other.turn(basis)
    a, b = trend.guess() @ basis, other.guess()
    torch.testing.assert_close(a.T @ a, b.T @ b)
