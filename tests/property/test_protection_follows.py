"""Whatever fills, ends, is told twice or dies: orders that close never exceed the position, and what settles is protected."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.protection_world import AtVenue, ProtectionWorld

ACTS = (
    "enter",
    "accept",
    "reject",
    "end",
    "cancel",
    "fill",
    "deliver",
    "deliver",
    "deliver",
    "repeat",
    "quote",
    "wait",
    "crash",
)
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 11), st.integers(1, 10)), max_size=40)
BIDS = (99.9, 96.0, 103.0, 110.5)


def play(world: ProtectionWorld, act: str, which: int, much: int) -> None:
    """Let one thing happen."""
    orders = list(world.orders.values())
    one: AtVenue | None = orders[which % len(orders)] if orders else None
    if act == "enter":
        if len(orders) < 30:
            world.enter(take=110.0 if much > 5 else 0.0)
    elif act == "deliver":
        world.deliver(which)
    elif act == "repeat":
        world.repeat(which)
    elif act == "quote":
        world.quote(BIDS[which % len(BIDS)])
    elif act == "wait":
        world.pass_s(much / 5)
    elif act == "crash":
        world.crash(torn=much > 5)
    elif one is not None:
        order_act(world, act, one, much)
    world.check_never_too_much()


def order_act(world: ProtectionWorld, act: str, one: AtVenue, much: int) -> None:
    if act == "accept":
        world.accept(one)
    elif act == "reject":
        world.reject(one)
    elif act == "end" or (act == "cancel" and one.cancel_wanted):
        world.end(one)
    elif act == "fill":
        world.fill(one, much)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_closing_orders_never_exceed_the_position_and_what_settles_is_protected(
    steps: list[tuple[str, int, int]],
) -> None:
    world = ProtectionWorld()
    for act, which, much in [("enter", 0, 1), *steps]:
        play(world, act, which, much)
    world.quote(100.0)
    world.settle()
    world.check_never_too_much()
    world.check_settled()
