"""Chunks of a sweep on a dask.distributed cluster: an existing engine, no scheduler of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from linmodel.errors import InvalidInput
from linmodel.sweeps.grid import Block, Plan, Results

CONNECT_SECONDS = 10


def clustered(
    client: Any, work: Callable, plan: Plan, blocks: Iterator[Block], path: Path | None
) -> Iterator[tuple[Block, Results | None]]:
    """`work(plan, block, path)` on the cluster, block by block as they finish.

    dask.distributed runs a lost worker's blocks again elsewhere; at most two for each of the
    cluster's threads are under way at a time, so results that come back do not pile up.
    """
    from distributed import as_completed

    window = 2 * max(1, sum(client.nthreads().values()))
    shared = client.scatter(plan, broadcast=True)
    running = as_completed(loop=client.loop)
    owner: dict[Any, Block] = {}

    def submit() -> None:
        block = next(blocks, None)
        if block is not None:
            future = client.submit(work, shared, block, path, pure=False)
            owner[future.key] = block
            running.add(future)

    for _ in range(window):
        submit()
    for future in running:
        yield owner.pop(future.key), future.result()
        submit()


def connect(client: Any) -> Any:
    """`client` itself, or a Client of the scheduler at that address. Raises InvalidInput."""
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidInput(
            "client needs dask.distributed: pip install 'opposing-signals[sweep]'."
        ) from error
    if not isinstance(client, str):
        return client
    try:
        return Client(client, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"no scheduler answers at {client!r} ({error}). Start one with `dask scheduler`, or"
            " name its address as it prints it, like tcp://host:8786."
        ) from error
