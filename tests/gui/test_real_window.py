"""The desktop as a user has it: a real window with a window manager, a mouse, a keyboard, and the demo's exchange behind it.

What it does is judged from outside: by `foxtrot orders` and `foxtrot status` of another process, and by the exchange's public door.
FOXTROT_PICTURES names a folder where pictures of the screen are kept.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import REPOSITORY
from tests.support.real_window import RealWindow, missing_programs, number

pytestmark = [
    pytest.mark.skipif(bool(missing_programs()), reason=missing_programs() or "a real window"),
    pytest.mark.timeout(280),
]
BARS = REPOSITORY / "docs/examples/btcusdt_1m_simulated.csv"
SIMULATED = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }

[strategy.double_ma]
class = "double_ma"
account = "paper"
symbols = ["BTCUSDT.BINANCE_USDM"]
capital = 10000
autostart = false
"""


def a_window(tmp_path: Path, words: tuple[str, ...] = ("--demo",)) -> RealWindow:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "desktop").mkdir(mode=0o700)
    (home / "desktop" / "desktop.json").write_text('{"wizard_done": true}')
    (home / "desktop" / "desktop.json").chmod(0o600)
    pictures = os.environ.get("FOXTROT_PICTURES", "")
    return RealWindow(home, Path(pictures) if pictures else tmp_path / "pictures", words)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RealWindow]:
    """The demo, connected and with a ladder that shows prices."""
    window = a_window(tmp_path)
    try:
        window.start()
        window.wait_for("light-demo", lambda light: "ms" in light["text"] or " s" in light["text"], 60)
        yield window
    finally:
        window.end()


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[RealWindow]:
    """A paper platform whose venue changes orders."""
    config = tmp_path / "paper.toml"
    config.write_text(SIMULATED)
    window = a_window(tmp_path, (str(config),))
    try:
        window.start()
        window.wait_for("light-paper", lambda light: "ms" in light["text"] or " s" in light["text"], 60)
        yield window
    finally:
        window.end()


@pytest.mark.slow
def test_it_opens_and_kill_reaches_the_platform(demo: RealWindow) -> None:
    demo.until(lambda: demo.ask("status")["state"] == "running", 30)
    demo.click("kill")
    demo.until(lambda: "halted" in str(demo.ask("status")["blocks"]), 30)
    demo.picture("killed")
    assert demo.close() == 0, demo.log()[-2000:]


@pytest.mark.slow
def test_an_order_of_the_ticket_is_dragged_and_cancelled_in_the_ladder(demo: RealWindow) -> None:
    price = rest_far_below(demo, "0.01234")
    order = demo.orders()[-1]
    assert (order["status"], order["side"], float(order["price"])) == ("accepted", "buy", number(price))
    demo.until(lambda: demo.resting_at("BTCUSDT", number(price)) >= 0.01234)
    demo.picture("discretionary")
    lower = drag_lower(demo, price)
    demo.until(lambda: standing(demo) == [number(lower)], 40)
    demo.until(lambda: demo.resting_at("BTCUSDT", number(lower)) >= 0.01234)
    assert demo.resting_at("BTCUSDT", number(price)) < 0.01234
    demo.click(f"ladder_view/own buy {lower}", button=3)
    demo.until(lambda: standing(demo) == [], 40)
    demo.until(lambda: demo.resting_at("BTCUSDT", number(lower)) < 0.01234)


@pytest.mark.slow
def test_an_order_is_amended_by_dragging_it_where_the_venue_does_that(simulated: RealWindow) -> None:
    price = rest_far_below(simulated, "0.013")
    lower = drag_lower(simulated, price)
    simulated.until(lambda: standing(simulated) == [number(lower)], 40)
    assert len(simulated.orders()) == 1


@pytest.mark.slow
def test_a_strategy_is_started(demo: RealWindow) -> None:
    demo.key("ctrl+2")
    demo.click("strategies_table/0", at=(0.2, 0.5))
    demo.click("strategy_start")
    demo.until(lambda: any(one["stage"] == "running" for one in strategies(demo)), 30)
    demo.until(lambda: demo.ask("orders", "--all")["orders"], 30)
    demo.picture("strategies")


@pytest.mark.slow
def test_a_backtest_is_run(demo: RealWindow) -> None:
    demo.key("ctrl+3")
    demo.write("double_ma", into="backtest_strategy")
    demo.key("Tab")
    demo.write(str(BARS), into="backtest_file")
    demo.key("Tab")
    demo.click("backtest_run")
    demo.wait_for("backtest_report", lambda button: button["enabled"], 90)
    demo.picture("research")


@pytest.mark.slow
def test_a_cut_cable_is_seen_and_comes_back(demo: RealWindow) -> None:
    demo.click("menus/Demo")
    demo.click("menu/Cut the cable for 10 s")
    demo.wait_for("light-demo", lambda light: light["text"].split()[-1] not in ("ms", "s"), 20)
    demo.picture("cable_cut")
    demo.wait_for("light-demo", lambda light: "ms" in light["text"] or " s" in light["text"], 60)


# --- what is done more than once ------------------------------------------------------------------------------------


def rest_far_below(window: RealWindow, size: str) -> str:
    """Let the ladder's rows be far apart, and rest an order on one of them by the ticket; return its price as the row has it."""
    window.click("ladder_group")
    window.key("End", "Return")
    window.prices(least_step=5.0)
    return window.rest_from_ticket(size)


def drag_lower(window: RealWindow, price: str) -> str:
    """Drag the order of a row two rows lower, and agree; return the price of that row."""
    own = f"ladder_view/own buy {price}"
    window.wait_for(own)
    window.click("ladder_hold")  # rows stay where they are
    below = [row for row in window.prices() if number(row) < number(price)]
    x, y = window.point(own)
    window.drag((x, y), (x, window.point(f"ladder_view/{below[1]}")[1]))
    window.picture("amend_asked")
    window.click("ladder_send")
    return below[1]


def standing(window: RealWindow) -> list[float]:
    """The prices of a person's orders that rest."""
    return [float(one["price"]) for one in window.orders() if one["status"] == "accepted"]


def strategies(window: RealWindow) -> list[dict[str, str]]:
    found: list[dict[str, str]] = window.ask("status").get("strategies", [])
    return found
