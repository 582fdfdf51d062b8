"""Command line: python -m realnet train | bridge | signals | experiments."""

from __future__ import annotations

from linmodel.console import new_app, run
from realnet.bridge.command import bridge
from realnet.experiments.kit.command import experiments
from realnet.signals.command import signals
from realnet.training.command import train

app = new_app("Train real networks with their sharpness tracked; compare them with the theory.")


@app.callback()
def main() -> None:
    """Train real networks with their sharpness tracked; compare them with the theory."""


app.command()(train)
app.command()(bridge)
app.command()(signals)
app.command()(experiments)


if __name__ == "__main__":
    run(app, "python -m realnet")
