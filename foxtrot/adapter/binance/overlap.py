"""What a market connection says that is about to replace another, while the old one still speaks: every fact is told once.

Prints and changes of books have ids that follow each other. Of the newcomer's, those that were told are left out, one that
follows is told, and one that is ahead is kept until the old connection has told what lies between. Quotes carry an id by which
older ones are left out; where ccxt keeps them, the newcomer's last one waits for the end.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from foxtrot.adapter.binance.frames import BookTickerFrame, DepthUpdateFrame, KlineFrame, TickerFrame, TradeFrame
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.binance.topic import TopicKind

Key = tuple[TopicKind, str]
"""A kind of stream and the venue's symbol."""
Chain = tuple[TopicKind, str, bool]
"""A key, and whether it is ccxt that is told."""
_KINDS = {"trade": TopicKind.TRADE, "depthUpdate": TopicKind.BOOK, "24hrTicker": TopicKind.TOTALS}


class Step(msgspec.Struct, frozen=True):
    """One fact of a chain: the id before it, its last id, and what tells it."""

    previous: int
    last: int
    tell: Callable[[], object]


class Joint:
    """Where the newcomer's chain of ids joins what was told.

    Thread: the loop's.

    Args:
        strict: whether a fact that begins before the last id told cannot be joined to it.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._kept: dict[Chain, list[Step]] = {}

    @property
    def waits(self) -> bool:
        """Tell whether something is kept, because it is ahead of what was told."""
        return bool(self._kept)

    def offer(self, chain: Chain, step: Step, told: Callable[[], int | None]) -> None:
        """Tell a fact and those kept before it, or keep it.

        Args:
            chain: it belongs to.
            step: the fact.
            told: gives the last id that was told; None while there is nothing to join.
        """
        steps = self._kept.pop(chain, [])
        steps.append(step)
        while steps:
            last, head = told(), steps[0]
            if last is None or head.previous > last or (self._strict and head.previous < last < head.last):
                self._kept[chain] = steps
                return
            steps.pop(0)
            if head.last > last:
                head.tell()

    def open(self) -> None:
        """Tell everything that is kept, whether it joins or not: what is missing then shows."""
        kept, self._kept = self._kept, {}
        for steps in kept.values():
            for step in steps:
                step.tell()


class Overlap:
    """Stands between a newcomer and the streams, in front of the board with the hot path, and in front of ccxt without it.

    Thread: the loop's.

    Args:
        board: has the streams.
        exchange: ccxt's, which keeps books where there is no hot path.
        strict: see Joint.
    """

    def __init__(self, board: StreamBoard, exchange: Any, *, strict: bool) -> None:
        self.fresh: set[Key] = set()
        """What the old connection brings nothing of; the newcomer's is told as it comes."""
        self._board = board
        self._exchange = exchange
        self._joint = Joint(strict=strict)
        self._latest: dict[Key, Callable[[], object]] = {}
        self._is_open = False
        self._telling = False
        self._handlers: dict[type, Callable[..., object]] = {
            TradeFrame: self._trade,
            DepthUpdateFrame: self._change,
            BookTickerFrame: board.quote,
            TickerFrame: self._totals,
            KlineFrame: board.kline,
        }

    @property
    def waits(self) -> bool:
        """Tell whether something of the newcomer is ahead of what was told."""
        return self._joint.waits

    def begins_anew(self, symbol: str) -> bool:
        """Tell whether ccxt is fetching its book of a symbol, by the old connection: it must begin anew by the newcomer."""
        return self._ccxt_book(symbol, {"nonce": 0})["nonce"] is None

    def open(self) -> None:
        """Tell what is kept, and from now on everything."""
        self._is_open = True
        self._joint.open()
        latest, self._latest = self._latest, {}
        for tell in latest.values():
            tell()
        self._board.end_batch()

    # --- with the hot path ------------------------------------------------------------------------------------------

    def take(self, text: str) -> bool:
        """Take a raw frame of the newcomer; False when it is for ccxt."""
        board = self._board
        own, board.handlers = board.handlers, self._handlers
        try:
            return board.take(text)
        finally:
            board.handlers = own

    def end_batch(self) -> None:
        """Hear that all frames that arrived together were given."""
        self._board.end_batch()

    def _trade(self, frame: TradeFrame) -> None:
        tell = partial(self._board.trade, frame)
        self._offer(
            (TopicKind.TRADE, frame.s, False), Step(frame.t - 1, frame.t, tell), self._last_print(frame.s, frame.t)
        )

    def _change(self, frame: DepthUpdateFrame) -> bool:
        previous = frame.U - 1 if frame.pu is None else frame.pu
        tell = partial(self._board.change, frame)
        self._offer((TopicKind.BOOK, frame.s, False), Step(previous, frame.u, tell), partial(self._book_id, frame.s))
        return frame.s in self._board.seen_by_ccxt

    def _totals(self, frame: TickerFrame) -> None:
        self._latest[TopicKind.TOTALS, frame.s] = partial(self._board.totals, frame)

    # --- without it -------------------------------------------------------------------------------------------------

    def holds(self, client: Any, message: Mapping[str, Any]) -> bool:
        """Look at a message of the newcomer before ccxt does; True when it is told later, or was told.

        Source: Binance spot API, web-socket-streams, Trade, Diff. Depth, Individual Symbol Ticker and Book Ticker Streams.
        """
        symbol, event = str(message.get("s")), message.get("e")
        kind = TopicKind.QUOTE if "B" in message and "A" in message and "u" in message else _KINDS.get(str(event))
        if self._telling or self._is_open or kind is None or (kind, symbol) in self.fresh:
            return False
        tell = partial(self._tell_ccxt, client, message)
        if kind is TopicKind.TRADE:
            number = int(message["t"])
            self._offer((kind, symbol, True), Step(number - 1, number, tell), self._last_print(symbol, number))
        elif kind is TopicKind.BOOK:
            previous = message["pu"] if "pu" in message else message["U"] - 1
            self._offer((kind, symbol, True), Step(previous, message["u"], tell), partial(self._ccxt_id, symbol))
        else:
            self._latest[kind, symbol] = tell
        return True

    # --- inside -----------------------------------------------------------------------------------------------------

    def _tell_ccxt(self, client: Any, message: Mapping[str, Any]) -> None:
        """Give ccxt a message, which shows it to us once more before."""
        self._telling = True
        try:
            self._exchange.handle_message(client, message)
        finally:
            self._telling = False

    def _offer(self, chain: Chain, step: Step, told: Callable[[], int | None]) -> None:
        if self._is_open or chain[:2] in self.fresh:
            step.tell()
        else:
            self._joint.offer(chain, step, told)

    def _last_print(self, symbol: str, number: int) -> Callable[[], int]:
        """Return what gives the id of the last print that was told; where there is none, any print is the first."""
        stream = self._board.ticks.get(symbol)
        return lambda: (stream.last_id if stream is not None else 0) or number - 1

    def _book_id(self, symbol: str) -> int | None:
        book = self._board.books.get(symbol)
        return book.update_id if book is not None and book.is_loaded else None

    def _ccxt_id(self, symbol: str) -> int | None:
        nonce: int | None = self._ccxt_book(symbol, {"nonce": None})["nonce"]
        return nonce

    def _ccxt_book(self, symbol: str, default: Any) -> Any:
        market = self._exchange.safe_market(symbol, None, None, "spot" if self._exchange.id == "binance" else "swap")
        return self._exchange.orderbooks.get(market["symbol"], default)
