"""What a venue did while a test ran: its books by update id and its public trades, to judge what an adapter told of them."""

from typing import Any

from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, TickData
from foxtrot.exchange.events import TradePrinted, VenueEvent
from foxtrot.exchange.server import ExchangeServer

Side = tuple[tuple[float, float], ...]
Book = tuple[Side, Side]


class VenueMemory:
    """Keeps every book and print of a server from now on, as floats of the instruments' grids.

    An update id has one book within an epoch; a restart with lower ids begins a new one.

    Thread: filled on exchange-io, read by any while the venue does nothing.
    """

    def __init__(self, server: ExchangeServer, surface: str, instruments: tuple[Instrument, ...]) -> None:
        self.books: dict[str, dict[int, Book]] = {one.instrument_id: {} for one in instruments}
        self.tops: dict[str, set[tuple[float, ...]]] = {one.instrument_id: set() for one in instruments}
        self.prints: dict[str, dict[str, tuple[float, float]]] = {one.instrument_id: {} for one in instruments}
        self.epochs = 1
        self._server = server
        self._instruments = {one.instrument_id: one for one in instruments}
        watched: Any = server.host.surfaces[surface]
        passed_on = watched.on_event

        def on_event(event: VenueEvent) -> None:
            self._note(event)
            passed_on(event)

        watched.on_event = on_event
        self.look()

    def look(self) -> None:
        """Keep the books as they are now."""
        self._server.call(lambda _: self._keep())

    def now(self, instrument_id: str) -> tuple[int, Book]:
        """Return the update id and the book as they are now."""
        self.look()
        known = self.books[instrument_id]
        last = next(reversed(known))
        return last, known[last]

    def _note(self, event: VenueEvent) -> None:
        if isinstance(event, TradePrinted):
            listed = self._instruments[event.instrument_id]
            self.prints[event.instrument_id][str(event.trade_id)] = (
                listed.price(event.price),
                listed.quantity(event.quantity),
            )
        self._keep()

    def _keep(self) -> None:
        for name, listed in self._instruments.items():
            update_id, *sides = self._server.host.venue.depth(name)
            known = self.books[name]
            if known and update_id < next(reversed(known)):
                self.epochs += 1
                known.clear()
            bids, asks = (tuple((listed.price(p), listed.quantity(q)) for p, q in side) for side in sides)
            known.pop(update_id, None)
            known[update_id] = (bids, asks)
            self.tops[name].add((*(bids or ((0.0, 0.0),))[0], *(asks or ((0.0, 0.0),))[0]))


class BookJudge:
    """Compares what was told of books with what they were at the same update id.

    Thread: the test's.
    """

    def __init__(self, memory: VenueMemory) -> None:
        self.wrong: list[str] = []
        self.compared = 0
        self._memory = memory
        self._chains: dict[str, tuple[int, dict[float, float], dict[float, float]]] = {}

    def hear_depth(self, depth: DepthData, *, full: bool) -> None:
        """Judge a snapshot; a full one begins a chain of changes."""
        self.judge("DepthData", depth.instrument_id, depth.update_id, (depth.bids, depth.asks))
        if full:
            self._chains[depth.instrument_id] = (depth.update_id, dict(depth.bids), dict(depth.asks))

    def hear_change(self, change: DepthChange) -> None:
        """Judge a change: it must follow what was told before, and lead to the venue's book."""
        name = change.instrument_id
        if name not in self._chains:
            self.wrong.append(f"{name}: a change to {change.last_update_id} follows no snapshot")
            return
        last, bids, asks = self._chains[name]
        if change.previous_update_id != last:
            self.wrong.append(f"{name}: a change from {change.previous_update_id} follows {last}")
        for side, rows in ((bids, change.bids), (asks, change.asks)):
            for price, size in rows:
                side[price] = size
                if not size:
                    del side[price]
        self._chains[name] = (change.last_update_id, bids, asks)
        sides = tuple(sorted(bids.items(), reverse=True)), tuple(sorted(asks.items()))
        self.judge("changes", name, change.last_update_id, sides)

    def hear_tick(self, tick: TickData) -> None:
        """Judge a tick: its quote must have been the top of the venue's book, and its last price that of a print."""
        quote = (tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size)
        if quote not in self._memory.tops[tick.instrument_id]:
            self.wrong.append(f"{tick.instrument_id}: a quote of {quote}, which the venue never had")

    def break_chain(self, instrument_id: str) -> None:
        """Hear that the book is not to be believed: changes go on only from a new snapshot."""
        self._chains.pop(instrument_id, None)

    def judge(self, what: str, instrument_id: str, update_id: int, told: Book) -> None:
        """Compare the best levels of a book with the venue's; a side that is shorter must still be a beginning of it."""
        true = self._memory.books[instrument_id].get(update_id)
        self.compared += 1
        if true is None:
            self.wrong.append(f"{instrument_id}: {what} of update id {update_id}, at which the venue never stood")
        elif any(
            side != truth[: len(side)] or bool(side) != bool(truth) for side, truth in zip(told, true, strict=True)
        ):
            self.wrong.append(f"{instrument_id}: {what} at {update_id} is {told}, the venue's was {true}")
