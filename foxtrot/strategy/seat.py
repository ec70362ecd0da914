"""The seat: what one strategy is given to trade with. It turns a strategy's wishes into calls of the parts below."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import BookLoaded, StrategyLog, TimerFired
from foxtrot.domain.enums import OrderType, PositionMode, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import Position

_TERMS = {
    "instrument", "trigger_price", "trailing_offset", "order_type", "time_in_force", "post_only", "reduce_only",
    "display_quantity", "expire_time_ns", "tag",
}  # fmt: skip
_DAILY = "at "


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
        self.may_trade = False
        self.initialising = False
        self.warm_up: dict[str, int] = {}
        self._hedges = parts.modes.get(account) is PositionMode.HEDGING

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
        if not terms:
            kind = OrderType.LIMIT if price else OrderType.MARKET
            place = position_side if self._hedges else PositionSide.NET
            request = OrderRequest(
                self.id_of(""),
                self.account,
                side,
                kind,
                float(quantity),
                float(price),
                0.0,
                TimeInForce.GTC,
                False,
                False,
                place,
            )
            return self.submit(request)
        return self.submit(self._request(side, position_side, quantity, price, terms))

    def submit(self, request: OrderRequest) -> str:
        """Hand a request to the desk.

        Raises:
            OrderRefused: the strategy may not trade now.
        """
        if not self.may_trade:
            state = "initialising" if self.initialising else "not running"
            raise OrderRefused(
                "strategy_state", "a running strategy", state, f"{self.strategy_id} is {state}: no orders now"
            )
        return self.desk.submit(request, self.strategy_id)

    def cancel(self, order_id: str) -> bool:
        """Cancel one of the strategy's own orders."""
        found = self.desk.order(order_id)
        return found is not None and found.strategy_id == self.strategy_id and self.desk.cancel(order_id)

    def cancel_all(self, *, keep_reducing: bool = False) -> int:
        """Cancel the strategy's open orders, or only those that open or add."""
        return self.desk.cancel_all(self.strategy_id, keep_reducing=keep_reducing)

    def close_position(self, name: str) -> str | None:
        """Send the market order that closes a position; None when flat or dust."""
        position = self._position(name)
        if position is None or self.is_flat(name):
            return None
        instrument = position.instrument
        units = instrument.round_quantity_units(abs(position.exact_quantity))
        side = Side.SELL if position.quantity > 0 else Side.BUY
        place = (PositionSide.LONG if side is Side.SELL else PositionSide.SHORT) if self._hedges else PositionSide.NET
        request = OrderRequest(
            instrument.instrument_id, self.account, side, OrderType.MARKET, instrument.quantity(units),
            reduce_only=True, position_side=place,
        )  # fmt: skip
        return self.submit(request)

    def position(self, name: str) -> float:
        """Return the signed virtual position."""
        position = self._position(name)
        if position is None:
            return 0.0
        return float(position.exact_quantity) if position.fees else position.instrument.quantity(position.quantity)

    def average_price(self, name: str) -> float:
        """Return the average entry price; 0.0 when flat."""
        position = self._position(name)
        return 0.0 if position is None else position.average_price

    def is_flat(self, name: str) -> bool:
        """Tell whether nothing is held that could be sold: zero, below a lot, or below the minimum notional."""
        position = self._position(name)
        if position is None or position.quantity == 0:
            return True
        instrument = position.instrument
        held = abs(position.exact_quantity)
        units = instrument.round_quantity_units(held)
        if units == 0 or units < instrument.min_quantity_units:
            return True
        mark = self.view.mark(instrument.instrument_id)
        return mark is not None and held * Decimal(repr(mark)) * instrument.multiplier < instrument.min_notional

    def equity(self) -> Decimal | None:
        """Return capital plus profit in the base currency."""
        return self.portfolio.equity(self.strategy_id)

    def open_orders(self, name: str) -> list[OrderData]:
        """Return own open orders, of one instrument or all."""
        instrument_id = self.id_of(name) if name else ""
        return [r.to_order() for r in self.desk.open_records(self.strategy_id, instrument_id=instrument_id)]

    def quantity_for(self, notional: float, risk: float, stop: float, price: float, name: str) -> float:
        """Return the legal quantity for an amount to spend or to lose."""
        instrument = self.instrument_of(name)
        if (notional > 0.0) == (risk > 0.0):
            raise OrderRefused("quantity_for", "one of notional and risk", f"notional {notional}, risk {risk}")
        entry = price or self._reference(instrument)
        distance = entry if notional > 0.0 else abs(entry - stop)
        if distance <= 0.0:
            raise OrderRefused("quantity_for", f"a stop away from {entry}", str(stop))
        amount = Decimal(repr(notional or risk))
        units = instrument.round_quantity_units(amount / (Decimal(repr(distance)) * instrument.multiplier))
        return instrument.quantity(units)

    def load_bar(self, count: int, name: str) -> None:
        """Note how many bars to deliver before the start.

        Raises:
            ConfigError: called outside on_init, or for no bars.
        """
        if not self.initialising:
            raise ConfigError(f"{self.strategy_id}: load_bar belongs in on_init")
        if count < 1:
            raise ConfigError(f"{self.strategy_id}: load_bar needs a count of at least 1, not {count}")
        self.warm_up[self.id_of(name)] = count

    def set_timer(self, name: str, seconds: float, *, repeat: bool) -> int:
        """Set a timer on the dispatcher."""
        delay_ns = int(seconds * 1e9)
        return self.dispatcher.set_timer(self.strategy_id, name, delay_ns, delay_ns if repeat else 0)

    def at(self, wall_time: str, tz: str, name: str) -> None:
        """Set a timer for the next such time of day; it is set again each time it fires.

        Raises:
            ConfigError: the time is not HH:MM or HH:MM:SS, or the zone is not known.
        """
        try:
            parts = [int(part) for part in wall_time.split(":")]
            hour, minute, second = (*parts, 0, 0)[:3]
            zone = ZoneInfo(tz)
            now = datetime.fromtimestamp(self.clock.now_ns() / 1e9, zone)
            due = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise ConfigError(f'at("{wall_time}", tz="{tz}"): give HH:MM and an IANA zone ({error})') from None
        if due <= now:
            due = (due.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
        delay_ns = int(due.timestamp() * 1e9) - self.clock.now_ns()
        self.dispatcher.set_timer(self.strategy_id, f"{_DAILY}{wall_time}|{tz}|{name}", max(delay_ns, 0))

    def read_timer(self, timer: TimerFired) -> TimerFired:
        """Return a timer under the name the strategy gave it, setting a daily one for the next day."""
        if not timer.name.startswith(_DAILY):
            return timer
        wall_time, tz, name = timer.name[len(_DAILY) :].split("|", 2)
        self.at(wall_time, tz, name)
        return TimerFired(timer.owner, name, timer.timer_id, timer.due_ns, timer.now_ns)

    def request_book(self, name: str, levels: int) -> None:
        """Ask for a book; the answer carries the strategy's id as request id."""
        instrument_id = self.id_of(name)
        depth = self.view.depths.get(instrument_id)
        if depth is not None and len(depth.bids) >= levels and len(depth.asks) >= levels:
            age_ms = (self.clock.now_ns() - depth.local_time_ns) / 1e6
            self.dispatcher.put(BookLoaded(self.strategy_id, instrument_id, depth, "stream", age_ms))
        else:
            self.parts.adapters[self.account].request_book(self.strategy_id, instrument_id, levels)

    def log(self, text: str, level: str) -> None:
        """Publish a line."""
        self.dispatcher.put(StrategyLog(self.strategy_id, level, text, self.clock.now_ns()))

    def _position(self, name: str) -> Position | None:
        instrument_id = self.id_of(name)
        if not self._hedges:
            return self.portfolio.position(self.strategy_id, self.account, instrument_id)
        sides = [
            self.portfolio.position(self.strategy_id, self.account, instrument_id, side)
            for side in (PositionSide.LONG, PositionSide.SHORT)
        ]
        held = [position for position in sides if position is not None and position.quantity]
        return held[0] if held else None

    def _reference(self, instrument: Instrument) -> float:
        reference = self.view.reference(instrument.instrument_id)
        if reference is None:
            raise OrderRefused("reference", "a price heard from the market", "none yet")
        return reference.price

    def _request(
        self, side: Side, position_side: PositionSide, quantity: float, price: float, terms: Mapping[str, object]
    ) -> OrderRequest:
        unknown = terms.keys() - _TERMS
        if unknown:
            raise ConfigError(
                f"order terms {', '.join(sorted(unknown))} are not known; there are: {', '.join(sorted(_TERMS))}"
            )
        trigger = _number(terms, "trigger_price")
        trailing = _number(terms, "trailing_offset")
        kind = OrderType(str(terms.get("order_type") or _kind_of(price, trigger, trailing)))
        return OrderRequest(
            self.id_of(str(terms.get("instrument", ""))), self.account, side, kind, float(quantity), float(price), trigger,
            TimeInForce(str(terms.get("time_in_force", TimeInForce.GTC))), bool(terms.get("reduce_only", False)),
            bool(terms.get("post_only", False)), position_side if self._hedges else PositionSide.NET, trailing,
            _number(terms, "display_quantity"), int(_number(terms, "expire_time_ns")), str(terms.get("tag", "")),
        )  # fmt: skip


def _number(terms: Mapping[str, object], name: str) -> float:
    value = terms.get(name, 0.0)
    if not isinstance(value, int | float):
        raise ConfigError(f"order term {name} must be a number, not {value!r}")
    return value if name == "expire_time_ns" else float(value)


def _kind_of(price: float, trigger: float, trailing: float) -> OrderType:
    if trailing:
        return OrderType.TRAILING_STOP
    if trigger:
        return OrderType.STOP_LIMIT if price else OrderType.STOP
    return OrderType.LIMIT if price else OrderType.MARKET
