"""Every cell of a grid of problems, flow or descent: in memory, into Zarr, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import psutil
import xarray as xr
from numpy.typing import ArrayLike

import linmodel.sweeps.zarr_store as zarr_store
from linmodel.arguments import typed
from linmodel.errors import InvalidInput, integer, refuse
from linmodel.problem import Array, State
from linmodel.store import load, save
from linmodel.sweeps.checksums import mark_name
from linmodel.sweeps.cluster import clustered, connected
from linmodel.sweeps.frame import fill, frame
from linmodel.sweeps.grid import make_plan
from linmodel.sweeps.plan import Block, Plan, Results
from linmodel.sweeps.solve import empty, solve


@typed
def sweep(
    alpha: ArrayLike,
    beta_norm: ArrayLike,
    k: ArrayLike = 1.0,
    step_size: ArrayLike | None = None,
    *,
    state: State | Callable[[Array], State] | None = None,
    times: ArrayLike | None = None,
    time_scale: ArrayLike | str | None = None,
    steps: ArrayLike | None = None,
    variables: Sequence[str] | None = None,
    product: bool = True,
    out: str | Path | None = None,
    client: Any = None,
    threads: int | None = None,
    device: str | None = None,
    progress: Callable[[int], object] | None = None,
) -> xr.Dataset:
    """Flow, or with `steps` descent, for every cell of a grid; loss factor 1/2.

    alpha, beta_norm, k, step_size   numbers or 1-d sequences. product=True: every combination, one
               dimension each. product=False: lists of one length (or single values), dimension cell
    state      one State for all; a State of arrays along k (product) or the cells (list); or a
               function of k. Default: c = 1, epsilon = .1, n^2 = 1/(1+k), o^2 = k/(1+k)
    times      flow: strictly increasing, >= 0, in units of time_scale. Default: to convergence, one
               time, 3 ln(100 B)/B
    time_scale None: 1. "growth": 3 ln(100 B)/B. Or numbers along beta_norm (product) or the cells
    steps      descent: how many, or the step numbers at which curves are recorded, up to the last
    variables  default: the scalars t_dip, dip_depth = c(t_dip)^2 / c0^2, t_edge (of the flow: with
               step_size; first rise of alpha c^2 through 2/eta) and final_sharpness; descent adds
               final_c, final_epsilon, final_n, final_log_abs_o, peak_curvature, steps_taken,
               regime. Curves c, epsilon, n, o (of descent log_abs_o), loss, opposing_curvature,
               sharpness. Times in units of step size x step; NaN where there is no such event.
               `status` is always there
    out        ends in .nc: a NetCDF file, written at the end. Ends in .zarr: a store, written chunk
               by chunk in bounded memory; the same call again resumes a killed sweep, to the same
               bytes; the returned Dataset is lazy
    client     a dask.distributed Client, or a scheduler's address; `out` on a shared file system
    threads    in this process; default: all cores
    device     a torch device ("cuda"), for descent's scalars and the flow's sharpness at o = 0
    progress   called with the number of cells just finished

    Flow cells have relative error below 1e-8 in sharpness (1e-10 in states); where the kernel
    cannot promise it, gradient_flow solves the cell and its status is 1; 2 means NaN.
    Only where n0 = 0 is o reported as 0 from where o^2 < 1e-18 c^2.

    Raises InvalidInput before any work: bad axes, too many cells, too little memory or disk, an
    `out` that holds another sweep; and when the disk fills up.
    """
    suffix = Path(out or "").suffix
    if out is not None and suffix not in (".zarr", ".nc"):
        refuse("out", str(out), "a name that ends in .zarr or .nc", "Name another.")
    plan = make_plan(
        alpha=alpha,
        beta_norm=beta_norm,
        k=k,
        step_size=step_size,
        product=product,
        state=state,
        times=times,
        time_scale=time_scale,
        steps=steps,
        variables=None if variables is None else tuple(variables),
        device=device,
    )
    if device is not None:
        _require_device(device)
    workers = os.cpu_count() or 1 if threads is None else integer("threads", threads, low=1)
    report = progress or (lambda _cells: None)
    with connected(client) as cluster:
        if out is None or suffix == ".nc":
            found = _in_memory(plan, workers, cluster, report)
            return found if out is None else load(save(found, Path(out)))
        return _into_store(plan, Path(out), workers, cluster, report)


def _in_memory(
    plan: Plan, workers: int, cluster: Any, report: Callable[[int], object]
) -> xr.Dataset:
    _require_memory(plan)
    results = empty(plan, plan.cells)

    def views(block: Block) -> tuple[int, int, Results]:
        low, high = plan.span(block)
        return low, high, {name: values[low:high] for name, values in results.items()}

    def local(block: Block) -> None:
        solve(plan, *views(block))

    if cluster is None:
        for block in _threaded(local, plan.blocks(), workers):
            _report(report, plan, block)
    else:
        for block, found in clustered(cluster, solve_into, plan, plan.blocks(), None):
            for name, values in (found or {}).items():
                views(block)[2][name][:] = values
            _report(report, plan, block)
    return fill(plan, frame(plan), results)


def _into_store(
    plan: Plan, path: Path, workers: int, cluster: Any, report: Callable[[int], object]
) -> xr.Dataset:
    if zarr_store.is_complete(path, plan):
        report(plan.cells)
        return zarr_store.read(path)
    with zarr_store.opened(path, plan, frame(plan)) as whole:
        left: list[Block] = []
        for block in plan.blocks():
            if mark_name(block) in whole:
                _report(report, plan, block)
            else:
                left.append(block)
        _fill_store(plan, path, left, workers, cluster, report)
        zarr_store.finish(path)
    return zarr_store.read(path)


def _fill_store(
    plan: Plan,
    path: Path,
    left: list[Block],
    workers: int,
    cluster: Any,
    report: Callable[[int], object],
) -> None:
    """Solve the blocks that are left, here or on the cluster."""

    def local(block: Block) -> None:
        solve_into(plan, block, path)

    if cluster is None:
        for block in _threaded(local, iter(left), workers):
            _report(report, plan, block)
    else:
        for block, _ in clustered(cluster, solve_into, plan, iter(left), path.absolute()):
            _report(report, plan, block)


def solve_into(plan: Plan, block: Block, path: Path | None) -> Results | None:
    """Solve one chunk and write it; return it instead where there is no path."""
    low, high = plan.span(block)
    results = empty(plan, high - low)
    solve(plan, low, high, results)
    if path is None:
        return results
    zarr_store.write(path, plan, block, results)
    return None


def _threaded(
    work: Callable[[Block], None], blocks: Iterator[Block], workers: int
) -> Iterator[Block]:
    """Run `work` on the blocks, at most twice `workers` of them taken up at a time."""
    if workers == 1:
        for block in blocks:
            work(block)
            yield block
        return
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[None], Block] = {}
        try:
            for block in blocks:
                running[pool.submit(work, block)] = block
                if len(running) >= 2 * workers:
                    yield from _harvest(running)
            while running:
                yield from _harvest(running)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _harvest(running: dict[Future[None], Block]) -> Iterator[Block]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        block = running.pop(future)
        future.result()
        yield block


def _require_device(device: str) -> None:
    try:
        from linmodel.kernels.torch_twin import checked_device
    except ImportError as error:
        raise InvalidInput(
            f"device={device!r} needs torch: pip install '.[track]' in this project's folder."
        ) from error
    checked_device(device)


def _require_memory(plan: Plan) -> None:
    free = psutil.virtual_memory().available
    if plan.bytes > free:
        refuse(
            "size of the sweep",
            f"{plan.cells:,} cells, {plan.bytes:,} bytes",
            f"at most the {free:,} bytes of free memory",
            "Give out= to stream it to disk, or ask for fewer cells, times or variables.",
        )


def _report(report: Callable[[int], object], plan: Plan, block: Block) -> None:
    low, high = plan.span(block)
    report(high - low)
