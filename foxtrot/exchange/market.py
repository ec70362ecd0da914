"""One listed instrument and everything that belongs to it: book, triggers, prices, schedule, tape."""

from collections import deque
from decimal import Decimal
from fractions import Fraction

from foxtrot.domain.enums import Product
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AddInstrument, TradingState
from foxtrot.exchange.matching import matching_rule
from foxtrot.exchange.money import notional_factor, quantity_factor
from foxtrot.exchange.order_book import OrderBook
from foxtrot.exchange.tape import Tape
from foxtrot.exchange.triggers import TriggerBook

EXTERNAL = "external"


class Market:
    """The state of one instrument. `unit_value` is the money of one price unit times one quantity unit.

    `prints` are trade prices that pending orders have not yet been shown; `reference` falls back from mark to last trade.

    Thread: belongs to its venue.
    """

    __slots__ = (
        "book",
        "day_end_ns",
        "derivative",
        "expired",
        "external",
        "fee_asset_mode",
        "fee_free",
        "fee_plans",
        "fees",
        "first_depth_id",
        "funding_rate",
        "initial_margin",
        "instrument",
        "instrument_id",
        "last",
        "limits_notional",
        "maintenance_margin",
        "mark",
        "matching",
        "money_asset",
        "next_funding_ns",
        "next_trade_id",
        "prints",
        "quantity_value",
        "state",
        "tape",
        "triggers",
        "unit_value",
    )

    def __init__(self, command: AddInstrument) -> None:
        instrument: Instrument = command.instrument
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.matching = command.matching
        self.external = command.matching == EXTERNAL
        self.derivative = instrument.product.is_derivative
        self.unit_value = notional_factor(instrument)
        self.quantity_value = quantity_factor(instrument)
        self.money_asset = instrument.settle_asset if self.derivative else instrument.quote_asset
        self.fees = command.fees or FeeSchedule.zero()
        self.fee_plans: dict[str, FeeSchedule] = {}
        self.fee_free = self.fees.is_zero
        self.fee_asset_mode = command.fee_asset_mode
        self.book = OrderBook() if self.external else OrderBook(matching_rule(command.matching))
        self.triggers = TriggerBook()
        self.tape = Tape()
        self.prints: deque[int] = deque()
        self.state = TradingState.TRADING
        self.expired = False
        self.mark = 0
        self.last = 0
        self.day_end_ns = 0
        self.funding_rate = Decimal(0)
        self.next_funding_ns = 0
        self.next_trade_id = 1
        self.first_depth_id = 1
        self.limits_notional = bool(instrument.min_notional or instrument.max_notional)
        self.initial_margin = Fraction(instrument.initial_margin_rate)
        self.maintenance_margin = Fraction(instrument.maintenance_margin_rate)

    def fees_of(self, plan: str) -> FeeSchedule:
        """Return what accounts of a fee plan are charged: the plan's schedule, else the instrument's own."""
        return self.fee_plans.get(plan, self.fees)

    def set_fee_plan(self, plan: str, fees: FeeSchedule) -> None:
        """Let accounts of a plan be charged a schedule of their own."""
        self.fee_plans[plan] = fees
        self.fee_free = self.fees.is_zero and all(one.is_zero for one in self.fee_plans.values())

    @property
    def reference(self) -> int:
        """Return the price at which positions are valued: the mark, else the last trade, else 0."""
        return self.mark or self.last

    @property
    def owned(self) -> bool:
        """Tell whether the position is ownership that is also reported as a position (stocks, currency pairs)."""
        return self.instrument.product in (Product.STOCK, Product.FOREX, Product.OPTION)
