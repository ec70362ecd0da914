"""An order under examination: the request in exact units, with what the rules need to know about its surroundings."""

from decimal import Decimal
from math import isfinite

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.errors import OffGrid, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.trading.market_view import Reference


class Candidate:
    """A request that is finite and on the grid.

    Raises (when made):
        OrderRefused: a number is not finite, off the grid, missing or does not belong to the order type.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "display_units", "expire_time_ns", "instrument", "now_ns", "owner", "position_units", "price_units", "quantity_units",
        "reduces", "reference", "request", "sign", "trailing_units", "trigger_units",
    )  # fmt: skip

    def __init__(self, request: OrderRequest, owner: str, instrument: Instrument, now_ns: int) -> None:
        self.request = request
        self.owner = owner
        self.instrument = instrument
        self.now_ns = now_ns
        self.sign = 1 if request.side is Side.BUY else -1
        self.reduces = False
        self.position_units = 0
        self.reference: Reference | None = None
        _check_finite(request)
        _check_terms(request, now_ns)
        self.quantity_units = instrument.quantity_units(request.quantity)
        self.price_units = instrument.price_units(request.price) if request.price else 0
        self.trigger_units = instrument.price_units(request.trigger_price) if request.trigger_price else 0
        self.display_units = instrument.quantity_units(request.display_quantity) if request.display_quantity else 0
        self.trailing_units = _offset_units(request, instrument)
        _check_size(self.quantity_units, instrument)

    @property
    def price(self) -> float:
        """Return the price to value the order by: its limit, else its trigger, else the reference; 0.0 when there is none."""
        if self.price_units:
            return self.instrument.price(self.price_units)
        if self.trigger_units:
            return self.instrument.price(self.trigger_units)
        return self.reference.price if self.reference is not None else 0.0

    @property
    def notional(self) -> Decimal:
        """Return price * quantity * multiplier in the quote asset."""
        quantity = self.instrument.quantity_grid.to_decimal(self.quantity_units)
        return Decimal(repr(self.price)) * quantity * self.instrument.multiplier


def _check_finite(request: OrderRequest) -> None:
    numbers = {
        "quantity": request.quantity,
        "price": request.price,
        "trigger_price": request.trigger_price,
        "trailing_offset": request.trailing_offset,
        "display_quantity": request.display_quantity,
    }
    for name, value in numbers.items():
        if not isfinite(value) or value < 0.0:
            raise OrderRefused("finite", f"{name} finite and not negative", str(value))
    if request.quantity == 0.0:
        raise OrderRefused("quantity", "> 0", "0")


def _check_terms(request: OrderRequest, now_ns: int) -> None:
    kind = request.order_type
    if kind.needs_price != (request.price > 0.0):
        raise OrderRefused("terms", f"{kind} {'needs a' if kind.needs_price else 'takes no'} price", str(request.price))
    if kind.needs_trigger != (request.trigger_price > 0.0):
        need = "needs a" if kind.needs_trigger else "takes no"
        raise OrderRefused("terms", f"{kind} {need} trigger price", str(request.trigger_price))
    trailing = kind is OrderType.TRAILING_STOP
    if trailing != (request.trailing_offset > 0.0):
        need = "needs a" if trailing else "takes no"
        raise OrderRefused("terms", f"{kind} {need} trailing offset", str(request.trailing_offset))
    if request.post_only and (
        kind is not OrderType.LIMIT or request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    ):
        raise OrderRefused("terms", "post-only belongs to a resting limit order", f"{kind} {request.time_in_force}")
    if request.display_quantity and (not kind.needs_price or request.display_quantity > request.quantity):
        raise OrderRefused(
            "terms", "display quantity: of a priced order, at most its quantity", str(request.display_quantity)
        )
    if (request.time_in_force is TimeInForce.GTD) != (request.expire_time_ns > 0):
        raise OrderRefused("terms", "expire_time_ns belongs to GTD, and GTD needs it", str(request.expire_time_ns))
    if request.expire_time_ns and request.expire_time_ns <= now_ns:
        raise OrderRefused("terms", "expire_time_ns in the future", str(request.expire_time_ns))


def _offset_units(request: OrderRequest, instrument: Instrument) -> int:
    if not request.trailing_offset:
        return 0
    try:
        return instrument.price_grid.from_float(request.trailing_offset)
    except OffGrid as error:
        raise OffGrid("trailing_offset", error.value, error.below, error.above) from None


def _check_size(units: int, instrument: Instrument) -> None:
    if units < instrument.min_quantity_units:
        least = instrument.quantity_grid.to_text(instrument.min_quantity_units)
        raise OrderRefused("min_quantity", least, instrument.quantity_grid.to_text(units))
    if instrument.max_quantity_units and units > instrument.max_quantity_units:
        most = instrument.quantity_grid.to_text(instrument.max_quantity_units)
        raise OrderRefused("max_quantity", most, instrument.quantity_grid.to_text(units))
