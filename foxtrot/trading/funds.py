"""Whether an account can pay for an order: free cash or margin after what open orders and fees need."""

from decimal import Decimal

from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import EXACT, ZERO

DEFAULT_FEE_RATE = Decimal("0.001")


class Funds:
    """Free money of accounts, and the rule that an order must be payable.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._desk = desk
        self._portfolio = portfolio
        self.fee_rate = DEFAULT_FEE_RATE

    def check(self, order: Candidate) -> None:
        """Refuse an order that its account could not pay.

        Raises:
            OrderRefused: rule funds.
        """
        account, instrument = order.request.account, order.instrument
        if instrument.product.is_derivative and order.reduces:
            return
        book = self._portfolio.account(account)
        if book.opening is None:
            raise OrderRefused("funds", f"balances heard of {account}", "none yet")
        if self._on_margin(account, instrument):
            self._check_margin_account(order, account)
            return
        asset, need = self.need(order)
        free = self.free(account, asset)
        if need > free:
            raise OrderRefused("funds", f"{free:f} {asset} free in {account}", f"{need:f} {asset}")

    def free(self, account: str, asset: str) -> Decimal:
        """Return what an account has of an asset after what its pending orders, their fees and margin positions need."""
        free = self._portfolio.balances(account).get(asset, ZERO)
        for record in self._desk.pending_records(account=account):
            free -= self.reserved(record, asset)
        for (name, instrument_id, _), position in self._portfolio.net_positions():
            instrument = position.instrument
            if name == account and instrument.product.is_derivative and instrument.settle_asset == asset:
                mark = Decimal(repr(self._portfolio.view.mark(instrument_id) or position.average_price))
                value = _worth(instrument, abs(position.quantity), mark)
                free += position.unrealised_profit(mark) - value * instrument.initial_margin_rate
        return free

    def reserved(self, record: OrderRecord, asset: str) -> Decimal:
        """Return what an order needs of an asset: quote and fee for a buy, base for a sell, margin for a derivative.

        What the venue has counted as filled is needed until the fill itself has moved the money.
        """
        instrument, units = record.instrument, record.pending_units
        if instrument.product.is_derivative:
            if asset != instrument.settle_asset or record.reduces:
                return ZERO
            return self._worth_of(record, units) * (instrument.initial_margin_rate + self.fee_rate)
        if record.terms.side is Side.BUY:
            return self._worth_of(record, units) * (1 + self.fee_rate) if asset == instrument.quote_asset else ZERO
        return instrument.quantity_grid.to_decimal(units) if asset == instrument.base_asset else ZERO

    def need(self, order: Candidate) -> tuple[str, Decimal]:
        """Return which asset an order takes and how much, its fee included: margin, money to pay with, or what it sells."""
        instrument = order.instrument
        if instrument.product.is_derivative:
            return instrument.settle_asset, order.notional * (instrument.initial_margin_rate + self.fee_rate)
        if order.request.side is Side.BUY:
            return instrument.quote_asset, order.notional * (1 + self.fee_rate)
        return instrument.base_asset, instrument.quantity_grid.to_decimal(order.quantity_units)

    def _on_margin(self, account: str, instrument: Instrument) -> bool:
        """Tell whether a broker lends for this product: it then names the margin that is left."""
        reported = self._portfolio.account(account).reported
        lends = reported is not None and reported.margin_available > 0
        return lends and instrument.product in (Product.STOCK, Product.FOREX, Product.OPTION)

    def _check_margin_account(self, order: Candidate, account: str) -> None:
        if order.reduces:
            return
        reported = self._portfolio.account(account).reported
        free = reported.margin_available if reported is not None else ZERO
        base = self._portfolio.base_currency
        needs = [(order.notional * (order.instrument.initial_margin_rate + self.fee_rate), order.instrument)]
        for record in self._desk.pending_records(account=account):
            if not record.reduces and self._on_margin(account, record.instrument):
                rate = record.instrument.initial_margin_rate + self.fee_rate
                needs.append((self._worth_of(record, record.pending_units) * rate, record.instrument))
        total = ZERO
        for amount, instrument in needs:
            converted = self._portfolio.rates.convert(amount, instrument.quote_asset, base)
            if converted is None:
                raise OrderRefused("funds", f"a rate from {instrument.quote_asset} to {base}", "n/a")
            total += converted
        if total > free:
            raise OrderRefused("funds", f"{free:f} {base} margin left in {account}", f"{total:f} {base}")

    def _worth_of(self, record: OrderRecord, units: int) -> Decimal:
        """Return what an order is worth by its limit, else its trigger, else the market."""
        terms = record.terms
        price = max(record.prices) or terms.trigger_price or self._portfolio.view.mark(terms.instrument_id) or 0.0
        return _worth(record.instrument, units, Decimal(repr(price)))


def _worth(instrument: Instrument, units: int, price: Decimal) -> Decimal:
    quantity = EXACT.multiply(instrument.quantity_grid.to_decimal(units), instrument.multiplier)
    return EXACT.multiply(quantity, price)
