"""A run that a desktop looked at is played again without one: what the window notes for itself is no part of the run."""

from pathlib import Path

from foxtrot.app.config import load_config
from foxtrot.app.desktop_answers import DesktopAnswers
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.replay import replay_run
from foxtrot.app.run_recording import RunRecording
from foxtrot.core.commands import ClosePosition, RenewLink, SendProtectedOrder, WatchMarket
from foxtrot.core.notices import TimerFired, TradeBooked
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.waiting import wait_until

NAME = "BTCUSDT.BINANCE_USDM"
CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }
"""


def test_a_run_under_a_desktop_replays_equal(tmp_path: Path) -> None:
    file = tmp_path / "foxtrot.toml"
    file.write_text(CONFIG)
    config = load_config(file)
    around = RunRecording(config, tmp_path)
    platform = MainEngine(config, tmp_path, around=around)
    DesktopAnswers(platform)
    fired: list[TimerFired] = []
    booked: list[TradeBooked] = []
    platform.line.dispatcher.subscribe(TimerFired, fired.append, owner="test")
    platform.line.dispatcher.subscribe(TradeBooked, booked.append, owner="test")
    platform.start()
    try:
        assert platform.all_ready.wait(10)
        platform.put(WatchMarket("paper", SubscribeRequest(NAME)))
        wait_until(lambda: platform.ask(lambda: platform.line.view.mark(NAME)) is not None)
        order = OrderRequest(NAME, "paper", Side.BUY, OrderType.MARKET, 0.01)
        platform.put(SendProtectedOrder(order, "manual", stop=1000.0))
        wait_until(lambda: len(booked) > 0)
        for quantity, reverse in ((0.005, False), (0.0, True)):
            before = len(booked)
            platform.put(ClosePosition("manual", "paper", NAME, quantity=quantity, reverse=reverse))
            wait_until(lambda: len(booked) > before + reverse)  # noqa: B023
        platform.put(RenewLink("paper", "a test"))
        wait_until(lambda: len(fired) > 4)
    finally:
        platform.stop()
    result = replay_run(around.folder)
    assert (result.difference, result.equal, result.damage) == (None, True, "")
    assert result.intents >= 6
