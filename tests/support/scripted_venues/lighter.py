"""Lighter's perpetual of CRV: recorded frames of its book, prints and ticker, changed as the venue would."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

HOST = "/mainnet.zklighter.elliot.ai"
DETAILS = {
    "symbol": "CRV", "market_id": 36, "market_type": "perp", "status": "active", "taker_fee": "0.0000", "maker_fee": "0.0000",
    "min_base_amount": "1.0", "min_quote_amount": "10.000000", "size_decimals": 1, "price_decimals": 5, "quote_multiplier": 1,
    "last_trade_price": 0.20382,
}  # fmt: skip
CHANNELS = {"order_book": "book", "trade": "trade", "ticker": "quote"}


class LighterScript(VenueScript):
    """The best levels, nonces and times of a recording of mainnet on 2026-07-29."""

    exchange = "lighter"
    instrument_id = "CRVUSDC.LIGHTER"
    evidence = "recorded: mainnet order_book:36, trade:36 and ticker:1 of 2026-07-28 and 29"
    price = ("0.20355", "0.20379")
    size = ("1915.0", "25374.8")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {"0.20351": "25775.2", "0.20334": "47502.5", "0.20315": "25775.2", "0.20129": "200.4"}
        self.asks = {"0.20382": "7816.7", "0.20383": "1915.0", "0.20391": "18240.6", "0.20421": "25374.8"}
        self.nonce = 18032383898
        self.offset = 415803
        self.trade_id = 26412422124
        self.time_ms = 1785358812048

    def rest(self, asked: Asked) -> Any:
        """Answer for markets, orders of the book, prints and candles."""
        match asked.path.removeprefix(f"{HOST}/api/v1/"):
            case "orderBookDetails":
                return {"code": 200, "order_book_details": [DETAILS], "spot_order_book_details": []}
            case "orderBookOrders":
                bids, asks = self.sorted_levels()
                most = int(asked.query["limit"])
                return {"code": 200, "bids": _orders(bids)[:most], "asks": _orders(asks)[:most]}
            case "recentTrades":
                return {"code": 200, "trades": [self._print(Side.BUY, "0.20382", "0.7")]}
            case "candles":
                start_ms, step = int(asked.query["start_timestamp"]), 60_000
                opens = range(start_ms - start_ms % step, int(asked.query["end_timestamp"]), step)
                return {
                    "code": 200,
                    "r": "1m",
                    "c": [{"t": t, "o": 0.2, "h": 0.3, "l": 0.1, "c": 0.25, "v": 5.0} for t in opens],
                }
        raise LookupError(asked.path)

    def greet(self) -> list[Any]:
        """Say that the connection stands."""
        return [{"session_id": "8d354239-80e0-4b77-8763-87b6fef2f768", "type": "connected"}]

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer a subscription by the whole book or by past prints."""
        if frame.get("type") not in ("subscribe", "unsubscribe"):
            return []
        name = frame["channel"].partition("/")[0]
        stream, channel = CHANNELS[name], frame["channel"].replace("/", ":")
        if frame["type"] == "unsubscribe":
            subscribed.discard(stream)
            return [{"type": "unsubscribed", "channel": channel}]
        if stream in subscribed:
            return [{"error": {"code": 30003, "message": f"Already Subscribed to : {channel}"}}]
        subscribed.add(stream)
        match stream:
            case "book":
                return [self.snapshot()]
            case "trade":
                return [self._trades("subscribed/trade", [self._print(Side.BUY, "0.20382", "0.7")])]
        return [self.quote()]

    def snapshot(self) -> Any:
        """Return the frame that follows a subscription."""
        return self._book("subscribed/order_book", *self.sorted_levels(), 0)

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level; nonces leap, for they count the whole venue."""
        self.set_level(side, price, size)
        before, self.nonce = self.nonce, self.nonce + 108
        self.offset += 1
        rows = [(price, size)]
        return self._book("update/order_book", *((rows, []) if side is Side.BUY else ([], rows)), before)

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_id += 1
        return str(self.trade_id), self._trades("update/trade", [self._print(side, price, size)])

    def quote(self) -> Any:
        """Return the best level a side."""
        bids, asks = self.sorted_levels()
        best = {"s": "CRV", "a": _level(asks[0]), "b": _level(bids[0])}
        return {
            "channel": "ticker:36", "last_updated_at": self.time_ms * 1_000, "nonce": self.nonce, "ticker": best, "timestamp": self.time_ms,
            "type": "update/ticker",
        }  # fmt: skip

    def _book(self, kind: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]], before: int) -> Any:
        self.time_ms += 50
        book = {
            "code": 0, "asks": [_level(row) for row in asks], "bids": [_level(row) for row in bids], "offset": self.offset,
            "nonce": self.nonce, "last_updated_at": self.time_ms * 1_000, "begin_nonce": before,
        }  # fmt: skip
        return {
            "channel": "order_book:36", "last_updated_at": self.time_ms * 1_000, "offset": self.offset, "order_book": book,
            "timestamp": self.time_ms + 10, "type": kind,
        }  # fmt: skip

    def _trades(self, kind: str, rows: list[Any]) -> Any:
        return {"channel": "trade:36", "liquidation_trades": [], "nonce": self.nonce, "trades": rows, "type": kind}

    def _print(self, side: Side, price: str, size: str) -> Any:
        return {
            "trade_id": self.trade_id, "trade_id_str": str(self.trade_id), "type": "trade", "market_id": 36, "size": size, "price": price,
            "is_maker_ask": side is Side.BUY, "timestamp": self.time_ms,
        }  # fmt: skip


def _level(row: tuple[str, str]) -> Any:
    return {"price": row[0], "size": row[1]}


def _orders(levels: list[tuple[str, str]]) -> list[Any]:
    """Two orders at every price, as a list of orders has them."""
    return [
        {"order_index": 1, "price": price, "remaining_base_amount": f"{float(size) / 2:.6f}"}
        for price, size in levels
        for _ in range(2)
    ]


SCRIPT = LighterScript
