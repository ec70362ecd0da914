"""How often trading requests may be made: so many in so many seconds, by account or by connection."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.trade_texts import refused

SECOND_NS: Final = 1_000_000_000


class FrequencyLimit(msgspec.Struct, frozen=True):
    """At most `most` requests in any `seconds`; `name` is the request's in the refusal.

    Counted by account id, or by connection where the request names none. With `refreshing` only requests that ask OpenD to
    refresh its cache count.
    """

    name: str
    most: int
    seconds: int = 30
    refreshing: bool = False


LIMITS: Final[Mapping[int, FrequencyLimit]] = {
    2005: FrequencyLimit("解锁交易", 10),
    2101: FrequencyLimit("获取资金", 10, refreshing=True),
    2102: FrequencyLimit("获取持仓列表", 10, refreshing=True),
    2111: FrequencyLimit("获取最大交易数量", 10),
    2201: FrequencyLimit("获取订单列表", 10, refreshing=True),
    2202: FrequencyLimit("下单", 15),
    2205: FrequencyLimit("改单撤单", 20),
    2211: FrequencyLimit("获取成交列表", 10, refreshing=True),
    2221: FrequencyLimit("获取历史订单列表", 10),
    2222: FrequencyLimit("获取历史成交列表", 10),
    2225: FrequencyLimit("获取订单费用", 10),
}
"""Protocol id → its limit; what is not here is not limited.

Source: Futu OpenAPI documentation, the "Interface Limitations" of each trading request. Only the text about placing orders was
seen; the others follow its form.
"""


class TradeLimits:
    """Counts trading requests and refuses those that come too often.

    Thread: exchange-io.

    Args:
        limits: by protocol id; empty for none.
    """

    def __init__(self, limits: Mapping[int, FrequencyLimit] = LIMITS) -> None:
        self.limits = limits
        self._taken: dict[tuple[int, int], deque[int]] = {}

    def take(self, client: FutuClient, proto_id: int, c2s: Any, now_ns: int) -> None:
        """Count a request.

        Source: Futu OpenAPI documentation, Interface Limitations.

        Raises:
            FutuRefused: as many were made in the time before it as are allowed.
        """
        limit = self.limits.get(proto_id)
        if limit is None or (limit.refreshing and not c2s.refreshCache):
            return
        taken = self._taken.setdefault((proto_id, _counted_by(client, c2s)), deque())
        while taken and taken[0] <= now_ns - limit.seconds * SECOND_NS:
            taken.popleft()
        if len(taken) >= limit.most:
            raise refused("too_often", name=limit.name, seconds=limit.seconds, most=limit.most)
        taken.append(now_ns)

    def closed(self, client: FutuClient) -> None:
        """Forget what was counted for a connection.

        Source: none; Foxtrot's own clean-up.
        """
        self._taken = {key: taken for key, taken in self._taken.items() if key[1] != -client.number}


def _counted_by(client: FutuClient, c2s: Any) -> int:
    """Return whom a request counts for: its account id, or the connection (negative)."""
    named = any(field.name == "header" for field in c2s.DESCRIPTOR.fields)
    return int(c2s.header.accID) if named else -client.number
