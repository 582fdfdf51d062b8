"""Tracking sharpness needs torch, NumPy, SciPy and xarray alone; what is missing says its extra."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "llvmlite", "z3", "flint", "matplotlib", "jinja2", "latex2mathml", "zarr", "dask")
SMALL = ("typer", "rich", "h5netcdf", "h5py", "filelock", "psutil", "sklearn", "skimage", "PIL")
TRACK = """
import torch
from realnet import SharpnessTracker
from linmodel import OpposingSignals, State, gradient_flow
model, x = torch.nn.Linear(3, 1), torch.randn(9, 3)
assert SharpnessTracker(lambda: model(x).square().mean(), model).evaluate().sharpness > 0
gradient_flow(OpposingSignals(50, 10, 4), State(1, 0.1, 0.4, 0.9), [0.1])
"""
PROGRAM = "from figures.program import main; sys.argv = {}; main()"


def without(modules, code):
    """Run `code` in a process where `modules` are not installed."""
    hide = f"import sys\nsys.modules |= dict.fromkeys({modules!r})\n"
    done = subprocess.run([sys.executable, "-c", hide + code], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_tracking_needs_no_solver_no_compiler_and_no_pictures():
    pytest.importorskip("torch")
    assert without(HEAVY + SMALL, TRACK) == (0, "")


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("from linmodel import sweep", "sweep"),
        ("import proofs_check", "prove"),
        ("import figures.__main__", "figures"),
        ("import linmodel.strategies", "strategies"),
    ],
)
def test_what_is_missing_says_its_extra(code, extra):
    status, said = without((*HEAVY, "hypothesis"), code)
    assert status == 1 and f"pip install '.[{extra}]'" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "extra"),
    [("prove", "prove"), ("bridge", "sweep"), ("train", "realnet"), ("explore", "figures"),
     ("draw", "figures"), ("sweep", "sweep")],
)  # fmt: skip
def test_a_command_whose_part_is_missing_says_so_in_one_line(command, extra):
    more = ["--alpha", "10", "--beta-norm", "1"] if command == "sweep" else []
    status, said = without(HEAVY, PROGRAM.format(["opposing-signals", command, *more]))
    assert status == 2 and said.count("\n") == 1 and f"pip install '.[{extra}]'" in said


@pytest.mark.parametrize(
    ("package", "extra"), [("proofs_check", "prove"), ("realnet", "sweep"), ("figures", "figures")]
)
def test_a_program_whose_part_is_missing_says_so_in_one_line_too(package, extra):
    """`python -m`: its imports fail before there is a command line."""
    hide = f"import sys\nsys.modules |= dict.fromkeys({HEAVY!r})\n"
    run = "import runpy; sys.argv = ['-m']; runpy._run_module_as_main({!r})"
    code = hide + run.format(package)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ") and f"pip install '.[{extra}]'" in done.stderr


PLOT = """
import torch
from realnet import SharpnessTracker
model = torch.nn.Linear(3, 1)
SharpnessTracker(lambda: model.weight.square().mean(), model).plot()
"""
HEAT = """
import xarray
from linmodel.sweeps.maps import heat_map
heat_map(xarray.DataArray([[1.0]]))
"""
BRIDGE = 'from realnet.__main__ import app; app(["bridge", "{}"{}], standalone_mode=False)'


@pytest.mark.parametrize("code", [PLOT, HEAT, BRIDGE.format("x.csv", ', "--plot", "x.png"')])
def test_a_picture_without_matplotlib_is_one_sentence(code):
    if "torch" in code:
        pytest.importorskip("torch")
    status, said = without(("matplotlib",), code)
    assert status == 1 and said.splitlines()[-1].endswith("Run: pip install matplotlib")


def test_the_bridge_needs_no_matplotlib(tmp_path):
    status, said = without(("matplotlib", "torch"), BRIDGE.format(tmp_path / "x.csv", ""))
    assert status == 1 and "a CSV file that exists" in said
