"""The watch inside the real Lightning and transformers, where they are installed."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from linmodel import InvalidInput
from realnet.curvature.tracker import SharpnessTracker
from realnet.edges.callbacks import hugging_face_callback, lightning_callback


def needed(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not installed")


class Line(nn.Module):
    """y = w x under squared error: sharpness E x^2, whatever w is."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5]))

    def forward(self, x, labels=None):
        return {"loss": 0.5 * (self.weight * x - labels).square().mean()}


X = torch.tensor([1.0, 2.0, 3.0, 4.0])
DATA = [{"x": x, "labels": 2 * x} for x in X]


def tracker_of(model):
    return SharpnessTracker(lambda: model(X, 2 * X)["loss"], model)


def as_watched(tracker, steps):
    history = tracker.history
    np.testing.assert_array_equal(history.step, steps)
    np.testing.assert_allclose(history.sharpness, 7.5)
    np.testing.assert_allclose(history.sharpness_threshold, 2 / 0.05)


@pytest.mark.filterwarnings("ignore")
def test_in_lightning():
    lightning = needed("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.line = Line()

        def training_step(self, batch, _index):
            return self.line(**batch)["loss"]

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.05)

    module = Module()
    tracker = tracker_of(module.line)
    trainer = lightning.Trainer(
        max_steps=4, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
        callbacks=[lightning_callback(tracker, every=2)],
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(DATA, batch_size=1))
    as_watched(tracker, [0, 2])


@pytest.mark.filterwarnings("ignore")
def test_in_hugging_faces_trainer(tmp_path):
    transformers = needed("transformers")
    needed("accelerate")
    model = Line()
    tracker = tracker_of(model)
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), max_steps=4, per_device_train_batch_size=1, report_to=[],
        use_cpu=True, save_strategy="no", disable_tqdm=True, logging_strategy="no",
        lr_scheduler_type="constant",
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    trainer = transformers.Trainer(
        model, arguments, train_dataset=DATA, optimizers=(optimizer, None),
        callbacks=[hugging_face_callback(tracker, every=2)],
    )  # fmt: skip
    trainer.train()
    as_watched(tracker, [0, 2])


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lightning_callback, ("lightning.pytorch", "pytorch_lightning")),
        (hugging_face_callback, ("transformers",)),
    ],
)
def test_what_is_not_installed_is_said(monkeypatch, make, names):
    for name in names:
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(InvalidInput, match=r"is not installed. Run: pip install"):
        make(tracker_of(Line()))
