"""Risk: the rules that every order passes, and the only maker of ApprovedOrder."""

from collections.abc import Iterator
from decimal import Decimal

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.domain.order import ApprovedOrder, OrderRequest
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.exposure import ZERO, Exposure
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.losses import LossTracker
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.pace import Pace
from foxtrot.trading.portfolio import Portfolio


class Risk:
    """Applies the rules in order; docs/risk.md lists them with their limits.

    Every refusal names rule, limit and value. Rules about price freshness, collar, size of position and losses are asked of
    orders that can increase a position; an order that only reduces its owner's position is never refused for them.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        clock: Clock,
        view: MarketView,
        desk: OrderDesk,
        portfolio: Portfolio,
        limits: LimitTable,
        losses: LossTracker,
    ) -> None:
        self._clock = clock
        self._instruments: InstrumentTable = portfolio.instruments
        self._view = view
        self._desk = desk
        self._portfolio = portfolio
        self._limits = limits
        self._losses = losses
        self._exposure = Exposure(desk, portfolio)
        self._pace = Pace()
        self._watches_losses = any(
            scope.max_daily_loss or scope.max_drawdown
            for scope in (limits.platform, *limits.accounts.values(), *limits.strategies.values())
        )
        self.fee_rate = Decimal("0.001")
        self.refusals: dict[str, int] = {}

    def approve(self, request: OrderRequest, strategy_id: str, order_id: str) -> ApprovedOrder:
        """Return the order in exact units if no rule forbids it.

        Raises:
            OrderRefused: the first rule that forbids it, with limit and value.
        """
        try:
            return self._approve(request, strategy_id, order_id)
        except OrderRefused as refusal:
            self.refusals[refusal.rule] = self.refusals.get(refusal.rule, 0) + 1
            raise

    def note_message(self, strategy_id: str) -> None:
        """Count a cancel towards the message rate of an owner; cancels themselves are never refused."""
        self._pace.note_message(strategy_id, self._clock.now_ns())

    def mark_losses(self) -> None:
        """Note equity by scope; called by a timer and before a loss limit is judged."""
        if self._watches_losses:
            now_ns = self._clock.now_ns()
            for owner in self._portfolio.owners():
                for scope, equity in self._equities("", owner):
                    self._losses.mark(scope, equity, now_ns)
            for account in self._limits.accounts:
                for scope, equity in self._equities(account, ""):
                    self._losses.mark(scope, equity, now_ns)

    def _approve(self, request: OrderRequest, strategy_id: str, order_id: str) -> ApprovedOrder:
        instrument = self._instruments.resolve(request.instrument_id)
        if request.account not in self._desk.adapters:
            known = ", ".join(sorted(self._desk.adapters)) or "none"
            raise OrderRefused("account", known, request.account or "(none)")
        now_ns = self._clock.now_ns()
        order = Candidate(request, strategy_id, instrument, now_ns)
        order.reference = self._view.reference(instrument.instrument_id)
        order.position_units = self._exposure.position_units(strategy_id, request.account, instrument.instrument_id)
        order.reduces = self._reduces(order)
        scopes = self._limits.scopes(request.account, strategy_id)
        self._check_pace(order, scopes)
        if request.reduce_only and not order.reduces:
            held = instrument.quantity_grid.to_text(order.position_units)
            raise OrderRefused(
                "reduce_only", f"position {held} of {strategy_id} less its open orders", str(request.quantity)
            )
        self._check_min_notional(order)
        self._check_self_cross(order)
        if not order.reduces:
            self._check_price(order, scopes)
            self._check_sizes(order, scopes)
            self._check_losses(scopes, request.account, strategy_id, now_ns)
        self._check_funds(order, scopes)
        self._pace.note_message(strategy_id, now_ns)
        self._pace.note_request(strategy_id, request, _strictest_window(scopes), now_ns)
        return self._make(order, order_id)

    def _reduces(self, order: Candidate) -> bool:
        """Tell whether the order, with all open ones on its side, can only shrink its owner's position."""
        held = order.position_units
        if held * order.sign >= 0:
            return False
        request = order.request
        waiting = self._exposure.open_units(request.side, order.owner, request.account, order.instrument.instrument_id)
        return waiting + order.quantity_units <= abs(held)

    def _check_pace(self, order: Candidate, scopes: tuple[tuple[str, Limits], ...]) -> None:
        for _, limits in scopes:
            self._pace.check_rate(order.owner, limits.messages_per_s, order.now_ns)
            self._pace.check_duplicate(order.owner, order.request, limits.duplicate_window_s, order.now_ns)

    def _check_min_notional(self, order: Candidate) -> None:
        instrument = order.instrument
        if not (instrument.min_notional or instrument.max_notional) or not order.price:
            return
        notional = order.notional
        if instrument.min_notional and notional < instrument.min_notional:
            raise OrderRefused("min_notional", str(instrument.min_notional), str(notional))
        if instrument.max_notional and notional > instrument.max_notional:
            raise OrderRefused("max_notional", str(instrument.max_notional), str(notional))

    def _check_self_cross(self, order: Candidate) -> None:
        """Refuse to trade with ourselves: an order that would meet a resting one of our own on the other side."""
        request = order.request
        opposite = request.side.opposite
        for record in self._desk.open_records(account=request.account, instrument_id=order.instrument.instrument_id):
            terms = record.terms
            if terms.side is not opposite or not terms.price or terms.trigger_price:
                continue
            price = order.price if order.price_units or not order.trigger_units else 0.0
            crosses = order.request.order_type is OrderType.MARKET or (
                price > 0.0 and (price - terms.price) * order.sign >= 0.0
            )
            if crosses:
                raise OrderRefused(
                    "self_cross", f"own {terms.side} at {terms.price} ({terms.order_id})", str(price or "market")
                )

    def _check_price(self, order: Candidate, scopes: tuple[tuple[str, Limits], ...]) -> None:
        reference = order.reference
        if reference is None:
            raise OrderRefused("reference", "a price heard from the market", "none yet")
        age_s = (order.now_ns - reference.time_ns) / 1e9
        for _, limits in scopes:
            if limits.quote_age_s and age_s > limits.quote_age_s:
                raise OrderRefused("quote_age", f"{limits.quote_age_s} s", f"{age_s:.1f} s ({reference.source})")
            self._check_collar(order, limits, reference.price)
            if limits.market_sweep and order.request.order_type is OrderType.MARKET:
                self._check_sweep(order, limits)

    def _check_collar(self, order: Candidate, limits: Limits, reference: float) -> None:
        if not limits.price_collar or not order.price_units:
            return
        price = order.instrument.price(order.price_units)
        beyond = (price / reference - 1.0) * order.sign
        if beyond > limits.price_collar:
            raise OrderRefused("price_collar", f"{limits.price_collar:.2%} from {reference}", f"{price} ({beyond:.2%})")

    def _check_sweep(self, order: Candidate, limits: Limits) -> None:
        """Estimate how far a market order walks the book; without depth there is nothing to estimate by."""
        depth = self._view.depths.get(order.instrument.instrument_id)
        if depth is None:
            return
        levels = depth.asks if order.request.side is Side.BUY else depth.bids
        if not levels:
            raise OrderRefused("market_sweep", "liquidity on the other side", "an empty side")
        left, best, last = order.request.quantity, levels[0][0], levels[0][0]
        for price, size in levels:
            last = price
            left -= size
            if left <= 0.0:
                break
        swept = abs(last / best - 1.0)
        if left > 0.0:
            raise OrderRefused("market_sweep", f"{len(levels)} known levels", f"{left:g} more than they hold")
        if swept > limits.market_sweep:
            raise OrderRefused("market_sweep", f"{limits.market_sweep:.2%}", f"{swept:.2%}, down to {last}")

    def _check_sizes(self, order: Candidate, scopes: tuple[tuple[str, Limits], ...]) -> None:
        for scope, limits in scopes:
            owner = order.owner if scope.startswith("strategy") else ""
            account = "" if scope == "platform" else order.request.account
            if limits.max_order_quantity and order.request.quantity > limits.max_order_quantity:
                raise OrderRefused(
                    "max_order_quantity", f"{limits.max_order_quantity} of {scope}", str(order.request.quantity)
                )
            if limits.max_order_notional:
                notional = self._in_base(order, order.notional, "max_order_notional")
                if notional > limits.max_order_notional:
                    raise OrderRefused("max_order_notional", f"{limits.max_order_notional} of {scope}", str(notional))
            if limits.max_open_orders:
                count = sum(1 for _ in self._desk.open_records(owner, account))
                if count >= limits.max_open_orders:
                    raise OrderRefused("max_open_orders", f"{limits.max_open_orders} of {scope}", str(count + 1))
            if limits.max_position:
                worst = order.instrument.quantity(self._exposure.worst_units(order, owner, account))
                if worst > limits.max_position:
                    raise OrderRefused("max_position", f"{limits.max_position} of {scope}", str(worst))
            if limits.max_exposure:
                self._check_exposure(order, scope, limits, owner, account)

    def _check_exposure(self, order: Candidate, scope: str, limits: Limits, owner: str, account: str) -> None:
        present = self._exposure.total(owner, account)
        if present is None:
            raise OrderRefused("max_exposure", f"{limits.max_exposure} of {scope}", "n/a: a price or rate is missing")
        after = present + self._in_base(order, order.notional, "max_exposure")
        if after > limits.max_exposure:
            raise OrderRefused("max_exposure", f"{limits.max_exposure} of {scope}", str(after))

    def _check_losses(self, scopes: tuple[tuple[str, Limits], ...], account: str, owner: str, now_ns: int) -> None:
        if not self._watches_losses:
            return
        by_scope = dict(scopes)
        for scope, equity in self._equities(account, owner):
            limits = by_scope.get(scope)
            if limits is not None:
                self._losses.mark(scope, equity, now_ns)
                self._losses.check(scope, limits, equity)

    def _equities(self, account: str, owner: str) -> Iterator[tuple[str, Decimal]]:
        """Yield the equity or profit of each scope that has one in the base currency."""
        portfolio = self._portfolio
        owned = portfolio.equity(owner) if owner else None
        if owned is not None:
            yield f"strategy {owner}", owned
        earned = portfolio.account_profit(account) if account else None
        if earned is not None:
            yield f"account {account}", earned
        parts = [portfolio.equity(name) for name in portfolio.owners()]
        known = [part for part in parts if part is not None]
        if parts and len(known) == len(parts):
            yield "platform", sum(known, ZERO)

    def _check_funds(self, order: Candidate, scopes: tuple[tuple[str, Limits], ...]) -> None:
        if not all(limits.check_funds for _, limits in scopes):
            return
        request, instrument = order.request, order.instrument
        if instrument.product.is_derivative:
            if order.reduces:
                return
            asset = instrument.settle_asset
            need = order.notional * (instrument.initial_margin_rate + self.fee_rate)
        elif request.side is Side.BUY:
            asset, need = instrument.quote_asset, order.notional * (1 + self.fee_rate)
        else:
            asset, need = instrument.base_asset, instrument.quantity_grid.to_decimal(order.quantity_units)
        free = self._exposure.free(request.account, asset)
        if need > free:
            raise OrderRefused("funds", f"{free} {asset} free in {request.account}", f"{need} {asset}")

    def _in_base(self, order: Candidate, amount: Decimal, rule: str) -> Decimal:
        base = self._portfolio.base_currency
        converted = self._portfolio.rates.convert(amount, order.instrument.quote_asset, base)
        if converted is None:
            raise OrderRefused(rule, f"a rate from {order.instrument.quote_asset} to {base}", "n/a")
        return converted

    def _make(self, order: Candidate, order_id: str) -> ApprovedOrder:
        request = order.request
        return ApprovedOrder(
            order_id, order.owner, request.account, order.instrument.instrument_id, request.side, request.order_type,
            order.quantity_units, order.price_units, order.trigger_units, request.time_in_force, self._venue_reduces(order),
            request.post_only, request.position_side, order.trailing_units, order.display_units, request.expire_time_ns,
            order.now_ns, order.reduces,
        )  # fmt: skip

    def _venue_reduces(self, order: Candidate) -> bool:
        """Tell whether the venue may be given the reduce-only flag: only if the account's net position allows it."""
        request = order.request
        if not request.reduce_only or not order.instrument.product.is_derivative:
            return False
        net = self._portfolio.net_position(request.account, order.instrument.instrument_id, request.position_side)
        return net is not None and net.quantity * order.sign < 0 and abs(net.quantity) >= order.quantity_units


def _strictest_window(scopes: tuple[tuple[str, Limits], ...]) -> float:
    return max(limits.duplicate_window_s for _, limits in scopes)
