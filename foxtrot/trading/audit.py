"""Comparison of what we hold to be true with what the venue answers; the audit asks, compares and tells.

Only the comparison stands here: it finds differences and names them. What to do about one (adopt it, ignore it, halt) is the
reconciliation engine's to decide, which comes on top.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, RequestFailed, TimerFired, TradesLoaded
from foxtrot.domain.account import AccountData, PositionData
from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio

OWNER = "audit"
DEADLINE_NS = 10_000_000_000
VENUE_STEP = Decimal("0.00000001")
"""The finest step in which venues keep money."""


class Difference(msgspec.Struct, frozen=True):
    """One thing on which we and the venue disagree.

    `kind` is order, fill, position or balance; `subject` is the order id, "trade id of order id", the instrument id (with its
    side when hedged) or the asset; `ours` and `venue` are what each side says, "none" where it knows of nothing.
    """

    kind: str
    account: str
    subject: str
    ours: str
    venue: str


class AccountState(msgspec.Struct, frozen=True):
    """One account at one moment, as one side knows it: what is told of each subject, by kind.

    `slack` is how far a balance of an asset may be off: ours because venues round the profit of each closing fill, and tell the
    average price of a position that was found, to a number of decimals of their own; a venue's because it rounds what it tells.
    """

    orders: dict[str, str]
    fills: dict[str, str]
    positions: dict[str, Decimal]
    balances: dict[str, Decimal]
    slack: dict[str, Decimal] = {}


class AuditFinished(msgspec.Struct, frozen=True):
    """An audit of an account is over; it is clean when there are neither differences nor an error."""

    account: str
    differences: tuple[Difference, ...]
    error: str = ""

    @property
    def reconciled(self) -> bool:
        """Tell whether everything was compared and agreed."""
        return not self.differences and not self.error


class VenueAnswers:
    """The answers of a venue about one account, as they come in.

    Thread: the dispatcher's.
    """

    __slots__ = ("account", "orders", "positions", "trades")

    def __init__(self) -> None:
        self.orders: OpenOrdersLoaded | None = None
        self.trades: TradesLoaded | None = None
        self.positions: PositionsLoaded | None = None
        self.account: AccountData | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the questions that are not answered yet."""
        return tuple(name for name in ("orders", "trades", "positions", "account") if getattr(self, name) is None)

    def state(self, instruments: InstrumentTable) -> AccountState:
        """Return the account as the venue tells it.

        Raises:
            ConfigError: an answer is missing.
        """
        if self.orders is None or self.trades is None or self.positions is None or self.account is None:
            raise ConfigError(f"answers are missing: {', '.join(self.missing)}; wait for all four")
        rows = self.positions.positions
        return AccountState(
            {order.order_id: _order_text(order) for order in self.orders.orders},
            {_fill_name(trade): _fill_text(trade) for trade in self.trades.trades},
            {_place_name(row.instrument_id, row.position_side): told_quantity(row, instruments) for row in rows},
            without_shares({balance.asset: balance.total for balance in self.account.balances}, instruments),
            {balance.asset: self.account.step for balance in self.account.balances} if self.account.step else {},
        )


def our_state(desk: OrderDesk, portfolio: Portfolio, account: str, since_ns: int = 0) -> AccountState:
    """Return an account as desk and portfolio know it, with the fills since a venue time."""
    return AccountState(
        {record.terms.order_id: _order_text(record.to_order()) for record in desk.open_records(account=account)},
        {_fill_name(trade): _fill_text(trade) for trade in desk.fills(account) if trade.venue_time_ns >= since_ns},
        {
            _place_name(instrument_id, side): position.instrument.quantity_grid.to_decimal(position.quantity)
            for (name, instrument_id, side), position in portfolio.net_positions()
            if name == account and not position.instrument.product.is_balance
        },
        without_shares(portfolio.balances(account), portfolio.instruments),
        balance_slack(portfolio, account),
    )


def balance_slack(portfolio: Portfolio, account: str) -> dict[str, Decimal]:
    """Return the slack of an account's assets: a unit of the eighth decimal for each fill, half a step of value for what was found."""
    slack: dict[str, Decimal] = {}
    for (name, _, _), position in portfolio.net_positions():
        instrument = position.instrument
        if name != account or not instrument.product.is_derivative:
            continue
        found = instrument.notional(1, 1) if position.found else Decimal(0)
        asset = instrument.settle_asset
        slack[asset] = slack.get(asset, Decimal(0)) + VENUE_STEP * (position.fills + 1) + found
    return slack


def compare(account: str, ours: AccountState, venue: AccountState) -> tuple[Difference, ...]:
    """Return every difference between two states of an account; a quantity that is not told is zero."""
    return (
        *_text_differences("order", account, ours.orders, venue.orders),
        *_text_differences("fill", account, ours.fills, venue.fills),
        *_amount_differences("position", account, ours.positions, venue.positions),
        *_amount_differences("balance", account, ours.balances, venue.balances, _together(ours.slack, venue.slack)),
    )


class Audit:
    """Asks the venue of an account for orders, trades, positions and balances, and compares.

    What we hold to be true is noted before the question is asked, for the desk merges the answers and would learn from them
    what the events had failed to tell. The account should be quiet: what trades between question and answer is a difference.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._dispatcher = dispatcher
        self._desk = desk
        self._portfolio = portfolio
        self._running: dict[str, tuple[AccountState, VenueAnswers, int, int]] = {}
        dispatcher.subscribe(OpenOrdersLoaded, self._on_orders, owner=OWNER)
        dispatcher.subscribe(TradesLoaded, self._on_trades, owner=OWNER)
        dispatcher.subscribe(PositionsLoaded, self._on_positions, owner=OWNER)
        dispatcher.subscribe(AccountData, self._on_account, owner=OWNER)
        dispatcher.subscribe(RequestFailed, self._on_request_failed, owner=OWNER)
        dispatcher.subscribe(TimerFired, self._on_timer, owner=OWNER, key=OWNER)

    def start(self, account: str, since_ns: int = 0, deadline_ns: int = DEADLINE_NS) -> None:
        """Begin an audit of an account; AuditFinished ends it, also when the venue does not answer in time.

        Args:
            account: name of the account; an audit of it that is running is begun anew.
            since_ns: fills from this venue time on are compared.
            deadline_ns: how long to wait for the answers.

        Raises:
            ConfigError: the account has no adapter.
        """
        adapter = self._desk.adapters.get(account)
        if adapter is None:
            known = ", ".join(sorted(self._desk.adapters)) or "none"
            raise ConfigError(f"account {account} has no adapter; there are: {known}")
        self._cancel(account)
        ours = our_state(self._desk, self._portfolio, account, since_ns)
        timer = self._dispatcher.set_timer(OWNER, account, deadline_ns)
        self._running[account] = (ours, VenueAnswers(), timer, since_ns)
        adapter.query_orders()
        adapter.query_trades(since_ns)
        adapter.query_positions()
        adapter.query_account()

    def _cancel(self, account: str) -> None:
        running = self._running.pop(account, None)
        if running is not None:
            self._dispatcher.cancel_timer(running[2])

    def _on_orders(self, loaded: OpenOrdersLoaded) -> None:
        if loaded.account in self._running:
            self._running[loaded.account][1].orders = loaded
            self._finish_if_answered(loaded.account)

    def _on_trades(self, loaded: TradesLoaded) -> None:
        running = self._running.get(loaded.account)
        if (
            running is not None and loaded.since_ns <= running[3]
        ):  # a list that begins later was asked for by somebody else
            running[1].trades = loaded
            self._finish_if_answered(loaded.account)

    def _on_positions(self, loaded: PositionsLoaded) -> None:
        if loaded.account in self._running:
            self._running[loaded.account][1].positions = loaded
            self._finish_if_answered(loaded.account)

    def _on_account(self, data: AccountData) -> None:
        if data.account in self._running:
            self._running[data.account][1].account = data
            self._finish_if_answered(data.account)

    def _on_request_failed(self, failure: RequestFailed) -> None:
        if failure.account in self._running and failure.what in ("orders", "trades", "positions", "account"):
            self._end(failure.account, (), f"the venue did not answer for {failure.what}: {failure.error}")

    def _on_timer(self, timer: TimerFired) -> None:
        running = self._running.get(timer.name)
        if running is not None and running[2] == timer.timer_id:
            self._end(timer.name, (), f"no answer in time for {', '.join(running[1].missing)}")

    def _finish_if_answered(self, account: str) -> None:
        ours, answers, *_ = self._running[account]
        if not answers.missing:
            self._end(account, compare(account, ours, answers.state(self._portfolio.instruments)), "")

    def _end(self, account: str, differences: tuple[Difference, ...], error: str) -> None:
        self._cancel(account)
        finished = AuditFinished(account, differences, error)
        if finished.reconciled:
            self._desk.orphans.release(account)
        self._dispatcher.put(finished)


def _together(ours: Mapping[str, Decimal], venue: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {asset: ours.get(asset, Decimal(0)) + venue.get(asset, Decimal(0)) for asset in ours.keys() | venue.keys()}


def _text_differences(kind: str, account: str, ours: Mapping[str, str], venue: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(kind, account, subject, ours.get(subject, "none"), venue.get(subject, "none"))
        for subject in sorted(ours.keys() | venue.keys())
        if ours.get(subject) != venue.get(subject)
    ]


def _amount_differences(
    kind: str,
    account: str,
    ours: Mapping[str, Decimal],
    venue: Mapping[str, Decimal],
    slack: Mapping[str, Decimal] | None = None,
) -> list[Difference]:
    zero, slack = Decimal(0), slack or {}
    return [
        Difference(kind, account, subject, f"{ours.get(subject, zero):f}", f"{venue.get(subject, zero):f}")
        for subject in sorted(ours.keys() | venue.keys())
        if abs(ours.get(subject, zero) - venue.get(subject, zero)) > slack.get(subject, zero)
    ]


def without_shares(balances: dict[str, Decimal], instruments: InstrumentTable) -> dict[str, Decimal]:
    """Return balances without shares and options, which are compared as positions: not every broker lists them as balances too."""
    owned = (Product.STOCK, Product.OPTION)
    shares = {instrument.base_asset for instrument in instruments.all() if instrument.product in owned}
    return {asset: total for asset, total in balances.items() if asset not in shares}


def _order_text(order: OrderData) -> str:
    return f"{order.status}, {order.filled_quantity!r} of {order.quantity!r} filled"


def _fill_name(trade: TradeData) -> str:
    return f"{trade.trade_id} of {trade.order_id} in {trade.instrument_id}"


def _fill_text(trade: TradeData) -> str:
    return (
        f"{trade.quantity!r} at {trade.price!r}, fee {trade.fee.normalize():f} {trade.fee_asset if trade.fee else ''}"
    )


def _place_name(instrument_id: str, side: PositionSide) -> str:
    return instrument_id if side is PositionSide.NET else f"{instrument_id} {side}"


def told_quantity(row: PositionData, instruments: InstrumentTable) -> Decimal:
    """Return a venue's quantity on the instrument's grid where that is known, so that floats compare exactly."""
    instrument = instruments.get(row.instrument_id)
    if instrument is None:
        return Decimal(repr(row.quantity))
    return instrument.quantity_grid.to_decimal(instrument.quantity_grid.round(row.quantity))
