"""What `realnet bridge` does: everything checked and read first, then forecast, fit, write."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import xarray as xr

from linmodel.errors import InvalidInput, integer, real, refuse
from linmodel.extra import require_matplotlib
from linmodel.files import require_writable, write_text
from linmodel.store import save
from realnet.bridge.calibration import quantiles
from realnet.bridge.fitting import BridgeResult, fit
from realnet.bridge.forecasting import forecast
from realnet.bridge.reading import Columns, read_curve
from realnet.bridge.scoring import compare
from realnet.bridge.spectral_fit import data_spectrum, fit_spectrum
from realnet.bridge.uncertainty import FEWEST_DRAWS, bootstrap
from realnet.bridge.wording import advice, answer_lines, as_json, interval_lines, rule_lines
from realnet.training.runfolder import runs_of


@dataclass(frozen=True)
class Request:
    """The command's arguments, checked. Raises InvalidInput before anything is read."""

    small: Path
    second: Path | None = None
    larger: Path | None = None
    step_sizes: tuple[float, ...] = ()
    small_step_size: float | None = None
    second_step_size: float | None = None
    larger_step_size: float | None = None
    columns: Columns = field(default_factory=Columns)
    level: float = 0.9
    scales: int = 2
    data: str | None = None
    draws: int = 0
    seed: int = 0
    json: Path | None = None
    plot: Path | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        written = [path for path in (self.json, self.plot, self.out) if path is not None]
        for path in written:
            require_writable(path)
        if len({path.absolute() for path in written}) < len(written):
            refuse("output files", [str(path) for path in written], "different names")
        if self.plot is not None:
            require_matplotlib()
            from realnet.bridge.picture import check_format  # late: a bridge needs no matplotlib

            check_format(self.plot)
        for value in self.step_sizes:
            real("--step-size", value, above=0)
        quantiles(real("--level", self.level, above=0))
        if integer("--scales", self.scales, low=1) > 2:
            refuse("--scales", self.scales, "1 or 2")
        integer("--draws", self.draws, low=FEWEST_DRAWS if self.draws else 0)
        integer("--seed", self.seed, low=0)
        if not self.step_sizes and (self.json or self.second or self.larger):
            raise InvalidInput("there is no step size to forecast: give --step-size.")


def answer_request(request: Request) -> int:
    """Print and write what was asked; the exit status: 1 where a fit alone was asked for and the
    toy does not describe the curve, else 0. Raises InvalidInput."""
    columns = request.columns
    first, other = runs_of(request.small)
    other = request.second or (other if request.step_sizes else None)
    small = read_curve(first, step_size=request.small_step_size, columns=columns)
    second = larger = None
    if other is not None:
        second = read_curve(other, step_size=request.second_step_size, columns=columns)
    if request.larger is not None:
        larger = read_curve(request.larger, step_size=request.larger_step_size, columns=columns)
    spectrum = None if request.data is None else data_spectrum(request.data, small)
    predicted = _forecast(request, small, second, larger)
    fitted, intervals = _fit(request, small)
    if spectrum is not None:
        print(fit_spectrum(small, spectrum, seed=request.seed))
    if request.json is not None and predicted is not None:
        write_text(request.json, as_json(predicted))
    if request.plot is not None:
        from realnet.bridge.picture import draw

        draw(request.plot, small, second, larger, fitted, predicted)
    if request.out is not None:
        save(together(fitted, intervals, predicted), request.out)
    for path in (request.json, request.plot, request.out):
        if path is not None:
            print(f"written: {path}")
    return 0 if request.step_sizes or (fitted and fitted.status in ("ok", "systematic")) else 1


def together(
    fitted: BridgeResult | None, intervals: xr.Dataset | None, predicted: xr.Dataset | None
) -> xr.Dataset:
    """One Dataset: the fit, and interval_* and forecast_* variables where they were computed."""
    whole = xr.Dataset() if fitted is None else fitted.dataset
    if intervals is not None:
        whole = whole.assign(
            {f"interval_{key}": intervals[key] for key in ("low", "high", "pinned")}
        )
    if predicted is not None:
        whole = whole.assign({f"forecast_{key}": predicted[key] for key in predicted.data_vars})
        whole.attrs |= {f"forecast_{key}": predicted.attrs[key] for key in ("answer", "level")}
    return whole


def _forecast(
    request: Request, small: xr.Dataset, second: xr.Dataset | None, larger: xr.Dataset | None
) -> xr.Dataset | None:
    if not request.step_sizes:
        return None
    found = forecast(small, second, request.step_sizes, level=request.level, seed=request.seed)
    scored = None if larger is None else compare(found, [larger])
    print("\n".join([*answer_lines(found), "", *rule_lines(found, scored), "", *advice(found)]))
    return found


def _fit(request: Request, small: xr.Dataset) -> tuple[BridgeResult | None, xr.Dataset | None]:
    """The toy's fit where it is asked for, or shown; printed."""
    if request.step_sizes and not (request.out or request.plot or request.draws):
        return None, None
    try:
        fitted = fit(small, scales=request.scales, seed=request.seed)
    except InvalidInput as error:
        if not request.step_sizes:
            raise
        print(f"The toy is not fitted: {error}")
        return None, None
    print(fitted)
    if not request.draws:
        return fitted, None
    intervals = bootstrap(fitted, draws=request.draws, seed=request.seed)
    print("\n".join(interval_lines(fitted, intervals)))
    return fitted, intervals
