"""Fills as facts, with what Futu does not tell of them: the fee by its published schedule, and whether they made or took."""

from collections import OrderedDict
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.adapter.exact_sums import EXACT
from foxtrot.adapter.futu.derived_trades import Step
from foxtrot.adapter.futu.report_codec import DealRow
from foxtrot.domain.enums import Liquidity, OrderType, Side
from foxtrot.domain.fees import FeeBasis, FeeSchedule, load_preset
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST, STREAM
from foxtrot.domain.order import OrderData, TradeData

PRESETS: Final = {"HKD": "futu_hk", "USD": "futu_us"}
"""The schedule of each market, by what it trades in."""
REMEMBERED: Final = 20_000
ZERO: Final = Decimal(0)


class _Charged(msgspec.Struct):
    """What an order was charged so far, by fill."""

    quantity: Decimal = ZERO
    notional: Decimal = ZERO
    total: Decimal = ZERO
    fees: dict[str, Decimal] = {}


class _Fill(msgspec.Struct, frozen=True):
    trade_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    time_ns: int
    source: str


class FillFacts:
    """Makes facts of fills of one account.

    A fee is what Futu's published schedule charges; what is charged in the end stands in Futu's statements alone. A fill at
    the limit price of a resting kind of order counts as one that made, every other one as one that took: Futu does not say,
    and charges both alike.

    Thread: futu-io.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._schedules: dict[str, FeeSchedule] = {}
        self._charged: OrderedDict[str, _Charged] = OrderedDict()

    def of_deal(
        self, row: DealRow, order_id: str, instrument: Instrument, order: OrderData | None, now_ns: int
    ) -> TradeData:
        """Return a fill that Futu tells, of an order as far as it is known."""
        source = STREAM if row.pushed else REST
        fill = _Fill(row.deal_id, row.side, row.quantity, row.price, row.time_ns or now_ns, source)
        return self._fact(fill, (order_id, row.venue_order_id), instrument, order, now_ns)

    def of_step(self, step: Step, order: OrderData, instrument: Instrument, now_ns: int) -> TradeData:
        """Return a fill that was derived from its order."""
        fill = _Fill(step.trade_id, order.side, step.size, step.price, step.time_ns or now_ns, order.source)
        return self._fact(fill, (order.order_id, step.order), instrument, order, now_ns)

    def _fact(
        self, fill: _Fill, ids: tuple[str, str], instrument: Instrument, order: OrderData | None, now_ns: int
    ) -> TradeData:
        liquidity = _liquidity(fill, order)
        fee = self._fee(fill, ids[1], instrument, liquidity)
        return TradeData(
            fill.trade_id, ids[0], self._account, instrument.instrument_id, fill.side, float(fill.price), float(fill.quantity),
            fee, instrument.quote_asset, liquidity, ids[1], fill.time_ns, now_ns, source=fill.source,
        )  # fmt: skip

    def _fee(self, fill: _Fill, venue_order_id: str, instrument: Instrument, liquidity: Liquidity) -> Decimal:
        """Return what a fill is charged; a fill that is told again is charged the same again."""
        charged = self._charged.setdefault(venue_order_id, _Charged())
        while len(self._charged) > REMEMBERED:
            self._charged.popitem(last=False)
        known = charged.fees.get(fill.trade_id)
        if known is not None:
            return known
        schedule = self._schedule(instrument)
        notional = EXACT.multiply(fill.price, fill.quantity)
        basis = FeeBasis(
            fill.side, liquidity, fill.quantity, notional, charged.quantity, charged.notional, charged.total
        )
        fee = charged.fees[fill.trade_id] = schedule.fee(basis)
        charged.quantity += fill.quantity
        charged.notional = EXACT.add(charged.notional, notional)
        charged.total += fee
        return fee

    def _schedule(self, instrument: Instrument) -> FeeSchedule:
        name = instrument.quote_asset
        if name not in self._schedules:
            self._schedules[name] = load_preset(PRESETS[name]) if name in PRESETS else FeeSchedule.zero()
        return self._schedules[name]


def _liquidity(fill: _Fill, order: OrderData | None) -> Liquidity:
    rests = order is not None and order.order_type is OrderType.LIMIT and order.price == float(fill.price)
    return Liquidity.MAKER if rests else Liquidity.TAKER
