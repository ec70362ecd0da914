"""Protections over Binance's own protocol: a bracket with partial fills, a process that dies, and one that begins again."""

from collections.abc import Iterator

import pytest

from foxtrot.core.notices import ProtectionChanged
from foxtrot.domain.enums import OrderType, Side
from foxtrot.trading.protection_state import ProtectionTerms
from tests.support.protected_platform import ProtectedPlatform


@pytest.fixture(params=["spot", "usdm"])
def platform(request: pytest.FixtureRequest) -> Iterator[ProtectedPlatform]:
    with ProtectedPlatform(request.param) as made:
        made.open()
        yield made


def covered(platform: ProtectedPlatform) -> float:
    """Quantity that stops at the exchange would sell."""
    return sum(left for side, kind, left, _ in platform.at_venue() if (side, kind) == ("sell", "stop"))


def is_covered(platform: ProtectedPlatform, least: float) -> bool:
    """Tell whether stops at the exchange would sell all that can be sold, and that is enough."""
    return covered(platform) > least and abs(covered(platform) - platform.sellable) < 1e-9


def is_flat(platform: ProtectedPlatform) -> bool:
    """Tell whether less than a lot is held: spot takes its fee in the base asset."""
    return abs(platform.position) < 0.001


def bracket(platform: ProtectedPlatform) -> None:
    """Buy 1.0 at 100 in two parts, with a stop at 95 and a take-profit at 110."""
    platform.enter(1.0, 100.0, stop=95.0, take_profit=110.0)
    platform.maker(Side.SELL, 0.4, 100.0)
    platform.wait(lambda: is_covered(platform, 0.39))
    platform.maker(Side.SELL, 0.6, 100.0)
    platform.wait(lambda: is_covered(platform, 0.99))
    platform.settle()


def test_a_bracket_follows_partial_fills_and_its_take_profit_sells_everything(platform: ProtectedPlatform) -> None:
    bracket(platform)
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    platform.quote(110.5, 111.0)
    platform.wait(lambda: is_flat(platform))
    platform.settle()
    assert platform.at_venue() == []
    assert platform.line.protections.view(platform.key) is None
    assert platform.of(ProtectionChanged)[-1].protection == ""


def test_the_stop_at_the_venue_sells_and_nothing_is_left(platform: ProtectedPlatform) -> None:
    bracket(platform)
    platform.quote(94.0, 96.0)
    platform.maker(Side.SELL, 0.1, 94.0)
    platform.wait(lambda: is_flat(platform))
    platform.settle()
    assert platform.at_venue() == []
    assert platform.line.protections.view(platform.key) is None


def test_the_stop_outlives_the_process_and_belongs_to_the_next_one(platform: ProtectedPlatform) -> None:
    bracket(platform)
    before = platform.at_venue()
    platform.drop()
    assert platform.at_venue() == before
    platform.live_again()
    assert platform.position == pytest.approx(1.0, abs=0.002)
    assert platform.at_venue() == before
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    platform.quote(110.5, 111.0)  # the take-profit is watched again
    platform.wait(lambda: is_flat(platform))
    platform.settle()
    assert platform.at_venue() == []


def test_a_local_stop_is_armed_again_by_the_next_process(platform: ProtectedPlatform) -> None:
    bracket(platform)
    platform.line.protections.protect(platform.key, ProtectionTerms(stop=95.0, local=True))
    platform.wait(lambda: platform.at_venue() == [])
    platform.drop()
    platform.live_again()
    assert platform.line.protections.cover(platform.key).protection == "while this process lives"
    platform.quote(94.0, 94.9)
    platform.wait(lambda: is_flat(platform))


def test_a_stop_that_filled_while_nobody_lived_leaves_nothing(platform: ProtectedPlatform) -> None:
    bracket(platform)
    platform.drop()
    platform.quote(94.0, 96.0)
    platform.maker(Side.SELL, 0.1, 94.0)
    platform.live_again()
    platform.wait(lambda: is_flat(platform))
    platform.settle()
    assert platform.at_venue() == []
    assert platform.line.protections.view(platform.key) is None


def test_a_trailing_stop_rests_at_the_venue_or_is_watched_here(platform: ProtectedPlatform) -> None:
    platform.enter(1.0, 101.0, trailing=2.0)
    platform.wait(lambda: platform.position > 0.99)
    platform.settle()
    resting = [order.order_type for order in platform.resting()]
    cover = platform.line.protections.cover(platform.key).protection
    assert (resting, cover) in (([OrderType.TRAILING_STOP], "at the venue"), ([], "while this process lives"))
