"""Aster's perpetual HYPEUSDT: recorded frames of its bookTicker, depth20 and aggTrade, changed as the venue would."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

SYMBOL = {
    "symbol": "HYPEUSDT", "pair": "HYPEUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "HYPE",
    "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 5, "quantityPrecision": 2,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.00100", "maxPrice": "100000", "tickSize": "0.00100"},
        {"filterType": "LOT_SIZE", "minQty": "0.01", "maxQty": "100000", "stepSize": "0.01"},
    ],
}  # fmt: skip
STREAMS = {"depth20": "book", "aggTrade": "trade", "bookTicker": "quote"}


class AsterScript(VenueScript):
    """The best levels, ids and times of a recording of 2026-09-24."""

    exchange = "aster"
    instrument_id = "HYPEUSDT.ASTER"
    evidence = "recorded: hypeusdt@depth20@100ms, @bookTicker and @aggTrade of 2026-09-24, the depth cut to two levels"
    has_gaps = False
    price = ("94.674", "94.691")
    size = ("136.45", "116.31")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {"94.673": "31.00", "94.672": "135.67"}
        self.asks = {"94.693": "227.81", "94.698": "116.31"}
        self.update_id = 562456610292
        self.trade_id = 18581250
        self.time_ms = 1790235498300

    def rest(self, asked: Asked) -> Any:
        """Answer for both lists of symbols, the book and prints."""
        match asked.path:
            case "/sapi.asterdex.com/api/v3/exchangeInfo":
                return {"symbols": []}
            case "/fapi.asterdex.com/fapi/v3/exchangeInfo":
                return {"symbols": [SYMBOL]}
            case "/fapi.asterdex.com/fapi/v3/depth":
                bids, asks = self.sorted_levels()
                return {
                    "lastUpdateId": self.update_id,
                    "E": self.time_ms,
                    "T": self.time_ms,
                    "bids": bids,
                    "asks": asks,
                }
            case "/fapi.asterdex.com/fapi/v3/trades":
                return []
        raise LookupError(asked.path)

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer as Binance does, whose protocol this is; a depth stream begins at once."""
        answers: list[Any] = [{"result": None, "id": frame.get("id")}]
        for name in frame["params"]:
            stream = STREAMS[name.partition("@")[2].partition("@")[0]]
            if frame["method"] == "UNSUBSCRIBE":
                subscribed.discard(stream)
                continue
            subscribed.add(stream)
            answers += [self._depth()] if stream == "book" else []
        return answers

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level, and tell the best levels whole."""
        self.set_level(side, price, size)
        self.update_id += 2384
        self.time_ms += 100
        return self._depth()

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_id += 1
        data = {
            "e": "aggTrade", "E": self.time_ms, "a": self.trade_id, "s": "HYPEUSDT", "p": price, "q": size, "f": 1, "l": 1,
            "T": self.time_ms, "m": side is Side.SELL,
        }  # fmt: skip
        return str(self.trade_id), {"stream": "hypeusdt@aggTrade", "data": data}

    def quote(self) -> Any:
        """Return the best level a side."""
        bids, asks = self.sorted_levels()
        data = {
            "e": "bookTicker", "u": self.update_id, "s": "HYPEUSDT", "b": bids[0][0], "B": bids[0][1], "a": asks[0][0],
            "A": asks[0][1], "T": self.time_ms, "E": self.time_ms,
        }  # fmt: skip
        return {"stream": "hypeusdt@bookTicker", "data": data}

    def _depth(self) -> Any:
        bids, asks = self.sorted_levels()
        data = {
            "e": "depthUpdate", "E": self.time_ms, "T": self.time_ms, "s": "HYPEUSDT", "U": self.update_id - 2384,
            "u": self.update_id, "pu": self.update_id - 2385, "b": bids[:20], "a": asks[:20],
        }  # fmt: skip
        return {"stream": "hypeusdt@depth20", "data": data}


SCRIPT = AsterScript
