"""GRVT's perpetual BTC_USDT_Perp: documented frames."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

INSTRUMENT = {
    "instrument": "BTC_USDT_Perp", "instrument_hash": "0x030501", "base": "BTC", "quote": "USDT", "kind": "PERPETUAL",
    "venues": ["ORDERBOOK", "RFQ"], "settlement_period": "PERPETUAL", "base_decimals": 9, "quote_decimals": 6, "tick_size": "0.1",
    "min_size": "0.001", "create_time": "1768040726362828205", "max_position_size": "1000.0", "funding_interval_hours": 8,
    "adjusted_funding_rate_cap": "0.3", "adjusted_funding_rate_floor": "-0.3", "min_notional": "100.0",
}  # fmt: skip
STREAMS = {"v1.book.d": "book", "v1.book.s": "book", "v1.trade": "trade"}


class GrvtScript(VenueScript):
    """The confirmation names the number of the first change, the snapshot has the number 0, and changes count up by one."""

    exchange = "grvt"
    instrument_id = "BTCUSDT.GRVT"
    evidence = "documented: GRVT API docs, Orderbook Delta, WSSubscribeResult; samples in ccxt.pro's grvt class"
    streams = frozenset({"book", "trade"})
    price = ("88107.2", "88107.6")
    size = ("0.250", "1.500")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {"88107.3": "5.322", "88107.1": "0.005", "88106.9": "1.100", "88100.0": "12.000"}
        self.asks = {"88107.4": "5.273", "88107.5": "5.711", "88108.0": "0.300", "88110.0": "2.000"}
        self.number = 1061213
        self.trade_number = 41
        self.time_ns = 1767292408400000000
        self.feed, self.selector = "v1.book.d", "BTC_USDT_Perp@100"

    def rest(self, asked: Asked) -> Any:
        """Answer for instruments, currencies and the book, which has no id."""
        match asked.path.removeprefix("/market-data.grvt.io/full/v1/"):
            case "all_instruments":
                return {"result": [INSTRUMENT]}
            case "currency":
                return {
                    "result": [{"id": 5, "symbol": "BTC", "balance_decimals": 9, "quantity_multiplier": "1000000000"}]
                }
            case "book":
                levels = self._levels(int(asked.body["depth"]))
                return {"result": {"event_time": str(self.time_ns), "instrument": "BTC_USDT_Perp", **levels}}
        raise LookupError(asked.path)

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer a request as a whole; a snapshot follows the one of the book. The answer to an end calls itself one to a beginning."""
        feed, selectors = frame["params"]["stream"], frame["params"]["selectors"]
        answer = {"jsonrpc": "2.0", "id": frame["id"], "method": "subscribe"}
        if frame["method"] == "unsubscribe":
            subscribed.discard(STREAMS[feed])
            return [{**answer, "result": {"stream": feed, "unsubs": selectors}}]
        subscribed.add(STREAMS[feed])
        numbers = {"first_sequence_number": [str(self.number + 1)], "latest_sequence_number": [str(self.number)]}
        answers: list[Any] = [
            {**answer, "result": {"stream": feed, "subs": selectors, "unsubs": [], "num_snapshots": [1], **numbers}}
        ]
        if STREAMS[feed] == "book":
            self.feed, self.selector = feed, selectors[0]
            answers.append(self.snapshot())
        return answers

    def snapshot(self) -> Any:
        """Return the frame that follows a subscription."""
        return self._book(self._levels(500), 0, 0)

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level."""
        self.set_level(side, price, size)
        self.number += 1
        row = {"price": price, "size": size, "num_orders": 1 if float(size) else 0}
        return self._book(
            {"bids": [], "asks": [], "bids" if side is Side.BUY else "asks": [row]}, self.number, self.number - 1
        )

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_number += 1
        trade_id = f"73808524-{self.trade_number}"
        feed = {
            "event_time": str(self.time_ns), "instrument": "BTC_USDT_Perp", "is_taker_buyer": side is Side.BUY, "size": size,
            "price": price, "mark_price": "87700.817100682", "index_price": "87708.566729268", "interest_rate": "0.0",
            "forward_price": "0.0", "trade_id": trade_id, "venue": "ORDERBOOK", "is_rpi": False,
        }  # fmt: skip
        return trade_id, _frame("v1.trade", "BTC_USDT_Perp@50", feed, self.trade_number, self.trade_number - 1)

    def quote(self) -> Any:
        """Return a frame of another stream, which nobody subscribes, since ticks are made of the book."""
        (bid, *_), (ask, *_) = self.sorted_levels()
        best = {"best_bid_price": bid[0], "best_bid_size": bid[1], "best_ask_price": ask[0], "best_ask_size": ask[1]}
        feed = {"event_time": str(self.time_ns), "instrument": "BTC_USDT_Perp", **best}
        return _frame("v1.mini.s", "BTC_USDT_Perp@500", feed, 0, 0)

    def _book(self, levels: dict[str, Any], number: int, before: int) -> Any:
        self.time_ns += 100_000_000
        if self.feed == "v1.book.s":
            levels, number, before = self._levels(50), 0, 0
        feed = {"event_time": str(self.time_ns), "instrument": "BTC_USDT_Perp", **levels}
        return _frame(self.feed, self.selector, feed, number, before)

    def _levels(self, best: int) -> dict[str, Any]:
        bids, asks = self.sorted_levels()
        return {"bids": [_level(row) for row in bids[:best]], "asks": [_level(row) for row in asks[:best]]}


def _level(row: tuple[str, str]) -> dict[str, Any]:
    return {"price": row[0], "size": row[1], "num_orders": 1}


def _frame(stream: str, selector: str, feed: dict[str, Any], number: int, before: int) -> Any:
    numbers = {"sequence_number": str(number), "prev_sequence_number": str(before)}
    return {"stream": stream, "selector": selector, "feed": feed, **numbers}


SCRIPT = GrvtScript
