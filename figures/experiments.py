"""The experiments on real networks as parts of the report: what is saved, nothing computed.

`part(name)` is one finished experiment with its figure, sentences and tables; `finished(folder)`
lists them. The project's own curves are in CURVES; `python -m realnet experiments --out DIR` makes
one's own, and `figure(name, DIR)` draws them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from figures import experiment_arms as arms
from figures import experiment_networks as networks
from figures import experiment_tables as tables
from figures.cache import Datasets, Unavailable
from figures.options import Work
from figures.style import COLOURS
from figures.table import Table
from linmodel.errors import InvalidInput, refuse
from realnet.experiments.results import load_result, read_manifest

CURVES = Path(__file__).resolve().parent / "curves"


@dataclass(frozen=True)
class Part:
    """One experiment, in the shape of a figure's module (see `figures.report`).

    needs  the experiments whose results it shows, its own first
    """

    NAME: str
    TITLE: str
    STATEMENTS: tuple[str, ...]
    CAPTION: str
    drawer: Callable[..., Figure]
    tabler: Callable[..., list[Table]]
    needs: tuple[str, ...]
    OPTIONS: tuple[str, ...] = ()

    def compute(self, _work: Work) -> Datasets:
        """The saved results. Raises Unavailable: not run yet, or not whole."""
        return self.load(CURVES)

    def load(self, folder: str | Path) -> Datasets:
        """The results in `folder`, by experiment."""
        try:
            return {name: load_result(folder, name) for name in self.needs}
        except InvalidInput as error:
            raise Unavailable(str(error)) from error

    def draw(self, datasets: Datasets) -> Figure:
        """The figure, with the experiment's date and device beneath it."""
        data = [datasets[name] for name in self.needs]
        drawn = self.drawer(*data)
        drawn.supxlabel(made(data[0]), fontsize=8, color=COLOURS["reference"])
        return drawn

    def words(self, datasets: Datasets) -> list[str]:
        """How old it is, and on what it was made."""
        data = datasets[self.needs[0]]
        where = "" if data.attrs["device"] != "cpu" else (
            " No GPU run of it is there: these are the sizes that anybody can run again, with "
            f"python -m realnet experiments {self.needs[0]}."
        )  # fmt: skip
        return [made(data) + where]

    def tables(self, datasets: Datasets) -> list[Table]:
        """Its numbers with 95% intervals over seeds."""
        return self.tabler(*(datasets[name] for name in self.needs))


def finished(folder: str | Path = CURVES) -> list[str]:
    """Names of the parts that can be drawn from `folder`."""
    there = read_manifest(Path(folder))
    return [name for name, one in PARTS.items() if all(need in there for need in one.needs)]


def part(name: str) -> Part:
    """The part `name`. Raises InvalidInput where there is none."""
    if name not in PARTS:
        refuse("figure of an experiment", name, "one of " + ", ".join(PARTS))
    return PARTS[name]


def figure(name: str, folder: str | Path = CURVES) -> Figure:
    """The figure of the finished experiment `name` in `folder`.

    Raises InvalidInput: unknown, not finished, or a file that is not the manifest's.
    """
    one = part(name)
    return one.draw({need: load_result(folder, need) for need in one.needs})


def made(data: xr.Dataset) -> str:
    """ "TITLE. Made 2026-01-02 (3 days ago) on cpu." """
    quick = ", quick run" if '"quick": true' in data.attrs["configuration"] else ""
    age_text = age(data.attrs["created"])
    return f"{data.attrs['title']}. Made {age_text} on {data.attrs['device']}{quick}."


def age(created: str, now: datetime | None = None) -> str:
    """ "2026-01-02 (3 days ago)" from an ISO date."""
    then = datetime.fromisoformat(created)
    days = ((now or datetime.now(UTC)) - then).days
    said = {0: "today", 1: "1 day ago"}.get(days, f"{days} days ago")
    return f"{then.date()} ({said})"


def _part(
    name: str,
    title: str,
    statements: str,
    caption: str,
    drawer: Callable[..., Figure],
    tabler: Callable[..., list[Table]],
    *others: str,
) -> Part:
    own = () if name == "beside_toy" else (name,)
    return Part(name, title, tuple(statements.split()), caption, drawer, tabler, (*own, *others))


DECISIVE = (
    "An MLP under full-batch descent on images with planted opposing groups ({}): untouched, the "
    "groups removed, as many random samples removed, label smoothing, and the groups' background "
    "randomised on a fraction of their members. Instability is the share of steps on which the "
    "loss rises by more than 1e-4 of its whole fall, and the largest rise in one step."
)
PARTS = {
    one.NAME: one
    for one in (
        _part(
            "decisive_strong", "The decisive plot: strong opposing groups", "S11 S14 S15 G5",
            DECISIVE.format("strong: 10% of the data, magnitude 8"),
            arms.decisive, tables.decisive,
        ),
        _part(
            "decisive_weak", "The decisive plot: weak opposing groups", "S11 S14 S15 G5",
            DECISIVE.format("weak: 5% of the data, magnitude 2"),
            arms.decisive, tables.decisive,
        ),
        _part(
            "toy_arms", "The toy's counterparts", "G5 M2 M3",
            "Outliers removed (alpha = 0), their share p varied at fixed size (alpha = p a^2), and "
            "the two null controls that theory predicts to change nothing in the population (M2, "
            "M3): p at fixed alpha, and g removed. Left: population, with normal noise of sd 1e-3 "
            "added to o each step; right: 4,000 samples. The null controls lie on the untouched "
            "curve in the population.",
            arms.toy_arms, tables.toy_arms,
        ),
        _part(
            "beside_toy", "The decisive plot beside the toy's", "S11 S14 G5",
            "The same two measures of the same kind of arms: the network with planted groups on "
            "the left, the toy on the right.",
            arms.beside_toy, tables.none, "decisive_strong", "toy_arms",
        ),
        _part(
            "mechanism", "S1, S11, S13 to S16 measured", "S1 S11 S13 S14 S15 S16",
            "On the decisive plot's data with strong groups. v is the top eigenvector of the loss "
            "Hessian, g the gradient.",
            arms.mechanism, tables.mechanism,
        ),
        _part(
            "forecast", "Forecasts from a small step to larger ones", "S1 G6",
            "From the small-step run alone: when larger steps reach the edge, and where they "
            "settle; by the toy, its rivals, and the curve read directly.",
            networks.forecast, tables.forecast,
        ),
        _part(
            "measured", "Alpha and p: planted, found, fitted", "M2 M10 S14",
            "Groups found by the search of this project, their share of the data (p) and their "
            "strength in the inputs (alpha), against the planted ones and against the alpha that "
            "the bridge fits to the sharpness curve alone.",
            networks.measured, tables.measured,
        ),
        _part(
            "grokking", "Modular addition: StableMax and perpGrad", "",
            "No weight decay but in the last arm; Adam, full batch, float32; one line a seed. "
            "Dotted: 95% of held-out pairs right.",
            networks.grokking, tables.grokking,
        ),
        _part(
            "roles", "The roles of everything", "S3 S11 S15",
            "Each arm changes one thing of the first (or of the CNN). Dotted: the first arm.",
            networks.roles, tables.roles,
        ),
        _part(
            "text", "Adam against SGD on a character-level GPT", "S11 S16",
            "Full batch. Lower right: of the tokens whose loss rises most and falls most in a "
            "step, the share of pairs that follow the same character and have different targets.",
            networks.text, tables.text,
        ),
        _part(
            "layers", "Sharpness layer by layer", "",
            "The top eigenvalue of each layer's own block of the Hessian over that of all of it, "
            "at the end of training.",
            networks.layers, tables.layers,
        ),
    )
}  # fmt: skip
