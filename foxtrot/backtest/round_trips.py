"""Own fills netted into round trips: from flat to flat, or to a reversal, at the average entry price."""

from collections.abc import Sequence

import msgspec

from foxtrot.domain.enums import Side

_FLAT_SHARE = 1e-9
"""A rest below this share of what was entered is rounding of floats, and counts as flat."""


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One own fill; `multiplier` is currency per price point and unit of quantity, `fee` is in that currency.

    `profit` is what the closing part of the fill realised before fees; None if it closed nothing or is not yet known.
    """

    time_ns: int
    side: Side
    price: float
    quantity: float
    fee: float = 0.0
    instrument_id: str = ""
    multiplier: float = 1.0
    profit: float | None = None


class RoundTrip(msgspec.Struct, frozen=True, gc=False):
    """One position from flat to flat; `side` is that of the entry, `profit` is net of `fees`."""

    instrument_id: str
    side: Side
    open_time_ns: int
    close_time_ns: int
    quantity: float
    entry_price: float
    exit_price: float
    profit: float
    fees: float


class RoundTrips(msgspec.Struct, frozen=True):
    """Closed round trips in the order they closed, the fills with their profits, and since when positions are open."""

    trips: list[RoundTrip]
    fills: list[Fill]
    open_since_ns: dict[str, int]


def match_round_trips(fills: Sequence[Fill]) -> RoundTrips:
    """Net the fills of each instrument, in the order given.

    A fill that reverses a position closes one trip and opens the next, its fee shared by quantity. A position still open
    at the end is no round trip.
    """
    positions: dict[str, _Position] = {}
    trips: list[RoundTrip] = []
    with_profits: list[Fill] = []
    for fill in fills:
        position = positions.get(fill.instrument_id)
        if position is None:
            position = positions[fill.instrument_id] = _Position()
        profit = position.apply(fill, trips)
        with_profits.append(
            Fill(
                fill.time_ns,
                fill.side,
                fill.price,
                fill.quantity,
                fill.fee,
                fill.instrument_id,
                fill.multiplier,
                profit,
            )
        )
    open_since = {name: position.open_time_ns for name, position in positions.items() if position.net}
    return RoundTrips(trips, with_profits, open_since)


class _Position:
    """The running position of one instrument: what was entered and what has left again."""

    def __init__(self) -> None:
        self.net = 0.0
        self._clear()

    def _clear(self) -> None:
        self.net = self._average = self._entered = self._entry_value = self._exit_value = self._profit = self._fees = (
            0.0
        )
        self.open_time_ns = 0

    def apply(self, fill: Fill, trips: list[RoundTrip]) -> float | None:
        """Take a fill, append the trip it closes, and return the profit it realised; None if it only opened."""
        sign = fill.side.sign
        if self.net * sign >= 0:
            self._enter(fill, sign, fill.quantity, fill.fee)
            return None
        closing = min(fill.quantity, abs(self.net))
        profit = self._leave(fill, sign, closing, fill.fee * closing / fill.quantity)
        rest = fill.quantity - closing
        if abs(self.net) <= _FLAT_SHARE * self._entered:
            trips.append(self._closed(fill))
            flat_below = _FLAT_SHARE * self._entered
            self._clear()
            if rest > flat_below:
                self._enter(fill, sign, rest, fill.fee * rest / fill.quantity)
        return profit

    def _enter(self, fill: Fill, sign: int, quantity: float, fee: float) -> None:
        if not self.net:
            self.open_time_ns = fill.time_ns
        held = abs(self.net)
        self._average = (held * self._average + quantity * fill.price) / (held + quantity)
        self.net += quantity * sign
        self._entered += quantity
        self._entry_value += quantity * fill.price
        self._fees += fee

    def _leave(self, fill: Fill, sign: int, quantity: float, fee: float) -> float:
        profit = (self._average - fill.price) * quantity * sign * fill.multiplier
        self.net += quantity * sign
        self._exit_value += quantity * fill.price
        self._profit += profit
        self._fees += fee
        return profit

    def _closed(self, fill: Fill) -> RoundTrip:
        return RoundTrip(
            fill.instrument_id,
            fill.side.opposite,
            self.open_time_ns,
            fill.time_ns,
            self._entered,
            self._entry_value / self._entered,
            self._exit_value / self._entered,
            self._profit - self._fees,
            self._fees,
        )
