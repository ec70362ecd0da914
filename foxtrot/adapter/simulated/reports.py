"""What the simulated venue tells an account unasked: orders, fills, positions, balances and charges."""

from collections.abc import Callable
from typing import Never

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.session import SessionFailed, SimulatedSession
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    FundingPaid,
    OrderEvent,
    OrderFilled,
    PositionChanged,
    VenueEvent,
)


class AccountReports:
    """Turns the venue's events of one account into facts and publishes them, an order's state before the fill it counts.

    `balances` says whether balances and positions are published; `cursor_ns` is the time of the last fill heard.

    Thread: the session's.
    """

    def __init__(
        self,
        adapter: BaseAdapter,
        session: SimulatedSession,
        tell_account: Callable[[], None],
        on_failure: Callable[[SessionFailed], None],
    ) -> None:
        self.balances = True
        self.cursor_ns = 0
        self._adapter = adapter
        self._session = session
        self._tell_account = tell_account
        self._account_dirty = False
        self._handlers: dict[type[VenueEvent], Callable[[Never], None]] = {
            **dict.fromkeys(codec.STATUS_OF, self._on_order_event),
            OrderFilled: self._on_filled,
            BalanceChanged: self._on_balance,
            ChargeBooked: self._on_charge,
            FundingPaid: self._on_charge,
            PositionChanged: self._on_position,
            SessionFailed: on_failure,
        }

    def hear(self, event: VenueEvent) -> None:
        """Take one event of the venue."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)  # type: ignore[arg-type]  # the table pairs them

    def flush(self) -> None:
        """Publish balances once for all that one job or step changed."""
        if self._account_dirty:
            self._account_dirty = False
            if self.balances:
                self._tell_account()

    def _on_filled(self, event: OrderFilled) -> None:
        instrument, now_ns = self._session.instrument(event.instrument_id), self._adapter.clock.now_ns()
        self.cursor_ns = event.time_ns
        self._tell_order(codec.order_data(event, instrument, now_ns))
        self._tell_trade(codec.trade_data(event, instrument, now_ns))

    def _on_order_event(self, event: OrderEvent) -> None:
        instrument = self._session.instrument(event.instrument_id)
        self._tell_order(codec.order_data(event, instrument, self._adapter.clock.now_ns()))

    def _tell_order(self, order: OrderData) -> None:
        if self._session.latency_ns:
            self._session.answer(lambda: self._adapter.on_order(order))
        else:
            self._adapter.on_order(order)

    def _tell_trade(self, trade: TradeData) -> None:
        if self._session.latency_ns:
            self._session.answer(lambda: self._adapter.on_trade(trade))
        else:
            self._adapter.on_trade(trade)

    def _on_balance(self, _event: BalanceChanged) -> None:
        self._account_dirty = True

    def _on_charge(self, event: ChargeBooked | FundingPaid) -> None:
        charge = codec.charge(event, self._adapter.clock.now_ns())
        self._session.answer(lambda: self._adapter.on_charge(charge))

    def _on_position(self, event: PositionChanged) -> None:
        if self.balances:
            instrument = self._session.instrument(event.instrument_id)
            position = codec.position_data(event, instrument, self._adapter.clock.now_ns())
            self._session.answer(lambda: self._adapter.on_position(position))
