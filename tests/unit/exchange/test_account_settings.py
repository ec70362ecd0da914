"""Leverage and position mode: what they change, when they are refused, and that they live through a snapshot."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.domain.enums import PositionMode, PositionSide
from foxtrot.exchange.commands import SetLeverage, SetPositionMode
from foxtrot.exchange.events import LeverageChanged, PositionModeChanged
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.result import ResultCode as R
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_perpetual, a_spot
from tests.support.trading_floor import TradingFloor

HEDGING, NETTING = PositionMode.HEDGING, PositionMode.NETTING


@pytest.fixture
def floor() -> TradingFloor:
    floor = TradingFloor(a_perpetual(), funds={"USDT": Decimal(100)})
    floor.open("a")
    floor.open("m", margin_checked=False)
    return floor


def leverage(floor: TradingFloor, figure: int, account: str = "a") -> CommandResult:
    return floor.venue.execute(SetLeverage(floor.tick(), account, floor.name, figure))


def mode(floor: TradingFloor, wish: PositionMode, account: str = "a") -> CommandResult:
    return floor.venue.execute(SetPositionMode(floor.tick(), account, wish))


def test_leverage_is_one_over_the_initial_margin_rate_of_orders_and_positions(floor: TradingFloor) -> None:
    rate = Decimal(1) / floor.venue.leverage("a", floor.name)
    floor.sell("m", 1_000, 10_000)
    floor.buy("a", 1_000, 10_000)
    assert floor.venue.margin("a", "USDT").initial == 100 * rate
    assert leverage(floor, 5).ok
    assert floor.venue.leverage("a", floor.name) == 5
    assert floor.venue.leverage("m", floor.name) == int(1 / rate)
    assert floor.venue.margin("a", "USDT").initial == 20
    floor.buy("a", 1_000, 10_000)
    assert floor.venue.margin("a", "USDT").initial == 40
    assert floor.told(LeverageChanged)[0].leverage == 5
    margins = floor.venue.position_margins("a")[floor.name, PositionSide.NET]
    assert (margins.position, margins.orders) == (20, 20)


def test_leverage_decides_what_can_be_ordered(floor: TradingFloor) -> None:
    leverage(floor, 2)
    assert floor.buy("a", 2_001, 10_000).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    assert floor.buy("a", 2_000, 10_000).ok
    assert leverage(floor, 1).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    assert floor.venue.leverage("a", floor.name) == 2
    assert floor.venue.margin("a", "USDT").initial == 100


def test_a_refused_leverage_leaves_the_instruments_own_rate(floor: TradingFloor) -> None:
    leverage_before = floor.venue.leverage("a", floor.name)
    floor.buy("a", 9_000, 10_000)
    held = floor.venue.margin("a", "USDT")
    assert leverage(floor, 1).code is R.ACCOUNT_INSUFFICIENT_MARGIN
    assert floor.venue.margin("a", "USDT") == held
    assert floor.venue.leverage("a", floor.name) == leverage_before
    floor.cancel_all("a")
    assert leverage(floor, 1).ok


def test_leverages_out_of_range_and_strangers_are_refused(floor: TradingFloor) -> None:
    most = floor.venue.most_leverage(floor.name)
    assert leverage(floor, 0).code is R.ACCOUNT_LEVERAGE
    assert leverage(floor, most + 1).code is R.ACCOUNT_LEVERAGE
    assert leverage(floor, most).ok
    assert leverage(floor, 1, "nobody").code is R.ACCOUNT_UNKNOWN
    assert floor.venue.execute(SetLeverage(floor.tick(), "a", "NONE", 1)).code is R.INSTRUMENT_UNKNOWN
    spot = TradingFloor(a_spot())
    spot.open("a")
    assert leverage(spot, 1).code is R.INSTRUMENT_UNKNOWN


def test_the_position_mode_changes_only_while_nothing_is_open(floor: TradingFloor) -> None:
    assert mode(floor, NETTING).ok
    assert floor.told(PositionModeChanged) == []
    order = floor.buy("a", 10, 10_000).order_id
    assert mode(floor, HEDGING).code is R.ACCOUNT_HAS_ORDERS
    floor.sell("m", 10, 10_000)
    assert order
    assert mode(floor, HEDGING).code is R.ACCOUNT_HAS_POSITION
    floor.buy("m", 10, 10_000)
    floor.sell("a", 10, 10_000)
    assert mode(floor, HEDGING).ok
    assert floor.venue.position_mode("a") is HEDGING
    assert floor.buy("a", 10, 9_000).code is R.ACCOUNT_POSITION_SIDE
    assert floor.buy("a", 10, 9_000, position_side=PositionSide.LONG).ok
    assert mode(floor, HEDGING, "nobody").code is R.ACCOUNT_UNKNOWN


def test_both_settings_are_in_the_hash_and_live_through_a_snapshot(floor: TradingFloor) -> None:
    floor.sell("m", 1_000, 10_000)
    floor.buy("a", 500, 10_000)
    leverage(floor, 5)
    floor.open("h")
    before = floor.venue.state_hash()
    floor.venue.execute(SetPositionMode(floor.now, "h", HEDGING))
    assert floor.venue.state_hash() != before
    restored = Venue.restore(floor.venue.snapshot(), lambda _: None)
    assert restored.state_hash() == floor.venue.state_hash()
    assert (restored.leverage("a", floor.name), restored.position_mode("h")) == (5, HEDGING)
    assert restored.margin("a", "USDT") == floor.venue.margin("a", "USDT")


def test_leverage_alone_changes_the_hash(floor: TradingFloor) -> None:
    command = SetLeverage(floor.now, "a", floor.name, 4)
    floor.venue.execute(command)
    first = floor.venue.state_hash()
    floor.venue.execute(msgspec.structs.replace(command, leverage=5))
    assert floor.venue.state_hash() != first
