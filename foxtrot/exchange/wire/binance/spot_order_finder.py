"""Finds the order that a call names by number or by the customer's id."""

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.spot_notes import OrderNotes
from foxtrot.exchange.wire.binance.spot_order_shapes import client_id
from foxtrot.exchange.wire.binance.spot_parameters import Parameters, client_id_of, integer_of, neither
from foxtrot.exchange.wire.binance.venue_side import VenueSide


class OrderFinder:
    """Looks orders up, renamed ones by their newest name only.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, notes: OrderNotes) -> None:
        self._venue = side.venue
        self._notes = notes

    def find(
        self, account: str, instrument: Instrument, params: Parameters, names: tuple[str, str]
    ) -> OrderReport | None:
        """Return the order named by (number, customer's id); where both are given, both must fit.

        Source: Binance spot API, REST, Query order, Cancel order: either orderId or origClientOrderId must be sent.

        Raises:
            ApiError: -1102, neither was sent.
        """
        number, name = integer_of(params, names[0]), client_id_of(params, names[1])
        if number is None:
            if not name:
                raise neither(names[1], names[0])
            return self.named(account, instrument, name)
        found = self._venue.order(account, instrument.instrument_id, number) if number else None
        if found is None or name in ("", client_id(found, self._notes.seen(found.order_id))):
            return found
        return None

    def named(self, account: str, instrument: Instrument, name: str) -> OrderReport | None:
        """Return the order that bears a customer's id.

        Source: Binance spot API, REST, Query order: origClientOrderId.
        """
        renamed = self._notes.renamed(account, name)
        if renamed:
            return self._venue.order(account, instrument.instrument_id, renamed)
        found = self._venue.order(account, instrument.instrument_id, 0, name)
        if found is None or self._notes.seen(found.order_id).client_id not in ("", name):
            return None
        return found
