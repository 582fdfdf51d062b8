import subprocess
import sys

import pytest
import torch
from typer.testing import CliRunner

import realnet
from realnet.__main__ import app


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "realnet", *arguments], capture_output=True, text=True, check=False
    )


def test_train_writes_a_run_that_loads(tmp_path):
    out = str(tmp_path / "run")
    small = ["--data", "digits", "--size", "50", "--width", "8", "--steps", "6", "--every", "3"]
    result = CliRunner().invoke(app, ["train", *small, "--out", out])
    assert result.exit_code == 0, result.output
    assert "completed" in result.output
    assert realnet.load_run(out).sizes["time"] == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "nothing"], "digits"),
        (["--net", "nothing"], "mlp"),
        (["--step-size", "-1"], "> 0"),
        (["--checkpoint-every", "0"], "checkpoint_every is 0"),
        (["--tolerance", "2"], "tolerance is 2.0"),
        (["--width", "1000000000000"], "take a smaller one"),
        pytest.param(
            ["--device", "cuda"],
            "no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments, says):
    out = tmp_path / "run"
    result = command("train", "--out", str(out), *arguments)
    assert result.returncode == 2
    assert says in result.stderr and "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not out.exists()


def test_without_torch_realnet_imports_and_names_the_extra():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import realnet, realnet.training.runfolder, realnet.__main__\n"
        "from linmodel import InvalidInput\n"
        "try: realnet.train\n"
        "except InvalidInput as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'opposing-signals[realnet]'" in done.stdout
