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


def test_it_opens_and_kill_reaches_the_platform(demo: RealWindow) -> None:
    demo.until(lambda: demo.ask("status")["state"] == "running", 30)
    demo.click("kill")
    demo.until(lambda: "halted" in str(demo.ask("status")["blocks"]), 30)
    demo.picture("killed")
    assert demo.close() == 0, demo.log()[-2000:]


@pytest.mark.slow
def test_orders_of_the_ticket_and_the_ladder(demo: RealWindow) -> None:
    price = rest_far_below(demo, "0.01234")
    order = demo.orders()[-1]
    assert (order["status"], order["side"], float(order["price"])) == ("accepted", "buy", number(price))
    demo.until(lambda: demo.resting_at("BTCUSDT", number(price)) >= 0.01234 - 1e-9)
    demo.picture("discretionary")
    demo.wait_for(f"ladder_view/own buy {price}")
    demo.click(f"ladder_view/own buy {price}", button=3)
    demo.until(lambda: demo.orders()[-1]["status"] == "cancelled")
    demo.until(lambda: demo.resting_at("BTCUSDT", number(price)) < 0.01234)


@pytest.mark.slow
def test_an_order_is_amended_by_dragging_it(simulated: RealWindow) -> None:
    price = rest_far_below(simulated, "0.013")
    own = f"ladder_view/own buy {price}"
    simulated.wait_for(own)
    below = [row for row in simulated.prices() if number(row) < number(price)]
    x, y = simulated.point(own)
    _, lower = simulated.point(f"ladder_view/{below[1]}")
    simulated.drag((x, y), (x, lower))
    simulated.picture("amend_asked")
    simulated.click("ladder_send")
    simulated.until(lambda: float(simulated.orders()[-1]["price"]) < number(price))
    assert simulated.orders()[-1]["status"] == "accepted"
    simulated.picture("amended")


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


def strategies(window: RealWindow) -> list[dict[str, str]]:
    found: list[dict[str, str]] = window.ask("status").get("strategies", [])
    return found
