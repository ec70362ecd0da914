"""What positions cost, counted the way IB does: commissions are part of the cost, and of the profit that a closing fill realises."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from foxtrot.domain.enums import Side
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.ib.venue_side import IbContract

_ZERO: Final = Decimal(0)


class Holding:
    """One position: signed quantity, what it cost with commissions, and what it has realised; all in the contract's currency.

    Thread: exchange-io.
    """

    __slots__ = ("cost", "quantity", "realised")

    def __init__(self) -> None:
        self.quantity = self.cost = self.realised = _ZERO

    def fill(self, signed: Decimal, value: Decimal, fee: Decimal) -> Decimal | None:
        """Take a fill of a signed quantity that is worth `value` (unsigned); return what it realised, None if it only opened.

        Source: TWS API documentation, CommissionReport: realizedPNL; IB's average cost includes commissions.
        """
        held = self.quantity
        direction = 1 if signed > 0 else -1
        if held == 0 or (held > 0) == (signed > 0):
            self.quantity += signed
            self.cost += direction * value + fee
            return None
        closed = min(abs(held), abs(signed))
        share = closed / abs(signed)
        released = self.cost * closed / abs(held)
        profit = -direction * value * share - released - fee * share
        self.quantity = held + signed
        opened = abs(signed) - closed
        rest = (direction * value + fee) * opened / abs(signed)
        self.cost = rest if opened else self.cost - released
        self.realised += profit
        return profit

    @property
    def average(self) -> Decimal:
        """Return the average cost of one share or contract, its multiplier included; 0 when flat.

        Source: TWS API documentation, position: avgCost.
        """
        return self.cost / self.quantity if self.quantity else _ZERO


class Holdings:
    """The positions of all accounts as their fills make them, brought up to date when they are asked for.

    Thread: exchange-io.

    Args:
        venue: remembers the fills.
        contract_of: the contract of an instrument, None where IB's clients do not see it.
    """

    def __init__(self, venue: Venue, contract_of: Callable[[str], IbContract | None]) -> None:
        self._venue = venue
        self._contract_of = contract_of
        self._taken: dict[str, int] = {}
        self._held: dict[tuple[str, str], Holding] = {}
        self._profits: dict[int, Decimal] = {}

    def of(self, account: str, instrument_id: str) -> Holding:
        """Return a position of an account of the venue.

        Source: TWS API documentation, position.
        """
        self._take(account)
        return self._held.get((account, instrument_id)) or Holding()

    def realised(self, account: str) -> dict[str, Decimal]:
        """Return what an account has realised, by instrument.

        Source: TWS API documentation, updatePortfolio: realizedPNL.
        """
        self._take(account)
        return {instrument: held.realised for (name, instrument), held in self._held.items() if name == account}

    def profit(self, fill: OrderFilled) -> Decimal | None:
        """Return what a fill realised, None if it only opened.

        Source: TWS API documentation, CommissionReport: realizedPNL.
        """
        self._take(fill.account)
        return self._profits.get(fill.sequence)

    def _take(self, account: str) -> None:
        """Take the fills since the last time; of a venue that was restored to an earlier state, all of them."""
        taken = self._taken.get(account, 0)
        if taken > self._venue.sequence:
            self._held = {key: held for key, held in self._held.items() if key[0] != account}
            taken = 0
        for fill in self._venue.fills(account, taken):
            self._add(fill)
        self._taken[account] = self._venue.sequence

    def _add(self, fill: OrderFilled) -> None:
        contract = self._contract_of(fill.instrument_id)
        if contract is None:
            return
        instrument = contract.instrument
        quantity = instrument.quantity_grid.to_decimal(fill.fill_quantity)
        fee = fill.fee if fill.fee_asset == contract.currency else _ZERO
        held = self._held.setdefault((fill.account, fill.instrument_id), Holding())
        signed = quantity if fill.side is Side.BUY else -quantity
        profit = held.fill(signed, instrument.notional(fill.fill_price, fill.fill_quantity), fee)
        if profit is not None:
            self._profits[fill.sequence] = profit
