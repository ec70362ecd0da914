"""An order under examination: the request in exact units, with what the rules need to know about its surroundings."""

from decimal import Decimal
from math import inf

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.errors import OffGrid, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.trading.market_view import Reference
from foxtrot.trading.position import EXACT

_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT


class Candidate:
    """A request that is on the grid and whose terms belong together; `check_finite` comes before it is made.

    `beside` is how many orders leave with it and are not among the open ones yet; -1 of one that takes an open one's place.

    Raises (when made):
        OrderRefused: a number is off the grid, missing or does not belong to the order type.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "beside", "display_units", "instrument", "now_ns", "owner", "position_units", "price_units", "quantity_units", "reduces",
        "reference", "request", "sign", "trailing_units", "trigger_units", "triggered",
    )  # fmt: skip

    def __init__(self, request: OrderRequest, owner: str, instrument: Instrument, now_ns: int) -> None:
        self.request = request
        self.owner = owner
        self.instrument = instrument
        self.now_ns = now_ns
        self.sign = 1 if request.side is Side.BUY else -1
        self.reduces = False
        self.beside = 0
        self.triggered = False
        self.position_units = 0
        self.reference: Reference | None = None
        self.trigger_units = self.display_units = self.trailing_units = 0
        _check_terms(request, now_ns)
        self.quantity_units = instrument.quantity_units(request.quantity)
        self.price_units = instrument.price_units(request.price) if request.price else 0
        if request.trigger_price or request.trailing_offset or request.display_quantity:
            self._convert_extras(request, instrument)
        _check_size(self.quantity_units, instrument)

    @property
    def waits(self) -> bool:
        """Tell whether the order waits for a trigger that no known price has reached."""
        return self.trigger_units > 0 and not self.triggered

    @property
    def is_market(self) -> bool:
        """Tell whether the order trades at once at whatever the book offers, a reached trigger without a limit included."""
        return self.request.order_type is _MARKET or (self.triggered and not self.price_units)

    @property
    def price(self) -> float:
        """Return the price to value the order by: its limit, else its trigger not yet reached, else the reference, else 0.0."""
        if self.price_units:
            return self.instrument.price(self.price_units)
        if self.waits:
            return self.instrument.price(self.trigger_units)
        return self.reference.price if self.reference is not None else 0.0

    @property
    def notional(self) -> Decimal:
        """Return price * quantity * multiplier in the quote asset."""
        units = self.price_units or (0 if self.triggered else self.trigger_units)
        if units:
            return self.instrument.notional(units, self.quantity_units)
        quantity = self.instrument.quantity_grid.to_decimal(self.quantity_units)
        return EXACT.multiply(EXACT.multiply(Decimal(repr(self.price)), quantity), self.instrument.multiplier)

    def _convert_extras(self, request: OrderRequest, instrument: Instrument) -> None:
        what = ""
        try:
            if request.trigger_price:
                what = "trigger_price"
                self.trigger_units = instrument.price_units(request.trigger_price)
            if request.trailing_offset:
                what = "trailing_offset"
                self.trailing_units = instrument.price_grid.from_float(request.trailing_offset)
            if request.display_quantity:
                what = "display_quantity"
                self.display_units = instrument.quantity_units(request.display_quantity)
        except OffGrid as error:
            raise OffGrid(what, error.value, error.below, error.above) from None


def check_finite(request: OrderRequest) -> None:
    """Refuse numbers that are no amounts; asked before anything else.

    Raises:
        OrderRefused: rule finite or quantity.
    """
    if (
        0.0 < request.quantity < inf
        and 0.0 <= request.price < inf
        and 0.0 <= request.trigger_price < inf
        and 0.0 <= request.trailing_offset < inf
        and 0.0 <= request.display_quantity < inf
    ):
        return
    for name in ("quantity", "price", "trigger_price", "trailing_offset", "display_quantity"):
        value: float = getattr(request, name)
        if not 0.0 <= value < inf:
            raise OrderRefused("finite", f"{name} finite and not negative", str(value))
    raise OrderRefused("quantity", "> 0", "0")


def _check_terms(request: OrderRequest, now_ns: int) -> None:
    kind, priced = request.order_type, request.price > 0.0
    if priced != (kind is _LIMIT or (kind is not _MARKET and kind.needs_price)):
        raise OrderRefused("terms", f"{kind} {'takes no' if priced else 'needs a'} price", str(request.price))
    if kind is not _LIMIT and kind is not _MARKET:
        _check_trigger(request, kind)
    elif request.trigger_price or request.trailing_offset:
        raise OrderRefused("terms", f"{kind} takes no trigger", str(request.trigger_price or request.trailing_offset))
    if request.post_only and (kind is not _LIMIT or request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)):
        raise OrderRefused("terms", "post-only belongs to a resting limit order", f"{kind} {request.time_in_force}")
    if request.display_quantity and (not priced or request.display_quantity > request.quantity):
        limit = "display quantity: of a priced order, at most its quantity"
        raise OrderRefused("terms", limit, str(request.display_quantity))
    if request.expire_time_ns or request.time_in_force is TimeInForce.GTD:
        _check_expiry(request, now_ns)


def _check_trigger(request: OrderRequest, kind: OrderType) -> None:
    if kind.needs_trigger != (request.trigger_price > 0.0):
        need = "needs a" if kind.needs_trigger else "takes no"
        raise OrderRefused("terms", f"{kind} {need} trigger price", str(request.trigger_price))
    trailing = kind is OrderType.TRAILING_STOP
    if trailing != (request.trailing_offset > 0.0):
        need = "needs a" if trailing else "takes no"
        raise OrderRefused("terms", f"{kind} {need} trailing offset", str(request.trailing_offset))


def _check_expiry(request: OrderRequest, now_ns: int) -> None:
    if (request.time_in_force is TimeInForce.GTD) != (request.expire_time_ns > 0):
        raise OrderRefused("terms", "expire_time_ns belongs to GTD, and GTD needs it", str(request.expire_time_ns))
    if request.expire_time_ns <= now_ns:
        raise OrderRefused("terms", "expire_time_ns in the future", str(request.expire_time_ns))


def _check_size(units: int, instrument: Instrument) -> None:
    if units < instrument.min_quantity_units:
        least = instrument.quantity_grid.to_text(instrument.min_quantity_units)
        raise OrderRefused("min_quantity", least, instrument.quantity_grid.to_text(units))
    if instrument.max_quantity_units and units > instrument.max_quantity_units:
        most = instrument.quantity_grid.to_text(instrument.max_quantity_units)
        raise OrderRefused("max_quantity", most, instrument.quantity_grid.to_text(units))
