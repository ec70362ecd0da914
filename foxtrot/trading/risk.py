"""Risk: the rules that every order passes, and the only maker of ApprovedOrder."""

from decimal import Decimal

from msgspec.structs import replace

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.domain.order import AmendRequest, ApprovedAmend, ApprovedOrder, OrderRequest
from foxtrot.trading.algo_rules import check_algo
from foxtrot.trading.amend_rules import amended_order, amended_request, check_role, left_units
from foxtrot.trading.candidate import Candidate, check_finite
from foxtrot.trading.exposure import Exposure
from foxtrot.trading.funds import Funds
from foxtrot.trading.limits import LimitTable, Scope
from foxtrot.trading.loss_rules import LossRules
from foxtrot.trading.losses import LossTracker
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import reducing_id
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.pace import Pace
from foxtrot.trading.pair_rules import check_pair
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.price_rules import PriceRules
from foxtrot.trading.roll_rules import check_roll
from foxtrot.trading.size_rules import SizeRules

_NET, _LONG = PositionSide.NET, PositionSide.LONG


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
        self._exposure = Exposure(desk, portfolio)
        self._pace = Pace()
        self._prices = PriceRules(view, desk)
        self._sizes = SizeRules(desk, portfolio, self._exposure)
        self.loss_rules = LossRules(portfolio, limits, losses)
        self._scopes: dict[tuple[str, str], tuple[tuple[Scope, ...], float, bool]] = {}
        self.funds = Funds(desk, portfolio)
        self.refusals: dict[str, int] = {}

    @property
    def fee_rate(self) -> Decimal:
        """Return the fee, as a fraction of the notional, that an order must be able to pay."""
        return self.funds.fee_rate

    @fee_rate.setter
    def fee_rate(self, rate: Decimal) -> None:
        self.funds.fee_rate = rate

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

    def approve_pair(
        self, first: OrderRequest, second: OrderRequest, strategy_id: str, order_ids: tuple[str, str]
    ) -> tuple[ApprovedOrder, ApprovedOrder]:
        """Return two orders of which one ends the other; each is judged as though the other were not there, for one fills at most.

        They are two among the open orders, though.

        Raises:
            OrderRefused: the first rule that forbids one of them, or what makes them no pair.
        """
        try:
            check_pair(first, second, self._desk.adapters.get(first.account))
            one = self._approve(first, strategy_id, order_ids[0], beside=1)
            other = self._approve(second, strategy_id, order_ids[1], beside=1)
        except OrderRefused as refusal:
            self.refusals[refusal.rule] = self.refusals.get(refusal.rule, 0) + 1
            raise
        return replace(one, pair_id=other.order_id), replace(other, pair_id=one.order_id)

    def approve_amend(self, record: OrderRecord, request: AmendRequest, number: int) -> ApprovedAmend:
        """Return a resting order as it is to be, if no rule forbids an order of what would be left of it in its place.

        Raises:
            OrderRefused: the first rule that forbids it, with limit and value.
        """
        record.set_aside = True
        try:
            return self._approve_amend(record, request, number)
        except OrderRefused as refusal:
            self.refusals[refusal.rule] = self.refusals.get(refusal.rule, 0) + 1
            raise
        finally:
            record.set_aside = False

    def examine(self, request: OrderRequest, strategy_id: str) -> tuple[Candidate, OrderRefused | None]:
        """Return an order as it would be judged now, and the rule that would refuse it; nothing is counted, kept or sent.

        Raises:
            OrderRefused: it cannot be judged: a number is off the grid, or terms do not belong together.
        """
        order = self._candidate(request, strategy_id, beside=0)
        try:
            self._judge(order, counts=False)
        except OrderRefused as refusal:
            return order, refusal
        return order, None

    def messages(self, scope: Scope) -> int:
        """Return how many messages a scope has sent in the last second."""
        return self._pace.rate(scope, self._clock.monotonic_ns())

    def note_message(self, strategy_id: str, account: str = "") -> None:
        """Count a cancel towards the message rate; cancels themselves are never refused."""
        self._pace.note_message(strategy_id, account, self._clock.monotonic_ns())

    def mark_losses(self) -> None:
        """Note what every scope with a loss limit is worth, and lock what has lost too much; called by a timer."""
        if self.loss_rules.watches or self.loss_rules.locks is not None:
            self.loss_rules.look(self._clock.now_ns())

    def _approve(self, request: OrderRequest, strategy_id: str, order_id: str, beside: int = 0) -> ApprovedOrder:
        """Return the order in exact units; `beside` are the orders that leave with it and are not recorded yet."""
        order = self._candidate(request, strategy_id, beside)
        self._judge(order)
        return self._make(order, order_id)

    def _approve_amend(self, record: OrderRecord, request: AmendRequest, number: int) -> ApprovedAmend:
        wish, approved = amended_request(record, request)
        order = self._candidate(wish, record.owner, beside=-1)
        self._sizes.check_venue_terms(order)
        amended = amended_order(approved, order)
        order.quantity_units = left_units(record, order.quantity_units)
        self._judge(order)
        check_role(record, order)
        return ApprovedAmend(number, amended, record.venue_order_id)

    def _candidate(self, request: OrderRequest, strategy_id: str, beside: int) -> Candidate:
        """Return the order under examination."""
        check_finite(request)
        instrument = self._instruments.resolve(request.instrument_id)
        if request.account not in self._desk.adapters:
            known = ", ".join(sorted(self._desk.adapters)) or "none"
            raise OrderRefused("account", known, request.account or "(none)")
        check_algo(request, self._desk.adapters[request.account])
        order = Candidate(request, strategy_id, instrument, self._clock.now_ns())
        order.beside = beside
        order.reference = self._view.reference(instrument.instrument_id)
        if order.trigger_units:
            order.triggered = self._prices.is_reached(request, instrument.instrument_id)
        return order

    def _judge(self, order: Candidate, *, counts: bool = True) -> None:
        """Ask every rule; one that takes the place of a resting order is no second wish, and the venue's terms were asked of all of it.

        What is only looked at (`counts` is false) leaves no trace: neither message nor mark of losses.
        """
        request, strategy_id, steady_ns = order.request, order.owner, self._clock.monotonic_ns()
        self._judge_reduction(order)
        scopes, window_s, checks_funds = self._scopes_of(request.account, strategy_id)
        if order.beside < 0:
            window_s = 0.0
        for scope in scopes:
            if scope.limits.messages_per_s:
                self._pace.check_rate(scope, strategy_id, steady_ns, reduces=order.reduces)
        if window_s and not order.reduces:
            self._pace.check_duplicate(strategy_id, request, window_s, steady_ns)
        if order.beside >= 0:
            self._sizes.check_venue_terms(order)
        self._prices.check_self_cross(order)
        if not order.reduces:
            self._judge_entry(order, scopes, counts=counts)
        if checks_funds:
            self.funds.check(order)
        if not counts:
            return
        self._pace.note_message(strategy_id, request.account, steady_ns, reduces=order.reduces)
        if window_s:
            self._pace.note_request(strategy_id, request, window_s, steady_ns)

    def _judge_entry(self, order: Candidate, scopes: tuple[Scope, ...], *, counts: bool) -> None:
        """Ask the rules of what can increase a position."""
        check_roll(order, scopes)
        self._prices.check(order, scopes)
        self._sizes.check(order, scopes)
        if not counts:
            self.loss_rules.check_locks(scopes)
        elif self.loss_rules.watches:
            self.loss_rules.check(scopes, order.now_ns)

    def _judge_reduction(self, order: Candidate) -> None:
        """Find out whether the order, with all pending ones on its side, can only shrink its owner's position.

        Raises:
            OrderRefused: it must only reduce, by its own wish or because it closes a hedged position, and does not.
        """
        request, owner = order.request, order.owner
        place = (order.instrument.instrument_id, request.position_side)
        position = self._portfolio.position(owner, request.account, *place)
        held = order.position_units = 0 if position is None else position.whole_units
        if held * order.sign < 0:
            waiting = self._exposure.pending_units(request.side, owner, request.account, place)
            order.reduces = waiting + order.quantity_units <= abs(held)
        if order.reduces:
            return
        closes = place[1] is not _NET and (request.side is Side.SELL) == (place[1] is _LONG)
        if request.reduce_only or closes:
            text = order.instrument.quantity_grid.to_text(held)
            limit = f"position {text} of {owner} less its open orders"
            raise OrderRefused("position_side" if closes else "reduce_only", limit, str(request.quantity))

    def _scopes_of(self, account: str, owner: str) -> tuple[tuple[Scope, ...], float, bool]:
        """Return the scopes of an order, the longest duplicate window among them, and whether all check funds."""
        found = self._scopes.get((account, owner))
        if found is None:
            scopes = self._limits.scopes(account, owner)
            window_s = max(scope.limits.duplicate_window_s for scope in scopes)
            checks_funds = all(scope.limits.check_funds for scope in scopes)
            found = self._scopes[account, owner] = (scopes, window_s, checks_funds)
        return found

    def _make(self, order: Candidate, order_id: str) -> ApprovedOrder:
        request = order.request
        return ApprovedOrder(
            reducing_id(order_id) if order.reduces else order_id, order.owner, request.account, order.instrument.instrument_id, request.side, request.order_type,
            order.quantity_units, order.price_units, order.trigger_units, request.time_in_force, self._venue_reduces(order),
            request.post_only, request.position_side, order.trailing_units, order.display_units, request.expire_time_ns,
            order.now_ns, order.reduces, "", request.algo, request.algo_params,
        )  # fmt: skip

    def _venue_reduces(self, order: Candidate) -> bool:
        """Tell whether the venue may be given the reduce-only flag: only if the account's net position allows it.

        The net must bear this order and all others on its side, or the venue would cut one that its owner's position bears.
        """
        request, instrument = order.request, order.instrument
        if not request.reduce_only or not instrument.product.is_derivative:
            return False
        if not self._desk.adapters[request.account].capabilities.reduce_only:
            return False  # the order is known to reduce here, and a venue without the flag would refuse it
        place = (instrument.instrument_id, request.position_side)
        net = self._portfolio.net_position(request.account, *place)
        if net is None or net.quantity * order.sign >= 0:
            return False
        waiting = self._exposure.pending_units(request.side, "", request.account, place)
        return abs(net.quantity) >= waiting + order.quantity_units
