"""What the parts of the USD-M trading surface share: the venue's side, and what Binance tells of orders that the venue does not keep."""

import hashlib

import msgspec

from foxtrot.domain.enums import PositionMode, Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import VenueCommand
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.venue_side import SUFFIX, VenueSide

_KEPT = 20_000
MS_NS = 1_000_000


class OrderNote(msgspec.Struct):
    """What only the wire knows of one order: how it was spelled, and when it last changed.

    Thread: exchange-io.
    """

    prevention: str = "NONE"
    good_till_ms: int = 0
    updated_ns: int = 0
    algo_id: int = 0
    close_position: bool = False
    working_type: str = "CONTRACT_PRICE"


NO_NOTE = OrderNote()
"""What is said of an order that came in by another door."""


class UsdmDesk:
    """The venue as the USD-M surface trades on it.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide) -> None:
        self.side = side
        self._notes: dict[int, OrderNote] = {}
        self._made = 0
        self._by_id: dict[str, Instrument] = {}

    @property
    def venue(self) -> Venue:
        """Return the venue; a restart of the server replaces it.

        Source: none, it is Foxtrot's own.
        """
        return self.side.venue

    @property
    def time_ms(self) -> int:
        """Return the venue's time in milliseconds.

        Source: Binance USDⓈ-M Futures, General Info: all times are in milliseconds.
        """
        return self.side.venue.time_ns // MS_NS

    def execute(self, command: VenueCommand) -> CommandResult:
        """Give the venue a command.

        Source: none, it is Foxtrot's own.
        """
        return self.side.venue.execute(command)

    def named(self, instrument_id: str) -> Instrument | None:
        """Return a contract of this product by the venue's id, None for anything else.

        Source: none, it is Foxtrot's own.
        """
        found = self._by_id.get(instrument_id)
        if found is None and instrument_id.endswith(SUFFIX[Product.PERPETUAL]):
            self._by_id = {one.instrument_id: one for one in self.side.symbols().values()}
            found = self._by_id.get(instrument_id)
        return found

    def is_hedged(self, account: str) -> bool:
        """Tell whether an account holds a long and a short position of each contract.

        Source: Binance USDⓈ-M Futures, Get Current Position Mode.
        """
        return self.venue.position_mode(account) is PositionMode.HEDGING

    def settle_assets(self) -> tuple[str, ...]:
        """Return the assets in which contracts settle, oldest listing first.

        Source: Binance USDⓈ-M Futures, Account Information, assets.
        """
        return tuple(dict.fromkeys(one.settle_asset for one in self.side.symbols().values()))

    def fresh_id(self) -> str:
        """Return an id for an order whose owner gave none.

        Source: Binance USDⓈ-M Futures, New Order: newClientOrderId is generated when it is not sent.
        """
        self._made += 1
        seed = f"{self._made}:{self.venue.sequence}:{self.venue.time_ns}"
        return hashlib.blake2b(seed.encode(), digest_size=11).hexdigest()

    def note(self, order_id: int) -> OrderNote:
        """Return what is noted of an order.

        Source: none, it is Foxtrot's own.
        """
        return self._notes.get(order_id, NO_NOTE)

    def write_note(self, order_id: int, note: OrderNote) -> None:
        """Note something about an order, and forget the oldest note when there are too many.

        Source: none, it is Foxtrot's own.
        """
        self._notes[order_id] = note
        if len(self._notes) > _KEPT:
            del self._notes[next(iter(self._notes))]

    def touch(self, order_id: int, time_ns: int) -> None:
        """Note when an order last changed.

        Source: Binance USDⓈ-M Futures, Query Order, updateTime.
        """
        note = self._notes.get(order_id)
        if note is None:
            self.write_note(order_id, OrderNote(updated_ns=time_ns))
        else:
            note.updated_ns = time_ns
