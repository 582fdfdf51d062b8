"""What is proved of descent past the edge: by a theorem, an enclosed run, or not at all (G4e)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.cache import Datasets
from figures.options import Work
from figures.style import label_axes, panels
from linmodel.bounds import limit
from linmodel.certified import certified_end
from linmodel.certified.ending import ESCAPES, SETTLES
from linmodel.problem import OpposingSignals, State
from linmodel.settling import settles

NAME = "settling"
TITLE = "Which starts settle: what is proved"
STATEMENTS = ("G4", "G4b", "G4c", "G4e", "G4f", "G4g")
OPTIONS = ("sweep_points",)
CAPTION = (
    "Gradient descent from c₀ = 1, ε₀ = 1/2, n₀ = 0, for step sizes from below the edge (left of "
    "the dashed line ηαc∞² = 2) to far beyond. Green: it converges to a minimum, by theorem G4e or "
    "G4f, which bound the curvature all the way. Blue: a run of this very start, enclosed in "
    "interval arithmetic, enters such a region. Red: it enters one from which every run diverges "
    "(G4g). White: not decided. G4b's line ηαc∞² = 4 (dotted) divides nothing exactly."
)
PROBLEMS = {"alpha_50": OpposingSignals(50.0, 10.0), "alpha_200": OpposingSignals(200.0, 10.0)}
FIRST, LAST = 0.5, 6.0  # eta alpha c_inf^2
SMALLEST, LARGEST = -8.0, -0.1  # log10 |o0|
STEPS = 5_000
OPEN, GONE, RUN, THEOREM = 0, 1, 2, 3
WORDS = {
    THEOREM: "settles, by theorem",
    RUN: "settles, this run enclosed",
    GONE: "escapes, this run",
    OPEN: "not decided",
}
# None is an ink of `style.DARK`: a map is pixels, which a dark page leaves as they are.
COLOURS = {OPEN: "#FEFEFE", GONE: "#D55E00", RUN: "#56B4E9", THEOREM: "#009E74"}


def compute(work: Work) -> Datasets:
    """The verdict at each point of a grid over eta alpha c_inf^2 and log10 |o0|, per problem."""
    points = work.options.sweep_points
    edges = np.linspace(FIRST, LAST, points)
    sizes = np.linspace(SMALLEST, LARGEST, max(2, 3 * points // 4))
    made = {}
    for key, problem in PROBLEMS.items():
        verdicts = np.array([[_verdict(problem, edge, size) for edge in edges] for size in sizes])
        meanings = " ".join(text.replace(", ", "_").replace(" ", "_") for text in WORDS.values())
        made[key] = xr.Dataset(
            {"verdict": (("log10_o0", "edge"), verdicts.astype(np.int8))},
            {"log10_o0": sizes, "edge": edges},
            attrs=problem.as_dict(),
        )
        made[key].verdict.attrs = {"flag_values": list(WORDS), "flag_meanings": meanings}
    return made


def _verdict(problem: OpposingSignals, edge: float, size: float) -> int:
    start = State(1.0, 0.5, 0.0, 10.0**size)
    eta = float(edge / limit(problem, start).opposing_curvature)
    if settles(problem, start, eta).proved:
        return THEOREM
    return {SETTLES: RUN, ESCAPES: GONE}.get(certified_end(problem, start, eta, STEPS), OPEN)


def shares(data: xr.Dataset) -> dict[int, float]:
    """Share of the grid's points with each verdict."""
    return {kind: float((data.verdict == kind).mean()) for kind in WORDS}


def draw(datasets: Datasets) -> Figure:
    """A map a problem, with the shares in the legend."""
    figure, axes = panels(1, len(PROBLEMS), (11, 4.6))
    for panel, key in zip(axes[0], PROBLEMS, strict=True):
        _map(panel, datasets[key])
    return figure


def _percent(share: float) -> str:
    """A share that is there is never called 0%."""
    return f"{share:.0%}" if share >= 0.005 else f"{share:.1%}" if share >= 0.001 else "under 0.1%"


def _map(axes: Axes, data: xr.Dataset) -> None:
    kinds = sorted(COLOURS)
    colours = ListedColormap([COLOURS[kind] for kind in kinds])
    norm = BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, len(kinds))
    axes.pcolormesh(
        data.edge, data.log10_o0, data.verdict, cmap=colours, norm=norm, rasterized=True
    )
    axes.axvline(2, color="black", linestyle="--", linewidth=1)
    axes.axvline(4, color="black", linestyle=":", linewidth=1)
    handles = [Patch(facecolor=COLOURS[kind], edgecolor="grey", label=f"{text}: {_percent(share)}")
               for (kind, text), share in zip(WORDS.items(), shares(data).values(), strict=True)
               if share > 0]  # fmt: skip
    axes.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.08), ncols=2, fontsize=8
    )
    title = f"α = {data.attrs['alpha']:g}, B = {data.attrs['beta_norm']:g}"
    label_axes(axes, r"$\eta\alpha c_\infty^2$", r"$\log_{10}|o_0|$", title)
