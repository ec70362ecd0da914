"""The seat: what one strategy is given to trade with. It turns a strategy's wishes into calls of the parts below."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from random import Random

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import BookLoaded, StrategyLog
from foxtrot.domain.enums import OrderType, PositionMode, PositionSide, Side
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.order import AmendRequest, OrderData, OrderRequest
from foxtrot.strategy.asked_amounts import check_count, sized
from foxtrot.strategy.denial_guard import DenialGuard
from foxtrot.strategy.order_terms import plain_request, protection_of, request_of
from foxtrot.strategy.seat_protection import SeatProtection
from foxtrot.strategy.seat_timers import SeatTimers
from foxtrot.trading.dust import dust_rule
from foxtrot.trading.limits import LimitTable
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import Position
from foxtrot.trading.protection import Protections
from foxtrot.trading.runaway import RunawayThrottle

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_BOTH = (PositionSide.LONG, PositionSide.SHORT)


class TradingParts:
    """The parts of the platform that strategies trade through.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        desk: OrderDesk,
        portfolio: Portfolio,
        view: MarketView,
        adapters: dict[str, BaseAdapter],
        modes: Mapping[str, PositionMode] | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.clock: Clock = dispatcher.clock
        self.desk = desk
        self.portfolio = portfolio
        self.view = view
        self.instruments: InstrumentTable = portfolio.instruments
        self.adapters = adapters
        self.modes = modes or {}
        self.limits = LimitTable()
        self.protections = Protections(dispatcher, desk, portfolio)


class Seat:
    """One strategy's place at the table: identity, permission to trade, warm-up wishes.

    Thread: the dispatcher's.
    """

    def __init__(
        self, parts: TradingParts, strategy_id: str, account: str, symbols: tuple[str, ...], interval: str
    ) -> None:
        self.parts = parts
        self.dispatcher = parts.dispatcher
        self.clock = parts.clock
        self.desk = parts.desk
        self.portfolio = parts.portfolio
        self.view = parts.view
        self.strategy_id = strategy_id
        self.account = account
        self.symbols = symbols
        self.interval = interval
        self.random = Random(strategy_id)
        self.state = "loaded"
        self.may_trade = False
        self.in_on_init = False
        self.warm_up: dict[str, int] = {}
        self.denials = DenialGuard(parts.dispatcher, parts.desk, strategy_id)
        self.throttle = RunawayThrottle(parts.clock, parts.limits.scopes(account, strategy_id))
        self._hedges = parts.modes.get(account) is PositionMode.HEDGING
        me, protections = (strategy_id, account), parts.protections
        self.protection = SeatProtection(protections, parts.desk, parts.portfolio, me, hedges=self._hedges)
        self.timers = SeatTimers(parts.dispatcher, strategy_id)

    def id_of(self, name: str) -> str:
        """Return the instrument id of a name; the first of the strategy's for ""."""
        return name if name in self.symbols else self.instrument_of(name).instrument_id

    def instrument_of(self, name: str) -> Instrument:
        """Return an instrument by id or unambiguous symbol; the strategy's first for "".

        Raises:
            OrderRefused: not known, or several fit.
        """
        if not name and not self.symbols:
            raise OrderRefused("instrument", "an instrument id", "none", f"{self.strategy_id} has no symbols; name one")
        return self.parts.instruments.resolve(name or self.symbols[0])

    def order(
        self, side: Side, position_side: PositionSide, quantity: float, price: float, terms: Mapping[str, object]
    ) -> str:
        """Make a request of a verb's arguments and submit it."""
        place = position_side if self._hedges else PositionSide.NET
        if not terms:
            return self.submit(plain_request(self.id_of(""), self.account, side, place, quantity, price))
        protection, terms = protection_of(terms)
        instrument_id = self.id_of(str(terms.get("instrument") or ""))
        skeleton = OrderRequest(instrument_id, self.account, side, OrderType.LIMIT, 0.0, position_side=place)
        request = request_of(skeleton, quantity, price, terms)
        if protection is None:
            return self.submit(request)
        return self.protection.enter(request, position_side, protection, self.submit)

    def submit(self, request: OrderRequest) -> str:
        """Hand a request to the desk.

        Raises:
            OrderRefused: the strategy may not trade now, sends again and again what is refused, or far too much.
        """
        if not self.may_trade:
            text = f"{self.strategy_id} is {self.state}: orders need a running strategy"
            raise OrderRefused("strategy_state", "running", self.state, text)
        order_id = self.denials.submit(request)
        if order_id not in self.desk.denied:
            self.throttle.note_order()
        return order_id

    def amend(self, request: AmendRequest) -> bool:
        """Change one of the strategy's own orders; those of a protection follow that alone."""
        if not self.may_trade or not self.is_own(request.order_id):
            return False
        self.throttle.note_order()
        return self.desk.amends.amend(request) > 0

    def cancel(self, order_id: str) -> bool:
        """Cancel one of the strategy's own orders; those of a protection end with that."""
        return self.is_own(order_id) and self.desk.cancel(order_id)

    def is_own(self, order_id: str) -> bool:
        """Tell whether an order is the strategy's own and no part of a protection."""
        found = self.desk.order(order_id)
        return found is not None and found.strategy_id == self.strategy_id and order_id not in self.protection.orders()

    def cancel_all(self, *, keep_reducing: bool = False) -> int:
        """Cancel the strategy's open orders, or only those that open or add; those of a protection end with that."""
        return self.protection.cancel_others(keep_reducing=keep_reducing)

    def close_position(self, name: str) -> str | None:
        """Send the market order that closes a position (in a hedging account one per side; the last id is returned).

        None when there is nothing that could be sold; "" when a protection does it: its stop is withdrawn first, and the order
        that closes the position follows by itself.
        """
        order_id = None
        for place, position in self.held(name):
            if self.may_trade and self.protection.close(position.instrument.instrument_id, place):
                order_id = order_id or ""
            elif not self.is_dust(position):
                order_id = self.submit(self.closing_request(place, position))
        return order_id

    def closing_request(self, place: PositionSide, position: Position) -> OrderRequest:
        """Return the reduce-only market order that closes a position down to dust."""
        instrument = position.instrument
        units = instrument.round_quantity_units(abs(position.exact_quantity))
        side = Side.SELL if position.quantity > 0 else Side.BUY
        return OrderRequest(
            instrument.instrument_id, self.account, side, OrderType.MARKET, instrument.quantity(units), reduce_only=True,
            position_side=place,
        )  # fmt: skip

    def position(self, name: str, side: PositionSide = PositionSide.NET) -> float:
        """Return the signed virtual position; in a hedging account that of one side, or both together for NET."""
        instrument_id = self.id_of(name)
        if self._hedges and side is PositionSide.NET:
            return float(sum((position.exact_quantity for _, position in self.held(instrument_id)), Decimal(0)))
        position = self.portfolio.position(self.strategy_id, self.account, instrument_id, side)
        if position is None:
            return 0.0
        return float(position.exact_quantity) if position.fees else position.instrument.quantity(position.quantity)

    def quantity_to(self, wanted: float, name: str) -> float:
        """Return the signed legal quantity between what is held and what is wanted, towards zero, without float noise."""
        instrument = self.instrument_of(name)
        positions = [position for _, position in self.held(instrument.instrument_id)]
        if not any(position.fees for position in positions):
            return instrument.quantity(instrument.units_to(wanted, sum(position.quantity for position in positions)))
        held = sum((position.exact_quantity for position in positions), Decimal(0))
        return instrument.quantity(instrument.round_quantity_units(Decimal(repr(float(wanted))) - held))

    def held(self, name: str) -> list[tuple[PositionSide, Position]]:
        """Return what is held of an instrument, by side."""
        instrument_id = self.id_of(name)
        found = []
        for side in _BOTH if self._hedges else (PositionSide.NET,):
            position = self.portfolio.position(self.strategy_id, self.account, instrument_id, side)
            if position is not None and (position.exact_quantity if position.fees else position.quantity):
                found.append((side, position))
        return found

    def average_price(self, name: str, side: PositionSide = PositionSide.NET) -> float:
        """Return the average entry price; 0.0 when flat. In a hedging account NET means the side that is held first."""
        for place, position in self.held(name):
            if side in (place, PositionSide.NET):
                return position.average_price
        return 0.0

    def is_flat(self, name: str) -> bool:
        """Tell whether nothing is held that could be sold."""
        return all(self.is_dust(position) for _, position in self.held(name))

    def dust(self, name: str) -> float:
        """Return what is held and too little to sell; 0.0 when nothing is, or when it can be sold."""
        return self.position(name) if self.is_flat(name) else 0.0

    def is_dust(self, position: Position) -> bool:
        """Tell whether a position is below a lot, the minimum quantity or the minimum notional."""
        return bool(dust_rule(position, self.view))

    def equity(self) -> Decimal | None:
        """Return capital plus profit in the base currency."""
        return self.portfolio.equity(self.strategy_id)

    def open_orders(self, name: str) -> list[OrderData]:
        """Return own open orders, of one instrument or all."""
        instrument_id = self.id_of(name) if name else ""
        return [r.to_order() for r in self.desk.open_records(self.strategy_id, instrument_id=instrument_id)]

    def is_pending(self, name: str) -> bool:
        """Tell whether an own order may still change the position, of one instrument or any; fills on their way count."""
        instrument_id = self.id_of(name) if name else ""
        return self.protection.is_pending(instrument_id)

    def quantity_for(self, notional: float, risk: float, stop: float, price: float, name: str) -> float:
        """Return the legal quantity for an amount to spend or to lose."""
        instrument = self.instrument_of(name)
        return sized(instrument, notional, risk, stop, price or partial(self._reference, instrument))

    def load_bar(self, count: int, name: str) -> None:
        """Note how many bars to deliver before the start; of two wishes for one instrument the greater counts.

        Raises:
            ConfigError: called outside on_init, or the count is not a whole number from 1.
        """
        if not self.in_on_init:
            raise ConfigError(f"{self.strategy_id}: load_bar belongs in on_init")
        check_count(f"{self.strategy_id}: load_bar needs a count", count)
        instrument_id = self.id_of(name)
        self.warm_up[instrument_id] = max(count, self.warm_up.get(instrument_id, 0))

    def request_book(self, name: str, levels: int) -> None:
        """Ask for a book; the answer carries the strategy's id as request id."""
        check_count(f"{self.strategy_id}: request_book needs levels", levels)
        instrument_id = self.id_of(name)
        depth = self.view.depths.get(instrument_id)
        if depth is not None and len(depth.bids) >= levels and len(depth.asks) >= levels:
            age_ms = (self.clock.now_ns() - depth.local_time_ns) / 1e6
            self.dispatcher.put(BookLoaded(self.strategy_id, instrument_id, depth, "stream", age_ms))
        else:
            self.parts.adapters[self.account].request_book(self.strategy_id, instrument_id, levels)

    def log(self, text: str, level: str) -> None:
        """Publish a line.

        Raises:
            ConfigError: there is no such level.
        """
        if level not in _LEVELS:
            raise ConfigError(f"log level {level!r} must be one of {', '.join(_LEVELS)}")
        self.dispatcher.put(StrategyLog(self.strategy_id, level, text, self.clock.now_ns()))

    def _reference(self, instrument: Instrument) -> float:
        reference = self.view.reference(instrument.instrument_id)
        if reference is None:
            raise OrderRefused("reference", "a price heard from the market", "none yet")
        return reference.price
