"""The story of the day in the log: notices of the line as lines, with order and strategy ids bound to them."""

from loguru import logger

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    AccountAdjusted,
    AccountReconciled,
    AmendAnswered,
    BookStateChanged,
    DifferenceFound,
    Gap,
    GateChanged,
    HandlerFailed,
    JournalFailed,
    OrderChanged,
    PositionEnds,
    ProtectionChanged,
    RequestFailed,
    StrategyLog,
    StrategyStatus,
    TradeBooked,
    VenueUnsteady,
)
from foxtrot.domain.enums import GateState, OrderStatus
from foxtrot.domain.outcome import Outcome

OWNER = "event_log"
LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
_LOUD_ORDERS = frozenset({OrderStatus.UNKNOWN, OrderStatus.REJECTED, OrderStatus.DENIED})


class EventLog:
    """Hears notices after everybody else and writes a line about each; whatever it raised would halt nothing but itself.

    Changes of a connection are not among them: each adapter writes its own. That they are too many is.

    Thread: the dispatcher's; the lines are written by foxtrot-log.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        dispatcher.subscribe(RequestFailed, self.on_request_failed, owner=OWNER)
        dispatcher.subscribe(VenueUnsteady, self.on_venue_unsteady, owner=OWNER)
        dispatcher.subscribe(BookStateChanged, self.on_book_state, owner=OWNER)
        dispatcher.subscribe(Gap, self.on_gap, owner=OWNER)
        dispatcher.subscribe(HandlerFailed, self.on_handler_failed, owner=OWNER)
        dispatcher.subscribe(JournalFailed, self.on_journal_failed, owner=OWNER)
        dispatcher.subscribe(GateChanged, self.on_gate_changed, owner=OWNER)
        dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER)
        dispatcher.subscribe(AmendAnswered, self.on_amend_answered, owner=OWNER)
        dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=OWNER)
        dispatcher.subscribe(ProtectionChanged, self.on_protection_changed, owner=OWNER)
        dispatcher.subscribe(StrategyStatus, self.on_strategy_status, owner=OWNER)
        dispatcher.subscribe(StrategyLog, self.on_strategy_log, owner=OWNER)
        dispatcher.subscribe(PositionEnds, self.on_position_ends, owner=OWNER)
        dispatcher.subscribe(DifferenceFound, self.on_difference, owner=OWNER)
        dispatcher.subscribe(AccountAdjusted, self.on_adjusted, owner=OWNER)
        dispatcher.subscribe(AccountReconciled, self.on_reconciled, owner=OWNER)

    def on_request_failed(self, failure: RequestFailed) -> None:
        """Write a request that a venue did not fulfil."""
        logger.bind(account=failure.account).warning("{} failed: {}", failure.what, failure.error)

    def on_book_state(self, change: BookStateChanged) -> None:
        """Write that a local book became usable or unusable."""
        logger.bind(account=change.account).info(
            "book of {} is {} {}", change.instrument_id, change.state, change.cause
        )

    def on_venue_unsteady(self, alert: VenueUnsteady) -> None:
        """Write that a venue falls back too often."""
        counts = f"{alert.rest_fallbacks} answers by REST and {alert.reconnects} reconnects in {alert.window_s:g} s"
        bound = logger.bind(account=alert.account, adapter=alert.adapter)
        bound.warning("the connection falls back often: {}; last cause: {}", counts, alert.cause or "none given")

    def on_gap(self, gap: Gap) -> None:
        """Write that market events were shed."""
        logger.warning("{} {} of {} were shed: the queue was full", gap.count, gap.event_class, gap.instrument_id)

    def on_handler_failed(self, failure: HandlerFailed) -> None:
        """Write that a handler raised, and what that halted."""
        halted = "trading is halted" if failure.core else f"{failure.owner} is halted"
        event = f"{failure.event_class} (event {failure.sequence})"
        logger.error("{} raised on {}: {}; {}", failure.handler, event, failure.error, halted)

    def on_journal_failed(self, failure: JournalFailed) -> None:
        """Write that intents could not be stored."""
        logger.error("the journal failed: {}; not sent: {}", failure.error, ", ".join(failure.order_ids))

    def on_gate_changed(self, change: GateChanged) -> None:
        """Write what is let through from now on."""
        level = "INFO" if change.state is GateState.ACTIVE else "WARNING"
        scope = f"{change.account or 'all accounts'} {change.instrument_id or 'all instruments'}"
        logger.log(level, "the gate is {} for {}: {}", change.state, scope, change.reason)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Write where an order stands."""
        order = change.order
        level = "WARNING" if order.status in _LOUD_ORDERS else "INFO"
        rule = "" if order.rule and order.reason.startswith(order.rule) else order.rule
        why = f": {f'{rule} {order.reason}'.strip()}" if order.reason or rule else ""
        price = f"at {order.price!r}" if order.price else "at market"
        what = f"{order.side} {order.quantity!r} {order.instrument_id} {price}, filled {order.filled_quantity!r}"
        bound = logger.bind(strategy_id=change.strategy_id, order_id=order.order_id)
        bound.log(level, "{} {}{}", order.status, what, why)

    def on_amend_answered(self, answer: AmendAnswered) -> None:
        """Write what became of a change of an order."""
        level = "INFO" if answer.outcome is Outcome.CONFIRMED else "WARNING"
        why = f": {answer.rule}: {answer.reason}" if answer.rule else ""
        logger.bind(order_id=answer.order_id).log(level, "change {} is {}{}", answer.number, answer.outcome, why)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Write a fill."""
        trade = booked.trade
        bound = logger.bind(strategy_id=booked.strategy_id, order_id=trade.order_id)
        late = ", after the order's end" if booked.late else ""
        what = f"{trade.side} {trade.quantity!r} {trade.instrument_id} at {trade.price!r}"
        bound.info("fill {} {}, fee {} {}{}", trade.trade_id, what, trade.fee, trade.fee_asset, late)

    def on_protection_changed(self, change: ProtectionChanged) -> None:
        """Write how a position is protected from now on."""
        reason = f": {change.reason}" if change.reason else ""
        bound = logger.bind(strategy_id=change.owner, account=change.account)
        what = f"is {change.protection}{reason}" if change.protection else "is flat and needs no protection"
        bound.info("the position in {} {}", change.instrument_id, what)

    def on_position_ends(self, notice: PositionEnds) -> None:
        """Write that a position in a future is about to end."""
        bound = logger.bind(strategy_id=notice.owner, account=notice.account)
        held = f"{notice.quantity:+g} {notice.instrument_id} of {notice.owner}"
        bound.warning(
            "{} ends: {}, {:.1f} days left; `foxtrot roll {} NEW` carries it on, no more of it is opened", held, notice.ends,
            notice.days, notice.instrument_id,
        )  # fmt: skip

    def on_strategy_status(self, status: StrategyStatus) -> None:
        """Write a step in the life of a strategy."""
        level = "ERROR" if status.state == "failed" else "INFO"
        reason = f": {status.reason}" if status.reason else ""
        logger.bind(strategy_id=status.strategy_id).log(level, "strategy is {}{}", status.state, reason)

    def on_strategy_log(self, line: StrategyLog) -> None:
        """Write what a strategy says."""
        level = line.level.upper() if line.level.upper() in LEVELS else "INFO"
        logger.bind(strategy_id=line.strategy_id).log(level, "{}", line.text)

    def on_difference(self, found: DifferenceFound) -> None:
        """Write on what we and a venue disagree."""
        what = f"{found.kind} of {found.subject}: {found.ours} here, {found.venue} at the venue"
        halts = ", so that its instrument is halted" if found.halts else ""
        name = found.difference_id
        logger.bind(account=found.account).error(
            "difference {}: {}{}; `foxtrot adopt {}` or `foxtrot ignore {}` settles it", name, what, halts, name, name
        )

    def on_adjusted(self, adjusted: AccountAdjusted) -> None:
        """Write what was made to agree with a venue without a fill."""
        bound = logger.bind(account=adjusted.account)
        bound.warning("adjusted {}: {} by {} ({})", adjusted.adjustment_id, adjusted.what, adjusted.who, adjusted.cause)

    def on_reconciled(self, ended: AccountReconciled) -> None:
        """Write that an account was compared with its venue, or why not."""
        bound = logger.bind(account=ended.account)
        if ended.error:
            bound.warning("not reconciled ({}): {}", ended.cause, ended.error)
        else:
            level = "DEBUG" if ended.cause == "regular" and not ended.differences else "INFO"
            bound.log(level, "reconciled ({}): {} differences stand", ended.cause, ended.differences)
