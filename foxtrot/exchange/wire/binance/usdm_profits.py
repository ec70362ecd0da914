"""The realised profit of each fill, which the venue tells by position only: the same sums done once more, fill by fill."""

from decimal import Decimal

from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.accounts import Position
from foxtrot.exchange.events import OrderFilled, PositionChanged
from foxtrot.exchange.money import from_decimal, notional_factor, to_decimal
from foxtrot.exchange.wire.binance.usdm_desk import UsdmDesk

_KEPT = 100_000
_Key = tuple[str, str, PositionSide]


class Profits:
    """Follows every position of the accounts by their fills.

    A position that changed without a fill (taken over, settled, restored) is taken from the venue anew.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk) -> None:
        self._desk = desk
        self._positions: dict[_Key, Position] = {}
        self._profits: dict[tuple[int, int], Decimal] = {}
        self._factors: dict[str, int] = {}
        for account in desk.venue.accounts():
            for held in desk.venue.positions(account):
                if desk.named(held.instrument_id) is not None:
                    self._take_over((account, held.instrument_id, held.position_side), held.realised_profit)

    def of(self, fill: OrderFilled) -> Decimal:
        """Return the profit that a fill realised; zero for one from before this surface was made.

        Source: Binance USDⓈ-M Futures, Account Trade List, realizedPnl.
        """
        return self._profits.get((fill.order_id, fill.trade_id), Decimal(0))

    def hear_fill(self, instrument: Instrument, fill: OrderFilled) -> Decimal:
        """Follow a fill and return the profit it realised.

        Source: Binance USDⓈ-M Futures, Event: Order Update, rp.
        """
        key = (fill.account, fill.instrument_id, fill.position_side)
        position = self._positions.get(key)
        if position is None:
            position = self._positions[key] = Position()
        signed = fill.fill_quantity if fill.side is Side.BUY else -fill.fill_quantity
        profit = to_decimal(position.fill(signed, fill.fill_price * self._factor(instrument)))
        self._profits[fill.order_id, fill.trade_id] = profit
        if len(self._profits) > _KEPT:
            del self._profits[next(iter(self._profits))]
        return profit

    def hear_position(self, event: PositionChanged) -> Decimal:
        """Compare with the venue's position and return the profit that no fill explains.

        Source: Binance USDⓈ-M Futures, Get Income History, REALIZED_PNL.
        """
        key = (event.account, event.instrument_id, event.position_side)
        held = self._positions.get(key)
        known = to_decimal(held.realised) if held is not None else Decimal(0)
        if held is not None and held.quantity == event.quantity and known == event.realised_profit:
            return Decimal(0)
        self._take_over(key, event.realised_profit)
        return event.realised_profit - known

    def _take_over(self, key: _Key, realised: Decimal) -> None:
        quantity, cost = self._desk.venue.position_basis(*key)
        self._positions[key] = Position(quantity, cost, from_decimal(realised))

    def _factor(self, instrument: Instrument) -> int:
        found = self._factors.get(instrument.instrument_id)
        if found is None:
            found = self._factors[instrument.instrument_id] = notional_factor(instrument)
        return found
