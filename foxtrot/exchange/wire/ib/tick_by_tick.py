"""Tick-by-tick data: every trade, every change of bid and ask or of the midpoint, behind as many past ones as were asked for."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.ib_contract import CASH, IbContract
from foxtrot.exchange.wire.ib.layout import FieldReader, Value
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS
from foxtrot.exchange.wire.ib.price_desk import PriceDesk
from foxtrot.exchange.wire.ib.price_memory import Top
from foxtrot.exchange.wire.ib.quote_layouts import (
    PAST_BIDS_ASKS,
    PAST_LASTS,
    PAST_MIDS,
    TICK_BID_ASK,
    TICK_LAST,
    TICK_MID,
    joined,
    past_ticks,
)
from foxtrot.exchange.wire.ib.quote_requests import about, read_subject, size_of, unknown_ticker
from foxtrot.exchange.wire.ib.refusal import VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.subscriptions import Subscription, Subscriptions

NO_TICKS: Final = 10189
LAST, ALL_LAST, BID_ASK, MID_POINT = 1, 2, 3, 4
_KINDS: Final = {"Last": LAST, "AllLast": ALL_LAST, "BidAsk": BID_ASK, "MidPoint": MID_POINT}
_MOST_PAST: Final = 1_000
_PAST: Final = {LAST: PAST_LASTS, ALL_LAST: PAST_LASTS, BID_ASK: PAST_BIDS_ASKS, MID_POINT: PAST_MIDS}


class TickByTickSubscription(Subscription, kw_only=True, eq=False):
    """The ticks of one kind that a client hears of a contract; `told` are the last bid and ask it was told.

    Thread: exchange-io.
    """

    kind: int
    ignores_size: bool
    told: Top = Top()


class TickByTick:
    """Requests for tick-by-tick data, and the ticks. None of them is ever left out while data flow.

    Thread: exchange-io.
    """

    def __init__(self, desk: PriceDesk, send: Send) -> None:
        self._desk = desk
        self._side = desk.side
        self._send = send
        self._held: Subscriptions[TickByTickSubscription] = Subscriptions()

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81 (reqTickByTickData, cancelTickByTickData).
        """
        return {97: self._request, 98: self._cancel}

    def on_trade(self, contract: IbContract, trade: TradePrinted) -> None:
        """Tell a trade.

        Source: TWS API documentation, Tick-by-Tick Data (Last, AllLast).
        """
        if self._side.tells_data:
            for one in self._held.of(contract):
                if one.kind in (LAST, ALL_LAST):
                    values = dict(
                        zip(
                            ("time", "mask", "price", "size", "exchange", "conditions"),
                            _trade(contract, trade),
                            strict=True,
                        )
                    )
                    self._send(one.client, TICK_LAST, {"request_id": one.request_id, "kind": one.kind, **values})

    def on_top(self, contract: IbContract) -> None:
        """Tell a new bid or ask, or a new midpoint.

        Source: TWS API documentation, Tick-by-Tick Data (BidAsk, MidPoint).
        """
        if self._side.tells_data:
            for one in self._held.of(contract):
                if one.kind in (BID_ASK, MID_POINT):
                    self._tell_top(one, self._desk.of(contract).top)

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
        request_id = reader.whole()
        with about(request_id):
            subject = read_subject(reader, client.version, self._side)
            name, count, ignores_size = reader.text(), reader.whole(), reader.flag()
            reader.end()
            self._held.check_free(client, request_id)
            kind = self._kind(subject.contract, name, count)
        one = TickByTickSubscription(client, request_id, subject.contract, kind=kind, ignores_size=ignores_size)
        self._held.add(one)
        if not self._side.tells_data:
            return
        if count:
            self._tell_past(one, count)
        if kind in (BID_ASK, MID_POINT):
            self._tell_top(one, self._desk.of(one.contract).top)

    def _cancel(self, client: IbClient, reader: FieldReader) -> None:
        request_id = reader.whole()
        if self._held.pop(client, request_id) is None:
            raise unknown_ticker(request_id)

    def _kind(self, contract: IbContract, name: str, count: int) -> int:
        kind = _KINDS.get(name)
        if kind is None:
            raise IbRefused(VALIDATION, f"Error validating request: tick type {name[:20]} is not {', '.join(_KINDS)}")
        if not 0 <= count <= _MOST_PAST:
            raise IbRefused(
                VALIDATION, f"Error validating request: number of ticks {count} is not within 0 and {_MOST_PAST}"
            )
        if kind in (LAST, ALL_LAST) and contract.sec_type == CASH:
            raise _no_ticks(f"No historical data query found for {contract.local_symbol}: currencies have no trades")
        if not self._side.settings.has_quotes:
            raise _no_ticks(f"No market data permissions for {contract.exchange} {contract.sec_type}")
        return kind

    # --- ticks ------------------------------------------------------------------------------------------------------

    def _tell_top(self, one: TickByTickSubscription, top: Top) -> None:
        if not _differs(one, one.told, top):
            return
        one.told = top
        start: dict[str, Value] = {"request_id": one.request_id, "kind": one.kind, "time": top.ns // SECOND_NS}
        if one.kind == MID_POINT:
            self._send(one.client, TICK_MID, {**start, "price": _mid(one.contract, top)})
            return
        names = ("bid", "ask", "bid_size", "ask_size")
        self._send(
            one.client, TICK_BID_ASK, {**start, **dict(zip(names, _bid_ask(one.contract, top), strict=True)), "mask": 0}
        )

    def _tell_past(self, one: TickByTickSubscription, count: int) -> None:
        contract, rows = one.contract, list[tuple[Value, ...]]()
        if one.kind in (LAST, ALL_LAST):
            rows = [_trade(contract, trade) for trade in self._side.venue.trades(contract.instrument_id, count)]
        else:
            tops = [Top(), *self._desk.of(contract).tops]
            changes = [later for before, later in pairwise(tops) if _differs(one, before, later)][-count:]
            one.told = changes[-1] if changes else one.told
            if one.kind == BID_ASK:
                rows = [(top.ns // SECOND_NS, 0, *_bid_ask(contract, top)) for top in changes]
            else:
                rows = [(top.ns // SECOND_NS, 0, _mid(contract, top), 0) for top in changes]
        values: dict[str, Value] = {"request_id": one.request_id, "count": len(rows)}
        if rows:
            values["rows"] = joined(value for row in rows for value in row)
        self._send(one.client, past_ticks(_PAST[one.kind], any_rows=bool(rows)), values)


def _differs(one: TickByTickSubscription, before: Top, later: Top) -> bool:
    """Tell whether a change of bid and ask is one that a subscription tells."""
    if one.kind == MID_POINT:
        return later.has_both and before.bid + before.ask != later.bid + later.ask
    if one.ignores_size:
        return (before.bid, before.ask) != (later.bid, later.ask)
    return not before.same_as(later)


def _trade(contract: IbContract, trade: TradePrinted) -> tuple[Value, ...]:
    """Return time, mask, price, size, exchange and conditions of a trade."""
    price = contract.instrument.price(trade.price)
    return trade.time_ns // SECOND_NS, 0, price, size_of(contract, trade.quantity), contract.instrument.venue, ""


def _bid_ask(contract: IbContract, top: Top) -> tuple[Value, ...]:
    price = contract.instrument.price
    sizes = size_of(contract, top.bid_size), size_of(contract, top.ask_size)
    return price(top.bid) if top.bid else 0.0, price(top.ask) if top.ask else 0.0, *sizes


def _mid(contract: IbContract, top: Top) -> float:
    return contract.instrument.price_grid.to_float(top.bid + top.ask) / 2


def _no_ticks(cause: str) -> IbRefused:
    return IbRefused(NO_TICKS, f"Failed to request tick-by-tick data:{cause}")
