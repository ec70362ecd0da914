"""The state of trading as rows for people and programs; read on the engine's thread, frozen, so that any thread may have them."""

from collections.abc import Iterator

from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_requests import (
    AccountRow,
    BlockRow,
    DifferenceRow,
    NetRow,
    OrderRow,
    PositionRow,
    StrategyRow,
    TradeRow,
)
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus, PositionSide
from foxtrot.domain.order import OrderData
from foxtrot.strategy.exits import is_sellable
from foxtrot.strategy.host import StrategyHost
from foxtrot.strategy.line import Line
from foxtrot.strategy.strategy_view import view_of
from foxtrot.trading.dust import why_dust
from foxtrot.trading.order_ids import is_ours
from foxtrot.trading.order_record import OrderRecord


def is_entry(record: OrderRecord) -> bool:
    """Tell whether an order is ours and may increase a position: what a kill cancels."""
    return not record.reduces and not is_foreign(record)


def is_foreign(record: OrderRecord) -> bool:
    """Tell whether somebody else placed an order."""
    return record.owner == EXTERNAL and not is_ours(record.terms.order_id)


class ControlRows:
    """Makes rows of what there is at this moment.

    Thread: foxtrot-engine.
    """

    def __init__(self, line: Line, notices: ControlNotices) -> None:
        self._line = line
        self._notices = notices

    def order(self, record: OrderRecord) -> OrderRow:
        """Return the row of an order."""
        return _order_row(
            record.to_order(), record.terms.local_time_ns, reduces=record.reduces, cancel_asked=record.cancel_asked
        )

    def denied(self, order: OrderData) -> OrderRow:
        """Return the row of an order that never left."""
        return _order_row(order, order.local_time_ns)

    def positions(self) -> Iterator[PositionRow]:
        """Yield every position that is not flat, by owner; what people sold out of a spot balance is no short position."""
        portfolio = self._line.portfolio
        for key, held in portfolio.positions():
            owner, account, instrument_id, side = key
            if held.exact_quantity and (owner != EXTERNAL or is_sellable(held)):
                cover = self._line.protections.cover(key)
                yield PositionRow(
                    owner, account, instrument_id, str(side), float(held.exact_quantity), held.average_price, portfolio.profit(held),
                    "" if owner == EXTERNAL else cover.protection, cover.reason, why_dust(held, portfolio.view),
                )  # fmt: skip

    def net(self) -> Iterator[NetRow]:
        """Yield what every account holds over all owners."""
        for (account, instrument_id, side), held in self._line.portfolio.net_positions():
            if held.exact_quantity:
                yield NetRow(account, instrument_id, str(side), float(held.exact_quantity), held.average_price)

    def trades(self, record: OrderRecord) -> Iterator[TradeRow]:
        """Yield the fills of an order."""
        for trade in record.fills.values():
            yield TradeRow(
                trade.venue_time_ns or trade.local_time_ns, trade.trade_id, record.terms.order_id, record.owner, trade.account,
                trade.instrument_id, str(trade.side), trade.price, trade.quantity, trade.fee, trade.fee_asset, str(trade.liquidity),
            )  # fmt: skip

    def strategy(self, host: StrategyHost) -> StrategyRow:
        """Return the row of a strategy."""
        view, said = view_of(host), self._notices.said(host.strategy_id)
        held = tuple(row for row in self.positions() if row.owner == host.strategy_id)
        return StrategyRow(
            view.strategy_id, view.class_name, view.account, view.symbols or host.settings.symbols, view.stage, view.reason,
            view.parameters, view.open_orders, held, view.equity, host.strategy_id in self._line.strategies.leaving,
            self._line.halted.why(host.strategy_id), said.number,
            said.text,
        )  # fmt: skip

    def blocks(self) -> Iterator[BlockRow]:
        """Yield everything that the gate does not let through."""
        for move in self._line.gate.blocks():
            yield BlockRow(
                move.account,
                move.instrument_id,
                str(move.state),
                move.reason,
                move.time_ns,
                move.who,
                move.lasting,
                move.killed,
            )

    def differences(self) -> Iterator[DifferenceRow]:
        """Yield the differences that stand unexplained."""
        reconciler = self._line.reconciler
        for one in () if reconciler is None else reconciler.differences():
            found = one.finding
            subject = found.subject if found.side is PositionSide.NET else f"{found.subject} {found.side}"
            yield DifferenceRow(
                one.difference_id, found.account, found.kind, subject, f"{found.ours:f}", f"{found.venue:f}", bool(found.places),
                one.since_ns,
            )  # fmt: skip

    def accounts(self) -> Iterator[AccountRow]:
        """Yield how the last reconciliation of each account ended."""
        for account in self._line.adapters:
            run = self._notices.reconciled.get(account)
            if run is not None:
                last = run.notice
                yield AccountRow(account, run.number, last.local_time_ns, last.cause, last.differences, last.error)


def _order_row(order: OrderData, created_ns: int, *, reduces: bool = False, cancel_asked: bool = False) -> OrderRow:
    unknown_since_ns = order.local_time_ns if order.status is OrderStatus.UNKNOWN else None
    return OrderRow(
        order.order_id, order.strategy_id, order.account, order.instrument_id, str(order.side), str(order.order_type), order.quantity,
        order.filled_quantity, order.price, order.trigger_price, str(order.status), reduces, cancel_asked, order.venue_order_id,
        created_ns, order.local_time_ns, unknown_since_ns, order.reason,
    )  # fmt: skip
