import subprocess
import sys

import pytest
import torch
from typer.testing import CliRunner

import realnet
from linmodel import store
from linmodel.console import run
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


def test_train_takes_text_and_dials(tmp_path):
    out = str(tmp_path / "run")
    small = ["--data", "text", "--size", "4", "--width", "16", "--depth", "1", "--steps", "2"]
    result = CliRunner().invoke(app, ["train", *small, "--dial", "context=8", "--out", out])
    assert result.exit_code == 0, result.output
    assert store.configuration(realnet.load_run(out))["data_provenance"]["context"] == 8


@pytest.mark.parametrize("net", ["vit", "resnet", "vgg"])
def test_each_network_trains_through_the_command(tmp_path, net):
    small = ["--data", "digits", "--size", "20", "--width", "4", "--steps", "2", "--every", "1"]
    depth = "4" if net == "resnet" else "1"
    arguments = ["train", *small, "--net", net, "--depth", depth, "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert realnet.load_run(tmp_path / "run").sharpness_converged.all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "nothing"], "digits"),
        (["--net", "nothing"], "mlp"),
        (["--step-size", "-1"], "> 0"),
        (["--data", "text", "--net", "mlp"], "gpt for data text"),
        (["--dial", "fraction"], "NAME=VALUE"),
        (["--data", "cifar10", "--dial", "folder=/nowhere"], "cifar-10-batches-py"),
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
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments, says, monkeypatch, capsys):
    out = tmp_path / "run"
    monkeypatch.setattr(sys, "argv", ["realnet", "train", "--out", str(out), *arguments])
    with pytest.raises(SystemExit) as left:
        run(app, "python -m realnet")
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and says in error and error.count("\n") == 1
    assert not out.exists()


def test_the_module_runs_as_a_command(tmp_path):
    done = command("train", "--net", "nothing", "--out", str(tmp_path / "run"))
    assert done.returncode == 2 and "mlp" in done.stderr and "Traceback" not in done.stderr


def test_without_torch_realnet_imports_and_names_the_extra():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import realnet, realnet.training.runfolder, realnet.__main__\n"
        "from linmodel import InvalidInput\n"
        "for name in ('train', 'SharpnessTracker'):\n"
        "    try: getattr(realnet, name)\n"
        "    except InvalidInput as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    networks, tracker = done.stdout.splitlines()
    assert networks.endswith("Run: pip install '.[realnet]' in this project's folder")
    assert tracker.endswith("Run: pip install '.[track]' in this project's folder")


def test_signals_take_256_samples_at_a_time_on_a_cpu_and_refuse_none():
    from realnet.signals.command import CHUNK, usual_chunk

    assert usual_chunk("cpu", "none") == CHUNK
    assert usual_chunk("cpu", "batch") is None
    refused = CliRunner().invoke(app, ["signals", "--chunk-size", "0"])
    assert refused.exit_code != 0 and "chunk_size is 0" in str(refused.exception)
