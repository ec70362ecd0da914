"""Backpack's spot market SOL_USDC: frames as recorded in January 2025, a REST book as documented."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

MARKET = {
    "symbol": "SOL_USDC", "baseSymbol": "SOL", "quoteSymbol": "USDC", "marketType": "SPOT", "orderBookState": "Open",
    "createdAt": "2025-01-21T06:34:54.691858",
    "filters": {
        "price": {"minPrice": "0.01", "maxPrice": None, "tickSize": "0.01"},
        "quantity": {"minQuantity": "0.01", "maxQuantity": None, "stepSize": "0.01"},
    },
}  # fmt: skip
STREAMS = {"depth": "book", "bookTicker": "quote", "trade": "trade"}


class BackpackScript(VenueScript):
    """A change spans several ids; subscriptions are not answered; the REST book lists its bids from the lowest up."""

    exchange = "backpack"
    instrument_id = "SOLUSDC.BACKPACK"
    evidence = "recorded frames of depth, bookTicker and trade; documented: Backpack Exchange API, Depth (REST)"
    price = ("218.55", "218.70")
    size = ("1.50", "22.35")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {"218.58": "56.02", "218.50": "0.07", "218.12": "0.02", "214.07": "21.41"}
        self.asks = {"218.61": "19.60", "219.00": "2.98", "219.42": "6.00", "220.00": "0.13"}
        self.last_id = 1802083133
        self.trade_id = 341399898
        self.time_us = 1736172778151673

    def rest(self, asked: Asked) -> Any:
        """Answer for markets, what belongs to them, and the book."""
        match asked.path.removeprefix("/api.backpack.exchange/api/v1/"):
            case "markets":
                return [MARKET]
            case "assets" | "securities":
                return []
            case "depth":
                bids, asks = self.sorted_levels()
                best = int(asked.query.get("limit", "1000"))
                sides = {
                    "asks": [list(row) for row in asks[:best]],
                    "bids": [list(row) for row in reversed(bids[:best])],
                }
                return {**sides, "lastUpdateId": str(self.last_id), "timestamp": self.time_us}
        raise LookupError(asked.path)

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Note the streams without a word."""
        for name in frame["params"]:
            stream = STREAMS[name.partition(".")[0]]
            (subscribed.add if frame["method"] == "SUBSCRIBE" else subscribed.discard)(stream)
        return []

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level, by three ids at once."""
        self.set_level(side, price, size)
        first, self.last_id = self.last_id + 1, self.last_id + 3
        levels = {"a": [], "b": [], "b" if side is Side.BUY else "a": [[price, size]]}
        return self._event("depth", {**levels, "U": first, "u": self.last_id})

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_id += 1
        ids = {"a": "113782701997686784", "b": "113782700596854784", "t": self.trade_id}
        return str(self.trade_id), self._event("trade", {**ids, "m": side is Side.SELL, "p": price, "q": size})

    def quote(self) -> Any:
        """Return the best level a side."""
        (bid, *_), (ask, *_) = self.sorted_levels()
        return self._event("bookTicker", {"A": ask[1], "B": bid[1], "a": ask[0], "b": bid[0], "u": self.last_id})

    def _event(self, kind: str, data: dict[str, Any]) -> Any:
        self.time_us += 200_000
        event = {"E": self.time_us + 10_914, "T": self.time_us, "e": kind, "s": "SOL_USDC", **data}
        return {"data": event, "stream": f"{kind}.SOL_USDC"}


SCRIPT = BackpackScript
