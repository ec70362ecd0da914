"""Rules about prices: a fresh reference, the collar, the estimated sweep, and not meeting our own orders."""

from math import inf

from foxtrot.domain.calendar_presets import ALWAYS_OPEN, calendar_named
from foxtrot.domain.enums import BookState, OrderType, Side
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.limits import Limits, Scope
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.order_desk import OrderDesk

_PROFIT = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_ROUNDING = 1.0 + 1e-12
"""What lies on a limit is within it, whatever floats make of the product."""
STEP_S = 1.0
"""A price that seems to be of a later time than this was heard before the time of day was set back; how old it is, nobody knows."""


class PriceRules:
    """Judges an order by the market as last heard.

    Thread: the dispatcher's.
    """

    def __init__(self, view: MarketView, desk: OrderDesk) -> None:
        self._view = view
        self._desk = desk

    def is_reached(self, terms: OrderRequest | OrderData, instrument_id: str) -> bool:
        """Tell whether any price that was heard has reached the trigger of an order, so that it trades at once."""
        trigger = terms.trigger_price
        prices = self._view.heard_prices(instrument_id)
        if (terms.side is Side.BUY) != (terms.order_type in _PROFIT):
            return any(price >= trigger for price in prices)
        return any(price <= trigger for price in prices)

    def check(self, order: Candidate, scopes: tuple[Scope, ...]) -> None:
        """Refuse an order without a fresh reference, beyond the collar, or that would walk the book too far.

        An order whose trigger is reached already is judged as what it becomes: a market order by its sweep, a limit by the
        collar around the reference.

        Raises:
            OrderRefused: rule reference, book_state, quote_age, price_collar or market_sweep.
        """
        reference = order.reference
        if reference is None:
            delayed = self._view.is_delayed(order.instrument.instrument_id)
            heard = "a delayed or frozen quote alone" if delayed else "none yet"
            raise OrderRefused("reference", "a price heard from the market", heard)
        begun_ns = _session_begun_ns(order)
        live = bool(self._view.book_states) and self._is_live(order, begun_ns)
        age_s = (order.now_ns - reference.time_ns) / 1e9
        for scope in scopes:
            limits = scope.limits
            if limits.quote_age_s and reference.time_ns < begun_ns:
                raise _of_an_earlier_session(scope, age_s, reference.source)
            if limits.quote_age_s and not live and not -STEP_S <= age_s <= limits.quote_age_s:
                raise OrderRefused(
                    "quote_age", f"{limits.quote_age_s} s of {scope}", f"{age_s:.1f} s ({reference.source})"
                )
            if order.price_units and limits.price_collar:
                _check_collar(order, limits, reference.price)
            elif limits.market_sweep and order.is_market:
                self._check_sweep(order, limits)

    def check_self_cross(self, order: Candidate) -> None:
        """Refuse to trade with ourselves: an order that would meet a resting one of the same account.

        A market order meets what stands no farther than the sweep it is estimated to make. A limit that waits for its trigger
        meets what stands between the two, for what stands before the trigger is gone by then.

        Raises:
            OrderRefused: rule self_cross; reference, when the book it would meet holds numbers that are none.
        """
        if not self._desk.open_count or order.trailing_units or (order.waits and not order.price_units):
            return
        request, instrument = order.request, order.instrument
        opposite, reach = request.side.opposite, 0.0
        begin = instrument.price(order.trigger_units) if order.waits else 0.0
        for record in self._desk.open_records(account=request.account, instrument_id=instrument.instrument_id):
            terms = record.terms
            if record.set_aside or terms.side is not opposite or not self._rests(terms):
                continue
            price = min(
                record.prices, key=lambda price: price * order.sign
            )  # of two between which it is, the nearer one
            if begin and (price - begin) * order.sign < 0.0:
                continue
            reach = reach or self._reach(order)
            if reach > 0.0 and (reach - price) * order.sign >= 0.0:
                mine = f"own {terms.side} at {price} ({terms.order_id})"
                raise OrderRefused("self_cross", mine, str(request.price or f"market, reaching {reach:g}"))

    def _rests(self, terms: OrderData) -> bool:
        """Tell whether an open order is in the book: a limit whose trigger, if it has one, was reached."""
        return terms.price > 0.0 and (not terms.trigger_price or self.is_reached(terms, terms.instrument_id))

    def _is_live(self, order: Candidate, begun_ns: int) -> bool:
        """Tell whether a book vouches for the price; a book that is there but not LIVE forbids to rely on any.

        One that was last heard before the session began says nothing of this one.
        """
        account, instrument_id = order.request.account, order.instrument.instrument_id
        state = self._view.book_states.get((account, instrument_id))
        if state is None:
            return False
        if state is not BookState.LIVE:
            raise OrderRefused("book_state", f"a {BookState.LIVE} book of {instrument_id} in {account}", str(state))
        heard = self._view.depths.get(instrument_id)
        return (
            self._view.has_live_book(account, instrument_id) and heard is not None and heard.local_time_ns >= begun_ns
        )

    def _reach(self, order: Candidate) -> float:
        """Return the worst price an order may trade at; 0.0 when nothing is known."""
        if order.price_units:
            return order.instrument.price(order.price_units)
        walked = self._walk(order)
        if walked is not None:
            return walked[0]
        touch = self._view.far_touch(order.instrument.instrument_id, order.request.side)
        reference = order.reference.price if order.reference is not None else 0.0
        return max(touch, reference) if order.sign > 0 or not touch else min(touch, reference or touch)

    def _walk(self, order: Candidate) -> tuple[float, float, float, int] | None:
        """Return last price, best price, quantity left over and number of levels of a walk; None without depth.

        Raises:
            OrderRefused: rule market_sweep for an empty side, reference for a level whose numbers are none.
        """
        depth = self._view.depths.get(order.instrument.instrument_id)
        if depth is None:
            return None
        levels = depth.asks if order.request.side is Side.BUY else depth.bids
        if not levels:
            raise OrderRefused("market_sweep", "liquidity on the other side", "an empty side")
        grid = order.instrument.quantity_grid
        least = grid.numerator / (2 * grid.denominator)
        left, best, last = order.request.quantity, levels[0][0], levels[0][0]
        for price, size in levels:
            if not (0.0 < price < inf and 0.0 <= size < inf):
                raise OrderRefused("reference", "finite prices and sizes in the book", f"{size} at {price}")
            last = price
            left -= size
            if left < least:
                return last, best, 0.0, len(levels)
        return last, best, left, len(levels)

    def _check_sweep(self, order: Candidate, limits: Limits) -> None:
        """Estimate how far a market order walks the book; without depth there is nothing to estimate by."""
        walked = self._walk(order)
        if walked is None:
            return
        last, best, left, known = walked
        if left > 0.0:
            raise OrderRefused("market_sweep", f"{known} known levels", f"{left:g} more than they hold")
        if abs(last - best) > limits.market_sweep * best * _ROUNDING:
            swept = abs(last / best - 1.0)
            raise OrderRefused("market_sweep", f"{limits.market_sweep:.2%} from {best}", f"{swept:.2%}, to {last}")


def _session_begun_ns(order: Candidate) -> int:
    """Return when the session began in which the order is judged; 0 while its market is closed and for one that never closes.

    Raises:
        OrderRefused: rule quote_age, because the calendar does not know this day.
    """
    name = order.instrument.calendar
    if name == ALWAYS_OPEN.name:
        return 0
    try:
        session = calendar_named(name).session_of(order.now_ns)
    except ConfigError as error:
        raise OrderRefused("quote_age", f"a day that the calendar {name} knows", str(error)) from None
    return 0 if session is None else session.open_ns


def _of_an_earlier_session(scope: Scope, age_s: float, source: str) -> OrderRefused:
    limit = f"a price of this session, by the limit {scope.limits.quote_age_s} s of {scope}"
    return OrderRefused("quote_age", limit, f"one of before it began, {age_s:.1f} s old ({source})")


def _check_collar(order: Candidate, limits: Limits, reference: float) -> None:
    """Refuse a limit too far on the paying side; one that waits for its trigger may follow that."""
    price = order.instrument.price(order.price_units)
    if order.waits:
        trigger = order.instrument.price(order.trigger_units)
        reference = max(reference, trigger) if order.sign > 0 else min(reference, trigger)
    if (price - reference) * order.sign > limits.price_collar * reference * _ROUNDING:
        beyond = abs(price / reference - 1.0)
        raise OrderRefused("price_collar", f"{limits.price_collar:.2%} from {reference}", f"{price} ({beyond:.2%})")
