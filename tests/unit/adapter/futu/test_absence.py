"""When it proves something that OpenD's lists lack an order: not soon after a link began, nor while one without a remark may be it."""

import pytest

from foxtrot.domain.enums import OrderStatus
from tests.support import futu_messages as m
from tests.unit.adapter.futu.test_order_codecs import approved
from tests.unit.adapter.futu.test_orders import World, failing, played, timed_out

S = OrderStatus
pytestmark = pytest.mark.usefixtures("futu_sdk")


def test_lists_of_a_young_link_prove_nothing() -> None:
    async def story(world: World) -> None:
        bound_s = world.adapter.capabilities.unknown_bound_s
        world.opend.script["PlaceOrder"] = failing(timed_out())
        await world.place(approved())
        world.session.linked = False
        await world.advance(2 * bound_s)
        world.session.linked, world.session.linked_since_ns = True, world.session.clock.monotonic_ns()
        await world.trading.open()
        await world.advance(bound_s - 1)
        assert world.statuses() == [S.UNKNOWN]
        await world.advance(20)

    assert played(story).statuses() == [S.UNKNOWN, S.DENIED]


@pytest.mark.parametrize(
    ("differs", "ends"),
    [
        ({}, [S.UNKNOWN]),
        ({"qty": 100.0}, [S.UNKNOWN, S.DENIED]),
        ({"trdSide": 2}, [S.UNKNOWN, S.DENIED]),
        ({"code": "00005"}, [S.UNKNOWN, S.DENIED]),
        ({"createTimestamp": 1.0}, [S.UNKNOWN, S.DENIED]),
        ({"remark": "by somebody else"}, [S.UNKNOWN, S.DENIED]),
    ],
)
def test_an_order_that_may_have_lost_its_remark_keeps_ours_unknown(
    differs: dict[str, object], ends: list[OrderStatus]
) -> None:
    async def story(world: World) -> None:
        world.opend.script["PlaceOrder"] = failing(timed_out())
        order = approved()
        await world.place(order)
        now_s = world.session.clock.now_ns() / 1e9
        terms = {"orderIDEx": "OTHER", "remark": "", "createTimestamp": now_s, "updateTimestamp": now_s} | differs
        world.opend.orders = [m.order_message(**terms)]
        await world.advance(120)

    assert played(story).statuses() == ends
