"""Facts and parts of the middle of the line with sensible defaults, so that a test names only what it is about."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountCharge, AccountData, BalanceData, PositionData
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, PositionSide, Product, Side
from foxtrot.domain.instrument import Grid, Instrument, InstrumentTable
from foxtrot.domain.market import DepthData, Level, TickData
from foxtrot.domain.order import OrderData, OrderRequest, TradeData
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.trading.gate import Gate
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.losses import LossTracker, TradingDay
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import OrderIds
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.rates import RateTable
from foxtrot.trading.risk import Risk
from tests.support.scripted_adapter import ScriptedAdapter

T0 = 1_700_006_400_000_000_000
"""Midnight UTC, in ns."""
SECOND = 1_000_000_000
ACCOUNT = "main"
OWNER = "alpha"


def a_perpetual(symbol: str = "BTCUSDT", **terms: object) -> Instrument:
    """A linear perpetual: tick 0.1, lot 0.001."""
    known = {
        "instrument_id": f"{symbol}.PERP", "symbol": symbol, "venue": "PERP", "product": Product.PERPETUAL,
        "base_asset": symbol.removesuffix("USDT"), "quote_asset": "USDT", "settle_asset": "USDT",
        "price_grid": Grid.of("0.1"), "quantity_grid": Grid.of("0.001"), "initial_margin_rate": Decimal("0.1"),
    }  # fmt: skip
    return Instrument(**(known | terms))


def a_spot(symbol: str = "BTCUSDT", base: str = "BTC", quote: str = "USDT", **terms: object) -> Instrument:
    """A spot pair: tick 0.01, lot 0.00001."""
    known = {
        "instrument_id": f"{symbol}.SPOT", "symbol": symbol, "venue": "SPOT", "product": Product.SPOT, "base_asset": base,
        "quote_asset": quote, "settle_asset": quote, "price_grid": Grid.of("0.01"), "quantity_grid": Grid.of("0.00001"),
    }  # fmt: skip
    return Instrument(**(known | terms))


def a_tick(instrument_id: str = "BTCUSDT.PERP", bid: float = 99.9, ask: float = 100.1, at: int = T0) -> TickData:
    """A quote of one lot on either side."""
    return TickData(instrument_id, at, at, bid, 1.0, ask, 1.0, (bid + ask) / 2)


def a_depth(
    bids: tuple[Level, ...], asks: tuple[Level, ...], instrument_id: str = "BTCUSDT.PERP", at: int = T0
) -> DepthData:
    """A depth snapshot."""
    return DepthData(instrument_id, at, at, 1, bids, asks)


def a_request(
    side: Side = Side.BUY,
    quantity: float = 1.0,
    price: float = 0.0,
    instrument_id: str = "BTCUSDT.PERP",
    **terms: object,
) -> OrderRequest:
    """A market order, or a limit order when a price is given."""
    kind = OrderType.LIMIT if price else OrderType.MARKET
    known = {"account": ACCOUNT, "order_type": kind}
    return OrderRequest(instrument_id, side=side, quantity=quantity, price=price, **(known | terms))


def an_order(
    order_id: str,
    status: OrderStatus = OrderStatus.ACCEPTED,
    filled: float = 0.0,
    average: float = 0.0,
    **terms: object,
) -> OrderData:
    """A report of a limit order to buy 1.0 at 100.0."""
    known = {
        "account": ACCOUNT, "instrument_id": "BTCUSDT.PERP", "side": Side.BUY, "order_type": OrderType.LIMIT, "quantity": 1.0,
        "price": 100.0, "venue_order_id": "v1", "venue_time_ns": T0, "local_time_ns": T0,
    }  # fmt: skip
    return OrderData(order_id=order_id, status=status, filled_quantity=filled, average_price=average, **(known | terms))


def a_trade(
    order_id: str, trade_id: str = "t1", quantity: float = 1.0, price: float = 100.0, **terms: object
) -> TradeData:
    """A fill of an order to buy."""
    known = {
        "account": ACCOUNT, "instrument_id": "BTCUSDT.PERP", "side": Side.BUY, "fee": Decimal(0), "fee_asset": "USDT",
        "liquidity": Liquidity.TAKER, "venue_order_id": "v1", "venue_time_ns": T0, "local_time_ns": T0,
    }  # fmt: skip
    return TradeData(trade_id, order_id, price=price, quantity=quantity, **(known | terms))


def an_account(balances: Mapping[str, str], account: str = ACCOUNT, at: int = T0, **figures: Decimal) -> AccountData:
    """Balances that are wholly free."""
    rows = tuple(
        BalanceData(account, asset, Decimal(total), Decimal(total), Decimal(0), at, at)
        for asset, total in balances.items()
    )
    return AccountData(account, rows, at, at, **figures)


def a_position(
    quantity: float, average: float, instrument_id: str = "BTCUSDT.PERP", side: PositionSide = PositionSide.NET
) -> PositionData:
    """A position as a venue lists it."""
    return PositionData(ACCOUNT, instrument_id, side, quantity, average, Decimal(0), Decimal(0), T0, T0)


def a_charge(amount: str, charge_id: str, kind: str = "funding", instrument_id: str = "BTCUSDT.PERP") -> AccountCharge:
    """Money that moved without a trade."""
    return AccountCharge(ACCOUNT, kind, "USDT", Decimal(amount), instrument_id, charge_id, T0, T0)


class TradingFloor:
    """Everything between an adapter and a strategy, wired as the platform wires it, with one scripted adapter per account."""

    adapter_class = ScriptedAdapter

    def __init__(
        self,
        *instruments: Instrument,
        limits: LimitTable | Limits | None = None,
        accounts: tuple[str, ...] = (ACCOUNT,),
        pairs: Mapping[str, str | float | int] | None = None,
        base_currency: str = "USDT",
        journal: Journal | None = None,
        run_id: str = "0000000001",
    ) -> None:
        table = LimitTable(limits or Limits(check_funds=False)) if not isinstance(limits, LimitTable) else limits
        self.clock = ManualClock(T0)
        self.dispatcher = Dispatcher(self.clock)
        self.permit = SendPermit()
        self.gate = Gate(self.permit, self.dispatcher, self.clock)
        self.instruments = InstrumentTable(instruments or (a_perpetual(),))
        self.view = MarketView()
        self.rates = RateTable(self.view, self.instruments, self.clock, pairs)
        self.portfolio = Portfolio(self.instruments, self.view, self.rates, base_currency)
        self.desk = OrderDesk(self.dispatcher, self.instruments, self.portfolio, self.gate, OrderIds(run_id))
        self.risk = Risk(self.clock, self.view, self.desk, self.portfolio, table, LossTracker(TradingDay()))
        self.journal = journal or InMemoryJournal(self.dispatcher)
        self.adapters = {
            name: self.adapter_class.of(name, self.dispatcher, self.permit, self.clock) for name in accounts
        }
        self.desk.adapters = dict(self.adapters)
        self.events: list[object] = []
        self.view.subscribe(self.dispatcher)
        self.dispatcher.subscribe(AccountData, self._on_account, owner="portfolio", core=True)
        self.dispatcher.subscribe(AccountCharge, self._on_charge, owner="portfolio", core=True)
        self.notes = OrderJournal(self.journal, self.clock, self.instruments, self.view)
        self.desk.wire(self.dispatcher, self.risk, self.notes)
        self.dispatcher.on_core_failure = self.gate.close
        self.dispatcher.add_tap(lambda _, event: self.events.append(event))

    @property
    def adapter(self) -> ScriptedAdapter:
        """The adapter of the first account."""
        return next(iter(self.adapters.values()))

    def put(self, *events: object) -> None:
        """Let events happen."""
        for event in events:
            self.dispatcher.put(event)
        self.dispatcher.drain()

    def _on_account(self, data: AccountData) -> None:
        if self.portfolio.on_account(data):
            self.notes.balances_found(data)

    def _on_charge(self, charge: AccountCharge) -> None:
        if self.portfolio.on_charge(charge):
            self.notes.charge(charge)

    def send(self, request: OrderRequest, owner: str = OWNER) -> OrderData:
        """Submit a request and return the order as it then stands."""
        order_id = self.desk.submit(request, owner)
        self.dispatcher.drain()
        order = self.desk.order(order_id)
        assert order is not None
        return order

    def fill(self, request: OrderRequest, price: float, owner: str = OWNER, **terms: object) -> OrderData:
        """Submit a request and let the venue fill it at a price."""
        order = self.send(request, owner)
        assert order.status is OrderStatus.SUBMITTED, order.reason
        known = {"side": request.side, "account": request.account, "instrument_id": order.instrument_id}
        known["position_side"] = request.position_side
        self.put(a_trade(order.order_id, f"t{len(self.events)}", request.quantity, price, **(known | terms)))
        filled = self.desk.order(order.order_id)
        assert filled is not None
        return filled

    def hold(self, units: int, price_units: int = 1000, owner: str = OWNER, **terms: object) -> None:
        """Give an owner a position without an order."""
        side = Side.BUY if units > 0 else Side.SELL
        trade = a_trade("found", str(len(self.events)), side=side, **terms)
        self.portfolio.apply_fill(trade, owner, units, price_units)

    def heard(self, kind: type) -> list[object]:
        """Events of a class, oldest first."""
        return [event for event in self.events if type(event) is kind]


def changed(fact: msgspec.Struct, **fields: object) -> msgspec.Struct:
    """A copy of a fact with other fields."""
    return msgspec.structs.replace(fact, **fields)
