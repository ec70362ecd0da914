"""Strategy: the class that a plugin derives from.

The one rule: a handler must return soon (well under 5 ms), because every strategy and the order desk share one thread. Heavy
work belongs in another process. A handler that raises halts its own strategy and nobody else's.
"""

from collections.abc import Sequence
from decimal import Decimal

from foxtrot.core.notices import AmendAnswered, BookLoaded, TimerFired
from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument, Number
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.order import AmendRequest, OrderData, OrderRequest, TradeData
from foxtrot.strategy.bar_facts import BarCorrection
from foxtrot.strategy.parameters import fill_defaults
from foxtrot.strategy.protecting import Protecting
from foxtrot.strategy.roll_door import RollDoor
from foxtrot.strategy.seat import Seat


class Strategy(Protecting, RollDoor):
    """Hears facts, sends orders; knows its instruments, its virtual position and the time, nothing of threads or venues.

    `symbols` are the instrument ids it was given, the first one is `instrument`; `account` is where its orders go; `interval`
    is the text of the bars it hears. Override the `on_*` methods that matter.

    Thread: foxtrot-engine (in a backtest, the caller's).
    """

    def __init__(self, seat: Seat) -> None:
        fill_defaults(self)
        self._seat = seat
        self.strategy_id = seat.strategy_id
        self.account = seat.account
        self.symbols = seat.symbols
        self.interval = seat.interval
        self.clock = seat.clock
        self.random = seat.random

    # --- what happens -----------------------------------------------------------------------------------------------

    def on_init(self) -> None:
        """Prepare: ask for warm-up with load_bar; orders sent here, or while on_bar hears warm-up, raise OrderRefused."""

    def on_start(self) -> None:
        """Begin: warm-up is done, orders may be sent."""

    def on_tick(self, tick: TickData) -> None:
        """Hear a change of the best prices or a last trade."""

    def on_depth(self, depth: DepthData) -> None:
        """Hear a snapshot of the order book."""

    def on_depth_change(self, change: DepthChange) -> None:
        """Hear a change of the order book."""

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Hear a public print."""

    def on_bar(self, bar: BarData) -> None:
        """Hear a bar at its close; one missed in a loss comes after it, `backfilled` and with `trading` False."""

    def on_bar_correction(self, correction: BarCorrection) -> None:
        """Hear that a bar heard before was changed by a late print."""

    def on_order(self, order: OrderData) -> None:
        """Hear that one of its orders changed; its fills come apart, before or after. Also after the stop."""

    def on_amend(self, answer: AmendAnswered) -> None:
        """Hear what became of a change of one of its orders; on_order tells the new terms."""

    def on_trade(self, trade: TradeData) -> None:
        """Hear a fill; `position` already counts it. Also after the stop, when `trading` is False."""

    def on_timer(self, timer: TimerFired) -> None:
        """Hear a timer set with set_timer or at."""

    def on_book(self, book: BookLoaded) -> None:
        """Hear the answer to request_book."""

    def on_stop(self) -> None:
        """End: its exit policy is applied after this."""

    # --- orders -----------------------------------------------------------------------------------------------------

    def buy(self, quantity: float, price: float = 0.0, **terms: object) -> str:
        """Buy to open or add (the long side where the account hedges); a market order without a price.

        Args:
            quantity: in units of the base asset, shares or contracts.
            price: limit price; 0.0 for a market order.
            terms: instrument, trigger_price, trailing_offset, order_type, time_in_force, post_only, reduce_only,
                display_quantity, expire_time_ns; algo and algo_params, an algorithm of the venue's own and its parameters by
                name; stop_loss, take_profit and trailing_stop protect the position from its
                first fill on (see protect).

        Returns:
            The order id; a refusal is heard by on_order as DENIED with its rule and reason.

        Raises:
            OrderRefused: called while the strategy may not trade (see `trading`).
            ConfigError: a term is not known or of the wrong type.
        """
        return self._seat.order(Side.BUY, PositionSide.LONG, quantity, price, terms)

    def sell(self, quantity: float, price: float = 0.0, **terms: object) -> str:
        """Sell what was bought; otherwise as buy."""
        return self._seat.order(Side.SELL, PositionSide.LONG, quantity, price, terms)

    def short(self, quantity: float, price: float = 0.0, **terms: object) -> str:
        """Sell to open a short position; otherwise as buy."""
        return self._seat.order(Side.SELL, PositionSide.SHORT, quantity, price, terms)

    def cover(self, quantity: float, price: float = 0.0, **terms: object) -> str:
        """Buy back what was sold short; otherwise as buy."""
        return self._seat.order(Side.BUY, PositionSide.SHORT, quantity, price, terms)

    def send(self, request: OrderRequest) -> str:
        """Send a request as it is, for whatever the four verbs do not say.

        Raises:
            OrderRefused: the request names another account than the strategy's, or the strategy may not trade now.
        """
        if request.account != self._seat.account:
            text = f"{self.strategy_id} trades {self._seat.account} only"
            raise OrderRefused("account", self._seat.account, request.account or "(none)", text)
        return self._seat.submit(request)

    def amend(self, order_id: str, *, quantity: float = 0.0, price: float = 0.0, trigger_price: float = 0.0) -> bool:
        """Change a resting order; 0.0 leaves a figure as it is. False when it may not; on_amend hears what became of it."""
        return self._seat.amend(AmendRequest(order_id, quantity, price, trigger_price))

    def cancel(self, order_id: str) -> bool:
        """Ask for the cancellation of an order; False when it is done already or not known."""
        return self._seat.cancel(order_id)

    def cancel_all(self) -> int:
        """Ask for the cancellation of all own open orders and return how many; those of a protection stay."""
        return self._seat.cancel_all()

    def close_position(self, instrument: str = "") -> str | None:
        """Send a market order that closes the position, or return None when it is flat or dust.

        It is reduce-only: cancel resting exits first, or the order is refused because together they would sell too much. A
        protected position is closed by its protection, which withdraws its own stop first; the id is then "".
        """
        return self._seat.close_position(instrument)

    # --- state ------------------------------------------------------------------------------------------------------

    @property
    def trading(self) -> bool:
        """Tell whether orders may be sent: from on_start to the end of on_stop; False while on_bar hears warm-up."""
        return self._seat.may_trade

    @property
    def instrument(self) -> Instrument:
        """Return the first instrument."""
        return self._seat.instrument_of("")

    def instrument_of(self, instrument: str) -> Instrument:
        """Return an instrument by id or unambiguous symbol."""
        return self._seat.instrument_of(instrument)

    @property
    def position(self) -> float:
        """Return the signed virtual position in the first instrument, from fills."""
        return self._seat.position("")

    def position_of(self, instrument: str, side: PositionSide = PositionSide.NET) -> float:
        """Return the signed virtual position in an instrument, from fills; in a hedging account one side of it if asked."""
        return self._seat.position(instrument, side)

    @property
    def is_flat(self) -> bool:
        """Tell whether the first instrument's position is zero or dust (below lot or minimum notional)."""
        return self._seat.is_flat("")

    def is_flat_in(self, instrument: str) -> bool:
        """Tell whether the position in an instrument is zero or dust."""
        return self._seat.is_flat(instrument)

    def dust(self, instrument: str = "") -> float:
        """Return what is held and is too little to sell; it counts as flat, and nobody tries to sell it."""
        return self._seat.dust(instrument)

    def average_price(self, instrument: str = "", side: PositionSide = PositionSide.NET) -> float:
        """Return the average entry price of the position; 0.0 when flat."""
        return self._seat.average_price(instrument, side)

    def equity(self) -> Decimal | None:
        """Return capital plus profit in the base currency, or None while a price or rate is missing."""
        return self._seat.equity()

    def open_orders(self, instrument: str = "") -> Sequence[OrderData]:
        """Return own open orders, oldest first."""
        return self._seat.open_orders(instrument)

    def is_pending(self, instrument: str = "") -> bool:
        """Tell whether an own order may still change the position: open, or filled with its fills yet to be heard."""
        return self._seat.is_pending(instrument)

    def order(self, order_id: str) -> OrderData | None:
        """Return an order as it stands, or None when it is not known."""
        return self._seat.desk.order(order_id)

    def tick(self, instrument: str = "") -> TickData | None:
        """Return the latest tick, or None before the first."""
        return self._seat.view.ticks.get(self._seat.id_of(instrument))

    def book(self, instrument: str = "") -> DepthData | None:
        """Return the latest depth snapshot, or None while there is no valid book."""
        return self._seat.view.depths.get(self._seat.id_of(instrument))

    def request_book(self, instrument: str, levels: int) -> None:
        """Ask for an order book of so many levels; answered by on_book."""
        self._seat.request_book(instrument, levels)

    # --- numbers ----------------------------------------------------------------------------------------------------

    def round_price(self, price: Number, rounding: str = "nearest", instrument: str = "") -> float:
        """Return the legal price next to any price; rounding is nearest, down or up."""
        found = self._seat.instrument_of(instrument)
        return found.price(found.round_price_units(price, rounding))

    def round_quantity(self, quantity: Number, rounding: str = "to_zero", instrument: str = "") -> float:
        """Return the legal quantity next to any quantity, towards zero by default."""
        found = self._seat.instrument_of(instrument)
        return found.quantity(found.round_quantity_units(quantity, rounding))

    def quantity_for(
        self, *, notional: float = 0.0, risk: float = 0.0, stop: float = 0.0, price: float = 0.0, instrument: str = ""
    ) -> float:
        """Return the legal quantity that costs `notional`, or that loses `risk` when `price` falls or rises to `stop`.

        Args:
            notional: money of the quote asset to spend.
            risk: money of the quote asset to lose at the stop.
            stop: the stop price, above 0; needed with risk.
            price: entry price; the latest reference when 0.0.
            instrument: id; the first instrument when empty.

        Raises:
            OrderRefused: neither or both of notional and risk are given, the stop is missing, or no price is known.
        """
        return self._seat.quantity_for(notional, risk, stop, price, instrument)

    def quantity_to(self, wanted: float, instrument: str = "") -> float:
        """Return what to trade to hold `wanted`: positive to buy, negative to sell, 0.0 when less than a lot is missing."""
        return self._seat.quantity_to(wanted, instrument)

    # --- time and words ---------------------------------------------------------------------------------------------

    def load_bar(self, count: int, instrument: str = "") -> None:
        """Ask, in on_init, for the last `count` closed bars: on_bar hears them before on_start, `trading` being False.

        The adapter asks its venue in its own thread; nothing waits here. Live bars follow without a missing or double one.
        Without a name the first instrument is meant; bars of several instruments come in the order in which they closed.
        """
        self._seat.load_bar(count, instrument)

    def set_timer(self, name: str, seconds: float, *, repeat: bool = False) -> int:
        """Let on_timer be called after some seconds (above 0), with repeat every so many; returns an id for cancel_timer."""
        return self._seat.timers.set(name, seconds, repeat=repeat)

    def cancel_timer(self, timer_id: int) -> None:
        """Cancel a timer."""
        self._seat.dispatcher.cancel_timer(timer_id)

    def at(self, wall_time: str, tz: str = "UTC", name: str = "") -> None:
        """Let on_timer be called every day at a time such as "15:50" in a time zone; the timer's name is it by default."""
        self._seat.timers.at(wall_time, tz, name or wall_time)

    def log(self, text: str, level: str = "INFO") -> None:
        """Write a line to the log, marked with the strategy's id."""
        self._seat.log(text, level)
