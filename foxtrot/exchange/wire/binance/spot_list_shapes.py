"""Order lists of a spot account as Binance writes them: two orders of which one ends the other."""

from collections.abc import Sequence

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.queries import VenueQueries
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.spot_notes import OrderNotes
from foxtrot.exchange.wire.binance.spot_order_shapes import MS_NS, Fields, cancelled, client_id, is_open


def legs_of(venue: VenueQueries, order: OrderReport) -> tuple[OrderReport, ...]:
    """Return both orders of an order's list, the stop first; none when it is in no list or one is forgotten.

    Source: Binance spot API, REST, Query Order list: orders.
    """
    if not order.pair:
        return ()
    found = (venue.order(order.account, order.instrument_id, order.pair + place) for place in (0, 1))
    legs = tuple(leg for leg in found if leg is not None)
    return legs if len(legs) == 2 else ()


def list_fields(instrument: Instrument, legs: Sequence[OrderReport], notes: OrderNotes, time_ms: int) -> Fields:
    """Return what every answer tells of a list; `time_ms` is when it was last changed by its owner.

    Source: Binance spot API, REST, Query Order list; Enums, listStatusType and listOrderStatus.
    """
    started = any(is_open(leg) for leg in legs)
    return {
        "orderListId": legs[0].pair,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED" if started else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if started else "ALL_DONE",
        "listClientOrderId": legs[0].pair_name,
        "transactionTime": time_ms,
        "symbol": instrument.symbol,
        "orders": [
            {
                "symbol": instrument.symbol,
                "orderId": leg.order_id,
                "clientOrderId": client_id(leg, notes.seen(leg.order_id)),
            }
            for leg in legs
        ],
    }


def list_cancelled(instrument: Instrument, legs: Sequence[OrderReport], notes: OrderNotes, time_ms: int) -> Fields:
    """Return a list as its cancel, or the cancel of one of its orders, answers it.

    Source: Binance spot API, REST, Cancel Order list.
    """
    reports = [cancelled(instrument, leg, notes.of(leg.order_id), time_ms) for leg in legs]
    return {**list_fields(instrument, legs, notes, time_ms), "orderReports": reports}


def list_status(
    instrument: Instrument, legs: Sequence[OrderReport], notes: OrderNotes, times: tuple[int, int], *, is_open: bool
) -> Fields:
    """Return the event that tells the start or the end of a list; `times` are those of telling and of happening, in ms.

    Source: Binance spot API, User Data Streams, List Status (listStatus).
    """
    return {
        "e": "listStatus",
        "E": times[0],
        "s": instrument.symbol,
        "g": legs[0].pair,
        "c": "OCO",
        "l": "EXEC_STARTED" if is_open else "ALL_DONE",
        "L": "EXECUTING" if is_open else "ALL_DONE",
        "r": "NONE",
        "C": legs[0].pair_name,
        "T": times[1],
        "O": [
            {"s": instrument.symbol, "i": leg.order_id, "c": client_id(leg, notes.seen(leg.order_id))} for leg in legs
        ],
    }


def placed_ms(legs: Sequence[OrderReport]) -> int:
    """Return when a list was entered, in milliseconds.

    Source: Binance spot API, REST, Query Order list: transactionTime.
    """
    return legs[0].time_ns // MS_NS
