"""What orders and positions could become at worst, in units and money."""

from collections import defaultdict
from decimal import Decimal

from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import EXACT, ZERO

Place = tuple[str, PositionSide]
"""(instrument id, position side)"""


class Exposure:
    """Worst cases over positions and orders.

    An order of unknown outcome counts as wholly fillable, and what the venue counted as filled counts before its fill comes.
    Where an account is hedged, its long and its short position are judged apart.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._desk = desk
        self._portfolio = portfolio

    def pending_units(self, side: Side, owner: str, account: str, place: Place) -> int:
        """Return what orders of one side could still add to or take from a position."""
        if not self._desk.has_pending:
            return 0
        instrument_id, position_side = place
        return sum(
            record.pending_units
            for record in self._desk.pending_records(owner, account, instrument_id)
            if record.terms.side is side and record.terms.position_side is position_side
        )

    def worst_units(self, order: Candidate, owner: str, account: str) -> int:
        """Return the largest absolute position if the candidate and all pending orders on its side fill."""
        request = order.request
        place = (order.instrument.instrument_id, request.position_side)
        held = self._held(owner, account).get(place, 0)
        waiting = self.pending_units(request.side, owner, account, place)
        return abs(held + order.sign * (waiting + order.quantity_units))

    def worst_value(self, order: Candidate | None, owner: str, account: str) -> Decimal | None:
        """Return the worst-case value of all positions with the candidate, in the base currency; None without a rate."""
        total = ZERO
        for (instrument_id, _), units in self.worst_places(order, owner, account).items():
            value = self.value(self._portfolio.instruments[instrument_id], units)
            if value is None:
                return None
            total += value
        return total

    def worst_places(self, order: Candidate | None, owner: str, account: str) -> dict[Place, int]:
        """Return the largest absolute position at each place if all pending orders of one side fill, the candidate too where there is one."""
        held = self._held(owner, account)
        buys: dict[Place, int] = defaultdict(int)
        sells: dict[Place, int] = defaultdict(int)
        for record in self._desk.pending_records(owner, account):
            terms = record.terms
            waiting = buys if terms.side is Side.BUY else sells
            waiting[terms.instrument_id, terms.position_side] += record.pending_units
        if order is not None:
            place = (order.instrument.instrument_id, order.request.position_side)
            (buys if order.sign > 0 else sells)[place] += order.quantity_units
        worst: dict[Place, int] = {}
        for key in held.keys() | buys.keys() | sells.keys():
            units = held.get(key, 0)
            worst[key] = max(abs(units + buys[key]), abs(units - sells[key]))
        return worst

    def value(self, instrument: Instrument, units: int) -> Decimal | None:
        """Return what a quantity is worth in the base currency, or None without a price or rate."""
        if not units:
            return ZERO
        mark = self._portfolio.view.mark(instrument.instrument_id)
        if mark is None:
            return None
        quantity = EXACT.multiply(instrument.quantity_grid.to_decimal(units), instrument.multiplier)
        worth = EXACT.multiply(quantity, Decimal(repr(mark)))
        return self._portfolio.rates.convert(worth, instrument.quote_asset, self._portfolio.base_currency)

    def _held(self, owner: str, account: str) -> dict[Place, int]:
        """Return positions by place: an owner's over its accounts, or everybody's of an account or of all."""
        held: dict[Place, int] = defaultdict(int)
        if owner:
            for (_, name, instrument_id, side), position in self._portfolio.positions(owner):
                if account in ("", name):
                    held[instrument_id, side] += position.quantity
        else:
            for (name, instrument_id, side), position in self._portfolio.net_positions():
                if account in ("", name):
                    held[instrument_id, side] += position.quantity
        return held
