"""Bybit's linear contract BTCUSDT: frames as recorded on 2026-08-12."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

INSTRUMENT = {
    "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT",
    "launchTime": "1585526400000", "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {"maxOrderQty": "1190.000", "minOrderQty": "0.001", "qtyStep": "0.001", "minNotionalValue": "5"},
    "unifiedMarginTrade": True, "fundingInterval": 480, "settleCoin": "USDT", "copyTrading": "both",
}  # fmt: skip
STREAMS = {"orderbook": "book", "publicTrade": "trade"}
WINDOW = 50


class BybitScript(VenueScript):
    """The best levels of a recorded snapshot, with its ids; the answer to a subscription does not say to what."""

    exchange = "bybit"
    instrument_id = "BTCUSDT.BYBIT_SWAP"
    evidence = "recorded: ccxt ts/src/test/static/ws/bybit.json, linear orderbook.50; publicTrade"
    streams = frozenset({"book", "trade"})
    price = ("63982.40", "63983.00")
    size = ("0.250", "1.500")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {
            "63982.70": "6.408",
            "63982.60": "0.001",
            "63982.50": "0.005",
            "63982.30": "0.001",
            "63981.90": "0.002",
        }
        self.asks = {
            "63982.80": "5.015",
            "63982.90": "0.001",
            "63983.70": "0.002",
            "63983.80": "0.168",
            "63983.90": "1.501",
        }
        self.u = 53935309
        self.seq = 760578520138
        self.time_ms = 1786540345129
        self.trades = 0

    def rest(self, asked: Asked) -> Any:
        """Answer for instruments and the book."""
        match asked.path:
            case "/api.bybit.com/v5/market/instruments-info":
                category = asked.query["category"]
                listed = [INSTRUMENT] if category == "linear" and "status" not in asked.query else []
                return _result({"category": category, "list": listed, "nextPageCursor": ""})
            case "/api.bybit.com/v5/market/orderbook":
                levels = self._levels(int(asked.query["limit"]))
                return _result(
                    {"s": "BTCUSDT", **levels, "ts": self.time_ms, "u": self.u, "seq": self.seq, "cts": self.time_ms}
                )
        raise LookupError(asked.path)

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer a request as a whole; a snapshot follows the one of the book."""
        said = "pong" if frame["op"] == "ping" else ""
        answers: list[Any] = [
            {
                "success": True,
                "ret_msg": said,
                "conn_id": "d9avsh3fo0jvsls9d82g-5m9jh",
                "req_id": str(frame["req_id"]),
                "op": frame["op"],
            }
        ]
        for topic in frame.get("args", ()):
            name, _, which = topic.partition(".")
            if frame["op"] == "subscribe":
                subscribed.add(STREAMS[name])
                answers += [self.snapshot()] if name == "orderbook" else []
            elif which in ("BTCUSDT", f"{WINDOW}.BTCUSDT"):
                subscribed.discard(STREAMS[name])
        return answers

    def snapshot(self) -> Any:
        """Return the frame that follows a subscription."""
        return self._orderbook("snapshot", self._levels(WINDOW))

    def restart(self) -> Any:
        """Count from 1, as after a restart of the service, and return the snapshot that says so."""
        self.u = 1
        return self.snapshot()

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level."""
        self.set_level(side, price, size)
        self.u, self.seq = self.u + 1, self.seq + 517
        return self._orderbook("delta", {"b": [], "a": [], "b" if side is Side.BUY else "a": [[price, size]]})

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trades += 1
        trade_id = f"0b7a6c9e-3f5d-5b0a-9b0e-{self.trades:012}"
        row = {
            "T": self.time_ms, "s": "BTCUSDT", "S": "Buy" if side is Side.BUY else "Sell", "v": size, "p": price, "L": "PlusTick",
            "i": trade_id, "BT": False, "RPI": False, "seq": self.seq,
        }  # fmt: skip
        return trade_id, {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": self.time_ms, "data": [row]}

    def quote(self) -> Any:
        """Return the recorded frame of another topic, which nobody subscribes, since ticks are made of the book."""
        return {**self._orderbook("snapshot", self._levels(1)), "topic": "orderbook.1.BTCUSDT"}

    def _orderbook(self, kind: str, levels: dict[str, Any]) -> Any:
        self.time_ms += 20
        data = {"s": "BTCUSDT", **levels, "u": self.u, "seq": self.seq}
        return {
            "topic": f"orderbook.{WINDOW}.BTCUSDT",
            "type": kind,
            "ts": self.time_ms,
            "data": data,
            "cts": self.time_ms - 2,
        }

    def _levels(self, best: int) -> dict[str, Any]:
        bids, asks = self.sorted_levels()
        return {"b": [list(row) for row in bids[:best]], "a": [list(row) for row in asks[:best]]}


def _result(result: Any) -> Any:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1786540345200}


SCRIPT = BybitScript
