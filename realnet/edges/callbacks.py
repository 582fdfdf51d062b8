"""The same watch inside Lightning and Hugging Face's Trainer: thin, imported when asked for.

trainer = lightning.Trainer(callbacks=[lightning_callback(tracker, every=50)])
trainer = transformers.Trainer(..., callbacks=[hugging_face_callback(tracker, every=50)])

Both hook the optimiser that the framework makes, so each of its steps is seen, whatever accumulates
before it. A plain loop needs neither: tracker.watch(optimizer).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from linmodel.errors import InvalidInput
from realnet.edges.recorded import Recorded


def lightning_callback(tracker: Recorded, **options: Any) -> Any:
    """A lightning.Callback; options as `tracker.watch`. Its first optimiser is watched."""
    base = _needed("lightning", "lightning.pytorch", "pytorch_lightning").Callback

    class WatchCallback(base):  # type: ignore[misc, valid-type]
        def on_train_start(self, trainer: Any, _module: Any) -> None:
            self.watch = tracker.watch(trainer.optimizers[0], **options)

        def on_train_end(self, _trainer: Any, _module: Any) -> None:
            self.watch.close()

    return WatchCallback()


def hugging_face_callback(tracker: Recorded, **options: Any) -> Any:
    """A transformers.TrainerCallback; options as `tracker.watch`."""
    base = _needed("transformers", "transformers").TrainerCallback

    class WatchCallback(base):  # type: ignore[misc, valid-type]
        def on_train_begin(self, _args: Any, _state: Any, _control: Any, **given: Any) -> None:
            self.watch = tracker.watch(given["optimizer"], **options)

        def on_train_end(self, _args: Any, _state: Any, _control: Any, **_given: Any) -> None:
            self.watch.close()

    return WatchCallback()


def _needed(name: str, *modules: str) -> Any:
    for module in modules:
        try:
            return import_module(module)
        except ImportError:
            continue
    raise InvalidInput(f"{name} is not installed. Run: pip install {name}")
