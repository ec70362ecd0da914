"""What USD-M accounts hear: the venue's events, command by command, as Binance's user-data events."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Never

import msgspec

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    FundingPaid,
    LeverageChanged,
    Liquidated,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    PositionChanged,
    PositionSettled,
    VenueEvent,
)
from foxtrot.exchange.wire.binance import usdm_event_rows as rows
from foxtrot.exchange.wire.binance.usdm_account import UsdmAccount
from foxtrot.exchange.wire.binance.usdm_algo_book import AlgoBook
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_income import IncomeLog
from foxtrot.exchange.wire.binance.usdm_order_rows import LIQUIDATION_PREFIX, ended_text
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_positions import position_views
from foxtrot.exchange.wire.binance.usdm_profits import Profits

_ZERO = Decimal(0)
_REASONS: Mapping[str, tuple[str, str]] = {
    "deposit": ("DEPOSIT", "TRANSFER"),
    "withdrawal": ("WITHDRAW", "TRANSFER"),
    "insurance": ("INSURANCE_CLEAR", "INSURANCE_CLEAR"),
}
"""Reason of the account update and kind of income, by kind of charge."""


class Batch(msgspec.Struct):
    """What one command has brought an account: events to send, and what of the account changed.

    Thread: exchange-io.
    """

    sent: list[Row] = []
    first_trade: int = -1
    reason: str = ""
    time_ns: int = 0
    charges: dict[str, Decimal] = {}
    wallets: dict[str, Decimal] = {}
    positions: dict[tuple[str, str], PositionChanged] = {}


class UsdmUserStream:
    """Gathers what a command did and tells it: orders, then the account before its first trade.

    Thread: exchange-io.

    Args:
        desk: the venue.
        profits: follows positions fill by fill.
        income: keeps movements of money.
        account: is told when positions change.
        deliver: takes (account, payload).
    """

    def __init__(
        self,
        desk: UsdmDesk,
        profits: Profits,
        income: IncomeLog,
        account: UsdmAccount,
        deliver: Callable[[str, Row], None],
    ) -> None:
        self._desk = desk
        self._profits = profits
        self._income = income
        self._account = account
        self._deliver = deliver
        self._algos: AlgoBook | None = None
        self._batches: dict[str, Batch] = {}
        self._wallets: dict[tuple[str, str], Decimal] = {}
        self._settling = False
        self._handlers: Mapping[type[VenueEvent], Callable[[Never], None]] = {
            OrderAccepted: self._accepted,
            OrderAmended: self._amended,
            OrderCancelled: self._cancelled,
            OrderExpired: self._expired,
            OrderFilled: self._filled,
            BalanceChanged: self._balance,
            PositionChanged: self._position,
            ChargeBooked: self._charge,
            FundingPaid: self._funding,
            LeverageChanged: self._leverage,
            Liquidated: self._liquidated,
            PositionSettled: self._settled,
        }

    def follow(self, algos: AlgoBook) -> None:
        """Tell a book of conditional orders what becomes of the ordinary ones.

        Source: none, it is Foxtrot's own.
        """
        self._algos = algos

    def hear(self, event: VenueEvent) -> None:
        """Take one event of the venue; the accounts hear of it at the latest when `flush` is called.

        Source: Binance USDⓈ-M Futures, User Data Streams.
        """
        kind = type(event)
        changes = kind is BalanceChanged or kind is PositionChanged
        if self._settling and not changes:
            self.flush()
        handler = self._handlers.get(kind)
        if handler is not None and getattr(event, "account", "") in self._desk.side.uids:
            self._settling = changes
            handler(event)  # type: ignore[arg-type]  # the table pairs them

    def tell(self, account: str, payload: Row) -> None:
        """Send something with the rest of this command.

        Source: Binance USDⓈ-M Futures, User Data Streams.
        """
        self._batch(account).sent.append(payload)

    def flush(self) -> None:
        """Send what was gathered.

        Source: Binance USDⓈ-M Futures, User Data Streams; an account update stands before the trade that made it.
        """
        self._settling = False
        if not self._batches:
            return
        batches, self._batches = self._batches, {}
        for account, batch in batches.items():
            update = self._update(account, batch)
            if update is not None:
                place = batch.first_trade if batch.first_trade >= 0 else len(batch.sent)
                batch.sent.insert(place, update)
            for payload in batch.sent:
                self._deliver(account, payload)

    def _batch(self, account: str) -> Batch:
        found = self._batches.get(account)
        if found is None:
            found = self._batches[account] = Batch()
        return found

    def _accepted(self, event: OrderAccepted) -> None:
        instrument = self._desk.named(event.instrument_id)
        if instrument is None:
            return
        if event.client_order_id.startswith(LIQUIDATION_PREFIX):
            self._warn(event, instrument)
        self._order(event, ("NEW", "NEW"), False)

    def _amended(self, event: OrderAmended) -> None:
        self._order(event, ("AMENDMENT", "PARTIALLY_FILLED" if event.filled else "NEW"), False)

    def _cancelled(self, event: OrderCancelled) -> None:
        status = ended_text(event.reason)
        self._order(event, ("CANCELED" if status == "CANCELED" else "EXPIRED", status), True)

    def _expired(self, event: OrderExpired) -> None:
        self._order(event, ("EXPIRED", "EXPIRED"), True)

    def _order(self, event: OrderEvent, happened: tuple[str, str], has_ended: bool) -> None:
        instrument = self._desk.named(event.instrument_id)
        if instrument is None:
            return
        self._desk.touch(event.order_id, event.time_ns)
        self.tell(event.account, rows.order_event(instrument, event, self._desk.note(event.order_id), happened))
        if self._algos is not None:
            self._algos.hear_order(event, has_ended)

    def _filled(self, fill: OrderFilled) -> None:
        instrument = self._desk.named(fill.instrument_id)
        if instrument is None:
            return
        self._desk.touch(fill.order_id, fill.time_ns)
        profit = self._profits.hear_fill(instrument, fill)
        self._note_fill(instrument, fill, profit)
        batch = self._batch(fill.account)
        batch.reason, batch.time_ns = batch.reason or "ORDER", fill.time_ns
        batch.sent.append(rows.lite_event(instrument, fill))
        if batch.first_trade < 0:
            batch.first_trade = len(batch.sent)
        batch.sent.append(rows.trade_event(instrument, fill, self._desk.note(fill.order_id), profit))
        if self._algos is not None:
            self._algos.hear_order(fill, fill.remaining <= 0)

    def _note_fill(self, instrument: Instrument, fill: OrderFilled, profit: Decimal) -> None:
        facts = (fill.instrument_id, fill.time_ns, fill.sequence, str(fill.trade_id))
        if fill.fee:
            self._income.note(fill.account, "COMMISSION", (-fill.fee, fill.fee_asset), facts)
        if profit:
            self._income.note(fill.account, "REALIZED_PNL", (profit, instrument.settle_asset), facts)

    def _balance(self, event: BalanceChanged) -> None:
        if event.asset in self._desk.settle_assets():
            batch = self._batch(event.account)
            batch.wallets[event.asset], batch.time_ns = event.total, event.time_ns

    def _position(self, event: PositionChanged) -> None:
        instrument = self._desk.named(event.instrument_id)
        if instrument is None:
            return
        unexplained = self._profits.hear_position(event)
        if unexplained:
            facts = (event.instrument_id, event.time_ns, event.sequence, "")
            self._income.note(event.account, "REALIZED_PNL", (unexplained, instrument.settle_asset), facts)
        self._account.hear_position(event.account, event.instrument_id, event.position_side)
        batch = self._batch(event.account)
        batch.reason, batch.time_ns = batch.reason or "ORDER", event.time_ns
        batch.positions[event.instrument_id, event.position_side] = event
        if self._algos is not None and not event.quantity:
            self._algos.hear_closed(event)

    def _charge(self, event: ChargeBooked) -> None:
        if event.asset not in self._desk.settle_assets():
            return
        reason, kind = _REASONS[event.kind]
        self._note_money(event.account, reason, event.asset, event.amount)
        self._income.note(event.account, kind, (event.amount, event.asset), ("", event.time_ns, event.sequence, ""))

    def _funding(self, event: FundingPaid) -> None:
        self._note_money(event.account, "FUNDING_FEE", event.asset, event.amount)
        facts = (event.instrument_id, event.time_ns, event.sequence, "")
        self._income.note(event.account, "FUNDING_FEE", (event.amount, event.asset), facts)

    def _note_money(self, account: str, reason: str, asset: str, amount: Decimal) -> None:
        batch = self._batch(account)
        batch.reason = batch.reason or reason
        batch.charges[asset] = batch.charges.get(asset, _ZERO) + amount

    def _leverage(self, event: LeverageChanged) -> None:
        instrument = self._desk.named(event.instrument_id)
        if instrument is not None:
            self.tell(event.account, rows.leverage_event(instrument, event))

    def _liquidated(self, event: Liquidated) -> None:
        self._batch(event.account).reason = "ORDER"

    def _settled(self, event: PositionSettled) -> None:
        self._batch(event.account).reason = "ADJUSTMENT"

    def _warn(self, event: OrderAccepted, instrument: Instrument) -> None:
        wallet = self._desk.venue.balances(event.account).get(instrument.settle_asset, (_ZERO, _ZERO))[0]
        views = position_views(self._desk, event.account, instrument.symbol)
        signed = -event.side.sign * event.quantity
        closed = [
            msgspec.structs.replace(view, quantity=signed)
            for view in views
            if view.position_side is event.position_side
        ]
        self.tell(event.account, rows.margin_call(event.time_ns // MS_NS, wallet, closed))

    def _update(self, account: str, batch: Batch) -> Row | None:
        """Return the account update of a batch; a wallet that a trade elsewhere moved is told as a transfer."""
        balances: list[Row] = []
        for asset, wallet in batch.wallets.items():
            known = self._wallets.get((account, asset))
            self._wallets[account, asset] = wallet
            change = batch.charges.get(asset, _ZERO)
            if not batch.reason:
                change = wallet - known if known is not None else _ZERO
            if batch.reason or change:
                balances.append(rows.balance_part(asset, wallet, change))
        positions: list[Row] = []
        for event in batch.positions.values():
            instrument = self._desk.named(event.instrument_id)
            if instrument is not None:
                positions.append(rows.position_part(instrument, event, self._unrealised(event)))
        if not balances and not positions:
            return None
        return rows.account_event(batch.time_ns // MS_NS, batch.reason or "ASSET_TRANSFER", balances, positions)

    def _unrealised(self, event: PositionChanged) -> Decimal:
        for held in self._desk.venue.positions(event.account):
            if (held.instrument_id, held.position_side) == (event.instrument_id, event.position_side):
                return held.unrealised_profit
        return _ZERO
