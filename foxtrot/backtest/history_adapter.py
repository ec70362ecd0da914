"""The simulated adapter of a backtest: its history requests are answered from the bars being replayed."""

from collections.abc import Callable

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.bar_rows import chunks
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.start_moment import rows_until
from foxtrot.core.notices import BookLoaded, HistoryLoaded
from foxtrot.domain.market import BarData, DepthData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest


class HistoryAdapter(SimulatedAdapter):
    """Gives the last bars closed by now as warm-up; the replay begins after them.

    While it `rehearses`, it only notes in `wishes` what is asked for. `shortfalls` says where there were fewer bars. `wanted` is what the strategies asked to be streamed, which the replay publishes; `books` gives the book of an instrument
    whose depth is replayed.

    Thread: the backtest's.
    """

    def __init__(self, context: AdapterContext, session: SimulatedSession, bars: tuple[BarColumns, ...]) -> None:
        super().__init__(context, session)
        self.publish_balances = False
        self.rehearses = False
        self.wishes: list[HistoryRequest] = []
        self.shortfalls: list[str] = []
        self.wanted: dict[str, SubscribeRequest] = {}
        self.books: dict[str, Callable[[int], DepthData]] = {}
        self._columns = {columns.instrument_id: columns for columns in bars}

    def subscribe(self, request: SubscribeRequest) -> None:
        """Note the wish; the replay publishes what there is of every instrument."""
        known = self.wanted.get(request.instrument_id)
        self.wanted[request.instrument_id] = request if known is None else known.with_also(request)

    def request_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Answer with the recorded book as it stands, after the latency."""
        self.session.submit(lambda: self._tell_recorded(request_id, instrument_id, levels))

    def query_history(self, request: HistoryRequest) -> None:
        """Answer with the last bars closed by now and by the end asked for; never with a later one."""
        columns = self._columns.get(request.instrument_id)
        if columns is None or columns.interval != request.interval:
            have = ", ".join(f"{c.instrument_id} {c.interval}" for c in self._columns.values()) or "none"
            error = f"no {request.interval} bars of {request.instrument_id} in this backtest; there are: {have}"
            self.on_history(HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), error))
            return
        if self.rehearses:
            self.wishes.append(request)
            return
        last = rows_until(columns, min(request.end_ns, self.session.clock.now_ns()))
        first = max(0, last - request.count)
        name, interval = columns.instrument_id, columns.interval
        rows = [row for chunk in chunks(columns[first:last], 0) for row in chunk]
        bars = tuple(BarData(name, interval, row[0], row[1], *row[2:], 0.0, 0, row[1]) for row in rows)
        error = ""
        if len(bars) < request.count:
            error = f"history has only {len(bars)} of {request.count} bars before the start"
            self.shortfalls.append(f"{name}: {error}")
        self.on_history(HistoryLoaded(request.request_id, name, interval, bars, error))

    def _tell_recorded(self, request_id: str, instrument_id: str, levels: int) -> None:
        read = self.books.get(instrument_id)
        depth = read(levels) if read is not None else None
        error = "" if depth is not None else f"there is no recorded depth of {instrument_id} in this backtest"
        answer = BookLoaded(request_id, instrument_id, depth, "cache" if depth else "none", 0.0, error)
        self.session.answer(lambda: self.on_book(answer))
