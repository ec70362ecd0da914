"""The simulated adapter of a backtest: its history requests are answered from the bars being replayed."""

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.bar_replay import chunks
from foxtrot.backtest.columns import BarColumns
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest


class HistoryAdapter(SimulatedAdapter):
    """Gives the first rows of the file as warm-up; the replay begins after them.

    Thread: the backtest's.
    """

    def __init__(self, context: AdapterContext, session: SimulatedSession, bars: tuple[BarColumns, ...]) -> None:
        super().__init__(context, session)
        self.publish_balances = False
        self.warm_up: dict[str, int] = {}
        self._columns = {columns.instrument_id: columns for columns in bars}

    def subscribe(self, request: SubscribeRequest) -> None:
        """Do nothing: the replay publishes what there is of every instrument."""

    def query_history(self, request: HistoryRequest) -> None:
        """Answer with the first rows of the file."""
        columns = self._columns.get(request.instrument_id)
        if columns is None or columns.interval != request.interval:
            have = ", ".join(f"{c.instrument_id} {c.interval}" for c in self._columns.values())
            error = f"no {request.interval} bars of {request.instrument_id} in this backtest; there are: {have}"
            self.on_history(HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), error))
            return
        count = min(request.count, len(columns))
        self.warm_up[request.instrument_id] = max(count, self.warm_up.get(request.instrument_id, 0))
        name, interval = columns.instrument_id, columns.interval
        rows = [row for chunk in chunks(columns[:count], 0) for row in chunk]
        bars = tuple(BarData(name, interval, row[0], row[1], *row[2:], 0.0, 0, row[1]) for row in rows)
        error = "" if count == request.count else f"the file has only {count} of {request.count} bars"
        self.on_history(HistoryLoaded(request.request_id, name, interval, bars, error))
