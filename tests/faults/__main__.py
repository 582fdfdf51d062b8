"""`make faults`: the long run of every fault. Exit status 1 where anything was silently wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults import disk, kills
from tests.faults.flips import flip_everywhere
from tests.faults.work import WORKS


def main() -> int:
    """Print a line for each fault; count what is wrong."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults")
    asked.add_argument("--kills", type=int, default=50, help="of each work")
    asked.add_argument("--flips", type=int, default=100, help="in each kind of file")
    asked.add_argument("--seed", type=int, default=0)
    options = asked.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as made:
        for work in WORKS:
            found = kills.kill_at_random(work, _in(made, "k", work), options.kills, options.seed)
            print(f"kills, {work}: {found}", flush=True)
            wrong += found["differing"]
            found = kills.write_together(work, _in(made, "w", work))
            print(f"writers, {work}: {found}", flush=True)
            wrong += found["differing"]
            flips = flip_everywhere(work, _in(made, "f", work), options.flips, options.seed)
            for kind, counts in flips.items():
                print(f"flips, {work}, {kind}: {counts}", flush=True)
                wrong += counts["silently wrong"]
    if disk.possible():
        for command in disk.COMMANDS:
            for kilobytes in (4, 16, 40, 100, 400):
                end = disk.fill(command, kilobytes)
                fine = end["clean"] and end["status"] in (0, 2)
                print(f"disk of {kilobytes} kB, {command}: status {end['status']}, {fine=}")
                wrong += not fine
    print(f"wrong: {wrong}")
    return 1 if wrong else 0


def _in(made: str, fault: str, work: str) -> Path:
    folder = Path(made) / f"{fault}-{work}"
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
