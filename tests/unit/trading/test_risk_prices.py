"""Rules about prices: reference, age, book state, collar, sweep, own orders."""

from decimal import Decimal

import pytest

from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.enums import BookState, OrderStatus, OrderType, Side
from foxtrot.domain.instrument import Grid
from foxtrot.domain.market import DELAYED, FROZEN, STREAM, BarData, MarketTrade, TickData
from foxtrot.trading.limits import Limits, LimitTable
from tests.support.builders import ACCOUNT, SECOND, T0, TradingFloor, a_depth, a_perpetual, a_request, a_tick

ID = "BTCUSDT.PERP"


def floor(**limits: object) -> TradingFloor:
    made = TradingFloor(limits=Limits(check_funds=False, **limits))  # type: ignore[arg-type]
    made.put(a_tick())
    return made


def test_built_in_defaults_are_collar_5_percent_sweep_1_percent_quote_10_s_10_messages_and_1_s_between_twins() -> None:
    limits = Limits()
    assert (limits.price_collar, limits.market_sweep, limits.quote_age_s) == (0.05, 0.01, 10.0)
    assert (limits.messages_per_s, limits.duplicate_window_s, limits.check_funds) == (10, 1.0, True)


def test_an_order_before_any_price_was_heard_is_refused() -> None:
    assert TradingFloor().send(a_request(price=100.0)).rule == "reference"


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_price_that_is_no_price_is_no_reference(price: float) -> None:
    made = TradingFloor()
    made.put(
        TickData(ID, T0, T0, price, 1.0, price, 1.0, price),
        MarketTrade(ID, T0, T0, "1", price, 1.0, Side.BUY),
        BarData(ID, "1m", T0 - 60 * SECOND, T0, price, price, price, price, 1.0),
        a_depth(((price, 1.0),), ((price, 1.0),)),
    )
    assert made.send(a_request(price=100.0)).rule == "reference"
    assert made.view.mark(ID) is None


@pytest.mark.parametrize(
    ("fact", "source"),
    [
        (a_tick(at=T0 + 5), "tick"),
        (MarketTrade(ID, T0 + 5, T0 + 5, "1", 100.0, 1.0, Side.BUY), "trade"),
        (BarData(ID, "1m", T0 - 60 * SECOND, T0 + 5, 100.0, 100.0, 100.0, 100.0, 1.0), "bar"),
        (a_depth(((99.0, 1.0),), ((101.0, 1.0),), at=T0 + 5), "depth"),
    ],
)
def test_the_youngest_of_book_quote_print_and_bar_is_the_reference(fact: object, source: str) -> None:
    made = floor()
    made.put(MarketTrade(ID, T0, T0, "0", 90.0, 1.0, Side.BUY), fact)
    reference = made.view.reference(ID)
    assert reference is not None
    assert (reference.price, reference.source) == (100.0, source)


def test_a_quote_may_be_as_old_as_the_limit_and_no_older() -> None:
    made = floor()
    made.clock.move_to(T0 + 10 * SECOND)
    assert made.send(a_request(price=100.0)).status is OrderStatus.SUBMITTED
    made.clock.move_to(T0 + 10 * SECOND + SECOND // 5)
    refused = made.send(a_request(price=99.0))
    assert refused.rule == "quote_age"
    assert "10.2 s (tick)" in refused.reason


def test_a_quote_age_of_zero_is_no_limit() -> None:
    made = floor(quote_age_s=0.0)
    made.clock.move_to(T0 + 1000 * SECOND)
    assert made.send(a_request(price=100.0)).status is OrderStatus.SUBMITTED


def test_a_book_that_is_not_live_refuses_entries_even_beside_a_young_quote() -> None:
    made = floor()
    made.put(BookStateChanged(ACCOUNT, ID, BookState.STALE, "gap", T0))
    assert made.send(a_request(price=100.0)).rule == "book_state"


def test_a_live_book_vouches_for_its_price_however_long_it_has_been_quiet() -> None:
    made = floor()
    made.put(BookStateChanged(ACCOUNT, ID, BookState.LIVE, "", T0), a_depth(((99.9, 9.0),), ((100.1, 9.0),)))
    made.clock.move_to(T0 + 100 * SECOND)
    assert made.send(a_request(price=100.0)).status is OrderStatus.SUBMITTED


def test_depth_from_before_the_book_became_live_again_does_not_vouch() -> None:
    made = floor()
    made.put(BookStateChanged(ACCOUNT, ID, BookState.SYNCING, "gap", T0 + SECOND))
    made.put(
        BookStateChanged(ACCOUNT, ID, BookState.LIVE, "", T0 + 2 * SECOND), a_depth(((99.0, 9.0),), ((101.0, 9.0),))
    )
    made.clock.move_to(T0 + 100 * SECOND)
    assert made.send(a_request(price=100.0)).rule == "quote_age"


def test_an_order_that_only_reduces_needs_no_fresh_price_no_collar_and_no_book() -> None:
    made = floor()
    made.hold(1000)
    made.put(BookStateChanged(ACCOUNT, ID, BookState.STALE, "gap", T0))
    made.clock.move_to(T0 + 1000 * SECOND)
    order = made.send(a_request(Side.SELL, 1.0, 50.0))
    assert order.status is OrderStatus.SUBMITTED, order.reason
    assert made.adapter.sent[0].reduces


@pytest.mark.parametrize(
    ("side", "price", "rule"),
    [
        (Side.BUY, 105.0, ""), (Side.BUY, 105.1, "price_collar"), (Side.BUY, 1.0, ""),
        (Side.SELL, 95.0, ""), (Side.SELL, 94.9, "price_collar"), (Side.SELL, 900.0, ""),
    ],
)  # fmt: skip
def test_the_collar_holds_on_the_paying_side_to_the_tick(side: Side, price: float, rule: str) -> None:
    assert floor().send(a_request(side, 1.0, price)).rule == rule


@pytest.mark.parametrize(("price", "rule"), [(136.5, ""), (136.6, "price_collar")])
def test_the_limit_of_a_stop_is_judged_from_its_trigger(price: float, rule: str) -> None:
    request = a_request(Side.BUY, 1.0, price, order_type=OrderType.STOP_LIMIT, trigger_price=130.0)
    assert floor().send(request).rule == rule


@pytest.mark.parametrize(
    ("quantity", "rule", "says"),
    [(2.0, "", ""), (3.0, "", ""), (3.001, "market_sweep", "1.10%"), (9.0, "market_sweep", "1 more than they hold")],
)
def test_a_market_order_may_walk_the_book_one_percent(quantity: float, rule: str, says: str) -> None:
    made = floor()
    made.put(a_depth(((99.0, 9.0),), ((100.0, 2.0), (101.0, 1.0), (101.1, 5.0))))
    order = made.send(a_request(quantity=quantity))
    assert order.rule == rule
    assert says in order.reason


def test_a_market_order_into_an_empty_side_is_refused() -> None:
    made = floor()
    made.put(a_depth(((99.0, 9.0),), ()))
    assert made.send(a_request()).rule == "market_sweep"


def test_the_strictest_of_platform_account_and_strategy_counts() -> None:
    loose, strict = Limits(check_funds=False), Limits(check_funds=False, price_collar=0.01)
    for table in (LimitTable(loose, {ACCOUNT: strict}), LimitTable(loose, {}, {"alpha": strict})):
        made = TradingFloor(limits=table)
        made.put(a_tick())
        assert made.send(a_request(price=102.0)).rule == "price_collar"
        assert made.send(a_request(price=101.0)).rule == ""


@pytest.mark.parametrize(("price", "rule"), [(100.2, "self_cross"), (100.3, "self_cross"), (100.1, "")])
def test_a_limit_that_would_meet_a_resting_order_of_another_own_strategy_is_refused(price: float, rule: str) -> None:
    made = floor()
    resting = made.send(a_request(Side.SELL, 1.0, 100.2), owner="beta")
    order = made.send(a_request(Side.BUY, 1.0, price), owner="alpha")
    assert order.rule == rule
    assert (resting.order_id in order.reason) == bool(rule)


def test_a_market_order_meets_an_own_order_within_its_reach_only() -> None:
    made = floor()
    made.send(a_request(Side.SELL, 1.0, 103.0), owner="beta")
    assert made.send(a_request(Side.BUY, 1.0)).rule == ""
    made.send(a_request(Side.SELL, 1.0, 100.1), owner="beta")
    assert made.send(a_request(Side.BUY, 2.0)).rule == "self_cross"


def test_a_market_order_that_walks_to_an_own_order_is_refused() -> None:
    made = floor()
    made.put(a_depth(((99.0, 9.0),), ((100.0, 2.0), (100.5, 5.0))))
    made.send(a_request(Side.SELL, 1.0, 100.5), owner="beta")
    assert made.send(a_request(Side.BUY, 2.0)).rule == ""
    assert made.send(a_request(Side.BUY, 2.5)).rule == "self_cross"


def test_orders_with_triggers_and_orders_of_other_accounts_or_instruments_do_not_cross() -> None:
    made = TradingFloor(a_perpetual(), a_perpetual("ETHUSDT"), accounts=(ACCOUNT, "second"))
    made.put(a_tick(), a_tick("ETHUSDT.PERP"))
    made.send(a_request(Side.SELL, 1.0, 100.0), owner="beta")
    assert made.send(a_request(Side.BUY, 1.0, 100.0, account="second")).rule == ""
    assert made.send(a_request(Side.BUY, 1.0, 100.0, "ETHUSDT.PERP")).rule == ""
    assert made.send(a_request(order_type=OrderType.STOP, trigger_price=101.0)).rule == ""


@pytest.mark.parametrize(("price", "rule"), [(0.315, ""), (0.316, "price_collar")])
def test_what_lies_on_the_collar_is_within_it_though_floats_say_a_little_more(price: float, rule: str) -> None:
    made = TradingFloor(a_perpetual(price_grid=Grid.of("0.001")))
    made.put(a_tick(bid=0.29, ask=0.31))
    assert price - 0.3 > 0.05 * 0.3, "this is the case that the rounding is for"
    assert made.send(a_request(price=price)).rule == rule


def test_lots_that_floats_do_not_add_up_to_are_enough_depth() -> None:
    made = floor()
    made.put(a_depth(((99.0, 9.0),), ((100.0, 0.7), (100.1, 0.2))))
    assert 0.9 - 0.7 - 0.2 > 0.0
    assert made.send(a_request(quantity=0.9)).rule == ""


STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT
PROFIT, PROFIT_LIMIT = OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "reached"),
    [
        (Side.BUY, STOP, 50.0, True), (Side.BUY, STOP, 100.0, True), (Side.BUY, STOP, 100.1, False),
        (Side.SELL, STOP, 150.0, True), (Side.SELL, STOP, 99.9, False),
        (Side.BUY, PROFIT, 150.0, True), (Side.BUY, PROFIT, 99.9, False),
        (Side.SELL, PROFIT, 50.0, True), (Side.SELL, PROFIT, 100.1, False),
    ],
)  # fmt: skip
def test_a_trigger_that_is_reached_makes_a_market_order_which_may_not_sweep(
    side: Side, kind: OrderType, trigger: float, reached: bool
) -> None:
    made = floor()
    made.put(a_depth(((99.9, 2.0), (70.0, 9.0)), ((100.1, 2.0), (130.0, 9.0))))
    order = made.send(a_request(side, 8.0, order_type=kind, trigger_price=trigger))
    assert order.rule == ("market_sweep" if reached else "")


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "price", "rule"),
    [
        (Side.BUY, PROFIT_LIMIT, 150.0, 157.0, "price_collar"), (Side.BUY, PROFIT_LIMIT, 150.0, 105.0, ""),
        (Side.SELL, PROFIT_LIMIT, 50.0, 48.0, "price_collar"), (Side.SELL, STOP_LIMIT, 150.0, 94.9, "price_collar"),
        (Side.BUY, STOP_LIMIT, 150.0, 157.0, ""), (Side.SELL, STOP_LIMIT, 50.0, 48.0, ""),
    ],
)  # fmt: skip
def test_only_a_trigger_that_is_not_reached_widens_the_collar(
    side: Side, kind: OrderType, trigger: float, price: float, rule: str
) -> None:
    assert floor().send(a_request(side, 1.0, price, order_type=kind, trigger_price=trigger)).rule == rule


def test_a_print_or_a_mark_price_beyond_the_trigger_reaches_it_too() -> None:
    for fact in (
        MarketTrade(ID, T0 - 1, T0 - 1, "1", 101.0, 1.0, Side.BUY),
        TickData(ID, T0, T0, 99.9, 1.0, 100.1, 1.0, 100.0, mark_price=101.0),
    ):
        made = floor()
        made.put(fact, a_depth(((99.9, 2.0),), ((100.1, 2.0), (130.0, 9.0))))
        assert made.send(a_request(quantity=8.0, order_type=STOP, trigger_price=101.0)).rule == "market_sweep"


def test_a_reached_trigger_is_valued_at_the_market_and_not_at_the_trigger() -> None:
    made = floor(max_order_notional=Decimal(80))
    assert made.send(a_request(quantity=1.0, order_type=STOP, trigger_price=50.0)).rule == "max_order_notional"


@pytest.mark.parametrize(
    ("kind", "trigger", "price", "rule"),
    [
        (STOP, 50.0, 0.0, "self_cross"), (STOP_LIMIT, 50.0, 100.2, "self_cross"), (STOP_LIMIT, 50.0, 100.0, ""),
        (STOP, 104.0, 0.0, ""), (STOP_LIMIT, 100.1, 100.2, "self_cross"), (STOP_LIMIT, 100.1, 100.1, ""),
        (STOP_LIMIT, 104.0, 105.0, ""),
    ],
)  # fmt: skip
def test_a_reached_trigger_and_a_limit_behind_its_trigger_do_not_meet_an_own_order(
    kind: OrderType, trigger: float, price: float, rule: str
) -> None:
    made = floor()
    made.put(a_depth(((99.9, 9.0),), ((100.2, 9.0),)))
    made.send(a_request(Side.SELL, 1.0, 100.2), owner="beta")
    assert made.send(a_request(Side.BUY, 1.0, price, order_type=kind, trigger_price=trigger)).rule == rule


@pytest.mark.parametrize(("trigger", "rule"), [(100.0, "self_cross"), (101.0, "")])
def test_an_own_limit_behind_a_trigger_is_in_the_book_once_that_is_reached(trigger: float, rule: str) -> None:
    made = floor()
    made.send(a_request(Side.SELL, 1.0, 101.0, order_type=PROFIT_LIMIT, trigger_price=trigger), owner="beta")
    assert made.send(a_request(Side.BUY, 1.0, 101.0)).rule == rule


@pytest.mark.parametrize("level", [(float("nan"), 9.0), (float("inf"), 9.0), (100.1, float("nan")), (-1.0, 9.0)])
def test_a_level_that_is_no_level_refuses_what_would_sweep_it(level: tuple[float, float]) -> None:
    for asks in ((level,), ((100.1, 0.5), level)):
        made = floor()
        made.put(a_depth(((99.9, 9.0),), asks))
        assert made.send(a_request(quantity=1.0)).rule == "reference"
        assert made.send(a_request(quantity=1.0, order_type=STOP, trigger_price=50.0)).rule == "reference"


@pytest.mark.parametrize("source", [DELAYED, FROZEN])
def test_a_quote_that_tells_the_past_is_no_reference_but_shows_and_values(source: str) -> None:
    made = TradingFloor(limits=Limits(check_funds=False))
    made.put(TickData(ID, T0, T0, 99.0, 1.0, 101.0, 1.0, 100.0, source=source))
    refusal = made.send(a_request(price=100.0))
    assert refusal.rule == "reference"
    assert made.view.reference(ID) is None
    assert made.view.far_touch(ID, Side.BUY) == 0.0
    assert made.view.heard_prices(ID) == []
    assert made.view.mark(ID) == 100.0


def test_a_delayed_quote_does_not_displace_a_live_one_before_that_is_silent_for_a_minute() -> None:
    made = floor()
    live = made.view.ticks[ID]
    for after, source in ((59, STREAM), (60, DELAYED)):
        at = live.local_time_ns + after * SECOND
        made.put(TickData(ID, at, at, 9.0, 1.0, 11.0, 1.0, 10.0, source=DELAYED))
        assert made.view.ticks[ID].source == source
