"""Random stories of a protected position: what happens, and how one thing after another is played in a world."""

from contextlib import suppress

from hypothesis import strategies as st

from foxtrot.domain.errors import OrderRefused
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
Story = list[tuple[str, int, int]]
BIDS = (99.9, 96.0, 103.0, 110.5)


def stories(*more: str, least: int = 0) -> st.SearchStrategy[Story]:
    """Any story of those acts and more, of at least so many."""
    acts = st.sampled_from((*ACTS, *more))
    return st.lists(st.tuples(acts, st.integers(0, 11), st.integers(1, 10)), min_size=least, max_size=40)


def play_to_the_end(world: ProtectionWorld, story: Story, begin: Story) -> None:
    """Play a beginning and a story, let everything come to rest, and hold what must be true then."""
    for act, which, much in [*begin, *story]:
        play(world, act, which, much)
    world.quote(100.0)
    world.settle()
    world.check_never_too_much()
    world.check_settled()


def play(world: ProtectionWorld, act: str, which: int, much: int) -> None:
    """Let one thing happen."""
    orders = list(world.orders.values())
    one: AtVenue | None = orders[which % len(orders)] if orders else None
    if act == "enter":
        if len(orders) < 30:
            with suppress(OrderRefused):  # one that is being closed is not added to
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
    elif act in ("hit", "drop"):
        closing_act(world, act, which, much)
    elif one is not None:
        order_act(world, act, one, much)
    world.check_never_too_much()


def closing_act(world: ProtectionWorld, act: str, which: int, much: int) -> None:
    """Let the market, or somebody, do something with one of the orders that close the position."""
    closing = world.closing
    if closing and act == "hit":
        world.fill(closing[which % len(closing)], much)
    elif closing:
        world.end(closing[which % len(closing)])


def order_act(world: ProtectionWorld, act: str, one: AtVenue, much: int) -> None:
    """Let the venue do something with one order."""
    if act == "accept":
        world.accept(one)
    elif act == "reject":
        world.reject(one)
    elif act == "end" or (act == "cancel" and one.cancel_wanted):
        world.end(one)
    elif act == "fill":
        world.fill(one, much)
    elif act == "trigger":
        world.trigger(one)
