"""The explorer in headless Chromium: its numbers are linmodel's, and the page does what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from figures.explorer import explorer_page
from linmodel import OpposingSignals, State, gradient_descent, gradient_flow, standard_state
from linmodel.central_flow import central_flow
from linmodel.envelope import envelope
from linmodel.kernels.flow import GOOD
from linmodel.kernels.packing import pack
from linmodel.kernels.path import flow_path
from linmodel.phases import observe_phase
from proofs_check import claims_table
from tests.figures.browser import open_browser, script, set_field, wait_for
from tests.tolerances import ALGEBRA, CENTRAL_TWIN, DESCENT_LOG, FLOW, FLOW_FLOOR

NAMES = ("c", "epsilon", "n", "o")
COUNT = 1000


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's address, built with the recorded verdicts."""
    folder = tmp_path_factory.mktemp("explorer")
    rows = {row["id"]: row | {"verdict": row["recorded"], "evidence": ""} for row in claims_table()}
    path = folder / "explorer.html"
    path.write_text(explorer_page(rows), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def fresh(browser, page):
    """The page in its first state."""
    browser.get("about:blank")
    browser.get(page)
    return browser


def ask(driver, call: str, cases: list[dict]) -> list[dict]:
    """Many calls of window.opposingSignals at once, as JSON."""
    text = script(
        driver,
        f"JSON.stringify(JSON.parse(arguments[0]).map((each) => opposingSignals.{call}(each)))",
        json.dumps(cases),
    )
    return json.loads(text)


def random_problems(count: int, seed: int):
    """Columns alpha, B, c, epsilon, n, o over decades: dips, plateaus, both halves of epsilon0."""
    rng = np.random.default_rng(seed)
    alpha, strength = 10 ** rng.uniform(-1, 5, count), 10 ** rng.uniform(-1, 2.5, count)
    state = rng.normal(size=(count, 4)) * [0.3, 0.3, 0.5, 0.7] + [1, 0, 0, 0]
    return alpha, strength, state


def test_a_thousand_flows_are_linmodels(fresh):
    # The compiled kernel solves them all at once; those it hands back go to gradient_flow.
    alpha, strength, state = random_problems(COUNT, seed=1)
    span = 4 / strength
    grid = np.geomspace(1e-3, 1, 6)
    source, cells = pack(alpha, strength, *np.ascontiguousarray(state.T), span)
    states, events = np.empty((COUNT, 4, grid.size)), np.full((COUNT, 3), np.nan)
    status = np.zeros(COUNT, dtype=np.int64)
    flow_path(source, cells, grid, np.full(COUNT, np.nan), states, events, status)
    cases = [
        dict(
            alpha=a,
            beta_norm=b,
            times=(t * grid).tolist(),
            **dict(zip(NAMES, map(float, s), strict=True)),
        )
        for a, b, t, s in zip(alpha, strength, span, state, strict=True)
    ]
    found = ask(fresh, "flow", cases)
    for index, (case, answer) in enumerate(zip(cases, found, strict=True)):
        got = np.array([answer[name] for name in NAMES])
        # The kernel gives |n| and |o|; the flow keeps their signs.
        signs = np.array([[1], [1], [np.sign(case["n"])], [np.sign(case["o"])]])
        wanted = states[index] * signs
        if status[index] != GOOD:
            wanted = exact(case)
        size = FLOW_FLOOR * np.sqrt((wanted**2).sum(axis=0))
        error = np.abs(got - wanted) / np.maximum(np.abs(wanted), size)
        assert error.max() < FLOW, case


def exact(case):
    problem = OpposingSignals(case["alpha"], case["beta_norm"])
    start = State(*(case[name] for name in NAMES))
    flow = gradient_flow(problem, start, case["times"])
    return np.array([flow[name].values for name in NAMES])


def test_every_column_of_flow_and_its_events(fresh):
    alpha, strength, state = random_problems(12, seed=2)
    for a, b, s in zip(alpha, strength, np.abs(state), strict=True):
        eta = 1 / (a * b)
        problem, start = OpposingSignals(a, b), State(*s)
        times = np.linspace(0, 4 / b, 20)
        wanted = gradient_flow(problem, start, times, step_size=eta)
        case = {"alpha": a, "beta_norm": b, "times": times.tolist(), "step_size": eta}
        (found,) = ask(fresh, "flow", [case | start.as_dict()])
        for name in (*NAMES, "sharpness", "opposing_curvature"):
            floor = FLOW_FLOOR * np.abs(wanted[name].values).max()
            miss = np.abs(np.array(found[name]) - wanted[name].values)
            assert (miss <= FLOW * np.maximum(np.abs(wanted[name].values), floor)).all(), name
        for name in ("t_dip", "t_edge"):
            value = np.nan if found[name] is None else found[name]
            assert value == pytest.approx(float(wanted[name]), rel=1e-5, nan_ok=True), name


def test_descent_is_linmodels_to_rounding(fresh):
    """No further from linmodel than linmodel is from itself when the start moves by one ulp."""
    alpha, strength, state = random_problems(100, seed=3)
    factor = np.random.default_rng(4).choice([0.3, 0.9, 1.4, 1.9, 2.6], 100)
    for a, b, s, f in zip(alpha, strength, state, factor, strict=True):
        case = {"alpha": a, "beta_norm": b, "step_size": 2 * f / (max(a, 2) * b), "steps": 300}
        case |= dict(zip(NAMES, map(float, s), strict=True))
        (found,) = ask(fresh, "descent", [case])
        wanted, moved = descent_of(case, 0), descent_of(case, 1)
        assert found["status"] == wanted.attrs["status"]
        count = min(len(found["c"]), wanted.sizes["time"], moved.sizes["time"])
        for name in ("c", "epsilon", "log_abs_o", "sharpness"):
            pair = [each[name].values[:count] for each in (wanted, moved)]
            allowed = 100 * np.maximum.accumulate(np.abs(pair[0] - pair[1]))
            allowed += ALGEBRA * np.maximum.accumulate(np.abs(pair[0])) + DESCENT_LOG * 1e-3
            miss = np.abs(np.array(found[name][:count], dtype=float) - pair[0])
            assert (miss <= allowed).all(), (name, case)


def descent_of(case, ulps):
    start = [case[name] for name in NAMES]
    for _ in range(ulps):
        start = [np.nextafter(value, np.inf) for value in start]
    problem = OpposingSignals(case["alpha"], case["beta_norm"])
    return gradient_descent(problem, State(*start), case["step_size"], case["steps"])


def test_an_o_far_below_floats_comes_back(fresh):
    case = {
        "alpha": 1e4,
        "beta_norm": 10,
        "c": 1,
        "epsilon": 0.1,
        "n": 0.4359,
        "o": 0.8944,
        "steps": 10_000,
    }
    problem = OpposingSignals(1e4, 10)
    start = State(1, 0.1, 0.4359, 0.8944)
    wanted = gradient_descent(problem, start, 4.5e-5, 10_000)
    (found,) = ask(fresh, "descent", [case | {"step_size": 4.5e-5}])
    assert min(found["log_abs_o"]) < -1000
    assert found["status"] == wanted.attrs["status"] == "diverged"


def test_a_seed_is_the_same_start_as_in_python(fresh):
    for support, seed, k in (("isotropic", 0, 3), ("aligned", 7, 0.5), ("isotropic", 2**40 + 1, 9)):
        for name, value in (("start", "seed"), ("support", support), ("seed", seed), ("k", k)):
            set_field(fresh, name, str(value))
        start = script(fresh, "opposingSignals.current().start")
        wanted = standard_state(OpposingSignals(50, 10, k, 100, support), seed)
        for name in NAMES:
            assert start[name] == pytest.approx(float(getattr(wanted, name)), rel=ALGEBRA)


def test_envelope_central_flow_and_ending_are_linmodels(fresh):
    now = script(fresh, "opposingSignals.current()")
    problem = OpposingSignals(50, 10, 4)
    start = State(*(now["start"][name] for name in NAMES))
    bounds = envelope(problem, start, now["times"], step=1, pieces=60)
    for name in ("opposing_curvature_lower", "sharpness_upper"):
        assert np.allclose(now["envelope"][name], bounds[name], rtol=FLOW, atol=0)
    central = central_flow(problem, start, now["times"], now["state"]["step_size"])
    assert np.allclose(now["central"]["sharpness"], central.sharpness, rtol=CENTRAL_TWIN, atol=0)
    name = observe_phase(problem, start, now["state"]["step_size"], now["state"]["steps"]).name
    assert name == "catapult"
    assert "thrown down" in script(fresh, "document.getElementById('readings').textContent")


def test_a_slider_changes_the_curve_to_the_right_numbers(fresh):
    before = script(fresh, "document.querySelector('path[data-name=descent]').getAttribute('d')")
    fresh.execute_async_script(
        """
        const done = arguments[0], slider = document.getElementById("alpha-slider");
        slider.value = 600;
        slider.dispatchEvent(new Event("input"));
        requestAnimationFrame(() => requestAnimationFrame(() => done()));
        """
    )
    now = script(fresh, "opposingSignals.current()")
    assert now["state"]["alpha"] == 1000  # 10^(5 * 0.6)
    assert script(fresh, "document.getElementById('alpha').value") == "1000"
    start = State(*(now["start"][name] for name in NAMES))
    wanted = gradient_descent(OpposingSignals(1000, 10, 4), start, now["state"]["step_size"], 200)
    got = np.array(now["run"]["sharpness"])
    assert np.allclose(got, wanted.sharpness, rtol=ALGEBRA, atol=0)
    after = script(fresh, "document.querySelector('path[data-name=descent]').getAttribute('d')")
    assert after != before


def test_the_address_restores_the_state(fresh, page):
    for name, value in (("alpha", "123.25"), ("step_size", "0.0031"), ("seed", "8")):
        set_field(fresh, name, value)
    fresh.find_element("id", "toggle-envelope").click()
    wait_for(fresh, "location.hash.includes('hidden=envelope')")
    address, state = fresh.current_url, script(fresh, "opposingSignals.current().state")
    fresh.get("about:blank")
    fresh.get(address)
    assert script(fresh, "opposingSignals.current().state") == state
    assert script(fresh, "document.querySelector('path[data-name=envelope]')") is None


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("#v=2&alpha=4&depth=3", "version"),
        ("#v=0", "version"),
        ("#alpha=4", "version is missing"),
        ("#v=1&constructor=4", "constructor"),
        ("#claim-Z99", "statement"),
        ("#v=1&alpha=-4", "alpha is"),
        ("#v=1&optimiser=newton", "optimiser is"),
        ("#v=1&nonsense=4", "nonsense"),
    ],
)
def test_a_foreign_address_is_explained_and_the_page_is_there(fresh, page, fragment, words):
    fresh.get("about:blank")
    fresh.get(page + fragment)
    assert words in script(fresh, "document.getElementById('problem').textContent")
    assert script(fresh, "opposingSignals.current().state.alpha") == 50


@pytest.mark.parametrize(
    ("name", "value"),
    [("alpha", "-1"), ("k", "0"), ("steps", "2.5"), ("step_size", "abc"), ("beta_norm", "")],
)
def test_a_bad_value_is_refused_in_words(fresh, name, value):
    before = script(fresh, "opposingSignals.current().state")
    set_field(fresh, name, value)
    words = script(fresh, f"document.getElementById('{name}-error').textContent")
    assert words.startswith(f"{name} is ") and "allowed: " in words
    assert script(fresh, f"document.getElementById('{name}').hasAttribute('aria-invalid')")
    assert script(fresh, "opposingSignals.current().state") == before


def test_the_console_refuses_in_linmodels_words(fresh):
    call = "(() => {{ try {{ opposingSignals.{} }} catch (error) {{ return error.message }} }})()"
    good = "alpha: 2, beta_norm: 1, c: 1, epsilon: 0, n: 0, o: 1"
    for text, words in (
        (f"flow({{{good}, times: [1, 0]}})", "times is"),
        (f"flow({{{good.replace('2', 'NaN')}, times: [1]}})", "alpha is NaN"),
        (f"descent({{{good}, step_size: 0, steps: 3}})", "step_size is 0; allowed: a finite"),
    ):
        assert words in script(fresh, call.format(text))


RULES = [
    {},
    {"optimiser": "heavy_ball", "momentum": "0.6", "start": "numbers", "epsilon": "-0.2"},
    {"optimiser": "sam", "radius": "0.02"},
    {"optimiser": "noise", "noise": "0.002", "noise_seed": "5", "alpha": "80"},
]


@pytest.mark.parametrize("fields", RULES)
def test_copied_python_gives_the_plotted_numbers(fresh, fields, capsys):
    for name, value in fields.items():
        set_field(fresh, name, value)
    if fields.get("optimiser"):
        set_field(fresh, "steps", "60")
    now = script(fresh, "opposingSignals.current()")
    made = {}
    exec(compile(script(fresh, "opposingSignals.python()"), "copied", "exec"), made)
    assert "dip at" in capsys.readouterr().out
    assert np.allclose(made["flow"].sharpness, now["flow"]["sharpness"], rtol=FLOW, atol=0)
    for name, got in (
        ("sharpness", now["run"]["sharpness"]),
        ("log_abs_o", now["run"]["log_abs_o"]),
    ):
        wanted = made["curves"][name]
        assert len(got) == len(wanted)
        assert np.allclose(got, wanted, rtol=FLOW, atol=FLOW), name
    assert np.allclose(made["plus"], now["groups"]["plus"], rtol=FLOW, atol=0)
    if now["envelope"]:
        lower = made["bounds"].opposing_curvature_lower
        assert np.allclose(lower, now["envelope"]["opposing_curvature_lower"], rtol=FLOW, atol=0)


def test_copied_command_lines_run(fresh):
    lines = script(fresh, "opposingSignals.command()").splitlines()
    assert [line.split()[3] for line in lines] == ["flow", "descent"]
    t_edge = script(fresh, "opposingSignals.current().run.t_edge")
    done = subprocess.run(
        [sys.executable, *lines[1].split()[1:]], capture_output=True, text=True, check=True
    )
    assert f"t_edge = {t_edge:.9g}" in done.stdout


def test_csv_holds_what_is_plotted(fresh):
    lines = script(fresh, "opposingSignals.csv()").splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    got = [float(row["sharpness"]) for row in rows if row["curve"] == "descent"]
    assert got == script(fresh, "opposingSignals.current().run.sharpness")


def test_the_map_shows_what_descent_does_and_can_be_clicked(fresh):
    wait_for(fresh, "opposingSignals.mapLevel() >= 24")
    words = script(fresh, "document.querySelector('#map-plot svg').getAttribute('aria-label')")
    assert "catapult" in words and "Arrow keys" in words
    fresh.execute_script("document.querySelector('#map-plot svg').scrollIntoView()")
    from selenium.webdriver import ActionChains

    target = fresh.find_element("css selector", "#map-plot svg")
    ActionChains(fresh).move_to_element_with_offset(target, 40, 30).click().perform()
    wait_for(fresh, "opposingSignals.current().state.alpha !== 50")
    assert script(fresh, "opposingSignals.current().state.step_size") != 0.006


def test_a_reading_leads_to_its_statement_and_keeps_the_state(fresh):
    set_field(fresh, "alpha", "60")
    fresh.execute_script("document.querySelector('#readings a[href=\"#claim-F4\"]').click()")
    assert script(fresh, "document.getElementById('claim-F4').open")
    assert "alpha=60" in fresh.current_url


def test_keys_move_the_edge_and_read_values(fresh):
    plot = fresh.find_element("css selector", "#sharpness-plot svg")
    plot.send_keys("\ue013")  # arrow up
    wait_for(fresh, "opposingSignals.current().state.step_size < 0.006")
    plot.send_keys("\ue014")  # arrow right
    assert "step" in script(fresh, "document.getElementById('values').textContent")


def test_nothing_leaves_the_page_and_nothing_scrolls_sideways(fresh, page):
    fresh.get_log("performance")
    fresh.refresh()
    wait_for(fresh, "opposingSignals.mapLevel() > 0")
    events = [json.loads(entry["message"])["message"] for entry in fresh.get_log("performance")]
    sent = [e["params"]["request"]["url"] for e in events if e["method"].endswith("WillBeSent")]
    assert all(re.match(r"(file|blob|data):", url) for url in sent), sent
    assert not fresh.get_log("browser")
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    fresh.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert script(fresh, "document.documentElement.scrollWidth") <= 390
    fresh.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_sites_search_finds_a_worker_on_a_page_from_disk(browser, tmp_path):
    shim = (Path(__file__).parents[2] / "docs" / "iframe-worker.js").read_text(encoding="utf-8")
    (tmp_path / "more.js").write_text("const more = 1;")
    answer = 'addEventListener("message", async (asked) => { await importScripts("more.js"); '
    (tmp_path / "worker.js").write_text(answer + "postMessage(asked.data + more); });")
    ask = """const worker = new Worker("worker.js");
        worker.addEventListener("message", (told) => { window.told = told.data; });
        worker.postMessage(41);"""
    page = tmp_path / "page.html"
    page.write_text(f"<body><script>{shim}</script><script>{ask}</script></body>")
    browser.get(page.as_uri())
    wait_for(browser, "window.told === 42")
