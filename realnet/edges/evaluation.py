"""Several quantities at one point of training: what `tracker.evaluate(which=[...])` returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from realnet.curvature.evaluated import differences, said
from realnet.edges.quantity import Measured, Quantity


@dataclass(frozen=True, slots=True)
class Edges:
    """`edges["sharpness"]` is a Measured: value, threshold, interval. Printed, it is a table.

    loss        over all data; None where no quantity needed it
    step, time  of the training, as watched; time = sum of step sizes
    step_size   eta as the optimiser has it now; None without one
    products, gradients, passes  over all data, spent on all quantities together; seconds (wall)
    """

    quantities: tuple[Quantity, ...]
    values: Mapping[str, Measured]
    loss: float | None
    step: int
    time: float
    step_size: float | None
    products: int
    gradients: int
    passes: int
    seconds: float

    def __getitem__(self, name: str) -> Measured:
        return self.values["sharpness" if name == "top" else name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __str__(self) -> str:
        lines = [f"{'quantity':<18} {'value':>11} {'threshold':>11} {'of it':>7}  interval"]
        for name, one in self.values.items():
            level = "" if one.threshold is None else f"{one.threshold:.5g}"
            ratio = "" if one.ratio is None else f"{one.ratio:.3f}"
            interval = "" if one.low is None else f"{one.low:.4g} .. {one.high:.4g}"
            note = "" if one.converged else "  (not converged)"
            note += "" if one.missed is None else f"  ({said(one.missed).removeprefix('; ')})"
            if one.step is not None and one.doubt is not None:
                note += f"  ({differences(one.step, one.doubt)})"
            lines.append(f"{name:<18} {one.value:>11.5g} {level:>11} {ratio:>7}  {interval}{note}")
        return "\n".join(lines)

    def log(self) -> dict[str, float]:
        """Flat numbers for a logger: each value, NAME_threshold, loss, step_size, step."""
        found = {name: one.value for name, one in self.values.items()}
        found |= {
            f"{name}_threshold": one.threshold
            for name, one in self.values.items()
            if one.threshold is not None
        }
        extra = {"loss": self.loss, "step_size": self.step_size, "step": float(self.step)}
        return found | {name: value for name, value in extra.items() if value is not None}
