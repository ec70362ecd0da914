"""Makes the embedded venue's book and tape follow a recorded market, while everybody else may trade against it."""

from collections.abc import Iterable
from heapq import heappop, heappush

from foxtrot.domain.enums import OrderType, SelfTradePrevention, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import CancelOrder, OpenAccount, PlaceOrder, VenueCommand

MAKER = "replay"
TAKER = "replay-taker"
LADDER_LEVELS = 10

UnitLevel = tuple[int, int]
"""(price, size) in units; a size of 0 is a level that is gone."""
Commands = list[VenueCommand]


def opening_commands(now_ns: int) -> Commands:
    """Return what opens the two accounts of a recorded market; neither is ever refused for money."""
    oldest = SelfTradePrevention.CANCEL_OLDEST
    return [
        OpenAccount(now_ns, MAKER, margin_checked=False, stp=oldest, allow_short=True),
        OpenAccount(now_ns, TAKER, margin_checked=False, allow_short=True),
    ]


class RecordedMarket:
    """One instrument's recorded levels as one resting order each, and its prints as orders that take.

    What somebody else takes of a level is missing until the recording tells that level again. An order of somebody else that
    the recorded market reaches is filled, at its own price.

    Thread: belongs to its feed.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._sides: dict[bool, _RecordedSide] = {True: _RecordedSide(), False: _RecordedSide()}
        self._orders = 0

    def change(self, now_ns: int, bids: Iterable[UnitLevel], asks: Iterable[UnitLevel]) -> Commands:
        """Return what gives levels their new sizes; withdrawals come first, so that old and new levels never meet."""
        gone: Commands = []
        come: Commands = []
        for is_buy, levels in ((True, bids), (False, asks)):
            for price, size in levels:
                self._set(now_ns, is_buy, (price, self._lots(size)), (gone, come))
        return gone + come

    def replace(self, now_ns: int, bids: Iterable[UnitLevel], asks: Iterable[UnitLevel]) -> Commands:
        """Return what makes the book these levels and no others; one that is as it was is left alone."""
        return self.change(now_ns, self._differences(True, bids), self._differences(False, asks))

    def ladder(self, now_ns: int, price: int, size: int, is_buy: bool) -> Commands:
        """Return what makes the book a made-up one around a print: levels a step apart, its own price the taker's best."""
        step = self._instrument.step_units(price)
        bid, ask = (price - step, price) if is_buy else (price, price + step)
        rungs = range(LADDER_LEVELS)
        bids = [(bid - rung * step, size) for rung in rungs if bid > rung * step]
        return self.replace(now_ns, bids, [(ask + rung * step, size) for rung in rungs])

    def trade(self, now_ns: int, price: int, size: int, is_buy: bool) -> Commands:
        """Return what prints a trade: levels that would be taken before its price go, what is missing at it comes, then it is taken."""
        gone: Commands = []
        come: Commands = []
        size = self._lots(size)
        side = self._sides[not is_buy]
        for better in side.better_than(price, is_bid=not is_buy):
            self._set(now_ns, not is_buy, (better, 0), (gone, come))
        # Placed anew in any case: somebody else may have taken of it since, and the print must be whole.
        shown = max(size, side.sizes.get(price, 0))
        self._set(now_ns, not is_buy, (price, shown), (gone, come))
        left = shown - size
        side.set(price, left, side.orders[price] if left else "", is_bid=not is_buy)
        taking = self._order(now_ns, TAKER, is_buy, (price, size), TimeInForce.IOC)
        return [*gone, *come, taking]

    def _differences(self, is_buy: bool, levels: Iterable[UnitLevel]) -> list[UnitLevel]:
        told = {price: self._lots(size) for price, size in levels}
        before = self._sides[is_buy].sizes
        gone = [(price, 0) for price in before if price not in told]
        return gone + [(price, size) for price, size in told.items() if before.get(price) != size]

    def _lots(self, size: int) -> int:
        """Return a size in whole lots: the venue takes no other, and a level that is there does not vanish for it."""
        lot = self._instrument.lot_units
        return max(lot, size - size % lot) if size else 0

    def _set(self, now_ns: int, is_buy: bool, level: UnitLevel, into: tuple[Commands, Commands]) -> None:
        side = self._sides[is_buy]
        price, size = level
        old = side.orders.get(price)
        if old is not None:
            into[0].append(CancelOrder(now_ns, MAKER, self._instrument.instrument_id, client_order_id=old))
        name = ""
        if size:
            order = self._order(now_ns, MAKER, is_buy, level, TimeInForce.GTC)
            into[1].append(order)
            name = order.client_order_id
        side.set(price, size, name, is_bid=is_buy)

    def _order(self, now_ns: int, account: str, is_buy: bool, level: UnitLevel, tif: TimeInForce) -> PlaceOrder:
        self._orders += 1
        price, size = level
        return PlaceOrder(
            now_ns, account, self._instrument.instrument_id, f"r{self._orders}", Side.BUY if is_buy else Side.SELL,
            OrderType.LIMIT, size, price, time_in_force=tif,
        )  # fmt: skip


class _RecordedSide:
    """One side of the book as it was asked of the venue: size and order by price, and which price is best.

    Thread: belongs to its market.
    """

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self.orders: dict[int, str] = {}
        self._best: list[int] = []  # a heap of prices, bids negated; those that are gone are skipped when met

    def set(self, price: int, size: int, order: str, *, is_bid: bool) -> None:
        """Note a level; a size of 0 forgets it."""
        if not size:
            self.sizes.pop(price, None)
            self.orders.pop(price, None)
            return
        if price not in self.sizes:
            heappush(self._best, -price if is_bid else price)
        self.sizes[price], self.orders[price] = size, order

    def better_than(self, price: int, *, is_bid: bool) -> list[int]:
        """Return the levels that a taker meets before a price, best first."""
        found: list[int] = []
        limit = -price if is_bid else price
        while self._best and self._best[0] < limit:
            met = abs(heappop(self._best))
            if met in self.sizes and met not in found:
                found.append(met)
        return found
