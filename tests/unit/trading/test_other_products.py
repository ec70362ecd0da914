"""Options and currencies pass the whole line: multiplier, money, short positions, and one base currency over all of it."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderStatus, OrderType, Product, Side
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import Deposit, OpenAccount
from foxtrot.trading.audit import Audit, AuditFinished
from foxtrot.trading.difference import Comparison
from foxtrot.trading.limits import LimitTable
from tests.support.instruments import a_spot
from tests.support.line_rig import LIMITS, T0, LineRig

DAY_NS = 86_400 * 1_000_000_000
CALL = a_spot(
    instrument_id="AAPL231215C00200000.OPRA", symbol="AAPL231215C00200000", venue="OPRA", product=Product.OPTION,
    base_asset="AAPL231215C00200000", quote_asset="USD", settle_asset="USD", quantity_grid=Grid.of(1), multiplier=Decimal(100),
    underlying="AAPL.NASDAQ", strike=Decimal(200), right="call", expiry_ns=T0 + 2 * DAY_NS,
)  # fmt: skip
EURUSD = a_spot(
    instrument_id="EURUSD.IDEALPRO", symbol="EURUSD", venue="IDEALPRO", product=Product.FOREX, base_asset="EUR",
    quote_asset="USD", settle_asset="USD", price_grid=Grid.of("0.00005"), quantity_grid=Grid.of(1),
)  # fmt: skip


class Desk:
    """A line in dollars that trades one instrument with a crowd, on a margin account of the venue."""

    def __init__(self, instrument: Instrument, bid: float, ask: float) -> None:
        self.rig = rig = LineRig(instrument, accounts=(), connect=False)
        self.instrument = instrument
        self.line = rig.line
        self.margin = Decimal(1_000_000)
        self.line.portfolio.base_currency = "USD"
        now_ns = rig.clock.now_ns()
        assert rig.session.execute(OpenAccount(now_ns, "main", allow_short=True)).ok
        assert rig.session.execute(Deposit(now_ns, "main", instrument.quote_asset, Decimal(10_000_000))).ok
        context = AdapterContext("main", rig.dispatcher, SendPermit(), rig.clock, {}, {})
        self.line.add_adapter(SimulatedAdapter(context, rig.session))
        rig.connect()
        self.line.adapters["main"].subscribe(SubscribeRequest(instrument.instrument_id))
        self.quote(bid, ask)

    def quote(self, bid: float, ask: float) -> None:
        self.rig.quote(bid, ask, 1_000_000.0)

    def trade(self, price: float) -> None:
        """Let the crowd trade with itself, which is what a position is valued by."""
        self.rig.wait(1)
        self.rig.trade(price)

    def lends(self) -> None:
        """Let the broker say what margin is left, as IB does and the simulated venue does not."""
        told = self.line.portfolio.account("main").reported
        assert told is not None
        self.rig.put(msgspec.structs.replace(told, margin_available=self.margin))

    def send(self, side: Side, quantity: float, price: float = 0.0) -> tuple[OrderStatus, str]:
        self.lends()
        kind = OrderType.LIMIT if price else OrderType.MARKET
        request = OrderRequest(self.instrument.instrument_id, "main", side, kind, quantity, price)
        order_id = self.line.desk.submit(request, "one")
        self.rig.settle()
        order = self.line.desk.order(order_id)
        assert order is not None
        return order.status, order.rule

    @property
    def held(self) -> float:
        position = self.line.portfolio.position("one", "main", self.instrument.instrument_id)
        return 0.0 if position is None else position.instrument.quantity(position.quantity)

    @property
    def profit(self) -> Decimal | None:
        return self.line.portfolio.equity("one")

    def agrees(self) -> bool:
        """Whether desk, portfolio and venue tell the same of the account."""
        audit = Audit(self.line.dispatcher, self.line.desk, self.line.portfolio)
        audit.start("main")
        self.rig.settle()
        (finished,) = self.rig.told(AuditFinished)[-1:]
        assert finished.differences == ()
        return finished.reconciled


def test_an_option_is_bought_and_sold_at_a_hundred_times_its_price() -> None:
    desk = Desk(CALL, 5.00, 5.10)
    assert desk.send(Side.BUY, 2.0) == (OrderStatus.FILLED, "")
    desk.trade(5.05)
    assert (desk.held, desk.profit) == (2.0, Decimal(-10)), "2 * 100 * (5.05 - 5.10)"
    assert desk.agrees()
    desk.quote(6.00, 6.10)
    desk.trade(6.05)
    assert desk.profit == Decimal(190)
    assert desk.send(Side.SELL, 2.0) == (OrderStatus.FILLED, "")
    assert (desk.held, desk.profit) == (0.0, Decimal(180))
    assert desk.agrees()


def test_an_option_is_written_where_the_broker_lends() -> None:
    desk = Desk(CALL, 5.00, 5.10)
    assert desk.send(Side.SELL, 1.0) == (OrderStatus.FILLED, "")
    desk.trade(5.05)
    assert (desk.held, desk.profit) == (-1.0, Decimal(-5))
    assert desk.agrees()
    desk.margin = Decimal(400)
    assert desk.send(Side.SELL, 1.0) == (OrderStatus.DENIED, "funds"), "500 dollars of it"


def test_the_limits_of_value_count_an_option_with_its_multiplier() -> None:
    limits = LimitTable(msgspec.structs.replace(LIMITS.platform, max_order_notional=Decimal(1_000)))
    desk = Desk(CALL, 5.00, 5.10)
    desk.line.risk._limits = limits
    assert desk.send(Side.BUY, 1.0, 5.00)[1] == ""
    assert desk.send(Side.BUY, 3.0, 5.00) == (OrderStatus.DENIED, "max_order_notional")


def test_an_option_is_not_traded_past_its_end_but_until_then() -> None:
    desk = Desk(CALL, 5.00, 5.10)
    desk.rig.clock.move_to(CALL.expiry_ns - 1)
    assert desk.send(Side.BUY, 1.0) == (OrderStatus.FILLED, ""), "an option is not rolled"
    desk.rig.clock.move_to(CALL.expiry_ns)
    assert desk.send(Side.SELL, 1.0) == (OrderStatus.DENIED, "expired")


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_pair_of_currencies_is_two_balances_and_a_position_of_its_owner(side: Side) -> None:
    desk = Desk(EURUSD, 1.1000, 1.1002)
    assert desk.send(side, 20_000.0) == (OrderStatus.FILLED, "")
    assert desk.held == 20_000.0 * side.sign
    desk.trade(1.1001)
    assert desk.profit == Decimal(-2), "20,000 * 0.0001, whichever way"
    assert desk.agrees()
    desk.quote(1.1100, 1.1102)
    desk.trade(1.1101)
    assert desk.profit == Decimal(-2) + 200 * side.sign, "20,000 * 0.01"
    assert desk.send(side.opposite, 20_000.0) == (OrderStatus.FILLED, "")
    assert desk.held == 0.0
    assert desk.agrees()


def test_profit_in_another_currency_is_converted_by_the_pair_itself() -> None:
    yen = msgspec.structs.replace(
        EURUSD,
        instrument_id="EURJPY.IDEALPRO",
        symbol="EURJPY",
        quote_asset="JPY",
        settle_asset="JPY",
        price_grid=Grid.of("0.01"),
    )
    desk = Desk(yen, 160.00, 160.02)
    desk.line.portfolio.base_currency = "EUR"
    assert desk.send(Side.BUY, 16_000.0)[0] is OrderStatus.FILLED
    desk.trade(160.01)
    assert desk.profit is not None
    assert round(desk.profit, 4) == Decimal("-0.9999"), "160 yen at 160.01"
    desk.line.portfolio.base_currency = "USD"
    assert desk.profit is None, "nothing is taken as 1:1"


@pytest.mark.parametrize("listed", [True, False])
def test_options_are_compared_as_positions_whether_or_not_the_broker_lists_them_as_balances(listed: bool) -> None:
    desk = Desk(CALL, 5.00, 5.10)
    assert desk.send(Side.BUY, 2.0) == (OrderStatus.FILLED, "")
    told = desk.line.portfolio.account("main").reported
    assert told is not None
    kept = tuple(row for row in told.balances if listed or row.asset != CALL.base_asset)
    told = msgspec.structs.replace(told, balances=kept)
    assert list(Comparison(desk.line.desk, desk.line.portfolio).balances("main", told)) == []
