"""Hyperliquid's perpetual of DYDX: a recorded book; frames around it as documented."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

UNIVERSE = {"name": "DYDX", "szDecimals": 1, "maxLeverage": 50}
CONTEXT = {"markPx": "2.1114", "midPx": "2.1114", "oraclePx": "2.1112", "funding": "0.0000125", "openInterest": "1.0"}
STREAMS = {"l2Book": "book", "trades": "trade", "bbo": "quote"}


class HyperliquidScript(VenueScript):
    """The best levels of a recorded answer of l2Book, of 2023-07-17; the numbers of orders at a level are made up."""

    exchange = "hyperliquid"
    instrument_id = "DYDXUSDC.HYPERLIQUID"
    evidence = "recorded: answer of l2Book of mainnet, 2023-07-17; documented: frames of subscriptions, bbo, trades"
    has_gaps = False
    price = ("2.1111", "2.1117")
    size = ("134.4", "1379.2")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {"2.111": "134.4", "2.1105": "141.1", "2.1104": "125.8", "2.1081": "1379.2"}
        self.asks = {"2.1118": "100.5", "2.112": "260.2", "2.1142": "1417.0", "2.1163": "2800.9"}
        self.time_ms = 1785358812000
        self.trade_id = 981894269203506

    def rest(self, asked: Asked) -> Any:
        """Answer questions to the info endpoint."""
        match asked.body["type"]:
            case "metaAndAssetCtxs":
                return [{"universe": [UNIVERSE]}, [CONTEXT]]
            case "spotMetaAndAssetCtxs":
                return [{"universe": [], "tokens": []}, []]
            case "perpDexs":
                return [None]
            case "spotMeta":
                return {"universe": [], "tokens": []}
            case "l2Book":
                return self._book()["data"]
        raise LookupError(asked.body["type"])

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer a subscription by its echo, and by what there is at once."""
        if frame["method"] == "ping":
            return [{"channel": "pong"}]
        wanted = frame["subscription"]
        stream, answer = STREAMS[wanted["type"]], {"channel": "subscriptionResponse", "data": frame}
        if frame["method"] == "unsubscribe":
            subscribed.discard(stream)
            return [answer]
        subscribed.add(stream)
        first = {"book": self._book, "quote": self.quote}.get(stream)
        return [answer, first()] if first is not None else [answer]

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level, and tell the whole book."""
        self.set_level(side, price, size)
        self.time_ms += 500
        return self._book()

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_id += 1
        row = {
            "coin": "DYDX", "side": "B" if side is Side.BUY else "A", "px": price, "sz": size, "time": self.time_ms, "hash": "0xc8",
            "tid": self.trade_id, "users": ["0x1", "0x2"],
        }  # fmt: skip
        return str(self.trade_id), {"channel": "trades", "data": [row]}

    def quote(self) -> Any:
        """Return the best level a side."""
        bids, asks = self.sorted_levels()
        best = [_level(bids[0]), _level(asks[0])]
        return {"channel": "bbo", "data": {"coin": "DYDX", "time": self.time_ms, "bbo": best}}

    def _book(self) -> Any:
        levels = [[_level(row) for row in side[:20]] for side in self.sorted_levels()]
        return {"channel": "l2Book", "data": {"coin": "DYDX", "time": self.time_ms, "levels": levels}}


def _level(row: tuple[str, str]) -> Any:
    return {"px": row[0], "sz": row[1], "n": 1}


SCRIPT = HyperliquidScript
