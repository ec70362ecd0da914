"""Market depth: the rows of a book from the top, then what changes them, and the exchanges that have any."""

from collections.abc import Mapping
from typing import Final

from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.connection_layouts import ERROR
from foxtrot.exchange.wire.ib.depth_rows import Row, RowChange, inserts, row_changes
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.ib_contract import SMART, STK, IbContract
from foxtrot.exchange.wire.ib.layout import UNSET_INT, FieldReader, Value
from foxtrot.exchange.wire.ib.quote_layouts import DEPTH, DEPTH_EXCHANGES, DEPTH_L2, joined
from foxtrot.exchange.wire.ib.quote_requests import NOT_SUBSCRIBED, about, read_subject, size_of
from foxtrot.exchange.wire.ib.refusal import VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.subscriptions import Subscription, Subscriptions
from foxtrot.exchange.wire.ib.venue_side import IbSide

TOO_MANY, UNKNOWN_DEPTH, RESET, NO_DEEP_BOOK = 309, 310, 317, 10092
_RESET_TEXT: Final = (
    "Market depth data has been RESET. Please empty deep book contents before applying any new entries."
)
_MOST_ROWS: Final = 100
_MAKERS: Final = frozenset({"NASDAQ", "ISLAND", "AMEX"})
"""Exchanges whose rows say who made them.

Source: TWS API documentation, Market Depth Data (Level II); reqMktDepthExchanges tells them as Deep2.
"""
_BID, _ASK = 1, 0


class DepthSubscription(Subscription, kw_only=True, eq=False):
    """A book as one client sees it: the rows it has, and the state of the book that they are of (-1: nothing was told yet).

    Thread: exchange-io.
    """

    count: int
    maker: str
    is_smart: bool
    update_id: int = -1
    bids: tuple[Row, ...] = ()
    asks: tuple[Row, ...] = ()
    is_reset: bool = False


class Depth:
    """Requests for market depth, and the rows.

    What a client that reads slowly misses is not sent later row by row: once it has caught up it is told how to get from the rows it
    has to those that there are.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide, send: Send) -> None:
        self._side = side
        self._send = send
        self._held: Subscriptions[DepthSubscription] = Subscriptions()

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81 (reqMktDepth, cancelMktDepth, reqMktDepthExchanges).
        """
        return {10: self._request, 11: self._cancel, 82: self._exchanges}

    def on_change(self, contract: IbContract) -> None:
        """Tell who watches a book how it has changed.

        Source: TWS API documentation, Market Depth Data (Level II).
        """
        held = self._held.of(contract)
        if held and self._side.tells_data:
            for one in held:
                self._follow(one)

    def tick(self, _now_ns: int) -> None:
        """Tell what could not be told when it happened.

        Source: none; a slow client, or a link that was lost, has caught up.
        """
        for one in self._held:
            self._follow(one)

    def reset(self, contract: IbContract) -> None:
        """Have everybody who watches a book empty it, and tell it from the top.

        Source: TWS API documentation, Error Codes (317).
        """
        for one in self._held.of(contract):
            one.is_reset = True
            if self._side.tells_data:
                self._follow(one)

    def forget(self) -> None:
        """End every subscription, silently.

        Source: TWS API documentation, System Messages (1101).
        """
        self._held.clear()

    def closed(self, client: IbClient) -> None:
        """Hear that a connection is gone.

        Source: none; the socket is gone.
        """
        self._held.drop(client)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _request(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        with about(request_id):
            subject = read_subject(reader, client.version, self._side)
            count, is_smart = reader.whole(), reader.flag()
            reader.text()
            reader.end()
            self._held.check_free(client, request_id)
            self._check(count)
            maker = _maker(subject.contract, subject.exchange, is_smart=is_smart)
            one = DepthSubscription(
                client, request_id, subject.contract, count=min(count, _MOST_ROWS), maker=maker, is_smart=is_smart
            )
            self._held.add(one)
        if self._side.tells_data:
            self._tell(one)

    def _check(self, count: int) -> None:
        settings = self._side.settings
        if count <= 0:
            raise IbRefused(
                VALIDATION, f"Error validating request.-'bM' : cause - Number of rows must be > 0, not {count}"
            )
        if settings.limits and len(self._held) >= settings.depth_lines:
            raise IbRefused(TOO_MANY, f"Max number ({settings.depth_lines}) of market depth requests has been reached")
        if not settings.has_quotes:
            raise IbRefused(NOT_SUBSCRIBED, "Requested market data is not subscribed.")

    def _cancel(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        if self._held.pop(client, request_id) is None:
            raise IbRefused(
                UNKNOWN_DEPTH, f"Can't find the subscribed market depth with tickerId:{request_id}", request_id
            )

    def _exchanges(self, client: IbClient, _reader: FieldReader) -> None:
        rows: list[Value] = []
        places = dict.fromkeys((one.instrument.venue, one.sec_type) for one in self._side.contracts.all())
        for exchange, sec_type in places:
            rows += [exchange, sec_type, "", "Deep2" if exchange in _MAKERS else "Deep", UNSET_INT]
        if places:
            self._send(client, DEPTH_EXCHANGES, {"count": len(places), "rows": joined(rows)})

    # --- rows -------------------------------------------------------------------------------------------------------

    def _follow(self, one: DepthSubscription) -> None:
        """Bring a client's rows up to date where they are not, and where it can take them."""
        update_id = self._side.venue.depth(one.contract.instrument_id, 1)[0]
        if (update_id != one.update_id or one.is_reset) and not one.client.is_slow():
            self._tell(one)

    def _tell(self, one: DepthSubscription) -> None:
        update_id, bids, asks = self._side.venue.depth(one.contract.instrument_id, one.count)
        if one.is_reset or update_id < one.update_id:
            # The venue began anew, or went back to an earlier state of its own: the rows are of another book.
            self._send(one.client, ERROR, {"request_id": one.request_id, "code": RESET, "text": _RESET_TEXT})
            one.is_reset, one.bids, one.asks = False, (), ()
        for side, told, rows in ((_BID, one.bids, bids), (_ASK, one.asks, asks)):
            changes = row_changes(told, rows, is_bid=side == _BID) if told else inserts(rows)
            for change in changes:
                self._send_row(one, side, change)
        one.update_id, one.bids, one.asks = update_id, bids, asks

    def _send_row(self, one: DepthSubscription, side: int, change: RowChange) -> None:
        values: dict[str, Value] = {
            "request_id": one.request_id,
            "position": change.position,
            "operation": change.operation,
            "side": side,
            "price": one.contract.instrument.price(change.price),
            "size": size_of(one.contract, change.size),
        }
        if one.maker:
            values["maker"], values["is_smart"] = one.maker, one.is_smart
        self._send(one.client, DEPTH_L2 if one.maker else DEPTH, values)


def _maker(contract: IbContract, exchange: str, *, is_smart: bool) -> str:
    """Return who is named as the maker of rows, "" where rows name nobody.

    Raises:
        IbRefused: the exchange has no book of that kind.
    """
    if is_smart and exchange != SMART:
        raise _no_deep_book()
    if is_smart:
        return contract.primary_exchange or contract.instrument.venue
    return exchange if exchange in _MAKERS and contract.sec_type == STK else ""


def _no_deep_book() -> IbRefused:
    return IbRefused(NO_DEEP_BOOK, "Deep market data is not supported for this combination of security type/exchange")
