"""Fills of one account: each told once, with what it cost; its commission comes in a message of its own, sometimes late.

A fill waits a moment for its commission. Where that does not come in time the fill is told without one, and what it cost is told
as a charge when IB says so: a position must not wait for its costs.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.exact_sums import EXACT, average_of
from foxtrot.adapter.ib.report_codec import CommissionRow, FillRow
from foxtrot.domain.account import COMMISSION, AccountCharge
from foxtrot.domain.enums import Liquidity, OrderType
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, STREAM
from foxtrot.domain.order import OrderData, TradeData

REMEMBERED: Final = 50_000
CORRECTION = "correction"
"""Kind of a charge: what a correction of a price moved."""
SECOND_NS: Final = 10**9
ZERO: Final = Decimal(0)


class _Fill(msgspec.Struct):
    """One fill: its newest version, what it cost as far as that is known, and as which fact it was told."""

    row: FillRow
    name: str
    instrument: Instrument
    time_ns: int
    source: str
    commission: CommissionRow | None = None
    told: TradeData | None = None
    paid: Decimal = ZERO
    """What was told of its costs so far, with the fill and as charges."""
    heard_ns: int = 0


class Fills:
    """Puts executions and commissions together.

    Args:
        adapter: publishes charges.
        tell: takes a fill that is complete, or has waited long enough.
        order_of: returns what is known of an order.

    Thread: ib-io.
    """

    def __init__(
        self, adapter: BaseAdapter, tell: Callable[[TradeData], None], order_of: Callable[[str], OrderData | None]
    ) -> None:
        self._adapter = adapter
        self._tell = tell
        self._order_of = order_of
        self._fills: OrderedDict[str, _Fill] = OrderedDict()
        self._early: OrderedDict[str, CommissionRow] = OrderedDict()
        """Commissions by execution that nobody has told yet."""
        self._of_order: dict[str, list[_Fill]] = {}
        self._untold: dict[str, _Fill] = {}
        self._listing = 0
        self.begin_ns = 0
        """What was filled before is part of what the account began with, and never told by itself."""

    def hear(self, row: FillRow, name: str, instrument: Instrument, *, pushed: bool) -> TradeData | None:
        """Take an execution, new, again or corrected; returns the fact when it was told before or is complete now."""
        fill = self._fills.get(row.trade_id)
        if fill is None:
            now_ns = self._adapter.clock.now_ns()
            heard_ns = self._adapter.clock.monotonic_ns()
            fill = self._fills[row.trade_id] = _Fill(
                row, name, instrument, _moment(row, now_ns, pushed), STREAM if pushed else REST, heard_ns=heard_ns
            )
            self._of_order.setdefault(name, []).append(fill)
            self._untold[row.trade_id] = fill
            self._make_room()
        elif row.version > fill.row.version:
            self._correct(fill, row)
        early = self._early.pop(row.exec_id, None)
        if early is not None:
            self.hear_commission(early)
        return fill.told

    def hear_commission(self, row: CommissionRow) -> None:
        """Take what an execution cost."""
        fill = self._fills.get(row.exec_id) or self._fills.get(row.exec_id.rpartition(".")[0])
        if fill is None:
            self._early[row.exec_id] = row
            while len(self._early) > REMEMBERED:
                self._early.popitem(last=False)
            return
        if row.exec_id != fill.row.exec_id:
            return  # of a version that was corrected since
        fill.commission = row
        if fill.told is not None:
            self._settle(fill, row)
        elif not self._listing:
            self._publish(fill)

    def tell_waiting(self, until_ns: int) -> None:
        """Tell the fills that have waited since a monotonic time for their commission, without it."""
        for fill in [one for one in self._untold.values() if one.heard_ns <= until_ns]:
            logger.warning("{}: no commission of fill {} yet", self._adapter.account, fill.row.exec_id)
            self._publish(fill)

    def told(self) -> tuple[TradeData, ...]:
        """Return all fills that are known, as they were or would be told, in their order."""
        facts = [fill.told or self._fact(fill) for fill in self._fills.values()]
        return tuple(sorted(facts, key=lambda fact: (fact.venue_time_ns, fact.trade_id)))

    def average_of(self, name: str, quantity: float) -> float:
        """Return the average price of an order's fills if those that are known make up a quantity, else 0.0."""
        rows = [fill.row for fill in self._of_order.get(name, ())]
        filled = sum((row.quantity for row in rows), ZERO)
        cost = sum((EXACT.multiply(row.quantity, row.price) for row in rows), ZERO)
        return average_of(cost, filled) if float(filled) == quantity else 0.0

    def note_listed(self, trade_id: str) -> None:
        """Note that a fill was told by a list."""
        fill = self._fills.get(trade_id)
        if fill is not None and fill.told is None:
            self._take_told(fill)

    @contextmanager
    def listing(self) -> Iterator[None]:
        """Tell no fill by itself inside the block, for a list of them is being made; what the list leaves out is told after it."""
        self._listing += 1
        try:
            yield
        finally:
            self._listing -= 1
            if not self._listing:
                for fill in [one for one in self._untold.values() if one.commission is not None]:
                    self._publish(fill)

    @property
    def is_listing(self) -> bool:
        """Tell whether a list of fills is being made."""
        return self._listing > 0

    @property
    def uncharged(self) -> bool:
        """Tell whether the commission of a fill that was not told yet is missing."""
        return any(fill.commission is None for fill in self._untold.values())

    def _make_room(self) -> None:
        while len(self._fills) > REMEMBERED:
            trade_id, gone = self._fills.popitem(last=False)
            self._untold.pop(trade_id, None)
            left = [one for one in self._of_order.pop(gone.name, ()) if one is not gone]
            if left:
                self._of_order[gone.name] = left

    def _publish(self, fill: _Fill) -> None:
        told = self._take_told(fill)
        if fill.time_ns >= self.begin_ns:
            self._tell(told)

    def _take_told(self, fill: _Fill) -> TradeData:
        fill.told = told = self._fact(fill)
        self._untold.pop(fill.row.trade_id, None)
        fill.paid = told.fee
        return told

    def _settle(self, fill: _Fill, row: CommissionRow) -> None:
        """Tell what a fill cost beyond what was told of that; IB charges a fill in one currency."""
        owed = EXACT.subtract(row.amount, fill.paid)
        if owed:
            fill.paid = row.amount
            self._charge(fill, COMMISSION, row.currency, -owed)

    def _correct(self, fill: _Fill, row: FillRow) -> None:
        """Take a later version of a fill; one that was told already moves money, or needs a person where its quantity is another."""
        before, fill.row = fill.row, row
        told = fill.told
        if told is None:
            fill.commission = None
            return
        name = fill.instrument.instrument_id
        if row.quantity != before.quantity or row.side is not before.side:
            text = (
                f"IB corrects fill {row.exec_id} of order {fill.name}: {row.side} {row.quantity} at {row.price} instead of "
                f"{before.side} {before.quantity} at {before.price}; it stays counted as it was told"
            )
            self._adapter.on_request_failed(f"fill {row.trade_id} of {name}", text)
            return
        moved = EXACT.multiply(
            EXACT.subtract(before.price, row.price), EXACT.multiply(row.quantity, fill.instrument.multiplier)
        )
        if moved:
            self._charge(fill, CORRECTION, fill.instrument.quote_asset, moved * row.side.sign)

    def _charge(self, fill: _Fill, kind: str, asset: str, amount: Decimal) -> None:
        account, now_ns, charge_id = (
            self._adapter.account,
            self._adapter.clock.now_ns(),
            f"{fill.row.exec_id}-{amount:f}",
        )
        name = fill.instrument.instrument_id
        self._adapter.on_charge(AccountCharge(account, kind, asset, amount, name, charge_id, fill.time_ns, now_ns))

    def _fact(self, fill: _Fill) -> TradeData:
        row, instrument, paid = fill.row, fill.instrument, fill.commission
        fee, asset = (paid.amount, paid.currency) if paid is not None else (ZERO, instrument.quote_asset)
        return TradeData(
            row.trade_id, fill.name, self._adapter.account, instrument.instrument_id, row.side, float(row.price),
            float(row.quantity), fee, asset or instrument.quote_asset, self._liquidity(fill),
            str(row.perm_id) if row.perm_id else "", fill.time_ns, self._adapter.clock.now_ns(), source=fill.source,
        )  # fmt: skip

    def _liquidity(self, fill: _Fill) -> Liquidity:
        """Return what IB says, or whether the price is that of a resting kind of order, where IB does not."""
        if fill.row.made is not None:
            return Liquidity.MAKER if fill.row.made else Liquidity.TAKER
        order = self._order_of(fill.name)
        rests = order is not None and order.order_type is OrderType.LIMIT and order.price == float(fill.row.price)
        return Liquidity.MAKER if rests else Liquidity.TAKER


def _moment(row: FillRow, now_ns: int, pushed: bool) -> int:
    """Return when a fill happened: IB tells whole seconds, within which one that is pushed happened no later than now."""
    return min(max(now_ns, row.time_ns), row.time_ns + SECOND_NS - 1) if pushed else row.time_ns
