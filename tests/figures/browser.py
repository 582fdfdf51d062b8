"""A headless Chromium for the explorer's tests, or a sentence that says why there is none."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def open_browser(profile: Path):
    """A driver with a fresh profile; skips where browser, driver or selenium is missing."""
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="the explorer's browser tests need selenium: pip install it"
    )
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its driver here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}", "--window-size=1440,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    return webdriver.Chrome(options=options, service=service)


def script(driver, text: str, *arguments):
    """The value of a script's expression on the page."""
    return driver.execute_script(f"return {text}", *arguments)


def wait_for(driver, text: str, seconds: float = 60):
    """Poll an expression until it is true; its value."""
    end = time.monotonic() + seconds
    while not (value := script(driver, text)):
        assert time.monotonic() < end, f"never true: {text}"
        time.sleep(0.02)
    return value


def set_field(driver, name: str, value: str) -> None:
    """Type `value` into a field and leave it; wait until the page has drawn."""
    driver.execute_async_script(
        """
        const [name, value, done] = arguments;
        const field = document.getElementById(name);
        field.value = value;
        field.dispatchEvent(new Event("change"));
        requestAnimationFrame(() => requestAnimationFrame(() => done()));
        """,
        name,
        value,
    )
