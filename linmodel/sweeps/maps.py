"""Maps of a sweep's results over two of its axes, on matplotlib axes of yours or new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from linmodel.arguments import typed
from linmodel.errors import refuse
from linmodel.extra import require_matplotlib
from linmodel.sweeps.frame import REGIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, in the order of REGIMES; the last two: given up, not decided.
COLOURS = ("#56B4E9", "#009E73", "#E69F00", "#D55E00", "#DDDDDD")


@typed
def heat_map(values: xr.DataArray, *, ax: Any = None, log: bool = True) -> Axes:
    """Colours of a result over its two dimensions, the last one across; axes logarithmic where > 0.

    values  of two dimensions with coordinates, of a sweep: found.dip_depth.squeeze()
    ax      matplotlib axes; None: of a new figure
    log     logarithmic colours, where all known values are positive

    Raises InvalidInput: not two dimensions, or no number in it.
    """
    require_matplotlib()
    from matplotlib.colors import LogNorm

    axes = _axes(values, ax)
    known = values.values[np.isfinite(values.values)]
    if not known.size:
        refuse("values", "without a number", "at least one number to draw")
    norm = LogNorm() if log and known.min() > 0 else None
    mesh = _mesh(axes, values, norm=norm)
    axes.get_figure().colorbar(mesh, ax=axes)
    axes.set_title(str(values.attrs.get("long_name", values.name)), loc="left", fontsize=9)
    return axes


@typed
def regime_map(regime: xr.DataArray, *, ax: Any = None) -> Axes:
    """What descent does (`regime` of a sweep), a colour each, over two dimensions.

    ax      matplotlib axes; None: of a new figure

    Raises InvalidInput: not two dimensions, or codes that are no regime's.
    """
    require_matplotlib()
    from matplotlib.colors import BoundaryNorm, ListedColormap

    count = len(REGIMES)
    if not regime.size or not np.isin(regime.values, np.arange(count)).all():
        came = "with values that are no codes" if regime.size else "empty"
        refuse("regime", came, f"codes from 0 to {count - 1}, as sweep gives")
    axes = _axes(regime, ax)
    norm = BoundaryNorm(np.arange(count + 1) - 0.5, count)
    mesh = _mesh(axes, regime, cmap=ListedColormap(COLOURS), norm=norm)
    bar = axes.get_figure().colorbar(mesh, ax=axes, ticks=range(count))
    bar.ax.set_yticklabels([name.replace("_", " ") for name in REGIMES])
    axes.set_title("regime of descent", loc="left", fontsize=9)
    return axes


def _axes(values: xr.DataArray, ax: Any) -> Any:
    if values.ndim != 2:
        refuse("values", f"dimensions {values.dims}", "two dimensions", "Use .squeeze() or .sel().")
    if ax is not None:
        return ax
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots()


def _mesh(axes: Any, values: xr.DataArray, **options: Any) -> Any:
    down, across = values.dims
    from matplotlib.ticker import NullFormatter

    x, y = values[across].values, values[down].values
    mesh = axes.pcolormesh(x, y, values.values, shading="nearest", rasterized=True, **options)
    for edge, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if np.all(edge > 0) and edge.size > 1:
            scale("log")
            which = axes.xaxis if scale == axes.set_xscale else axes.yaxis
            which.set_minor_formatter(NullFormatter())
    axes.set_xlabel(str(across))
    axes.set_ylabel(str(down))
    return mesh
