"""Whether an account can bear an order, and what it would cost: the answer to whatIf, and the check before every order."""

from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.fees import FeeBasis
from foxtrot.exchange.wire.ib.account_figures import BASE, AccountBooks
from foxtrot.exchange.wire.ib.ib_contract import OPT
from foxtrot.exchange.wire.ib.layout import Value
from foxtrot.exchange.wire.ib.order_terms import OrderTerms
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.refusal import IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbContract, IbSide

_CENT: Final = Decimal("0.01")


class MarginChange(msgspec.Struct, frozen=True):
    """Margins and equity of an account before an order and after it is filled, in the base currency; its commission."""

    initial: tuple[Decimal, Decimal]
    maintenance: tuple[Decimal, Decimal]
    equity: tuple[Decimal, Decimal]
    needed: tuple[Decimal, Decimal]
    """Initial margin without and with the order, each with the open orders that would raise it most."""
    least_commission: Decimal
    most_commission: Decimal
    currency: str

    @property
    def is_covered(self) -> bool:
        """Tell whether the account can bear the order; one that needs no more margin is always borne.

        Source: TWS API documentation, Error Codes (201).
        """
        before, after = self.needed
        return after <= before or self.equity[1] >= after

    def refusal(self, order_id: int) -> IbRefused:
        """Return what TWS says where the account cannot bear the order.

        Source: TWS API documentation, Error Codes (201); text as users of TWS report it.
        """
        equity, margin = (amount.quantize(_CENT) for amount in (self.equity[1], self.needed[1]))
        return refused(order_id, "margin", equity=equity, margin=margin, currency=BASE)

    def values(self) -> dict[str, Value]:
        """Return the figures as openOrder tells them in answer to whatIf.

        Source: TWS API documentation, OrderState.
        """
        told: dict[str, Value] = {}
        pairs = {"initMargin": self.initial, "maintMargin": self.maintenance, "equityWithLoan": self.equity}
        for name, (before, after) in pairs.items():
            told |= {f"{name}Before": _money(before), f"{name}Change": _money(after - before)}
            told |= {f"{name}After": _money(after)}
        told |= {"commission": "", "commissionCurrency": self.currency}
        if self.least_commission == self.most_commission:
            return told | {"commission": self.most_commission}
        return told | {"minCommission": self.least_commission, "maxCommission": self.most_commission}


class OrderMargin:
    """Judges orders.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide, books: AccountBooks) -> None:
        self._side = side
        self._books = books

    def change(
        self, account: IbAccount, contract: IbContract, terms: OrderTerms, done: int = 0, *, venue_id: int = 0
    ) -> MarginChange:
        """Return what filling an order would change, without what is done of it already.

        Args:
            account: whose order it is.
            contract: of the order.
            terms: what the order asks.
            done: what is filled of it, in units.
            venue_id: the order of the venue that bears it now, which counts no more.

        Source: TWS API documentation, Checking Margin Changes.
        """
        instrument = contract.instrument
        quantity = instrument.quantity_grid.to_decimal(terms.quantity - done)
        signed = quantity if terms.side is Side.BUY else -quantity
        price = self._price(contract, terms)
        mark = self._books.mark(contract) or price
        figures = self._books.figures(account)
        held = next(
            (row.quantity for row in self._books.positions(account) if row.contract.con_id == contract.con_id),
            Decimal(0),
        )
        before = self._books.margins(contract, held, mark)
        after = self._books.margins(contract, held + signed, mark)
        low, high = self._commissions(account, contract, terms, quantity, price)
        rate = self._books.rate(contract.currency)
        paid = signed * price * instrument.multiplier if contract.sec_type == OPT else Decimal(0)
        waiting = self._open_sides(account, venue_id)
        needed = self._needed(account, waiting)
        buys, sells = waiting.get(contract.instrument_id, (Decimal(0), Decimal(0)))
        waiting[contract.instrument_id] = (buys + max(signed, Decimal(0)), sells + max(-signed, Decimal(0)))
        return MarginChange(
            (figures.initial, figures.initial - before[0] + after[0]),
            (figures.maintenance, figures.maintenance - before[1] + after[1]),
            (figures.equity, figures.equity - (high + paid) * rate),
            (needed, self._needed(account, waiting, (contract, price))),
            low,
            high,
            contract.currency,
        )

    def _open_sides(self, account: IbAccount, without: int) -> dict[str, tuple[Decimal, Decimal]]:
        """Return how much open orders would buy and sell, by instrument."""
        sums: dict[str, tuple[Decimal, Decimal]] = {}
        for report in self._side.venue.open_orders(account.account):
            contract = self._side.contracts.of_instrument(report.instrument_id)
            if contract is None or report.order_id == without:
                continue
            left = contract.instrument.quantity_grid.to_decimal(report.quantity - report.filled)
            buys, sells = sums.get(report.instrument_id, (Decimal(0), Decimal(0)))
            is_buy = report.side is Side.BUY
            sums[report.instrument_id] = (buys + left, sells) if is_buy else (buys, sells + left)
        return sums

    def _needed(
        self,
        account: IbAccount,
        waiting: dict[str, tuple[Decimal, Decimal]],
        priced: tuple[IbContract, Decimal] | None = None,
    ) -> Decimal:
        """Return the initial margin where of each contract the worse side of the open orders is filled."""
        held = {row.contract.instrument_id: row.quantity for row in self._books.positions(account)}
        total = Decimal(0)
        for name in held.keys() | waiting.keys():
            contract = self._side.contracts.of_instrument(name)
            if contract is None:
                continue
            price = self._books.mark(contract)
            if not price and priced is not None and priced[0].instrument_id == name:
                price = priced[1]
            buys, sells = waiting.get(name, (Decimal(0), Decimal(0)))
            quantity = held.get(name, Decimal(0))
            total += max(self._books.margins(contract, one, price)[0] for one in (quantity + buys, quantity - sells))
        return total

    def _price(self, contract: IbContract, terms: OrderTerms) -> Decimal:
        """Return the price at which an order is judged: its own, else the best on the other side, else the mark."""
        grid = contract.instrument.price_grid
        if terms.price or terms.trigger:
            return grid.to_decimal(terms.price or terms.trigger)
        _, bids, asks = self._side.venue.depth(contract.instrument_id, 1)
        opposite = asks if terms.side is Side.BUY else bids
        return grid.to_decimal(opposite[0][0]) if opposite else self._books.mark(contract)

    def _commissions(
        self, account: IbAccount, contract: IbContract, terms: OrderTerms, quantity: Decimal, price: Decimal
    ) -> tuple[Decimal, Decimal]:
        """Return the least and the most that filling the order at once would cost."""
        schedule = self._side.venue.fees(contract.instrument_id, account.account)
        notional = quantity * price * contract.instrument.multiplier
        fees = [schedule.fee(FeeBasis(terms.side, liquidity, quantity, notional)) for liquidity in Liquidity]
        return min(fees), max(fees)


def _money(amount: Decimal) -> Decimal:
    return round(amount, 4)
