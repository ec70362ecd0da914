"""Positions in futures near their end are named: at the start, once a day, each with its owner."""

import msgspec
import pytest

from foxtrot.core.notices import PositionEnds
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.trading.limits import LimitTable
from tests.support.futures import DAY_NS, two_futures
from tests.support.line_rig import LIMITS, LineRig, S

OLD, NEW = two_futures(5.0)


def holding(owner: str = "one", limits: LimitTable = LIMITS) -> LineRig:
    rig = LineRig(OLD, NEW, limits=limits)
    rig.line.adapters["main"].subscribe(SubscribeRequest(OLD.instrument_id))
    rig.quote(4_999.0, 5_001.0)
    rig.line.desk.submit(OrderRequest(OLD.instrument_id, "main", Side.BUY, OrderType.MARKET, 2.0), owner)
    rig.settle()
    rig.line.start_housekeeping()
    return rig


def pass_days(rig: LineRig, days: float) -> None:
    """Let days go by as over a night in which the process did not look."""
    rig.clock.move_to(rig.clock.now_ns() + int(days * DAY_NS) - 11 * S)
    rig.wait(11)


def test_a_position_is_named_from_roll_days_on_once_a_day_until_it_is_gone() -> None:
    rig = holding()
    pass_days(rig, 1.9)
    assert rig.told(PositionEnds) == []
    pass_days(rig, 0.2)
    (told,) = rig.told(PositionEnds)
    assert (told.owner, told.account, told.instrument_id, told.quantity) == ("one", "main", "ESZ6.TEST", 2.0)
    assert (told.ends, round(told.days, 1)) == ("last trade on 2023-11-20", 2.9)
    pass_days(rig, 1.0)
    assert [round(told.days) for told in rig.told(PositionEnds)] == [3, 2]
    rig.line.desk.submit(OrderRequest(OLD.instrument_id, "main", Side.SELL, OrderType.MARKET, 2.0), "one")
    rig.settle()
    pass_days(rig, 1.0)
    assert len(rig.told(PositionEnds)) == 2


@pytest.mark.parametrize(
    ("platform", "account", "named"), [(10.0, 1.0, 1), (1.0, 10.0, 1), (1.0, 2.0, 0), (0.0, 0.0, 0)]
)
def test_the_longer_of_platform_and_account_counts(platform: float, account: float, named: int) -> None:
    plain = msgspec.structs.replace(LIMITS.platform, roll_days=0.0)
    rig = holding(limits=LimitTable(plain))
    of = {name: msgspec.structs.replace(plain, roll_days=days) for name, days in (("all", platform), ("main", account))}
    rig.line.roll_watch._limits = LimitTable(of["all"], {"main": of["main"]})
    rig.wait(1)
    assert len(rig.told(PositionEnds)) == named
