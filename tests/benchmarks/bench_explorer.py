"""Median time of a redraw of the explorer's curves, and of its map, in headless Chromium.

A redraw computes flow, descent, envelope and central flow, draws all panels and readings; the map
is computed in a worker meanwhile. `python tests/benchmarks/bench_explorer.py`.
"""

import tempfile
from pathlib import Path

import numpy as np

from figures.explorer import explorer_page
from tests.figures.browser import open_browser, script, wait_for

MOVES = 60
MOVE = """
const [notch, done] = arguments, slider = document.getElementById("alpha-slider");
slider.value = notch;
slider.dispatchEvent(new Event("input"));
requestAnimationFrame(() => requestAnimationFrame(() =>
  done(opposingSignals.current().milliseconds)));
"""


def main() -> None:
    """Move the slider of alpha from 6 to 3,000 and print what the redraws took."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "explorer.html"
        path.write_text(explorer_page({}), encoding="utf-8")
        driver = open_browser(Path(folder) / "profile")
        try:
            driver.get(path.as_uri())
            wait_for(driver, "opposingSignals.mapLevel() === 72")
            for steps in (200, 2000, 20_000):
                driver.get("about:blank")
                driver.get(f"{path.as_uri()}#v=1&steps={steps}&step_size={1.2 / steps}")
                report(driver, steps)
        finally:
            driver.quit()


def report(driver, steps: int) -> None:
    """Redraws with the map at rest, then the map's levels."""
    wait_for(driver, "opposingSignals.mapLevel() === 72")
    taken = [driver.execute_async_script(MOVE, 150 + 10 * i) for i in range(MOVES)]
    low, middle, high = np.quantile(taken[5:], [0.05, 0.5, 0.95])
    print(f"{steps:>6} steps: redraw {middle:.1f} ms (median; 5% {low:.1f}, 95% {high:.1f})")
    began = script(driver, "performance.now()")
    for level in (8, 24, 72):
        wait_for(driver, f"opposingSignals.mapLevel() >= {level}")
        taken_by_map = script(driver, "performance.now()") - began
        print(f"        map of {level} x {level}: {taken_by_map:.0f} ms")


if __name__ == "__main__":
    main()
