"""Somebody who looks and does not trade: streams and past bars of an account's venue."""

from foxtrot.core.commands import AskHistory, WatchMarket
from foxtrot.core.notices import HistoryLoaded, RequestFailed
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.strategy.market_wishes import MarketWishes
from tests.support.builders import ACCOUNT, T0, TradingFloor

REQUEST = HistoryRequest("chart-1", "BTCUSDT.PERP", "1m", 100, T0)


def a_floor() -> TradingFloor:
    made = TradingFloor()
    MarketWishes(made.dispatcher, made.adapters)
    return made


def test_what_is_looked_at_is_asked_of_its_account() -> None:
    made = a_floor()
    made.put(WatchMarket(ACCOUNT, SubscribeRequest("BTCUSDT.PERP", depth_levels=20)), AskHistory(ACCOUNT, REQUEST))
    assert made.adapter.asked == ["subscribe BTCUSDT.PERP", "history BTCUSDT.PERP"]


def test_an_account_that_is_not_there_is_named() -> None:
    made = a_floor()
    made.put(WatchMarket("nobody", SubscribeRequest("BTCUSDT.PERP")), AskHistory("nobody", REQUEST))
    (failed,) = made.heard(RequestFailed)
    (loaded,) = made.heard(HistoryLoaded)
    assert failed.what == "subscribe BTCUSDT.PERP"  # type: ignore[attr-defined]
    assert "nobody" in failed.error  # type: ignore[attr-defined]
    assert (loaded.request_id, "nobody" in loaded.error) == ("chart-1", True)  # type: ignore[attr-defined]
