"""Kraken's spot market BTC/USD over WebSocket v2: frames as recorded on 2026-10-06."""

from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, Levels, VenueScript

PAIR = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT", "aclass_quote": "currency", "quote": "ZUSD",
    "lot": "unit", "cost_decimals": 5, "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2, 3],
    "leverage_sell": [2, 3], "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "fee_volume_currency": "ZUSD", "margin_call": 80,
    "margin_stop": 40, "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": "online",
}  # fmt: skip
ASSETS = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5, "status": "enabled"},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2, "status": "enabled"},
}
STATUS = {
    "channel": "status",
    "type": "update",
    "data": [{"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 1743042658499070000}],
}
STREAMS = {"book": "book", "ticker": "quote", "trade": "trade"}


class KrakenScript(VenueScript):
    """A recorded snapshot, whose checksum and those of the four changes after it come out of `checksum` here."""

    exchange = "kraken"
    instrument_id = "BTCUSD.KRAKEN"
    evidence = "recorded: ccxt ts/src/test/static/ws/kraken.json (book, ticker, trade)"
    price = ("85600.1", "85600.7")
    size = ("0.12345678", "1.50000000")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {
            "85600.4": "0.20401971", "85599.6": "0.04385864", "85599.5": "0.17523456", "85597.8": "0.00005000", "85597.7": "2.92063885",
            "85596.3": "0.00005100", "85595.8": "0.00596174", "85595.2": "0.58888844", "85593.6": "2.92077632", "85592.0": "0.00005100",
        }  # fmt: skip
        self.asks = {
            "85600.5": "0.90679198", "85601.6": "0.21608516", "85601.7": "2.92050281", "85602.1": "0.00023300", "85603.0": "0.00770000",
            "85603.7": "2.92043523", "85604.4": "0.87632208", "85604.8": "0.00005100", "85606.2": "0.00116814", "85607.7": "2.92029921",
        }  # fmt: skip
        self.time_us = 1791273896000569
        self.trade_id = 4665905
        self.depth = 10
        self.frames = 0

    def greet(self) -> list[Any]:
        """Say that the system is online."""
        return [STATUS]

    def rest(self, asked: Asked) -> Any:
        """Answer for pairs, assets and the book, which has no id."""
        match asked.path:
            case "/api.kraken.com/0/public/AssetPairs":
                return _result({"XXBTZUSD": PAIR})
            case "/api.kraken.com/0/public/Assets":
                return _result(ASSETS)
            case "/api.kraken.com/0/public/Depth":
                bids, asks = self.sorted_levels()
                best, time_s = int(asked.query.get("count", "100")), self.time_us // 1_000_000
                sides = {
                    "asks": [[*row, time_s] for row in asks[:best]],
                    "bids": [[*row, time_s] for row in bids[:best]],
                }
                return _result({"XXBTZUSD": sides})
        raise LookupError(asked.path)

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer each symbol by itself; a snapshot follows the one of the book."""
        method, asked = frame["method"], frame.get("params", {})
        if method == "ping":
            return [{"method": "pong", "time_in": self._time(), "time_out": self._time()}]
        stream = STREAMS[asked["channel"]]
        result = {"channel": asked["channel"], "symbol": "BTC/USD"}
        if method == "unsubscribe":
            subscribed.discard(stream)
        else:
            subscribed.add(stream)
            result["snapshot"] = True
        if stream == "book":
            self.depth = result["depth"] = asked.get("depth", 10)
        answer = {"method": method, "req_id": frame["req_id"], "result": result, "success": True}
        answers: list[Any] = [{**answer, "time_in": self._time(), "time_out": self._time()}]
        return answers + ([self.snapshot()] if stream == "book" and method == "subscribe" else [])

    def snapshot(self) -> Any:
        """Return the frame that follows a subscription."""
        return self._book("snapshot", *self._seen())

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level; one that comes into the depth thereby is told, one that falls out of it is not.

        Source: Kraken, guide "Book checksum (v2)", "Maintaining the book".
        """
        before = self._seen()
        self.set_level(side, price, size)
        told = [
            [row for row in now if was.get(row[0]) != row[1]]
            + [(gone, "0") for gone in was if gone == price and gone not in dict(now)]
            for was, now in zip(map(dict, before), self._seen(), strict=True)
        ]
        return self._book("update", *told)

    def book(self) -> tuple[Levels, Levels]:
        """Return what a client may know: the levels of the depth that was asked for last."""
        bids, asks = super().book()
        return bids[: self.depth], asks[: self.depth]

    def checksum(self) -> int:
        """Return the checksum of the ten best levels a side.

        Source: Kraken, guide "Book checksum (v2)".
        """
        bids, asks = self.sorted_levels()
        figures = [figure.replace(".", "").lstrip("0") for row in asks[:10] + bids[:10] for figure in row]
        return crc32("".join(figures).encode())

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_id += 1
        row = {
            "symbol": "BTC/USD", "side": side.value.lower(), "price": float(price), "qty": float(size), "ord_type": "market",
            "trade_id": self.trade_id, "timestamp": self._time(),
        }  # fmt: skip
        return str(self.trade_id), {"channel": "trade", "type": "update", "data": [row]}

    def quote(self) -> Any:
        """Return the best level a side, with the totals that come along."""
        (bid, *_), (ask, *_) = self.sorted_levels()
        row = {
            "symbol": "BTC/USD", "bid": float(bid[0]), "bid_qty": float(bid[1]), "ask": float(ask[0]), "ask_qty": float(ask[1]),
            "last": float(ask[0]), "volume": 1020.88387727, "vwap": 63685.7, "low": 63250, "high": 64409.2, "change": 0.7,
            "change_pct": 0, "trades": 47535, "timestamp": self._time(),
        }  # fmt: skip
        return {"channel": "ticker", "type": "update", "data": [row]}

    def _book(self, kind: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> Any:
        """Return a frame; the clock moves at every second one only, as two recorded changes in a row have one time."""
        self.frames += 1
        self.time_us += 130_000 * (self.frames % 2)
        sides = {"bids": [_level(row) for row in bids], "asks": [_level(row) for row in asks]}
        row = {"symbol": "BTC/USD", **sides, "checksum": self.checksum(), "timestamp": self._time()}
        return {"channel": "book", "type": kind, "data": [row]}

    def _seen(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        bids, asks = self.sorted_levels()
        return bids[: self.depth], asks[: self.depth]

    def _time(self) -> str:
        time_us = self.time_us & ~1
        return (
            datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            + f".{time_us % 1_000_000:06}Z"
        )


def _level(row: tuple[str, str]) -> dict[str, float]:
    return {"price": float(row[0]), "qty": float(row[1])}


def _result(result: Any) -> Any:
    return {"error": [], "result": result}


SCRIPT = KrakenScript
