"""Rules about how much: quantity, notional, number of open orders, position and exposure."""

from decimal import Decimal

from foxtrot.domain.errors import OrderRefused
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.exposure import Exposure
from foxtrot.trading.limits import Limits, Scope
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio


class SizeRules:
    """Judges an order by what it and all that is open would come to.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio, exposure: Exposure) -> None:
        self._desk = desk
        self._portfolio = portfolio
        self._exposure = exposure

    def check_venue_terms(self, order: Candidate) -> None:
        """Refuse what the venue would: too small or too large a value, too many orders, a contract that has expired.

        Raises:
            OrderRefused: rule min_notional, max_notional, max_open_orders or expired.
        """
        instrument = order.instrument
        if (instrument.min_notional or instrument.max_notional) and order.price:
            notional = order.notional
            if instrument.min_notional and notional < instrument.min_notional:
                raise OrderRefused("min_notional", f"{instrument.min_notional:f}", f"{notional:f}")
            if instrument.max_notional and notional > instrument.max_notional:
                raise OrderRefused("max_notional", f"{instrument.max_notional:f}", f"{notional:f}")
        if instrument.max_open_orders and self._desk.open_count + order.beside >= instrument.max_open_orders:
            account, instrument_id = order.request.account, instrument.instrument_id
            count = 1 + order.beside + sum(1 for _ in self._desk.open_records("", account, instrument_id))
            if count > instrument.max_open_orders:
                limit = f"{instrument.max_open_orders} of {instrument_id}"
                raise OrderRefused("max_open_orders", limit, str(count))
        if instrument.expiry_ns and order.now_ns >= instrument.expiry_ns:
            raise OrderRefused("expired", f"before {instrument.expiry_ns} ns", f"{order.now_ns} ns")

    def check(self, order: Candidate, scopes: tuple[Scope, ...]) -> None:
        """Refuse what is over a limit of any scope.

        Raises:
            OrderRefused: rule max_order_quantity, max_order_notional, max_open_orders, max_position or max_exposure.
        """
        for scope in scopes:
            limits = scope.limits
            if limits.max_order_quantity and order.request.quantity > limits.max_order_quantity:
                raise _refusal("max_order_quantity", limits.max_order_quantity, scope, order.request.quantity)
            if limits.max_order_notional:
                self._check_notional(order, scope, limits)
            if limits.max_open_orders:
                count = 1 + order.beside + sum(1 for _ in self._desk.open_records(scope.owner, scope.account))
                if count > limits.max_open_orders:
                    raise _refusal("max_open_orders", limits.max_open_orders, scope, count)
            if limits.max_position:
                units = self._exposure.worst_units(order, scope.owner, scope.account)
                worst = order.instrument.quantity(units)
                if worst > limits.max_position:
                    raise _refusal("max_position", limits.max_position, scope, worst)
            if limits.max_exposure:
                self._check_exposure(order, scope, limits)

    def _check_notional(self, order: Candidate, scope: Scope, limits: Limits) -> None:
        base, quote = self._portfolio.base_currency, order.instrument.quote_asset
        notional = self._portfolio.rates.convert(order.notional, quote, base)
        if notional is None:
            raise _refusal(
                "max_order_notional", limits.max_order_notional, scope, f"n/a: no rate from {quote} to {base}"
            )
        if notional > limits.max_order_notional:
            raise _refusal("max_order_notional", limits.max_order_notional, scope, notional)

    def _check_exposure(self, order: Candidate, scope: Scope, limits: Limits) -> None:
        worst = self._exposure.worst_value(order, scope.owner, scope.account)
        if worst is None:
            raise _refusal("max_exposure", limits.max_exposure, scope, "n/a: a price or rate is missing")
        if worst > limits.max_exposure:
            raise _refusal("max_exposure", limits.max_exposure, scope, worst)


def _refusal(rule: str, limit: float | Decimal, scope: Scope, value: float | Decimal | str) -> OrderRefused:
    shown = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return OrderRefused(rule, f"{limit} of {scope}", shown)
