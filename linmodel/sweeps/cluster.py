"""Chunks of a sweep on a dask.distributed cluster: an existing engine, no scheduler of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from linmodel.errors import InvalidInput, refuse
from linmodel.sweeps.plan import Block, Plan, Results

CONNECT_SECONDS = 10
WAIT_SECONDS = 30  # for a worker to come (back)
MOST_FAILURES = 3  # in a row, without a block done in between


def clustered(
    client: Any, work: Callable, plan: Plan, blocks: Iterator[Block], path: Path | None
) -> Iterator[tuple[Block, Results | None]]:
    """`work(plan, block, path)` on the cluster, block by block as they finish.

    dask.distributed runs a lost worker's blocks again elsewhere; at most two for each of the
    cluster's threads are under way at a time, so results that come back do not pile up. Where the
    plan itself was lost with the workers that held it, what was under way begins again on those
    that come. Raises InvalidInput where none comes, or they die of the work every time.
    """
    left, failures = chain(blocks), 0
    while True:
        under_way: dict[Any, Block] = {}
        try:
            for each in _round(client, work, plan, left, path, under_way):
                failures = 0
                yield each
            return
        except _lost() as error:
            failures += 1
            if failures == MOST_FAILURES:
                raise _no_workers(client, error) from error
            left = chain(list(under_way.values()), left)


def _round(
    client: Any,
    work: Callable,
    plan: Plan,
    blocks: Iterator[Block],
    path: Path | None,
    under_way: dict[Any, Block],
) -> Iterator[tuple[Block, Results | None]]:
    """Blocks as they finish, with one copy of the plan on the cluster; `under_way`: the others."""
    from distributed import as_completed

    _require_workers(client)
    window = 2 * max(1, sum(client.nthreads().values()))
    # A name of its own: a plan that went down with its workers keeps its name, and is never there.
    shared = client.scatter(plan, broadcast=True, hash=False)
    running = as_completed(loop=client.loop)

    def submit() -> None:
        block = next(blocks, None)
        if block is not None:
            future = client.submit(work, shared, block, path, pure=False)
            under_way[future.key] = block
            running.add(future)

    for _ in range(window):
        submit()
    for future in running:
        found = future.result()
        yield under_way.pop(future.key), found
        submit()


def _require_workers(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=WAIT_SECONDS)
    except _lost() as error:
        raise _no_workers(client, error) from error


def _lost() -> tuple[type[Exception], ...]:
    """What distributed raises where workers, or what they held, are gone."""
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    return CancelledError, KilledWorker, CommClosedError, TimeoutError


def _no_workers(client: Any, error: BaseException) -> InvalidInput:
    return InvalidInput(
        f"the cluster has {_count(client)} workers and lost this sweep's"
        f" ({type(error).__name__}): the chunks that are whole stay in out, and the same command"
        " goes on from them. See to the workers: their memory, their logs."
    )


def _count(client: Any) -> int:
    try:
        return len(client.nthreads())
    except Exception:  # a client that is closed, a scheduler that is gone
        return 0


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """`client` itself, or a Client of the scheduler at that address, closed at the end.

    Raises InvalidInput. A Client left open would look for its scheduler as long as the program
    lives, and one that finds none when it is made leaves its thread behind: so it is asked first.
    """
    if client is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidInput(
            "client needs dask.distributed: pip install '.[sweep]' in this project's folder."
        ) from error
    if isinstance(client, str):
        _require_scheduler(client)
        with Client(client, timeout=CONNECT_SECONDS, set_as_default=False) as opened:
            yield opened
        return
    if not isinstance(client, Client) or client.status != "running":
        refuse(
            "client",
            "a closed Client" if isinstance(client, Client) else client,
            "a running dask.distributed Client, or the address of a scheduler",
        )
    yield client


def _require_scheduler(address: str) -> None:
    from distributed.comm import connect
    from distributed.utils import LoopRunner

    async def greet() -> None:
        await (await connect(address, timeout=CONNECT_SECONDS)).close()

    try:
        LoopRunner().run_sync(greet)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"no scheduler answers at {address!r} ({error}). Start one with `dask scheduler`, or"
            " name its address as it prints it, like tcp://host:8786."
        ) from error
