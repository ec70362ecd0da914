"""The recorded frames of Aster and Hyperliquid through their taps."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from foxtrot.adapter.ccxt.venue import Confirmed, Quote, Stream
from foxtrot.adapter.ccxt.venues import aster, hyperliquid
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthData, MarketTrade


def context(url: str = "", **names: str) -> Any:
    def find(market_id: str, product: str = "") -> str | None:
        return names.get(f"{product}{market_id}")

    return SimpleNamespace(now_ns=1, url=url, number=1, find=find)


def test_asters_best_prices_and_prints_are_read_and_its_depth_is_ccxts(data_dir: Path) -> None:
    lines = (data_dir / "aster" / "ws_hypeusdt.jsonl").read_text("utf-8").splitlines()
    depth, best, traded = (json.loads(line) for line in lines)
    known = context("ws://127.0.0.1:1/fstream.asterdex.com/stream", swapHYPEUSDT="HYPEUSDT.ASTER")
    assert aster.tap(depth, known) is None
    assert aster.tap(best, known) == (
        Quote("HYPEUSDT.ASTER", 1790235498250_000_000, 1, 562456609360, 94.672, 136.45, 94.698, 116.31),
    )
    assert aster.tap(traded, known) == (
        MarketTrade("HYPEUSDT.ASTER", 1790235498150_000_000, 1, "18581250", 94.685, 331.46, Side.SELL),
    )
    spot = context("ws://127.0.0.1:1/sstream.asterdex.com/stream", spotHYPEUSDT="HYPEUSDT.ASTER_SPOT")
    assert aster.tap(best, spot)[0].instrument_id == "HYPEUSDT.ASTER_SPOT"  # type: ignore[index]
    assert aster.tap({"result": None, "id": 1}, known) is None
    assert aster.tap(best, context("fstream")) == ()


def test_hyperliquids_recorded_book_is_read_whole(data_dir: Path) -> None:
    with gzip.open(data_dir / "hyperliquid" / "rest_state_orders.jsonl.gz", "rt", encoding="utf-8") as file:
        recorded = [json.loads(line) for line in file]
    answer = next(row["response"] for row in recorded if row["request"]["type"] == "l2Book")
    (found,) = hyperliquid.tap({"channel": "l2Book", "data": answer}, context(DYDX="DYDXUSDC.HYPERLIQUID")) or ()
    assert isinstance(found, DepthData)
    assert (len(found.bids), len(found.asks)) == (20, 20)
    assert found.bids[0] == (2.111, 134.4)
    assert found.bids[0][0] < found.asks[0][0]
    assert [price for price, _ in found.bids] == sorted((price for price, _ in found.bids), reverse=True)


def test_hyperliquids_answers_to_subscriptions() -> None:
    known = context(BTC="BTCUSDC.HYPERLIQUID")

    def answer(method: str, kind: str) -> Any:
        wanted = {"method": method, "subscription": {"type": kind, "coin": "BTC"}}
        return hyperliquid.tap({"channel": "subscriptionResponse", "data": wanted}, known)

    assert answer("subscribe", "l2Book") == (Confirmed("BTCUSDC.HYPERLIQUID", Stream.BOOK),)
    assert answer("subscribe", "bbo") == (Confirmed("BTCUSDC.HYPERLIQUID", Stream.QUOTE),)
    assert answer("unsubscribe", "l2Book") is None
    assert answer("subscribe", "candle") is None
    assert hyperliquid.tap({"channel": "pong"}, known) is None


def test_hyperliquids_sides_and_empty_sides() -> None:
    known = context(BTC="B")
    row = {"coin": "BTC", "side": "A", "px": "68517.0", "sz": "0.005", "time": 5, "hash": "0x", "tid": 7}
    (sold,) = hyperliquid.tap({"channel": "trades", "data": [row]}, known) or ()
    assert sold == MarketTrade("B", 5_000_000, 1, "7", 68517.0, 0.005, Side.SELL)
    bbo = {"coin": "BTC", "time": 5, "bbo": [None, {"px": "2", "sz": "3", "n": 1}]}
    assert hyperliquid.tap({"channel": "bbo", "data": bbo}, known) == (Quote("B", 5_000_000, 1, 5, 0.0, 0.0, 2.0, 3.0),)


def test_hyperliquids_price_step_is_of_the_size_decimals() -> None:
    step = hyperliquid.VENUE.price_step
    assert step is not None
    assert step({"swap": True, "precision": {"amount": 1e-05}}) == "0.1"
    assert step({"swap": True, "precision": {"amount": 1.0}}) == "0.000001"
    assert step({"swap": False, "precision": {"amount": 0.01}}) == "0.000001"
