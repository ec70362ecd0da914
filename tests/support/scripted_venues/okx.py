"""OKX's spot market BTC-USDT: documented frames of the channel books, recorded ones of the others."""

from typing import Any

from foxtrot.domain.enums import Side
from tests.support.scripted_venues.script import Asked, VenueScript

INSTRUMENT = {
    "instType": "SPOT", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT", "settleCcy": "", "uly": "", "instFamily": "",
    "category": "1", "ctVal": "", "ctMult": "", "ctValCcy": "", "ctType": "", "expTime": "", "stk": "", "optType": "", "alias": "",
    "lever": "10", "listTime": "1548133413000", "lotSz": "0.00000001", "minSz": "0.00001", "tickSz": "0.1", "maxLmtSz": "9999999999",
    "maxMktSz": "1000000", "state": "live",
}  # fmt: skip
STREAMS = {"books": "book", "books5": "book", "bbo-tbt": "quote", "trades": "trade"}


class OkxScript(VenueScript):
    """Levels, times and ids of August 2026 as ccxt recorded them (books5, trades); seqId leaps, and the checksum is 0 since June."""

    exchange = "okx"
    instrument_id = "BTCUSDT.OKX"
    evidence = "documented: OKX API guide v5, order book channel; recorded: ccxt ts/src/test/static/ws/okx.json (books5, trades)"
    price = ("64072.9", "64073.3")
    size = ("0.5", "1.25")

    def __init__(self) -> None:
        super().__init__()
        self.bids = {"64073": "0.58849577", "64072.7": "0.00050267", "64072.2": "0.0000102", "64072": "0.14185639"}
        self.asks = {"64073.1": "1.07909367", "64073.6": "0.15471482", "64074": "0.0000102", "64075": "0.00024081"}
        self.seq_id = 79706756227
        self.trade_id = 1040968613
        self.time_ms = 1786538744703
        self.whole = False

    def rest(self, asked: Asked) -> Any:
        """Answer for instruments and the book."""
        match asked.path:
            case "/www.okx.com/api/v5/public/instruments":
                return _data([INSTRUMENT] if asked.query["instType"] == "SPOT" else [])
            case "/www.okx.com/api/v5/market/books":
                return _data([{**self._levels(int(asked.query["sz"])), "ts": str(self.time_ms), "seqId": self.seq_id}])
        raise LookupError(asked.path)

    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Answer each topic by itself; a snapshot follows the one of the book."""
        if frame == "ping":
            return ["pong"]
        answers: list[Any] = []
        for topic in frame["args"]:
            answers.append({"event": frame["op"], "arg": topic, "connId": "d604ccd0"})
            stream = STREAMS[topic["channel"]]
            if frame["op"] == "unsubscribe":
                subscribed.discard(stream)
                continue
            subscribed.add(stream)
            if stream == "book":
                self.whole = topic["channel"] == "books5"
                answers.append(self.snapshot())
        return answers

    def snapshot(self) -> Any:
        """Return the frame that follows a subscription."""
        return self._books("snapshot", self._levels(400), -1)

    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level."""
        self.set_level(side, price, size)
        before, self.seq_id = self.seq_id, self.seq_id + 16
        row = [price, size, "0", "1" if float(size) else "0"]
        return self._books("update", {"asks": [], "bids": [], "bids" if side is Side.BUY else "asks": [row]}, before)

    def heartbeat(self) -> Any:
        """Return what comes when nothing has changed for 60 s."""
        return self._books("update", {"asks": [], "bids": []}, self.seq_id)

    def reset(self, seq_id: int) -> Any:
        """Go on with lower ids, as after a maintenance, and return the frame that says so."""
        before, self.seq_id = self.seq_id, seq_id
        return self._books("update", {"asks": [], "bids": []}, before)

    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Print a trade."""
        self.trade_id += 1
        row = {
            "instId": "BTC-USDT", "tradeId": str(self.trade_id), "px": price, "sz": size, "side": side.value.lower(),
            "ts": str(self.time_ms), "count": "1", "source": "0", "seqId": self.seq_id,
        }  # fmt: skip
        return str(self.trade_id), {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [row]}

    def quote(self) -> Any:
        """Return the best level a side."""
        row = {**self._levels(1), "ts": str(self.time_ms), "seqId": self.seq_id}
        return {"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [row]}

    def _books(self, action: str, levels: dict[str, Any], before: int) -> Any:
        """Return a frame of the channel that was subscribed last: whole books of five levels, or what they begin with and changes."""
        self.time_ms += 100
        if self.whole:
            row = {**self._levels(5), "instId": "BTC-USDT", "ts": str(self.time_ms), "seqId": self.seq_id}
            return {"arg": {"channel": "books5", "instId": "BTC-USDT"}, "data": [row]}
        row = {**levels, "ts": str(self.time_ms), "checksum": 0, "prevSeqId": before, "seqId": self.seq_id}
        return {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [row]}

    def _levels(self, best: int) -> dict[str, Any]:
        bids, asks = self.sorted_levels()
        return {
            "asks": [[price, size, "0", "1"] for price, size in asks[:best]],
            "bids": [[price, size, "0", "1"] for price, size in bids[:best]],
        }


def _data(rows: list[Any]) -> Any:
    return {"code": "0", "msg": "", "data": rows}


SCRIPT = OkxScript
