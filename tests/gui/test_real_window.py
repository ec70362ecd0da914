"""The desktop as a user has it: a real window with a window manager, a mouse, a keyboard, and the demo's exchange behind it.

What it does is judged from outside: by `foxtrot orders` and `foxtrot status` of another process, and by the exchange's public door.
FOXTROT_PICTURES names a folder where pictures of the screen are kept.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source_tree import REPOSITORY
from tests.support.real_window import RealWindow, missing_programs, number

pytestmark = [
    pytest.mark.skipif(bool(missing_programs()), reason=missing_programs() or "a real window"),
    pytest.mark.timeout(280),
]
BARS = REPOSITORY / "docs/examples/btcusdt_1m_simulated.csv"
BIDS = (0.27, 0.5)
"""In a row of the ladder, the column of the bids."""
IN_FRONT = (0.05, 0.5)
"""On the disc of a choice, in front of its words."""
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
        window.wait_for("light-demo", connected, 60)
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
        window.wait_for("light-paper", connected, 60)
        yield window
    finally:
        window.end()


def test_it_opens_an_order_is_placed_and_cancelled_and_kill_reaches_the_platform(demo: RealWindow) -> None:
    price = rest_far_below(demo, "0.01234")
    assert [float(demo.orders()[-1]["price"]), *standing(demo)] == [number(price)] * 2
    demo.click(f"ladder_view/own buy {price}", button=3)
    demo.until(lambda: standing(demo) == [], 40)
    assert demo.ask("status")["state"] == "running"
    demo.click("kill")
    demo.until(lambda: demo.ask("status")["blocks"], 30)
    assert demo.ask("status")["blocks"][0]["state"] == "halted"
    assert demo.close() == 0, demo.log()[-2000:]


@pytest.mark.slow
def test_a_first_run_asks_what_to_open_and_its_window_stays_on_a_small_screen(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    width, height = 1280, 720
    window = RealWindow(home, tmp_path / "pictures", (), (width, height))
    try:
        window.start()
        window.click("wizard_demo")
        window.wait_for("light-demo", connected, 60)
        for words, part in (("depth chart", "depth"), ("time and sales", "tape"), ("performance", "performance")):
            window.key("ctrl+k")
            window.write(words, into="palette_line")
            window.key("Return")
            window.wait_for(part)
        places = window.places()
        for part in ("status_line", "ticket_buy", "depth", "tape", "performance"):
            place = places.get(part)
            assert place is None or place["y"] + place["height"] <= height, part
        assert {"status_line", "ticket_buy", "performance"} <= set(places)
        assert window.close() == 0, window.log()[-2000:]
    finally:
        window.end()


@pytest.mark.slow
def test_keys_act_on_the_ticket_that_was_used_and_cancel_all_orders(demo: RealWindow) -> None:
    price = rest_far_below(demo, "0.01234")
    demo.click("menus/View")
    demo.click("menu/Panels")
    demo.click("menu#2/Order ticket")
    demo.wait_for("ticket_buy#2", lambda button: "Ctrl+B presses this" in button["tip"])  # the one in which was typed
    demo.key("ctrl+b")
    demo.until(lambda: standing(demo) == [number(price)] * 2, 40)
    demo.key("ctrl+shift+x")
    demo.wait_for("ask_agree", lambda button: bool(button["enabled"]))
    demo.click("ask_agree")
    demo.until(lambda: standing(demo) == [], 40)
    assert demo.close() == 0, demo.log()[-2000:]


@pytest.mark.slow
def test_an_order_is_placed_by_a_click_in_the_ladder_and_the_key_kills_it(demo: RealWindow) -> None:
    spread_rows(demo)
    rows = demo.prices()
    price = rows[len(rows) * 3 // 4]
    demo.click(f"ladder_view/{price}", at=BIDS)
    demo.wait_for("ladder_send")
    demo.picture("ladder_asked")
    assert demo.orders() == []  # unarmed, it waits for a yes
    demo.click("ladder_send")
    demo.until(lambda: standing(demo) == [number(price)], 40)
    size = float(demo.orders()[-1]["quantity"])
    demo.until(lambda: demo.resting_at("BTCUSDT", number(price)) >= size)
    demo.click("arm")
    demo.click(f"ladder_view/{rows[-1]}", at=BIDS)  # armed, one click is one order
    demo.until(lambda: standing(demo) == [number(price), number(rows[-1])], 40)
    demo.key("ctrl+shift+k")
    demo.wait_for("kill_text", lambda report: "All of them have ended" in report["text"], 40)
    demo.picture("killed")
    assert standing(demo) == []
    demo.until(lambda: demo.resting_at("BTCUSDT", number(price)) < size)
    assert demo.ask("status")["blocks"][0]["killed"]
    assert demo.close() == 0, demo.log()[-2000:]


@pytest.mark.slow
def test_a_close_while_an_order_rests_asks_and_does_what_is_chosen(demo: RealWindow) -> None:
    price = rest_far_below(demo, "0.01234")
    demo.until(lambda: demo.resting_at("BTCUSDT", number(price)) >= 0.01234)
    demo.key("alt+F4")
    demo.wait_for("close_dialog")
    demo.picture("close_asked")
    demo.click("close_go_on")  # nothing chosen: it stays
    demo.until(lambda: "close_dialog" not in demo.places())
    assert "main_window" in demo.places()
    demo.key("alt+F4")
    demo.click("close_headless", at=IN_FRONT)
    demo.click("close_go_on")
    demo.until(lambda: "main_window" not in demo.places())
    assert demo.ask("status")["state"] == "running"
    assert standing(demo) == [number(price)]
    assert demo.resting_at("BTCUSDT", number(price)) >= 0.01234
    assert demo.close() == 0, demo.log()[-2000:]
    assert demo.ask("status")["state"] == "ended"


@pytest.mark.slow
def test_a_close_that_stops_ends_strategies_by_their_policy_and_the_platform_with_them(demo: RealWindow) -> None:
    start_a_strategy(demo)
    demo.key("alt+F4")
    demo.click("close_stop", at=IN_FRONT)
    demo.click("close_go_on")
    assert demo.desktop is not None
    assert demo.desktop.wait(60) == 0, demo.log()[-2000:]
    told = json.loads(demo.log().splitlines()[-1])
    assert {one["strategy_id"]: one["stage"] for one in told["strategies"]}["market_making"] == "stopped"
    assert told["open_orders"] == []  # its policy: cancel all


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
    start_a_strategy(demo)
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
    demo.wait_for("light-demo", connected, 60)


# --- what is done more than once ------------------------------------------------------------------------------------


def connected(light: dict[str, Any]) -> bool:
    """Tell whether a light says how old the newest message is."""
    return "ms" in light["text"] or " s" in light["text"]


def rest_far_below(window: RealWindow, size: str) -> str:
    """Let the ladder's rows be far apart, and rest an order on one of them by the ticket; return its price as the row has it."""
    spread_rows(window)
    return window.rest_from_ticket(size)


def spread_rows(window: RealWindow) -> None:
    """Let the ladder's rows be as far apart as they can be."""
    window.click("ladder_group")
    window.key("End", "Return")
    window.prices(least_step=5.0)


def start_a_strategy(window: RealWindow) -> None:
    """Start market_making in the workspace of strategies."""
    window.key("ctrl+2")
    window.click("strategies_table/0", at=(0.2, 0.5))
    window.wait_for("strategy_start", lambda button: bool(button["enabled"]))
    window.click("strategy_start")
    window.until(lambda: {"market_making": "running"}.items() <= stages(window).items(), 30)


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


def stages(window: RealWindow) -> dict[str, str]:
    """How each strategy stands."""
    return {one["strategy_id"]: one["state"] for one in window.ask("status")["strategies"]}
