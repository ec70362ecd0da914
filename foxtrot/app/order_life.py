"""The life of one order, from the journal: what caused it, what was known then, each step, how long each leg took, what it cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.errors import InputError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import WORKING
from foxtrot.storage.journal_reader import JournalView
from foxtrot.storage.journal_records import (
    AmendAsked,
    AmendEnded,
    Arrival,
    CancelAsked,
    FillBooked,
    Handed,
    InstrumentListed,
    Intent,
    JournalRecord,
    NotSent,
    OrderResolved,
    OrderTold,
    VenueSaid,
)

OUT, IN = "out", "in"
_LISTED = str(InstrumentListed.__struct_config__.tag)


class Step(msgspec.Struct, frozen=True):
    """One thing that happened to the order: when, UTC ns, and in words."""

    time_ns: int
    what: str
    detail: str


class Leg(msgspec.Struct, frozen=True):
    """How long one part of the way took, in ms."""

    name: str
    ms: float


class Slippage(msgspec.Struct, frozen=True):
    """What the fills cost against the quote at arrival; above 0 is to our cost, None where it is not known.

    `touch` is the price of the other side then, `mid` the middle of both; money is in `currency`, without fees.
    """

    average_price: float
    touch: float
    mid: float
    touch_ticks: float | None
    mid_ticks: float | None
    touch_money: Decimal
    mid_money: Decimal
    currency: str


class OrderStory(msgspec.Struct, frozen=True, kw_only=True):
    """One order's life; `arrival` is what was known when it was wished for, `messages` are raw, without signatures and keys.

    `pair_id` is the other order of a pair of which one ends the other, "" for an order alone.
    """

    order_id: str
    strategy_id: str
    account: str
    instrument_id: str
    pair_id: str
    status: str
    reason: str
    order: dict[str, object]
    strategy_hash: str
    arrival: Arrival | None
    steps: tuple[Step, ...]
    legs: tuple[Leg, ...]
    filled: float
    fees: dict[str, Decimal]
    slippage: Slippage | None
    messages: tuple[VenueSaid, ...]


def story_of(view: JournalView, order_id: str) -> OrderStory:
    """Return the life of an order.

    Blocks: for the disk.

    Raises:
        InputError: the journal does not know it, or is damaged.
    """
    records = [found.record for found in view.of_order(order_id)]
    if not records:
        raise InputError(
            f"order {order_id} is not in {view.path}; `foxtrot orders --all` lists those of the running platform"
        )
    intent = next((one for one in records if isinstance(one, Intent)), None)
    told = [one for one in records if isinstance(one, OrderTold)]
    fills = [one.trade for one in records if isinstance(one, FillBooked)]
    messages = tuple(one for one in records if isinstance(one, VenueSaid))
    account, instrument_id, strategy_id = _place(records, order_id)
    instrument = _instrument(view, instrument_id)
    status, reason = _status(records)
    fees: dict[str, Decimal] = {}
    for trade in fills:
        fees[trade.fee_asset] = fees.get(trade.fee_asset, Decimal(0)) + trade.fee
    return OrderStory(
        order_id=order_id,
        strategy_id=strategy_id,
        account=account,
        instrument_id=instrument_id,
        pair_id=intent.order.pair_id if intent else "",
        status=status,
        reason=reason,
        order=_terms(intent, told, instrument),
        strategy_hash=intent.strategy_hash if intent else "",
        arrival=intent.arrival if intent else None,
        steps=tuple(sorted(_steps(records), key=lambda step: step.time_ns)),
        legs=tuple(_legs(intent, records, fills)),
        filled=sum(trade.quantity for trade in fills),
        fees=fees,
        slippage=slippage_of(intent, fills, instrument),
        messages=messages,
    )


def slippage_of(intent: Intent | None, fills: Sequence[TradeData], instrument: Instrument | None) -> Slippage | None:
    """Return what the fills of an order cost against the quote at its arrival; None without fills or a quote."""
    arrival = intent.arrival if intent is not None else None
    if intent is None or arrival is None or not fills or not (arrival.bid and arrival.ask):
        return None
    bid, ask = _exact(arrival.bid), _exact(arrival.ask)
    sign = 1 if intent.order.side is Side.BUY else -1
    touch, mid = (ask if sign > 0 else bid), (bid + ask) / 2
    quantity = sum((_exact(trade.quantity) for trade in fills), Decimal(0))
    value = sum((_exact(trade.quantity) * _exact(trade.price) for trade in fills), Decimal(0))
    average = value / quantity
    multiplier = instrument.multiplier if instrument else Decimal(1)
    step = _tick(instrument, touch)

    def ticks(price: Decimal) -> float | None:
        return None if step is None else float(sign * (average - price) / step)

    def money(price: Decimal) -> Decimal:
        return sign * (value - quantity * price) * multiplier

    currency = instrument.quote_asset if instrument else ""
    return Slippage(
        float(average), float(touch), float(mid), ticks(touch), ticks(mid), money(touch), money(mid), currency
    )


def _tick(instrument: Instrument | None, price: Decimal) -> Decimal | None:
    if instrument is None:
        return None
    grid = instrument.price_grid
    return grid.step * instrument.step_units(grid.round(price))


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))


def _instrument(view: JournalView, instrument_id: str) -> Instrument | None:
    listed = (found.record for found in view.of_kind(_LISTED))
    found = (one.instrument for one in listed if isinstance(one, InstrumentListed))
    return next((one for one in found if one.instrument_id == instrument_id), None)


def _place(records: Sequence[JournalRecord], order_id: str) -> tuple[str, str, str]:
    for one in records:
        if isinstance(one, Intent):
            return one.order.account, one.order.instrument_id, one.order.strategy_id
        if isinstance(one, OrderTold):
            return one.order.account, one.order.instrument_id, one.owner
        if isinstance(one, FillBooked):
            return one.trade.account, one.trade.instrument_id, one.owner
    return "", "", order_id


def _status(records: Sequence[JournalRecord]) -> tuple[str, str]:
    """Return how the order stands by the last record that says so."""
    for one in reversed(records):
        if isinstance(one, NotSent):
            return str(one.status), f"{one.rule}: {one.reason}"
        if isinstance(one, OrderResolved):
            return str(one.status), f"resolved by {one.who}: {one.why}"
        if isinstance(one, OrderTold):
            rule = f"{one.order.rule}: " if one.order.rule else ""
            return str(one.order.status), f"{rule}{one.order.reason}"
    return str(OrderStatus.CREATED), "nothing was heard of it yet"


def _terms(intent: Intent | None, told: Sequence[OrderTold], instrument: Instrument | None) -> dict[str, object]:
    """Return what was ordered, in the instrument's numbers where these are known."""
    if intent is None:
        return order_terms(told[-1].order) if told else {}
    order = intent.order
    terms: dict[str, object] = {
        "side": str(order.side),
        "order_type": str(order.order_type),
        "time_in_force": str(order.time_in_force),
        "reduces": order.reduces,
        "reduce_only": order.reduce_only,
        "post_only": order.post_only,
    }
    if order.algo:
        terms |= {"algo": " ".join((order.algo, *(f"{name}={value}" for name, value in order.algo_params)))}
    if instrument is None:
        return {**terms, "quantity_units": order.quantity_units, "price_units": order.price_units}
    terms |= {"quantity": instrument.quantity(order.quantity_units)}
    terms |= {"price": instrument.price(order.price_units) if order.price_units else None}
    if order.trigger_units:
        terms |= {"trigger_price": instrument.price(order.trigger_units)}
    return terms


def order_terms(order: OrderData) -> dict[str, object]:
    """Return what was ordered, of an order that came without an intent of ours."""
    return {
        "side": str(order.side),
        "order_type": str(order.order_type),
        "time_in_force": str(order.time_in_force),
        "quantity": order.quantity,
        "price": order.price or None,
    }


def _steps(records: Sequence[JournalRecord]) -> Iterator[Step]:
    for one in records:
        if isinstance(one, Intent) and one.arrival is not None and one.arrival.event_local_time_ns:
            yield Step(
                one.arrival.event_local_time_ns, "event", f"{one.arrival.event} {one.arrival.sequence} was received"
            )
        what, detail = _words(one)
        if what:
            yield Step(one.time_ns, what, detail)


def _words(record: JournalRecord) -> tuple[str, str]:  # noqa: PLR0911  (one line for each kind)
    """Return what a record says in words; nothing for one that is not a step of an order."""
    match record:
        case Intent():
            return "intent", "passed risk, given to the journal"
        case NotSent():
            return "gate", f"not sent, {record.status}: {record.rule}: {record.reason}"
        case Handed():
            return "gate", "durable, let through, handed to the adapter"
        case VenueSaid():
            return ("sent" if record.direction == OUT else "heard"), record.text
        case AmendAsked() | AmendEnded():
            return "amend", _amend_text(record)
        case CancelAsked():
            return "cancel", "its cancellation was asked for"
        case OrderTold():
            return "order", _told_text(record.order)
        case FillBooked():
            return "fill", _fill_text(record.trade)
        case OrderResolved():
            return "resolved", f"{record.status} by {record.who}: {record.why}"
        case _:
            return "", ""


def _amend_text(record: AmendAsked | AmendEnded) -> str:
    if isinstance(record, AmendAsked):
        return f"change {record.amend.number} passed risk, given to the journal"
    why = f": {record.rule}: {record.reason}" if record.rule else ""
    return f"change {record.number} {record.outcome}{why}"


def _told_text(order: OrderData) -> str:
    why = f": {order.reason}" if order.reason else ""
    return f"{order.status}, {order.filled_quantity!r} of {order.quantity!r} filled{why}"


def _fill_text(trade: TradeData) -> str:
    return (
        f"{trade.side} {trade.quantity!r} at {trade.price!r}, fee {trade.fee} {trade.fee_asset}, trade {trade.trade_id}"
    )


def _legs(intent: Intent | None, records: Sequence[JournalRecord], fills: Sequence[TradeData]) -> Iterator[Leg]:
    """Yield each leg whose two ends are known."""
    sent = next((one.time_ns for one in records if isinstance(one, VenueSaid) and one.direction == OUT), 0)
    handed = next((one.time_ns for one in records if isinstance(one, Handed)), 0)
    ack = _acknowledged_ns(records)
    arrival = intent.arrival if intent is not None else None
    wished = intent.time_ns if intent is not None else 0
    heard = arrival.event_local_time_ns if arrival else 0
    marks = [
        ("venue to us", arrival.event_venue_time_ns if arrival else 0, heard),
        ("event to intent", heard, wished),
        ("intent to durable and handed over", wished, handed),
        ("handed over to sent", handed, sent),
        ("sent to acknowledged" if sent else "handed over to acknowledged", sent or handed, ack),
    ]
    for number, trade in enumerate(fills, 1):
        marks.append((f"acknowledged to fill {number}", ack, trade.local_time_ns))
        if number == 1:
            marks.append(("event to first fill", heard or wished, trade.local_time_ns))
    for name, before_ns, after_ns in marks:
        if before_ns and after_ns:
            yield Leg(name, (after_ns - before_ns) / 1e6)


def _acknowledged_ns(records: Sequence[JournalRecord]) -> int:
    """Return when the venue's first word that it has the order was heard; 0 before that."""
    taken = WORKING | {OrderStatus.FILLED, OrderStatus.REJECTED}
    for one in records:
        if isinstance(one, OrderTold) and one.order.status in taken and one.order.venue_order_id:
            return one.order.local_time_ns
        if isinstance(one, OrderTold) and one.order.status is OrderStatus.REJECTED:
            return one.order.local_time_ns
    return 0
