"""How many vectors of n an evaluation holds at its peak: tensors that live, counted one by one."""

import weakref

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from realnet import SharpnessTracker
from realnet.curvature.objective import Objective
from realnet.curvature.parameters import unflatten


class Living(TorchDispatchMode):
    """`now` and `peak`: bytes of storages that are alive, those of at least `least` bytes."""

    def __init__(self, least):
        super().__init__()
        self.least, self.now, self.peak, self.known = least, 0, 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(found):
            if isinstance(leaf, torch.Tensor):
                self.note(leaf.untyped_storage())
        return found

    def note(self, storage):
        key, size = storage._cdata, storage.nbytes()
        if size >= self.least and key not in self.known:
            self.known.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self.gone, key, size)

    def gone(self, key, size):
        self.known.discard(key)
        self.now -= size


@pytest.mark.parametrize(
    ("memory", "assurance", "step", "more"),
    [(15, "fast", 1e-3, 0), (16, "fast", 1e-3, 0), (24, "fast", 1e-3, 0), (16, "sure", 1e-3, 2),
     (16, "fast", 0.02, 2)],
)  # fmt: skip
def test_no_more_than_memory_vectors_live_beside_what_autograd_needs(memory, assurance, step, more):
    """Where a miss is bounded (asked for, or the change was abrupt), k + 1 more."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(300, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh())
    x, y = torch.randn(4, 300), torch.randn(4, 200)
    params = list(model.parameters())
    n = sum(p.numel() for p in params)

    def loss_fn():
        return (model(x) - y).square().sum(1).mean()

    objective = Objective(loss_fn, model)
    point = torch.cat([p.detach().reshape(-1) for p in params])
    with Living(0.01 * 4 * n) as living:
        objective.begin()
        objective.products(point[None])
        objective.end()
        bare = living.peak - living.now
        start = living.now
        tracker = SharpnessTracker(loss_fn, model, memory=memory, assurance=assurance)
        for _ in range(5):
            living.peak = living.now
            gradient = tracker.curvature().gradient
            assert living.peak - start - bare <= (memory + more) * 4 * n
            with torch.no_grad():
                for p, piece in zip(params, unflatten(gradient, params), strict=True):
                    p -= step * piece
            del gradient, piece
    assert living.peak - start - bare > (memory - 3) * 4 * n  # and they are counted


def test_a_further_quantity_holds_as_many_again():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(300, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh())
    x, y = torch.randn(4, 300), torch.randn(4, 200)
    n = sum(p.numel() for p in model.parameters())

    def loss_fn():
        return (model(x) - y).square().sum(1).mean()

    point = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    tracker = SharpnessTracker(loss_fn, model, memory=16)
    tracker.evaluate(["magnitude"])  # the first one checks itself, with vectors of its own
    with Living(0.01 * 4 * n) as living:
        tracker.objective.begin()
        tracker.objective.products(point[None])
        tracker.objective.end()
        bare, start = living.peak - living.now, living.now
        for _ in range(2):
            living.peak = living.now
            tracker.evaluate(["negative"])
            assert 12 * 4 * n < living.peak - start - bare <= 16 * 4 * n
