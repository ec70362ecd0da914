"""What can be asked of a venue: depth and its changes, tickers, candles, orders, fills; and its events as bytes."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError, InputError, InvariantBroken
from foxtrot.exchange.commands import AdvanceTime, PlaceOrder, TakeSnapshot, VenueCommand
from foxtrot.exchange.events import AnyVenueEvent, OrderFilled, SnapshotTaken
from foxtrot.exchange.tape import MINUTE_NS
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_perpetual, a_spot
from tests.support.random_commands import RandomTrader, opening
from tests.support.trading_floor import TradingFloor


@pytest.fixture
def floor() -> TradingFloor:
    return TradingFloor(a_spot())


def test_events_are_numbered_from_one_without_a_gap(floor: TradingFloor) -> None:
    floor.sell("a", 5, 100)
    floor.buy("b", 9, 100)
    assert [event.sequence for event in floor.events] == list(range(1, len(floor.events) + 1))
    assert floor.venue.sequence == len(floor.events)


def test_depth_changes_follow_each_other_and_rebuild_the_book(floor: TradingFloor) -> None:
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    expected_first = 1
    for price in (100, 101, 99, 100, 102, 98):
        floor.buy("a", 5, price)
        floor.sell("b", 3, price + 1)
        changes = floor.venue.take_depth_changes(floor.name)
        assert changes.first_id == expected_first
        expected_first = changes.last_id + 1
        for levels, rows in zip(sides, (changes.bids, changes.asks), strict=True):
            levels.update(rows)
        update_id, bids, asks = floor.venue.depth(floor.name)
        assert update_id == changes.last_id
        assert [row for row in sorted(sides[0].items(), reverse=True) if row[1]] == list(bids)
        assert [row for row in sorted(sides[1].items()) if row[1]] == list(asks)
    nothing = floor.venue.take_depth_changes(floor.name)
    assert nothing.last_id < nothing.first_id


def test_the_ticker_covers_the_last_day(floor: TradingFloor) -> None:
    floor.now = 10 * MINUTE_NS
    for price, quantity in ((100, 5), (103, 5), (98, 2)):
        floor.sell("a", quantity, price)
        floor.buy("b", quantity, price)
    floor.buy("b", 7, 90)
    floor.sell("a", 8, 110)
    ticker = floor.venue.ticker(floor.name)
    assert (ticker.bid_price, ticker.bid_quantity, ticker.ask_price, ticker.ask_quantity) == (90, 7, 110, 8)
    assert (ticker.open, ticker.high, ticker.low, ticker.last_price, ticker.volume) == (100, 103, 98, 98, 12)
    floor.wait_until(2 * 86_400 * 10**9)
    assert floor.venue.ticker(floor.name).volume == 0


def test_candles_of_any_number_of_minutes_come_from_the_trades(floor: TradingFloor) -> None:
    for minute, price in ((0, 100), (0, 104), (1, 99), (4, 101), (5, 107)):
        floor.now = max(floor.now, minute * MINUTE_NS)
        floor.sell("a", 2, price)
        floor.buy("b", 2, price)
    one = floor.venue.klines(floor.name, MINUTE_NS)
    assert [candle.open_time_ns // MINUTE_NS for candle in one] == [0, 1, 4, 5]
    five = floor.venue.klines(floor.name, 5 * MINUTE_NS)
    rows = [(c.open, c.high, c.low, c.close, c.volume, c.trade_count) for c in five]
    assert rows == [(100, 104, 99, 101, 8, 4), (107, 107, 107, 107, 2, 1)]
    assert five[0].turnover == 2 * (100 + 104 + 99 + 101)
    assert len(floor.venue.klines(floor.name, MINUTE_NS, 2)) == 2


def test_fills_are_given_since_a_sequence_number(floor: TradingFloor) -> None:
    floor.sell("a", 9, 100)
    floor.buy("b", 1, 100)
    cursor = floor.venue.sequence
    floor.buy("b", 2, 100)
    assert [fill.fill_quantity for fill in floor.venue.fills("b")] == [1, 2]
    assert [fill.fill_quantity for fill in floor.venue.fills("b", cursor)] == [2]
    assert [trade.quantity for trade in floor.venue.trades(floor.name, 1)] == [2]


def test_the_book_is_told_order_by_order_with_what_is_hidden(floor: TradingFloor) -> None:
    floor.sell("a", 9, 101, display_quantity=2)
    floor.buy("b", 3, 100)
    rows = [(row.account, row.side, row.shown, row.hidden) for row in floor.venue.l3(floor.name)]
    assert rows == [("b", Side.BUY, 3, 0), ("a", Side.SELL, 2, 7)]


def test_unknown_names_raise_with_the_fix(floor: TradingFloor) -> None:
    with pytest.raises(ConfigError, match="account nobody is not open"):
        floor.venue.balances("nobody")
    with pytest.raises(ConfigError, match="NOPE is not listed"):
        floor.venue.depth("NOPE")
    assert floor.venue.order("@fees", floor.name, 99) is None
    assert [i.instrument_id for i in floor.venue.instruments()] == [floor.name]


def test_time_never_runs_backwards(floor: TradingFloor) -> None:
    floor.wait_until(1_000)
    floor.venue.execute(AdvanceTime(5))
    assert floor.venue.time_ns == 1_000


def test_a_mark_in_the_stream_carries_the_state_hash(floor: TradingFloor) -> None:
    floor.buy("a", 5, 100)
    floor.venue.execute(TakeSnapshot(floor.tick()))
    mark = floor.events[-1]
    assert isinstance(mark, SnapshotTaken)
    assert mark.state_hash == floor.venue.state_hash()


def test_commands_and_events_survive_their_encoding() -> None:
    events: list[object] = []
    venue, trader = Venue(events.append), RandomTrader(3)
    commands = [*opening(), *(trader.command() for _ in range(500))]
    for codec in (msgspec.json, msgspec.msgpack):
        assert codec.decode(codec.encode(commands), type=list[VenueCommand]) == commands
    for command in commands:
        venue.execute(command)
    assert any(isinstance(event, OrderFilled) for event in events)
    for codec in (msgspec.json, msgspec.msgpack):
        assert codec.decode(codec.encode(events), type=list[AnyVenueEvent]) == events


def test_a_snapshot_that_is_none_is_refused() -> None:
    for damaged in (b"", b"\x80", b"rubbish"):
        with pytest.raises(InputError, match="not a venue snapshot"):
            Venue.restore(damaged, lambda event: None)


def test_the_audit_catches_created_money_and_forgotten_locks() -> None:
    floor = TradingFloor(a_spot())
    floor.buy("a", 5, 100)
    balance = floor.venue._state.ledger.accounts["a"].balance("USDT")
    balance.locked += 1
    with pytest.raises(InvariantBroken, match="locked"):
        floor.venue.validate()
    balance.locked -= 1
    balance.total += 1
    with pytest.raises(InvariantBroken, match="1 money units too many"):
        floor.venue.validate()


def test_the_audit_catches_longs_without_shorts() -> None:
    floor = TradingFloor(a_perpetual(), funds={"USDT": Decimal(100)})
    floor.sell("a", 5, 100)
    floor.buy("b", 5, 100)
    floor.venue._state.ledger.accounts["a"].position(floor.name, floor.fills("a")[0].position_side).quantity = -4
    with pytest.raises(InvariantBroken, match="differ by 1"):
        floor.venue.validate()


def test_only_the_newest_ended_orders_are_remembered(monkeypatch: pytest.MonkeyPatch, floor: TradingFloor) -> None:
    monkeypatch.setattr("foxtrot.exchange.history.KEPT_ORDERS", 2)
    for _ in range(3):
        floor.cancel("a", floor.buy("a", 5, 100).order_id)
    assert floor.venue.order("a", floor.name, 1) is None
    assert floor.venue.order("a", floor.name, client_order_id="c1") is None
    assert floor.venue.order("a", floor.name, client_order_id="c3") is not None


def test_a_command_is_refused_by_value_not_by_exception(floor: TradingFloor) -> None:
    command = PlaceOrder(1, "x", "y", "z", Side.BUY, "limit", 1)  # type: ignore[arg-type]
    assert not floor.venue.execute(command).ok


def test_a_busy_account_does_not_push_out_what_a_quiet_one_did(
    monkeypatch: pytest.MonkeyPatch, floor: TradingFloor
) -> None:
    monkeypatch.setattr("foxtrot.exchange.history.KEPT_ORDERS", 6)
    monkeypatch.setattr("foxtrot.exchange.history.KEPT_FILLS", 6)
    floor.sell("quiet", 1, 100)
    floor.buy("busy", 1, 100)
    for _ in range(20):
        floor.sell("busy", 1, 100)
        floor.buy("other", 1, 100)
    assert len(floor.venue.fills("quiet")) == 1
    assert [order.order_id for order in floor.venue.all_orders("quiet", floor.name)] == [1]
    kept = [len(floor.venue.all_orders(name, floor.name)) for name in ("quiet", "busy", "other")]
    assert sum(kept) == 6
    assert min(kept[1:]) == 2
    again = Venue.restore(floor.venue.snapshot(), lambda event: None)
    for name in ("quiet", "busy", "other"):
        assert again.fills(name) == floor.venue.fills(name)
        assert again.all_orders(name, floor.name) == floor.venue.all_orders(name, floor.name)


def test_fills_can_be_asked_for_from_an_event_on(floor: TradingFloor) -> None:
    floor.sell("maker", 5, 100)
    floor.buy("taker", 2, 100)
    seen = floor.venue.sequence
    floor.buy("taker", 3, 100)
    assert [fill.fill_quantity for fill in floor.venue.fills("taker", seen)] == [3]
    assert [fill.fill_quantity for fill in floor.venue.fills("taker")] == [2, 3]
