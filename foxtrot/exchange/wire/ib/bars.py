"""Real-time bars: five seconds each, told when they are over, also where nothing was traded."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.bar_texts import bar_figures
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.history_terms import what_to_show
from foxtrot.exchange.wire.ib.ib_contract import CASH, IbContract
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS, PriceBar
from foxtrot.exchange.wire.ib.price_desk import PriceDesk
from foxtrot.exchange.wire.ib.price_memory import PriceMemory
from foxtrot.exchange.wire.ib.quote_layouts import REALTIME_BAR
from foxtrot.exchange.wire.ib.quote_requests import about, read_subject, unknown_ticker
from foxtrot.exchange.wire.ib.refusal import VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.subscriptions import Subscription, Subscriptions

NO_BARS: Final = 420
_LENGTH_S: Final = 5
_LENGTH_NS: Final = _LENGTH_S * SECOND_NS
_KINDS: Final = ("TRADES", "MIDPOINT", "BID", "ASK")


class BarSubscription(Subscription, kw_only=True, eq=False):
    """The bars of one price of a contract; `begin_ns` is where the one that forms began.

    Thread: exchange-io.
    """

    what: str
    regular: bool
    begin_ns: int


class RealTimeBars:
    """Requests for real-time bars, and the bars.

    Thread: exchange-io.
    """

    def __init__(self, desk: PriceDesk, send: Send) -> None:
        self._desk = desk
        self._side = desk.side
        self._send = send
        self._held: Subscriptions[BarSubscription] = Subscriptions()

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81 (reqRealTimeBars, cancelRealTimeBars).
        """
        return {50: self._request, 51: self._cancel}

    def tick(self, now_ns: int) -> None:
        """Tell the bars that are over; of those of a time without data only the last one.

        Source: TWS API documentation, Real Time Bars.
        """
        begin_ns = now_ns - now_ns % _LENGTH_NS
        for one in self._held:
            if one.begin_ns < begin_ns:
                self._tell(one, begin_ns - _LENGTH_NS)
                one.begin_ns = begin_ns

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

    def _request(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        with about(request_id):
            subject = read_subject(reader, client.version, self._side)
            length, what, regular = reader.whole(), what_to_show(reader.text(), known=_KINDS), reader.flag()
            reader.text()
            reader.end()
            self._held.check_free(client, request_id)
            self._check(subject.contract, length, what)
        now_ns = self._side.now_ns()
        begin_ns = now_ns - now_ns % _LENGTH_NS
        self._held.add(
            BarSubscription(client, request_id, subject.contract, what=what, regular=regular, begin_ns=begin_ns)
        )

    def _cancel(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        if self._held.pop(client, request_id) is None:
            raise unknown_ticker(request_id)

    def _check(self, contract: IbContract, length: int, what: str) -> None:
        if length != _LENGTH_S:
            raise IbRefused(VALIDATION, f"Error validating request: real-time bars have 5 seconds, not {length}")
        if not self._side.settings.has_quotes:
            raise _no_bars(f"No market data permissions for {contract.exchange} {contract.sec_type}")
        if what == "TRADES" and contract.sec_type == CASH:
            raise _no_bars(f"{contract.local_symbol} has no trades; ask for MIDPOINT, BID or ASK")

    def _tell(self, one: BarSubscription, begin_ns: int) -> None:
        memory = self._desk.of(one.contract)
        if one.regular and memory.hours.session_of(begin_ns) is None:
            return
        bar = bar_of(_seconds(memory, one.what), begin_ns, begin_ns + _LENGTH_NS)
        if bar is not None:
            values = {"request_id": one.request_id, "time": begin_ns // SECOND_NS}
            self._send(one.client, REALTIME_BAR, {**values, **bar_figures(one.contract, one.what, bar)})


def bar_of(seconds: Sequence[PriceBar], begin_ns: int, end_ns: int) -> PriceBar | None:
    """Return the bar of [begin_ns, end_ns): without anything in it, a flat one at the last price; None before the first price.

    Source: TWS API documentation, Real Time Bars.
    """
    inside: list[PriceBar] = []
    for second in reversed(seconds):
        if second.open_ns >= end_ns:
            continue
        if second.open_ns < begin_ns:
            if not inside:
                price = second.close
                return PriceBar(begin_ns, price, price, price, price, 0, 0, 0)
            break
        inside.append(second)
    if not inside:
        return None
    bar = msgspec.structs.replace(inside.pop(), open_ns=begin_ns)
    while inside:
        bar.absorb(inside.pop())
    return bar


def _seconds(memory: PriceMemory, what: str) -> Sequence[PriceBar]:
    tapes = {"TRADES": memory.trades, "BID": memory.bids, "ASK": memory.asks, "MIDPOINT": memory.mids}
    return tapes[what].seconds


def _no_bars(cause: str) -> IbRefused:
    return IbRefused(NO_BARS, f"Invalid Real-time Query:{cause}")
