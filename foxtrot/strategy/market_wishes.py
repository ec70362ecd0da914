"""What somebody outside wants to look at: streams and past bars, asked of an account's adapter."""

from collections.abc import Mapping

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.commands import AskHistory, WatchMarket
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import HistoryLoaded, RequestFailed

OWNER = "market_view"


class MarketWishes:
    """Takes the commands of those who look and do not trade.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, adapters: Mapping[str, BaseAdapter]) -> None:
        self._dispatcher = dispatcher
        self._adapters = adapters
        dispatcher.subscribe(WatchMarket, self.on_watch_market, owner=OWNER, core=True)
        dispatcher.subscribe(AskHistory, self.on_ask_history, owner=OWNER, core=True)

    def on_watch_market(self, command: WatchMarket) -> None:
        """Subscribe; what cannot be had comes back as RequestFailed."""
        adapter = self._adapters.get(command.account)
        if adapter is not None:
            adapter.subscribe(command.request)
            return
        what, now_ns = f"subscribe {command.request.instrument_id}", self._dispatcher.clock.now_ns()
        self._dispatcher.put(RequestFailed(command.account, what, f"there is no account {command.account}", now_ns))

    def on_ask_history(self, command: AskHistory) -> None:
        """Ask for past bars; HistoryLoaded answers."""
        adapter, request = self._adapters.get(command.account), command.request
        if adapter is not None:
            adapter.query_history(request)
            return
        error = f"there is no account {command.account}"
        self._dispatcher.put(HistoryLoaded(request.request_id, request.instrument_id, request.interval, (), error))
