"""A trading floor whose venue keeps pairs: what leaves as a pair is kept beside what leaves alone, and wishes for both halves of one."""

from msgspec.structs import replace

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.order import ApprovedOrder, OrderRequest
from tests.support.builders import TradingFloor, a_request
from tests.support.scripted_adapter import ScriptedAdapter

STOP_AT, LIMIT_AT = 95.0, 110.0
"""Prices of the pair that sells what was bought at 100."""


class PairAdapter(ScriptedAdapter):
    """A scripted adapter whose venue keeps pairs; `pairs` are those that were sent."""

    capabilities = replace(ScriptedAdapter.capabilities, oco=True)

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.pairs: list[tuple[ApprovedOrder, ApprovedOrder]] = []

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        self.pairs.append((first, second))


class PairFloor(TradingFloor):
    """A trading floor with such an adapter for every account."""

    adapter_class = PairAdapter

    @property
    def pairs(self) -> list[tuple[ApprovedOrder, ApprovedOrder]]:
        """The pairs that were sent by the first account."""
        adapter = self.adapter
        assert isinstance(adapter, PairAdapter)
        return adapter.pairs


def a_stop(quantity: float = 1.0, trigger: float = STOP_AT, **terms: object) -> OrderRequest:
    """A stop that sells."""
    known = {"side": Side.SELL, "order_type": OrderType.STOP, "trigger_price": trigger}
    return a_request(quantity=quantity, **(known | terms))  # type: ignore[arg-type]


def a_target(quantity: float = 1.0, price: float = LIMIT_AT, **terms: object) -> OrderRequest:
    """A post-only limit that sells above the market."""
    known = {"side": Side.SELL, "post_only": True}
    return a_request(quantity=quantity, price=price, **(known | terms))  # type: ignore[arg-type]
