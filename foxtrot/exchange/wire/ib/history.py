"""Historical bars: what was asked for at once, then, where it is to be kept up to date, the bar that forms."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.asked_contract import read_contract
from foxtrot.exchange.wire.ib.bar_texts import LOGIN_ZONE, bar_date, bar_figures, login_text, mean_bar
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.history_cut import Asked, CutBar, bars_within, cut_bars
from foxtrot.exchange.wire.ib.history_pace import MOST_OPEN, HistoryPace
from foxtrot.exchange.wire.ib.history_terms import (
    BarSize,
    Duration,
    bar_size,
    check_step,
    duration,
    end_moment,
    history_refused,
    what_to_show,
)
from foxtrot.exchange.wire.ib.ib_contract import CASH
from foxtrot.exchange.wire.ib.layout import FieldReader, Value
from foxtrot.exchange.wire.ib.price_bars import PriceBar
from foxtrot.exchange.wire.ib.price_desk import PriceDesk
from foxtrot.exchange.wire.ib.price_memory import PriceMemory
from foxtrot.exchange.wire.ib.quote_layouts import BAR_UPDATE, HISTORY, joined
from foxtrot.exchange.wire.ib.quote_requests import Subject, about, place_text, subject_of
from foxtrot.exchange.wire.ib.refusal import PROCESSING, VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.subscriptions import Subscription, Subscriptions
from foxtrot.exchange.wire.ib.venue_side import HISTORY_FARM

NO_SUCH_QUERY: Final = 366
_UPDATE_NS: Final = 250_000_000
_SHORTEST_UPDATED_S: Final = 5
_ROW: Final = ("open", "high", "low", "close", "volume", "wap", "count")
_BID_ASK: Final = "BID_ASK"


class HistoryTerms(msgspec.Struct, frozen=True):
    """What a request for bars asks for; an end of None is now."""

    end_ns: int | None
    size: BarSize
    back: Duration
    regular: bool
    what: str
    date_form: int
    is_kept: bool


class KeptBars(Subscription, kw_only=True, eq=False):
    """Bars that are kept up to date: the newest that was told, and the shorter bar with which it ended then.

    Thread: exchange-io.
    """

    terms: HistoryTerms
    told: CutBar | None = None
    seen: PriceBar | None = None


class History:
    """Requests for historical bars.

    Thread: exchange-io.
    """

    def __init__(self, desk: PriceDesk, send: Send) -> None:
        self._desk = desk
        self._side = desk.side
        self._send = send
        self._pace = HistoryPace()
        self._held: Subscriptions[KeptBars] = Subscriptions()
        self._due_ns = 0

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81 (reqHistoricalData, cancelHistoricalData).
        """
        return {20: self._request, 25: self._cancel}

    def tick(self, now_ns: int) -> None:
        """Tell the bars that form, a few times in a second, where they have changed.

        Source: TWS API documentation, Historical Bar Data, keepUpToDate.
        """
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + _UPDATE_NS
        for one in self._held:
            if not one.client.is_slow():
                self._update(one)

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
            asked = read_contract(reader, client.version)
            subject = subject_of(asked, self._side, include_expired=reader.flag())
            terms = read_terms(reader)
            self._held.check_free(client, request_id)
            self._check(subject, terms)
            bars = self._bars(self._desk.of(subject.contract), terms)
            if not bars:
                raise _no_data(subject, terms)
        self._tell(client, request_id, subject, (terms, bars))
        if terms.is_kept:
            self._held.add(KeptBars(client, request_id, subject.contract, terms=terms, told=bars[-1]))

    def _cancel(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()
        request_id = reader.whole()
        with about(request_id):
            if self._held.pop(client, request_id) is None:
                raise IbRefused(NO_SUCH_QUERY, f"No historical data query found for ticker id:{request_id}")
            # TWS tells that a query has ended as an error too; seen by users of ib_insync.
            raise history_refused(f"API historical data query cancelled: {request_id}")

    def _check(self, subject: Subject, terms: HistoryTerms) -> None:
        """Refuse what the service would: too much, too often, or what there are no data of."""
        settings, contract, now_ns = self._side.settings, subject.contract, self._side.now_ns()
        if not self._side.farms[HISTORY_FARM]:
            raise history_refused("HMDS server disconnect occurred.  Attempting reconnection...")
        if settings.limits and len(self._held) >= MOST_OPEN:
            raise IbRefused(
                PROCESSING,
                f"Error processing request.-'bK' : cause - Only {MOST_OPEN} simultaneous API historical data requests allowed.",
            )
        if settings.limits:
            of = (contract.con_id, subject.exchange, terms.what)
            weight = 2 if terms.what == _BID_ASK else 1
            self._pace.use(terms.size, (of, terms), of, now_ns, weight=weight)
        if not settings.has_quotes:
            raise history_refused(f"No market data permissions for {contract.exchange} {contract.sec_type}")
        if terms.what == "TRADES" and contract.sec_type == CASH:
            raise _no_data(subject, terms)

    # --- bars -------------------------------------------------------------------------------------------------------

    def _bars(self, memory: PriceMemory, terms: HistoryTerms) -> list[CutBar]:
        now_ns = self._side.now_ns()
        end_ns = now_ns + 1 if terms.end_ns is None else min(terms.end_ns, now_ns + 1)
        asked = Asked(end_ns, terms.back, terms.size, terms.regular)
        cut = [bars_within(base, asked, memory.hours) for base in _tapes(memory, terms)]
        if terms.what != _BID_ASK:
            return cut[0]
        asks = {one.group: one for one in cut[1]}
        return [
            CutBar(one.group, one.last_ns, mean_bar(one.bar, asks[one.group].bar))
            for one in cut[0]
            if one.group in asks
        ]

    def _tell(
        self, client: IbClient, request_id: int, subject: Subject, found: tuple[HistoryTerms, list[CutBar]]
    ) -> None:
        terms, bars = found
        rows: list[Value] = []
        hours = self._desk.hours_of(subject.contract)
        for one in bars:
            figures = bar_figures(subject.contract, terms.what, one.bar)
            rows.append(bar_date(_named_ns(one, terms), terms.size, hours, terms.date_form))
            rows += [figures[name] for name in _ROW]
        now_ns = self._side.now_ns()
        end_ns = now_ns if terms.end_ns is None else min(terms.end_ns, now_ns)
        values: dict[str, Value] = {
            "request_id": request_id,
            "start": login_text(bars[0].bar.open_ns),
            "end": login_text(end_ns),
            "count": len(bars),
            "rows": joined(rows),
        }
        self._send(client, HISTORY, values)

    def _update(self, one: KeptBars) -> None:
        """Tell the newest bar where it has changed; before a new one, what the one before it became at last."""
        memory, terms, told = self._desk.of(one.contract), one.terms, one.told
        (base,) = _tapes(memory, terms)
        if not base or base[-1] == one.seen:
            return
        one.seen = msgspec.structs.replace(base[-1])
        newest = _newer(base, 0 if told is None else told.bar.open_ns)
        for bar in cut_bars(newest, terms.size, memory.hours, regular=terms.regular):
            if one.told is not None and (bar.group < one.told.group or bar == one.told):
                continue
            one.told = bar
            figures = bar_figures(one.contract, terms.what, bar.bar)
            date = bar_date(_named_ns(bar, terms), terms.size, memory.hours, terms.date_form)
            self._send(one.client, BAR_UPDATE, {"request_id": one.request_id, "date": date, **figures})


def read_terms(reader: FieldReader) -> HistoryTerms:
    """Take what a request for bars asks, behind its contract.

    Source: EClient of ibapi 9.81 (reqHistoricalData).

    Raises:
        IbRefused: a term is not legal, or may not be asked together with another.
    """
    end, size, back = reader.text(), bar_size(reader.text()), duration(reader.text())
    regular, what, date_form, is_kept = reader.flag(), what_to_show(reader.text()), reader.whole(), reader.flag()
    reader.text()
    reader.end()
    if date_form not in (1, 2):
        raise _invalid(f"format of dates {date_form} is not 1 or 2")
    if is_kept and end:
        raise _invalid("End date not supported with adjusted last or keepUpToDate")
    if is_kept and 0 < size.length_s < _SHORTEST_UPDATED_S:
        raise _invalid(f"bars of {size.name} are not kept up to date; the shortest are 5 secs")
    if is_kept and what == _BID_ASK:
        raise _invalid("BID_ASK is not kept up to date; TRADES, MIDPOINT, BID and ASK are")
    check_step(size, back)
    return HistoryTerms(end_moment(end, LOGIN_ZONE), size, back, regular, what, date_form, is_kept)


def _tapes(memory: PriceMemory, terms: HistoryTerms) -> list[Sequence[PriceBar]]:
    """Return what the bars of a request are made of: one price, or bids and asks."""
    tapes = {"TRADES": (memory.trades,), "BID": (memory.bids,), "ASK": (memory.asks,), "MIDPOINT": (memory.mids,)}
    return [tape.base_of(terms.size.length_ns) for tape in tapes.get(terms.what, (memory.bids, memory.asks))]


def _newer(base: Sequence[PriceBar], since_ns: int) -> list[PriceBar]:
    """Return the bars from a moment on, oldest first."""
    found = []
    for bar in reversed(base):
        if bar.open_ns < since_ns:
            break
        found.append(bar)
    return found[::-1]


def _named_ns(one: CutBar, terms: HistoryTerms) -> int:
    """Return the moment that names a bar: when it begins; of weeks and months, their last day."""
    return one.bar.open_ns if terms.size.length_s else one.last_ns


def _no_data(subject: Subject, terms: HistoryTerms) -> IbRefused:
    return history_refused(f"HMDS query returned no data: {place_text(subject.contract)} {terms.what.capitalize()}")


def _invalid(cause: str) -> IbRefused:
    return IbRefused(VALIDATION, f"Error validating request.-'bK' : cause - {cause}")
