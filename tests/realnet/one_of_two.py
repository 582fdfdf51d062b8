"""One of two processes: python -m tests.realnet.one_of_two RANK FOLDER (where both meet)."""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, nn

from realnet.curvature import ranks
from realnet.curvature.tracker import SharpnessTracker

SPLIT = 17  # of 40 samples are the first process's, in chunks of 6, the others the second's
SETTINGS = {
    "k": (1, 2),
    "tolerance": (1e-3, 1e-4),
    "assurance": ("fast", "sure"),
    "memory": (None, 40),
    "product": ("difference", "autograd"),
    "max_products": (100, 99),
    "training_mode": ("refuse", "consistent"),
    "seed": (0, 1),
}
OPTIONS = {"mean": {}, "count": {}, "difference": {"product": "difference"}}


def problem():
    """A network, inputs, labels, the same in every process."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(40, 6, generator=generator)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / 2)
    return model, x, torch.arange(40) % 3


def loss_of(model, kind):
    def loss_fn(x, y):
        loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
        return (loss, len(x)) if kind == "count" else loss / len(x)

    return loss_fn


def trained(tracker, model):
    """Two evaluations, a step of descent after each: values, loss, norm of the gradient."""
    rows = []
    for _ in range(2):
        found = tracker.evaluate()
        rows.append([*found.values.tolist(), found.loss, float(found.gradient.norm())])
        with torch.no_grad():
            moved = found.gradient.split([p.numel() for p in model.parameters()])
            for p, piece in zip(model.parameters(), moved, strict=True):
                p -= 0.5 * piece.view_as(p)
    return rows


def sentence(act):
    try:
        act()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def main(rank, folder):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group(
        "gloo", f"file://{folder}/meet", timedelta(seconds=30), rank=rank, world_size=2
    )
    apart = distributed.new_group(backend="gloo")
    own = slice(0, SPLIT) if rank == 0 else slice(SPLIT, 40)
    said = {}

    def tracker(kind="mean", model=None, loss_fn=None, split=True, **options):
        default, x, y = problem()
        model = model or default
        size = 6 if rank == 0 and split else 40
        chunks = list(zip(x[own].split(size), y[own].split(size), strict=True))
        return SharpnessTracker(
            loss_fn or loss_of(model, kind), model, chunks=chunks, **{"processes": True} | options
        ), model

    for kind, options in OPTIONS.items():
        said[kind] = trained(*tracker(kind, **options))

    calls = []

    def failing(x, y):
        calls.append(1)
        if rank == 1 and len(calls) == 3:
            raise ArithmeticError("planted")
        return nn.functional.cross_entropy(model(x), y)

    model = problem()[0]
    said["failing"] = sentence(tracker(model=model, loss_fn=failing)[0].evaluate)
    with torch.no_grad():
        model[0].weight[0, 0] += rank
    said["parameters"] = sentence(tracker(model=model)[0].evaluate)
    model = nn.Sequential(problem()[0], nn.BatchNorm1d(3)).eval()
    model[1].running_var[0] += rank  # as after training with DistributedDataParallel
    said["buffers"] = sentence(tracker(model=model)[0].evaluate)
    said["batches"] = sentence(
        tracker(model=model.train(), split=False, training_mode="consistent")[0].evaluate
    )
    model = problem()[0]
    with torch.no_grad():
        model[0].weight.requires_grad_(False)[0, 0] += rank
    said["frozen"] = sentence(tracker(model=model)[0].evaluate)
    for name, both in SETTINGS.items():
        said[name] = sentence(lambda name=name, both=both: tracker(**{name: both[rank]}))
    said["made"] = sentence(lambda: tracker(k=1 - rank))
    more = nn.Sequential(problem()[0], *[nn.Linear(3, 3)] * rank)
    said["larger"] = sentence(lambda: tracker(model=more))
    said["which"] = sentence(lambda: tracker()[0].evaluate(["critical"]))
    model, x, y = problem()
    bare = SharpnessTracker(lambda: nn.functional.cross_entropy(model(x), y), model, processes=True)
    said["shares"] = sentence(bare.evaluate)
    said["sharded"] = sentence(lambda: SharpnessTracker(lambda: None, sharded(), processes=True))
    said["group"] = sentence(lambda: SharpnessTracker(lambda: None, model, processes="all"))
    last = tracker()[0]
    last.evaluate()
    fresh = tracker()[0]
    said["another"] = sentence((last, fresh)[1 - rank].evaluate)
    silent = tracker(processes=apart)[0]
    if rank == 0:
        ranks.PATIENCE = 0.3
        said["silent"] = sentence(silent.evaluate)
        Path(folder, "waited").touch()
    while not Path(folder, "waited").exists():  # alive, and never arrives
        time.sleep(0.01)
    ranks.PATIENCE = 5.0
    if rank == 1:
        Path(folder, "1.json").write_text(json.dumps(said))
        os._exit(0)  # as one that dies
    said["died"] = sentence(last.evaluate)
    Path(folder, "0.json").write_text(json.dumps(said))
    os._exit(0)


def sharded():
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    mesh = init_device_mesh("cpu", (2,))
    return nn.Parameter(distribute_tensor(torch.ones(4, 2), mesh, [Shard(0)]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]), sys.argv[2])
