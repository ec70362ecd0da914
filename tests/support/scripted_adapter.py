"""ScriptedAdapter: a BaseAdapter whose answers a test writes; what it is asked is kept in lists."""

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, EventSink
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.core.clock import Clock
from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import OrderType, TimeInForce
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest


class ScriptedAdapter(BaseAdapter):
    """Keeps what it is given; `answers` holds what a query is answered with, by the name of the query."""

    adapter_name = "scripted"
    capabilities = Capabilities(
        order_types=frozenset(OrderType),
        times_in_force=frozenset(TimeInForce),
        post_only=True,
        reduce_only=True,
        iceberg=True,
        network=False,
    )

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self.sent: list[ApprovedOrder] = []
        self.cancels: list[CancelRequest] = []
        self.recovered: list[tuple[ApprovedOrder, int]] = []
        self.asked: list[str] = []
        self.answers: dict[str, OpenOrdersLoaded | TradesLoaded | PositionsLoaded | AccountData | str] = {}

    @classmethod
    def of(cls, account: str, sink: EventSink, permit: SendPermit, clock: Clock) -> "ScriptedAdapter":
        """An adapter of an account without settings."""
        return cls(AdapterContext(account, sink, permit, clock, {}, {}))

    def connect(self) -> None:
        self.asked.append("connect")

    def close(self, deadline_s: float = 5.0) -> str:
        return ""

    def subscribe(self, request: SubscribeRequest) -> None:
        self.asked.append(f"subscribe {request.instrument_id}")

    def unsubscribe(self, instrument_id: str) -> None:
        self.asked.append(f"unsubscribe {instrument_id}")

    def send_order(self, order: ApprovedOrder) -> None:
        self.sent.append(order)

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        self.recovered.append((order, sent_ns))

    def cancel_order(self, request: CancelRequest) -> None:
        self.cancels.append(request)

    def query_account(self) -> None:
        self._answer("account")

    def query_positions(self) -> None:
        self._answer("positions")

    def query_orders(self) -> None:
        self._answer("orders")

    def query_trades(self, since_ns: int) -> None:
        self._answer("trades")

    def query_history(self, request: HistoryRequest) -> None:
        self.asked.append(f"history {request.instrument_id}")

    def _answer(self, query: str) -> None:
        """Publish what the test wrote for a query: a fact, or a text that says why it failed; nothing is no answer."""
        self.asked.append(query)
        answer = self.answers.get(query)
        if isinstance(answer, str):
            self.on_request_failed(query, answer)
        elif answer is not None:
            self._sink.put(answer)
