"""A disk that is full: a small tmpfs of one's own, in a mount namespace that nobody else sees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "flow": "linmodel flow --alpha 50 --beta-norm 10 --points 2000 --out {folder}/flow.nc",
    "sweep": "linmodel sweep --alpha 10:1e4:400:log --beta-norm 5 --times 0:1:60"
    " --variables sharpness --out {folder}/sweep.zarr",
    "train": "realnet train --data digits --size 40 --width 8 --depth 1 --steps 6 --every 3"
    " --out {folder}/run",
    "figure": "figures edge --out {folder}/figures",
}


def possible() -> bool:
    """Whether a namespace with a tmpfs can be made here (root, or user namespaces)."""
    return _inside("mount -t tmpfs -o size=64k none /mnt").returncode == 0


def fill(command: str, kilobytes: int) -> dict[str, object]:
    """Run one of COMMANDS with its output on a tmpfs of so many kB: how it ends, what is left."""
    line = COMMANDS[command].format(folder="/mnt")
    script = (
        f"mount -t tmpfs -o size={kilobytes}k none /mnt || exit 99\n"
        f"{sys.executable} -m {line} >/dev/null; echo status $?\n"
        "find /mnt -name '*.tmp' -o -name '*.partial'"
    )
    done = _inside(script)
    lines = done.stdout.splitlines()
    status = next((int(line.split()[1]) for line in lines if line.startswith("status ")), 99)
    told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    clean = "Traceback" not in done.stderr and len(lines) == 1
    return {"status": status, "clean": clean, "told": told, "stderr": done.stderr}


def _inside(script: str) -> subprocess.CompletedProcess[str]:
    here = Path(__file__).resolve().parents[2]
    return subprocess.run(
        ["unshare", "-r", "-m", "bash", "-c", script],
        capture_output=True, text=True, check=False, cwd=here,
    )  # fmt: skip
