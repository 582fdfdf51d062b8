"""The same sweep on a real LocalCluster of worker processes, one of them killed on the way."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
import xarray as xr

from linmodel import InvalidInput, sweep

distributed = pytest.importorskip("distributed")
pytestmark = [
    # A killed worker leaves its sockets and its process behind for the interpreter to complain of.
    pytest.mark.filterwarnings("ignore"),
]

ALPHA = np.geomspace(10, 1e4, 600)
SETTINGS = {"times": np.linspace(0, 1, 20), "variables": ["sharpness", "t_dip"]}


@pytest.fixture(scope="module")
def client():
    environment = dict(os.environ)
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as connected,
    ):
        yield connected
    # distributed leaves OMP_NUM_THREADS=1 and the like behind, for every later test's children.
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(autouse=True)
def no_connection_left_behind():
    """A Client left open looks for its scheduler as long as the program lives."""
    before = loops()
    yield
    assert loops() == before


def loops():
    return [each for each in threading.enumerate() if each.name == "IO loop"]


def test_a_killed_worker_changes_nothing(client, tmp_path, monkeypatch):
    monkeypatch.setattr("linmodel.sweeps.plan.CHUNK_BYTES", 64 * 168)
    alone = sweep(ALPHA, [4.0, 40.0], **SETTINGS)
    told: list[int] = []

    def kill_one(cells: int) -> None:
        told.append(cells)
        if len(told) == 2:
            victim = min(client.run(os.getpid).values())
            os.kill(victim, signal.SIGKILL)

    shared = sweep(
        ALPHA, [4.0, 40.0], **SETTINGS, out=tmp_path / "s.zarr", client=client, progress=kill_one
    )
    assert len(told) > 10
    assert sum(told) == 1200
    xr.testing.assert_identical(shared.compute(), alone)


def test_after_a_worker_was_killed_the_next_sweep_runs_too(client):
    """In the sweep before, the plan went down with a worker; here it is sent again."""
    found = sweep(ALPHA, [4.0, 40.0], **SETTINGS, client=client)
    xr.testing.assert_identical(found, sweep(ALPHA, [4.0, 40.0], **SETTINGS))


def test_all_workers_killed_and_come_back_change_nothing(client, monkeypatch):
    monkeypatch.setattr("linmodel.sweeps.plan.CHUNK_BYTES", 64 * 168)
    told: list[int] = []

    def kill_all(cells: int) -> None:
        told.append(cells)
        if len(told) == 2:
            for worker in client.run(os.getpid).values():
                os.kill(worker, signal.SIGKILL)

    shared = sweep(ALPHA, [4.0, 40.0], **SETTINGS, client=client, progress=kill_all)
    assert sum(told) == 1200
    xr.testing.assert_identical(shared, sweep(ALPHA, [4.0, 40.0], **SETTINGS))


def test_a_cluster_without_workers_is_one_sentence(monkeypatch):
    monkeypatch.setattr("linmodel.sweeps.cluster.WAIT_SECONDS", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, processes=False) as cluster,
        distributed.Client(cluster, set_as_default=False) as connected,
        pytest.raises(InvalidInput, match="the cluster has 0 workers"),
    ):
        sweep(10.0, 4.0, times=[0.0, 1.0], client=connected)
    with pytest.raises(InvalidInput, match="a closed Client"):
        sweep(10.0, 4.0, times=[0.0, 1.0], client=connected)


@pytest.mark.parametrize("what", [[], 5, object()], ids=["list", "number", "object"])
def test_what_is_no_client_is_refused(what):
    with pytest.raises(InvalidInput, match="a running dask"):
        sweep(10.0, 4.0, times=[0.0, 1.0], client=what)


def test_in_memory_through_the_scheduler_address(client):
    found = sweep(ALPHA[:50], 4.0, **SETTINGS, client=client.scheduler.address)
    xr.testing.assert_identical(found, sweep(ALPHA[:50], 4.0, **SETTINGS))


def test_an_unreachable_scheduler_is_refused(monkeypatch):
    monkeypatch.setattr("linmodel.sweeps.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(InvalidInput, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        sweep(10.0, 4.0, times=[0.0, 1.0], client="tcp://127.0.0.1:9")


def test_a_malformed_address_is_refused():
    with pytest.raises(InvalidInput, match="no scheduler answers"):
        sweep(10.0, 4.0, times=[0.0, 1.0], client="nonsense://x")
