"""Depth streams: every change of a book, gathered at the speed of each stream, and its best levels."""

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.reports import DepthChanges
from foxtrot.exchange.wire.binance.market_history import level_rows
from foxtrot.exchange.wire.binance.streams_hub import StreamHub
from foxtrot.exchange.wire.binance.streams_names import StreamName, speed_ms
from foxtrot.exchange.wire.binance.streams_pace import Pace
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_MS_NS = 1_000_000
_FORGET_MS = 1_000


class DiffLane:
    """The changes of one book that one stream has not told yet.

    Thread: exchange-io.
    """

    __slots__ = ("_asks", "_bids", "_last_id", "instrument", "name", "pace", "told_id")

    def __init__(self, name: str, instrument: Instrument, pace: Pace, told_id: int) -> None:
        self.name = name
        self.instrument = instrument
        self.pace = pace
        self.told_id = told_id
        self._last_id = told_id
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    @property
    def has_news(self) -> bool:
        """Tell whether the book changed since the last event.

        Source: Binance spot API, Diff. Depth Stream.
        """
        return self._last_id > self.told_id

    def gather(self, changes: DepthChanges) -> None:
        """Add changes; of a level that changes again, only the newest quantity counts.

        Source: Binance spot API, How to manage a local order book correctly: quantities are absolute.
        """
        self._bids.update(changes.bids)
        self._asks.update(changes.asks)
        self._last_id = changes.last_id

    def take(self, product: Product, now_ms: int) -> dict[str, object]:
        """Return the event of all that was gathered, and begin anew: it covers every id from the last event's end on.

        Source: Binance spot API, Diff. Depth Stream (U, u); USDⓈ-M Futures, Diff. Book Depth Streams (U, u, pu).
        """
        bids = tuple(sorted(self._bids.items(), reverse=True))
        asks = tuple(sorted(self._asks.items()))
        event: dict[str, object] = {"e": "depthUpdate", "E": now_ms}
        if product is not Product.SPOT:
            event["T"] = now_ms
        event |= {"s": self.instrument.symbol, "U": self.told_id + 1, "u": self._last_id}
        if product is not Product.SPOT:
            event["pu"] = self.told_id
        self.told_id = self._last_id
        self._bids.clear()
        self._asks.clear()
        return event | {"b": level_rows(self.instrument, bids), "a": level_rows(self.instrument, asks)}


class PartialLane:
    """The best levels of one book, told when the book changed.

    Thread: exchange-io.
    """

    __slots__ = ("instrument", "levels", "name", "pace", "told_id")

    def __init__(self, stream: StreamName, instrument: Instrument, pace: Pace) -> None:
        self.name = stream.name
        self.instrument = instrument
        self.levels = stream.levels
        self.pace = pace
        self.told_id = -1

    def take(self, side: VenueSide, now_ms: int) -> dict[str, object] | None:
        """Return the best levels, None when nothing changed since the last time.

        Source: Binance spot API, Partial Book Depth Streams; USDⓈ-M Futures, Partial Book Depth Streams.
        """
        update_id, bids, asks = side.venue.depth(self.instrument.instrument_id, self.levels)
        if update_id == self.told_id:
            return None
        told, self.told_id = self.told_id, update_id
        bid_rows, ask_rows = level_rows(self.instrument, bids), level_rows(self.instrument, asks)
        if side.product is Product.SPOT:
            return {"lastUpdateId": update_id, "bids": bid_rows, "asks": ask_rows}
        before = told if told >= 0 else update_id - 1
        ids = {"U": before + 1, "u": update_id, "pu": before}
        event = {"e": "depthUpdate", "E": now_ms, "T": now_ms, "s": self.instrument.symbol}
        return {**event, **ids, "b": bid_rows, "a": ask_rows}


class DepthStreams:
    """Publishes depth. Only this takes the changes out of the venue, so that every stream tells each of them.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, hub: StreamHub) -> None:
        self._side = side
        self._hub = hub
        self._lanes: dict[str, dict[str, DiffLane]] = {}
        self._partial: dict[str, PartialLane] = {}
        self._eager: set[str] = set()
        self._forget = Pace(_FORGET_MS)
        hub.watch(self._hear)

    def on_change(self, instrument_id: str) -> None:
        """Tell the streams without an interval at once.

        Source: USDⓈ-M Futures, Diff. Book Depth Streams, @0ms.
        """
        if instrument_id in self._eager:
            self._serve(
                instrument_id, [one for one in self._lanes.get(instrument_id, {}).values() if not one.pace.interval_ns]
            )

    def tick(self, now_ns: int) -> None:
        """Publish what is due and changed.

        Source: Binance spot API, Diff. Depth Stream, Update Speed.
        """
        for instrument_id, lanes in tuple(self._lanes.items()):
            due = [lane for lane in lanes.values() if lane.pace.is_due(now_ns)]
            if due:
                self._serve(instrument_id, due)
        for partial in tuple(self._partial.values()):
            if partial.pace.is_due(now_ns):
                frame = partial.take(self._side, now_ns // _MS_NS)
                if frame is not None:
                    self._hub.publish(partial.name, frame)
        if self._forget.is_due(now_ns):
            self._forget_unheard()

    def _serve(self, instrument_id: str, due: list[DiffLane]) -> None:
        self._gather(instrument_id)
        now_ms = self._side.now_ns() // _MS_NS
        for lane in due:
            if lane.has_news:
                self._hub.publish(lane.name, lane.take(self._side.product, now_ms))

    def _gather(self, instrument_id: str) -> None:
        changes = self._side.venue.take_depth_changes(instrument_id)
        if changes.last_id >= changes.first_id:
            for lane in self._lanes.get(instrument_id, {}).values():
                lane.gather(changes)

    def _forget_unheard(self) -> None:
        for instrument in self._side.symbols().values():
            if instrument.instrument_id not in self._lanes:
                self._side.venue.take_depth_changes(instrument.instrument_id)

    def _hear(self, stream: StreamName, is_wanted: bool) -> None:
        instrument = self._side.symbols().get(stream.symbol)
        if instrument is None or not stream.kind.startswith("depth"):
            return
        if stream.levels and is_wanted:
            pace = Pace(speed_ms(self._side.product, stream))
            self._partial[stream.name] = PartialLane(stream, instrument, pace)
        elif stream.levels:
            self._partial.pop(stream.name, None)
        elif stream.kind == "depth" and is_wanted:
            self._open(stream, instrument)
        elif stream.kind == "depth":
            self._close(stream.name, instrument.instrument_id)

    def _open(self, stream: StreamName, instrument: Instrument) -> None:
        lanes = self._lanes.setdefault(instrument.instrument_id, {})
        self._gather(instrument.instrument_id)
        told_id = self._side.venue.depth(instrument.instrument_id, 1)[0]
        pace = Pace(speed_ms(self._side.product, stream))
        lanes[stream.name] = DiffLane(stream.name, instrument, pace, told_id)
        if not pace.interval_ns:
            self._eager.add(instrument.instrument_id)

    def _close(self, name: str, instrument_id: str) -> None:
        lanes = self._lanes.get(instrument_id, {})
        lanes.pop(name, None)
        if all(lane.pace.interval_ns for lane in lanes.values()):
            self._eager.discard(instrument_id)
        if not lanes:
            self._lanes.pop(instrument_id, None)
