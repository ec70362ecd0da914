"""What is done about a difference: named and adjusted, ended, or settled by a person; each act is a record of its own."""

from decimal import Decimal

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.commands import SettleDifference
from foxtrot.core.notices import AccountAdjusted
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus, PositionSide
from foxtrot.domain.order_state import FORGOTTEN
from foxtrot.storage.journal_records import Adjusted
from foxtrot.trading.adjustment import ADJUSTMENT, apply_adjustment, price_of_move
from foxtrot.trading.difference import HOLDING, POSITION, Finding, digest, plain
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import ZERO

RECONCILE = "reconcile"
OUTSIDE = "balance moved outside: unexplained by fills"


class ReconcileActs:
    """Makes adjustments and ends orders that a venue no longer knows.

    Thread: the dispatcher's.
    """

    def __init__(
        self, sink: EventSink, clock: Clock, desk: OrderDesk, portfolio: Portfolio, journal: OrderJournal
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._desk = desk
        self._portfolio = portfolio
        self._journal = journal

    def forget(self, record: OrderRecord) -> None:
        """End an order of which the venue knows nothing and no fill has come, until the venue tells of it after all."""
        order, now_ns = record.to_order(), self._clock.now_ns()
        reason = "the venue has no order of this id any more, and told of no fill"
        ended = msgspec.structs.replace(
            order, status=OrderStatus.EXPIRED, rule=FORGOTTEN, reason=reason, local_time_ns=now_ns
        )
        logger.error("order {} in {}: {}", order.order_id, order.instrument_id, reason)
        self._desk.on_order(ended)
        name = digest("order", order.account, order.order_id)
        what = f"order {order.order_id} has ended"
        self._tell(name, order.account, order.instrument_id, what, FORGOTTEN, RECONCILE)

    def take_outside(self, finding: Finding, cursor_ns: int) -> None:
        """Let EXTERNAL have what a balance moved by outside of what we heard."""
        self._adjust_balance(finding, finding.delta, OUTSIDE, RECONCILE, cursor_ns)

    def adopt(self, finding: Finding, command: SettleDifference, cursor_ns: int) -> None:
        """Take the venue's side of a difference, by a person's decision."""
        cause = f"adopted: {command.why}"
        if finding.kind == POSITION:
            self._adjust_position(finding, command.owner, cause, command.who)
        elif finding.kind == HOLDING:
            held = self._portfolio.balances(finding.account).get(finding.subject, ZERO)
            if held != finding.venue:
                self._adjust_balance(finding, finding.venue - held, cause, command.who, cursor_ns)
            if command.owner != EXTERNAL:
                self._adjust_position(finding, command.owner, cause, command.who)

    def _adjust_balance(self, finding: Finding, amount: Decimal, cause: str, who: str, cursor_ns: int) -> None:
        account, asset = finding.account, finding.subject
        sides = (plain(finding.ours), plain(finding.venue), str(cursor_ns))
        done = self._portfolio.account(account).charges_of(ADJUSTMENT)  # the same may move twice between two fills
        name = digest("balance", account, asset, *sides, str(done))
        record = Adjusted(
            self._clock.now_ns(), name, account, EXTERNAL, "", PositionSide.NET, 0, 0.0, asset, amount, cause, who
        )  # fmt: skip
        if self._apply(record):
            self._tell(name, account, "", f"{plain(amount)} {asset}", cause, who)

    def _adjust_position(self, finding: Finding, owner: str, cause: str, who: str) -> None:
        """Move a position of an owner by what the venue has more."""
        account, instrument_id, side = finding.account, finding.places[0], finding.side
        units = self._portfolio.instruments[instrument_id].quantity_grid.round(finding.delta)
        done = self._portfolio.account(account).charges_of(ADJUSTMENT)
        sides = (plain(finding.ours), plain(finding.venue), str(done))
        name = digest("position", account, instrument_id, str(side), *sides)
        price = self._price_of(finding, owner)
        record = Adjusted(
            self._clock.now_ns(), name, account, owner, instrument_id, side, units, price, "", ZERO, cause, who
        )  # fmt: skip
        if self._apply(record):
            self._tell(name, account, instrument_id, f"{plain(finding.delta)} {instrument_id} of {owner}", cause, who)

    def _price_of(self, finding: Finding, owner: str) -> float:
        """Return at which price a position moves: so that the account's average becomes the venue's, where it tells one."""
        account, instrument_id, side = finding.account, finding.places[0], finding.side
        if finding.kind == HOLDING:
            owned = self._portfolio.position(owner, account, instrument_id, side)
            return owned.average_price if owned is not None else 0.0
        loaded = self._portfolio.account(account).reported_positions
        rows = loaded.positions if loaded is not None else ()
        told = [row.average_price for row in rows if (row.instrument_id, row.position_side) == (instrument_id, side)]
        net = self._portfolio.net_position(account, instrument_id, side)
        return price_of_move(net, finding.delta, told[0] if told else 0.0)

    def _apply(self, record: Adjusted) -> bool:
        if not apply_adjustment(self._portfolio, record):
            return False
        self._journal.append(record)
        return True

    def _tell(self, name: str, account: str, instrument_id: str, what: str, cause: str, who: str) -> None:
        self._sink.put(AccountAdjusted(name, account, instrument_id, what, cause, who, self._clock.now_ns()))
