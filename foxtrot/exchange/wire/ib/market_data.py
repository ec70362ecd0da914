"""Streaming market data: which kind of it a client gets, ticks as they change, and snapshots."""

from collections.abc import Mapping
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.connection_layouts import ERROR
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.ib_contract import IbContract
from foxtrot.exchange.wire.ib.layout import FieldReader, Value
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS
from foxtrot.exchange.wire.ib.price_desk import PriceDesk
from foxtrot.exchange.wire.ib.price_memory import Top
from foxtrot.exchange.wire.ib.quote_layouts import MARKET_DATA_TYPE, SNAPSHOT_END, TICK_PARAMS
from foxtrot.exchange.wire.ib.quote_requests import (
    DELAYED_OFF,
    DELAYED_SHOWN,
    NOT_SUBSCRIBED,
    about,
    read_subject,
    unknown_ticker,
)
from foxtrot.exchange.wire.ib.refusal import VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.subscriptions import Subscription, Subscriptions
from foxtrot.exchange.wire.ib.ticks import (
    DELAYED,
    GENERIC,
    LIVE,
    Tick,
    day_ticks,
    generic_ticks,
    halted_tick,
    top_ticks,
)

LIVE_DATA, FROZEN, DELAYED_DATA, DELAYED_FROZEN = 1, 2, 3, 4
"""Kinds of market data.

Source: TWS API documentation, Market Data Types.
"""
TOO_MANY_LINES: Final = 101
_MOST_LINES: Final = 100
_BBO_EXCHANGE: Final = "9c0001"
_SNAPSHOT_PERMISSIONS: Final = 3


class Terms(msgspec.Struct, frozen=True):
    """What a client wants to hear: the kinds of data it takes, and further ticks by number."""

    may_be_frozen: bool = False
    is_delayed: bool = False
    generic: frozenset[int] = frozenset()


class TickSubscription(Subscription, kw_only=True, eq=False):
    """The ticks of a contract as one client has been told them, by number.

    Thread: exchange-io.
    """

    terms: Terms
    told: dict[int, Tick]
    kind: int = 0
    has_missed: bool = False


class MarketData:
    """Requests for market data, and the ticks.

    Each subscription knows what its client was told; whatever differs is told when it changes or, to a client that was slow, when it has
    caught up.

    Thread: exchange-io.
    """

    def __init__(self, desk: PriceDesk, send: Send) -> None:
        self._desk = desk
        self._side = desk.side
        self._send = send
        self._held: Subscriptions[TickSubscription] = Subscriptions()
        self._types: dict[int, int] = {}
        self._second = 0

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81 (reqMarketDataType, reqMktData, cancelMktData).
        """
        return {59: self._set_type, 1: self._request, 2: self._cancel}

    def on_top(self, contract: IbContract) -> None:
        """Tell a new best bid or ask.

        Source: TWS API documentation, Streaming Market Data.
        """
        if not self._side.tells_data:
            return
        for one in self._held.of(contract):
            if one.client.is_slow():
                one.has_missed = True
            elif not one.terms.is_delayed:
                self._tell(one, self._top(one))

    def on_trade(self, contract: IbContract) -> None:
        """Tell a trade, and what it makes of the day.

        Source: TWS API documentation, Streaming Market Data.
        """
        if not self._side.tells_data:
            return
        for one in self._held.of(contract):
            if one.client.is_slow():
                one.has_missed = True
            elif not one.terms.is_delayed:
                self._tell(one, self._day(one))

    def tick(self, now_ns: int) -> None:
        """Tell once in a second what is delayed and what follows from the time of day, and at once what a slow client has missed.

        Source: TWS API documentation, Market Data Types.
        """
        is_due = now_ns // SECOND_NS != self._second
        self._second = now_ns // SECOND_NS
        for one in self._held:
            if (is_due or one.has_missed) and not one.client.is_slow():
                one.has_missed = False
                self._tell_kind(one)
                self._tell(one, self._all(one))

    def on_state(self, contract: IbContract) -> None:
        """Tell that trading was halted, or goes on.

        Source: TWS API documentation, Available Tick Types (Halted).
        """
        if self._side.tells_data:
            for one in self._held.of(contract):
                self._tell(one, [halted_tick(self._side.venue.trading_state(contract.instrument_id))])

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
        self._types.pop(client.number, None)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _set_type(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        wanted = reader.whole()
        if wanted not in (LIVE_DATA, FROZEN, DELAYED_DATA, DELAYED_FROZEN):
            raise IbRefused(VALIDATION, f"Error validating request: market data type {wanted} is not 1, 2, 3 or 4")
        self._types[client.number] = wanted

    def _request(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        with about(request_id):
            subject = read_subject(reader, client.version, self._side)
            if reader.flag():
                raise IbRefused(VALIDATION, "Error validating request: delta-neutral contracts are not served")
            generic = _generic(reader.text(), subject.contract)
            is_snapshot, is_regulatory = reader.flag(), reader.flag()
            reader.text()
            reader.end()
            self._check(generic, is_snapshot=is_snapshot, is_regulatory=is_regulatory)
            self._held.check_free(client, request_id)
            terms = self._terms(client, request_id, generic)
        one = TickSubscription(client, request_id, subject.contract, terms=terms, told={})
        if not is_snapshot:
            self._held.add(one)
        if self._side.tells_data:
            self._begin(one, is_snapshot=is_snapshot)

    def _cancel(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        if self._held.pop(client, request_id) is None:
            raise unknown_ticker(request_id)

    def _check(self, generic: frozenset[int], *, is_snapshot: bool, is_regulatory: bool) -> None:
        if is_regulatory:
            raise IbRefused(
                VALIDATION,
                "Error validating request.-'bO' : cause - regulatory snapshots cost money and are not served",
            )
        if is_snapshot and generic:
            raise IbRefused(
                VALIDATION,
                "Error validating request.-'bO' : cause - Snapshot market data subscription is not applicable to generic ticks",
            )
        if self._side.settings.limits and len(self._held) >= _MOST_LINES:
            raise IbRefused(TOO_MANY_LINES, "Max number of tickers has been reached")

    def _terms(self, client: IbClient, request_id: int, generic: frozenset[int]) -> Terms:
        """Return what a client may hear; who has no right to live data hears delayed data if it takes them."""
        wanted = self._types.get(client.number, LIVE_DATA)
        may_be_frozen = wanted in (FROZEN, DELAYED_FROZEN)
        if self._side.settings.has_quotes:
            return Terms(may_be_frozen, False, generic)
        if wanted in (DELAYED_DATA, DELAYED_FROZEN):
            text = "Requested market data is not subscribed. Displaying delayed market data."
            self._send(client, ERROR, {"request_id": request_id, "code": DELAYED_SHOWN, "text": text})
            return Terms(may_be_frozen, True)
        text = "Requested market data is not subscribed."
        if wanted == LIVE_DATA:
            raise IbRefused(DELAYED_OFF, f"{text} Delayed market data is not enabled.")
        raise IbRefused(NOT_SUBSCRIBED, text)

    # --- ticks ------------------------------------------------------------------------------------------------------

    def _begin(self, one: TickSubscription, *, is_snapshot: bool) -> None:
        values: dict[str, Value] = {
            "request_id": one.request_id,
            "min_tick": self._desk.of(one.contract).min_tick,
            "bbo_exchange": _BBO_EXCHANGE,
            "snapshot_permissions": _SNAPSHOT_PERMISSIONS,
        }
        self._send(one.client, TICK_PARAMS, values)
        self._tell_kind(one)
        self._tell(one, self._all(one))
        if is_snapshot:
            self._send(one.client, SNAPSHOT_END, {"request_id": one.request_id})

    def _tell_kind(self, one: TickSubscription) -> None:
        """Tell of which kind what follows is, where it is of another than before."""
        is_open = self._desk.is_open(one.contract)
        kind = LIVE_DATA if is_open or not one.terms.may_be_frozen else FROZEN
        kind += DELAYED_DATA - LIVE_DATA if one.terms.is_delayed else 0
        if kind != one.kind:
            one.kind = kind
            self._send(one.client, MARKET_DATA_TYPE, {"request_id": one.request_id, "type": kind})

    def _tell(self, one: TickSubscription, ticks: list[Tick]) -> None:
        for tick in ticks:
            for of, values in tick.messages(one.told.get(tick.number)):
                self._send(one.client, of, {"request_id": one.request_id, **values})
            one.told[tick.number] = tick

    def _all(self, one: TickSubscription) -> list[Tick]:
        state = self._side.venue.trading_state(one.contract.instrument_id)
        return [*self._top(one), *self._day(one), halted_tick(state)]

    def _top(self, one: TickSubscription) -> list[Tick]:
        """Return bid and ask; a market that is closed has none but frozen ones."""
        memory, numbers = self._desk.of(one.contract), DELAYED if one.terms.is_delayed else LIVE
        if one.kind in (LIVE_DATA, DELAYED_DATA) and not self._desk.is_open(one.contract):
            return top_ticks(one.contract, Top(), numbers)
        top = memory.top_at(self._delayed_ns()) if one.terms.is_delayed else memory.top
        return top_ticks(one.contract, top, numbers)

    def _day(self, one: TickSubscription) -> list[Tick]:
        memory = self._desk.of(one.contract)
        if one.terms.is_delayed:
            last, day = memory.day_at(self._delayed_ns())
            return day_ticks(one.contract, last, day, DELAYED)
        ticks = day_ticks(one.contract, memory.last, memory.day, LIVE)
        return ticks + generic_ticks(memory, one.terms.generic, self._side.now_ns())

    def _delayed_ns(self) -> int:
        return self._side.now_ns() - self._side.settings.delay_s * SECOND_NS


def _generic(text: str, contract: IbContract) -> frozenset[int]:
    """Return the numbers of further ticks.

    Raises:
        IbRefused: one of them is not known for this kind of contract; those that are get named.
    """
    legal = GENERIC[contract.sec_type]
    asked = [part.strip() for part in text.split(",") if part.strip()]
    if any(not part.isdecimal() or int(part) not in legal for part in asked):
        names = ",".join(f"{number}({name})" for number, name in legal.items())
        raise IbRefused(
            VALIDATION,
            f"Error validating request.-'bO' : cause - Incorrect generic tick list of {text[:100]}.  "
            f"Legal ones for ({contract.sec_type}) are: {names}",
        )
    return frozenset(int(part) for part in asked)
