"""What the journal's records made of money: by trading day, by kind of cost, and line by line; exact, each asset apart."""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.app.history_requests import CashLine, CostTotal, DayTotals
from foxtrot.core.clock import SystemClock
from foxtrot.domain.account import EXTERNAL, AccountCharge
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.storage.journal_records import (
    Adjusted,
    BalancesFound,
    ChargeBooked,
    FillBooked,
    InstrumentListed,
    JournalRecord,
    PositionsFound,
    Record,
)
from foxtrot.trading.adjustment import ADJUSTMENT
from foxtrot.trading.losses import TradingDay
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.portfolio import Portfolio, PositionKey
from foxtrot.trading.position import ZERO, Position, add_amount
from foxtrot.trading.rates import RateTable
from foxtrot.trading.restore import apply_movement
from foxtrot.trading.restored_state import Movement

KINDS: Final[frozenset[type[Record]]] = frozenset(
    {InstrumentListed, FillBooked, ChargeBooked, BalancesFound, PositionsFound, Adjusted}
)
"""The records that it needs."""
OPENING: Final = "opening"
REALISED: Final = "realised"
MOST_LINES: Final = 20_000
MOST_REMEMBERED: Final = 2_000
"""A fill that is heard later than so many others of its position is counted behind them."""
DayKey = tuple[int, str, str, str]


class MoneyReplay:
    """Counts records as the platform counted them when they were written, and notes what each changed.

    Thread: that of its maker.

    Args:
        day: where a trading day begins.
        most: how many lines of the ledger are kept.
    """

    def __init__(self, day: TradingDay, most: int = MOST_LINES) -> None:
        instruments, view = InstrumentTable(), MarketView()
        rates = RateTable(view, instruments, SystemClock())
        self.portfolio = Portfolio(instruments, view, rates, "")
        self.days: dict[DayKey, DayTotals] = {}
        """By day, owner, account and instrument, the one that changed last at the end."""
        self.assets: set[str] = set()
        self.costs: dict[tuple[str, str, str], CostTotal] = {}
        self.lines: deque[CashLine] = deque(maxlen=most)
        self.line_count = 0
        self.changes = 0
        """Counts changes of `days`; each row has the number of its last."""
        self._day = day

    def take(self, record: JournalRecord) -> None:
        """Count a record.

        Raises:
            InvariantBroken: it speaks of an instrument that none before it listed.
        """
        match record:
            case InstrumentListed(instrument=instrument):
                self.portfolio.instruments.add(instrument)
            case FillBooked():
                self._take_fill(record)
            case ChargeBooked(charge=charge):
                self._take_charge(record, charge)
            case BalancesFound(account=found):
                self._take_opening(record, found.account, found.venue_time_ns or record.time_ns)
            case PositionsFound():
                self._take_opening(record, record.account, record.time_ns)
            case Adjusted():
                self._take_adjustment(record)
            case _:
                pass

    def trim(self) -> None:
        """Forget the older fills of positions that have many: what they came to stays."""
        positions = [position for _, position in self.portfolio.positions()]
        positions += [position for _, position in self.portfolio.net_positions()]
        for position in positions:
            if len(position.history) > 2 * MOST_REMEMBERED:
                position.base, recent = position.base_at(position.history[-MOST_REMEMBERED][0])
                position.history = list(recent)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _take_fill(self, record: FillBooked) -> None:
        trade, owner = record.trade, record.owner
        key: PositionKey = (owner, trade.account, trade.instrument_id, trade.position_side)
        touched = {one: self._realised(one) for one in (key, (EXTERNAL, *key[1:]))}
        before = self._net_realised(key)
        apply_movement(self.portfolio, record)
        if not record.opened:
            for line in self._lines_of(record, self._net_realised(key) - before):
                self._add_line(line)
        when_ns = trade.venue_time_ns or record.time_ns
        for place, had in touched.items():
            made = self._realised(place) - had
            asset = self._money_of(place[2])
            is_own = place == key
            fee = trade.fee if is_own else ZERO
            if is_own or made:
                self._add_day(when_ns, place, {asset: made}, {trade.fee_asset: fee}, {}, fills=int(is_own))
        if trade.fee:
            self._add_cost("fee", trade.account, trade.fee_asset, -trade.fee)

    def _lines_of(self, record: FillBooked, realised: Decimal) -> Iterator[CashLine]:
        """Yield what a fill moved: what was bought and paid, or what a derivative realised, and the fee."""
        trade = record.trade
        instrument = self.portfolio.instruments[trade.instrument_id]
        reference = f"{trade.order_id} {trade.trade_id}".strip()
        when_ns = trade.venue_time_ns or record.time_ns

        def line(kind: str, asset: str, amount: Decimal) -> CashLine:
            return CashLine(0, when_ns, trade.account, kind, trade.instrument_id, asset, amount, reference)

        if instrument.product.is_derivative:
            if realised:
                yield line(REALISED, instrument.settle_asset, realised)
        else:
            units = trade.side.sign * instrument.quantity_grid.from_float(trade.quantity)
            paid = Position(instrument).money(units * instrument.price_grid.from_float(trade.price))
            yield line(str(trade.side), instrument.base_asset, instrument.quantity_grid.to_decimal(units))
            yield line(str(trade.side), instrument.quote_asset, -paid)
        if trade.fee:
            yield line("fee", trade.fee_asset, -trade.fee)

    def _take_charge(self, record: ChargeBooked, charge: AccountCharge) -> None:
        held = [
            (key, position, dict(position.funding))
            for key, position in self.portfolio.positions()
            if charge.instrument_id and key[1:3] == (charge.account, charge.instrument_id)
        ]
        if not apply_movement(self.portfolio, record):
            return
        when_ns = charge.venue_time_ns or record.time_ns
        for key, position, had in held:
            part = position.funding.get(charge.asset, ZERO) - had.get(charge.asset, ZERO)
            if part:
                self._add_day(when_ns, key, {}, {}, {charge.asset: part})
        self._add_cost(charge.kind, charge.account, charge.asset, charge.amount)
        self._add_line(
            CashLine(0, when_ns, charge.account, charge.kind, charge.instrument_id, charge.asset, charge.amount, charge.charge_id)
        )  # fmt: skip

    def _take_opening(self, record: Movement, account: str, when_ns: int) -> None:
        had = dict(self.portfolio.account(account).opening or {})
        apply_movement(self.portfolio, record)
        for asset, amount in sorted((self.portfolio.account(account).opening or {}).items()):
            found = amount - had.get(asset, ZERO)
            if found:
                self._add_line(CashLine(0, when_ns, account, OPENING, "", asset, found, ""))

    def _take_adjustment(self, record: Adjusted) -> None:
        if apply_movement(self.portfolio, record) and record.amount:
            asset = record.asset or self.portfolio.instruments[record.instrument_id].settle_asset
            self._add_cost(ADJUSTMENT, record.account, asset, record.amount)
            self._add_line(
                CashLine(0, record.time_ns, record.account, ADJUSTMENT, record.instrument_id, asset, record.amount, record.adjustment_id)
            )  # fmt: skip

    def _add_day(
        self, when_ns: int, key: PositionKey, realised: dict[str, Decimal], fees: dict[str, Decimal], funding: dict[str, Decimal],
        fills: int = 0,
    ) -> None:  # fmt: skip
        place = (self._day.start_of(when_ns), *key[:3])
        row = self.days.pop(place, None) or DayTotals(*place, {}, {}, {}, 0, 0)
        self.changes += 1
        self.assets.update(realised, funding)
        self.days[place] = DayTotals(
            *place, _sum(row.realised, realised), _sum(row.fees, fees), _sum(row.funding, funding), row.fills + fills, self.changes
        )  # fmt: skip

    def _add_cost(self, kind: str, account: str, asset: str, amount: Decimal) -> None:
        known = self.costs.get((kind, account, asset)) or CostTotal(kind, account, asset, ZERO, 0)
        self.assets.add(asset)
        sums = {asset: known.amount}
        add_amount(sums, asset, amount)
        self.costs[kind, account, asset] = CostTotal(kind, account, asset, sums[asset], known.count + 1)

    def _add_line(self, line: CashLine) -> None:
        self.line_count += 1
        self.lines.append(msgspec.structs.replace(line, number=self.line_count))

    def _realised(self, key: PositionKey) -> Decimal:
        position = self.portfolio.position(*key)
        return ZERO if position is None else position.realised_profit()

    def _net_realised(self, key: PositionKey) -> Decimal:
        position = self.portfolio.net_position(*key[1:])
        return ZERO if position is None else position.realised_profit()

    def _money_of(self, instrument_id: str) -> str:
        instrument = self.portfolio.instruments[instrument_id]
        return instrument.settle_asset if instrument.product.is_derivative else instrument.quote_asset


def _sum(had: dict[str, Decimal], more: dict[str, Decimal]) -> dict[str, Decimal]:
    totals = dict(had)
    for asset, amount in more.items():
        if amount:
            add_amount(totals, asset, amount)
    return totals
