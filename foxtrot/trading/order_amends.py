"""What a change that is under way makes of an order's record: until its end is known the order counts as the worse of both."""

from msgspec.structs import replace

from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, OrderData
from foxtrot.domain.order_state import OPEN
from foxtrot.trading.order_record import OrderRecord


def begin(record: OrderRecord, amend: ApprovedAmend) -> None:
    """Let an order count at its worst from now on: it may be what it was, or what it is to be."""
    record.amends, record.changes = (*record.amends, amend), amend.number
    record.sizes |= {record.terms.quantity, record.instrument.quantity(amend.order.quantity_units)}
    _count(record)


def confirm(record: OrderRecord, number: int) -> bool:
    """Let an order be what a change has made of it, and those before it void; False where the change had its end before."""
    found = next((amend for amend in record.amends if amend.number == number), None)
    if found is None:
        return False
    record.amends = tuple(amend for amend in record.amends if amend.number > number)
    _take(record, found.order)
    return True


def take_back(record: OrderRecord, order: ApprovedOrder) -> None:
    """Let an order be again what it was before a change that counted as made."""
    _take(record, order)


def has_terms(data: OrderData, order: ApprovedOrder, instrument: Instrument) -> bool:
    """Tell whether a report has the terms of an order."""
    return _figures(data) == _asked(order, instrument)


def drop(record: OrderRecord, number: int) -> bool:
    """Let an order be what it was; False where the change had its end before."""
    left = tuple(amend for amend in record.amends if amend.number != number)
    if len(left) == len(record.amends):
        return False
    record.amends = left
    _count(record)
    return True


def told_of(record: OrderRecord, data: OrderData) -> ApprovedAmend | None:
    """Return the latest change under way whose terms a report has and the order does not have yet."""
    terms = _figures(data)
    if not record.amends or data.status not in OPEN or terms == _figures(record.terms):
        return None
    return next((one for one in reversed(record.amends) if _asked(one.order, record.instrument) == terms), None)


def is_unchanged(record: OrderRecord, data: OrderData) -> bool:
    """Tell whether a report has the terms that the order had before the changes under way."""
    return _figures(data) == _figures(record.terms)


def take_told(record: OrderRecord, data: OrderData) -> None:
    """Give a record of an earlier run the terms that the order was told with last."""
    order = record.approved
    if order is None or is_unchanged(record, data):
        return
    instrument = record.instrument
    record.sizes |= {record.terms.quantity, data.quantity}
    price = instrument.price_grid.from_float(data.price) if data.price else 0
    trigger = instrument.price_grid.from_float(data.trigger_price) if data.trigger_price else 0
    if data.order_type is OrderType.TRAILING_STOP:
        trigger = order.trigger_units
    quantity = instrument.quantity_grid.from_float(data.quantity)
    _take(record, replace(order, quantity_units=quantity, price_units=price, trigger_units=trigger))


def _take(record: OrderRecord, order: ApprovedOrder) -> None:
    quantity, price, trigger = _terms(order, record.instrument)
    record.approved = order
    record.terms = replace(record.terms, quantity=quantity, price=price, trigger_price=trigger)
    _count(record)
    if record.filled_units and record.status in OPEN and record.status is not OrderStatus.UNKNOWN:
        record.advance()


def _count(record: OrderRecord) -> None:
    now = record.instrument.quantity_grid.from_float(record.terms.quantity)
    record.quantity_units = max(now, *(amend.order.quantity_units for amend in record.amends), 0)


def _terms(order: ApprovedOrder, instrument: Instrument) -> tuple[float, float, float]:
    price = instrument.price(order.price_units) if order.price_units else 0.0
    trigger = instrument.price(order.trigger_units) if order.trigger_units else 0.0
    return instrument.quantity(order.quantity_units), price, trigger


def _asked(order: ApprovedOrder, instrument: Instrument) -> tuple[float, float, float]:
    """Return the terms of an order as far as a report can tell them."""
    quantity, price, trigger = _terms(order, instrument)
    return quantity, price, 0.0 if order.order_type is OrderType.TRAILING_STOP else trigger


def _figures(data: OrderData) -> tuple[float, float, float]:
    """Return the terms of a report; a trailing stop's price moves by itself and tells nothing of what was asked."""
    return data.quantity, data.price, 0.0 if data.order_type is OrderType.TRAILING_STOP else data.trigger_price
