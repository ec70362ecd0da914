"""Rules about how much and how often: quantity, notional, open orders, position, exposure, rate, duplicates."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.domain.enums import OrderStatus, PositionSide, Side
from foxtrot.trading.limits import Limits, LimitTable
from tests.support.builders import (
    ACCOUNT,
    OWNER,
    SECOND,
    T0,
    TradingFloor,
    a_perpetual,
    a_request,
    a_spot,
    a_tick,
    an_order,
)

BUY, SELL = Side.BUY, Side.SELL


def floor(**limits: object) -> TradingFloor:
    made = TradingFloor(limits=Limits(check_funds=False, **limits))  # type: ignore[arg-type]
    made.put(a_tick())
    return made


def scoped(scope: str, **limits: object) -> TradingFloor:
    strict, loose = Limits(check_funds=False, **limits), Limits(check_funds=False)  # type: ignore[arg-type]
    tables = {
        "platform": LimitTable(strict), f"account {ACCOUNT}": LimitTable(loose, {ACCOUNT: strict}),
        f"strategy {OWNER}": LimitTable(loose, {}, {OWNER: strict}),
    }  # fmt: skip
    made = TradingFloor(limits=tables[scope])
    made.put(a_tick())
    return made


SCOPES = ["platform", f"account {ACCOUNT}", f"strategy {OWNER}"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("limits", "fits", "refused", "rule"),
    [
        ({"max_order_quantity": 1.0}, 1.0, 1.001, "max_order_quantity"),
        ({"max_order_notional": Decimal(100)}, 1.0, 1.001, "max_order_notional"),
        ({"max_position": 1.0}, 1.0, 1.001, "max_position"),
        ({"max_exposure": Decimal(100)}, 1.0, 1.001, "max_exposure"),
    ],
)
def test_a_limit_of_any_scope_holds_to_the_unit_and_the_refusal_names_the_scope(
    scope: str, limits: dict[str, object], fits: float, refused: float, rule: str
) -> None:
    order = scoped(scope, **limits).send(a_request(quantity=refused, price=100.0))
    assert order.rule == rule
    assert f"of {scope}" in order.reason
    assert scoped(scope, **limits).send(a_request(quantity=fits, price=100.0)).rule == ""


@pytest.mark.parametrize("scope", SCOPES)
def test_open_orders_are_limited_in_number(scope: str) -> None:
    made = scoped(scope, max_open_orders=2)
    first = made.send(a_request(price=98.0))
    made.send(a_request(price=97.0))
    assert made.send(a_request(price=96.0)).rule == "max_open_orders"
    made.put(an_order(first.order_id, OrderStatus.CANCELLED))
    assert made.send(a_request(price=95.0)).rule == ""


def test_the_platforms_position_limit_counts_everybody_and_a_strategys_only_its_own() -> None:
    made = scoped("platform", max_position=1.5)
    made.hold(1000, owner="beta")
    assert made.send(a_request(quantity=0.501)).rule == "max_position"
    made = scoped(f"strategy {OWNER}", max_position=1.5)
    made.hold(1000, owner="beta")
    assert made.send(a_request(quantity=1.5)).rule == ""


def test_position_and_exposure_count_open_orders_as_filled() -> None:
    for limits in ({"max_position": 2.0}, {"max_exposure": Decimal(200)}):
        made = floor(**limits)
        made.hold(1000)
        assert made.send(a_request(quantity=0.5, price=99.0)).rule == ""
        assert made.send(a_request(quantity=0.501, price=100.0)).rule in limits
        assert made.send(a_request(quantity=0.5, price=100.0)).rule == ""


def test_an_order_of_unknown_outcome_counts_as_wholly_fillable() -> None:
    made = floor(max_position=1.0)
    order = made.send(a_request(price=100.0))
    made.put(an_order(order.order_id, OrderStatus.UNKNOWN))
    assert made.send(a_request(price=99.0)).rule == "max_position"


def test_what_the_venue_counted_as_filled_counts_before_its_fill_comes() -> None:
    made = floor(max_position=1.0)
    order = made.send(a_request(price=100.0))
    made.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 100.0))
    assert made.portfolio.position(OWNER, ACCOUNT, "BTCUSDT.PERP") is None
    assert made.send(a_request(price=99.0)).rule == "max_position"


def test_an_order_against_the_position_is_judged_by_what_is_left_after_it() -> None:
    made = floor(max_exposure=Decimal(100), max_position=1.0)
    made.hold(1000)
    assert made.send(a_request(SELL, 2.0)).rule == ""
    assert made.send(a_request(SELL, 0.001)).rule == "max_position"


def test_exposure_sums_instruments_in_the_base_currency() -> None:
    made = TradingFloor(
        a_perpetual(), a_spot("BTCEUR", "BTC", "EUR"), pairs={"EUR/USDT": 1.1},
        limits=Limits(check_funds=False, max_exposure=Decimal(210)),
    )  # fmt: skip
    made.put(a_tick(), a_tick("BTCEUR.SPOT"))
    made.hold(1000)
    assert made.send(a_request(BUY, 1.00001, 100.0, "BTCEUR.SPOT")).rule == "max_exposure"
    assert made.send(a_request(BUY, 1.0, 100.0, "BTCEUR.SPOT")).rule == ""


@pytest.mark.parametrize(
    ("limits", "rule"),
    [({"max_exposure": Decimal(1000)}, "max_exposure"), ({"max_order_notional": Decimal(1000)}, "max_order_notional")],
)
def test_a_missing_rate_refuses_what_cannot_be_judged(limits: dict[str, object], rule: str) -> None:
    made = TradingFloor(base_currency="USD", limits=Limits(check_funds=False, **limits))  # type: ignore[arg-type]
    made.put(a_tick())
    order = made.send(a_request())
    assert order.rule == rule
    assert "n/a" in order.reason


def test_reducing_orders_are_never_refused_for_size() -> None:
    made = floor(max_order_quantity=0.1, max_position=0.1, max_exposure=Decimal(1), max_order_notional=Decimal(1))
    made.hold(1000)
    assert made.send(a_request(SELL, 1.0)).status is OrderStatus.SUBMITTED


def test_ten_messages_in_a_second_pass_and_the_eleventh_does_not() -> None:
    made = floor()
    for step in range(10):
        assert made.send(a_request(price=90.0 + step / 10)).rule == ""
    assert made.send(a_request(price=80.0)).rule == "message_rate"
    assert made.send(a_request(price=80.0), owner="beta").rule == ""
    made.clock.move_to(T0 + SECOND)
    assert made.send(a_request(price=80.0)).rule == ""


def test_an_accounts_rate_counts_all_that_is_sent_to_it() -> None:
    loose = Limits(check_funds=False, messages_per_s=0)
    strict = Limits(check_funds=False, messages_per_s=2)
    made = TradingFloor(limits=LimitTable(loose, {ACCOUNT: strict}))
    made.put(a_tick())
    assert made.send(a_request(price=99.0), owner="a").rule == ""
    assert made.send(a_request(price=98.0), owner="b").rule == ""
    assert made.send(a_request(price=97.0), owner="c").rule == "message_rate"


def test_cancels_count_as_messages_and_always_pass() -> None:
    made = floor(messages_per_s=3)
    order = made.send(a_request(price=99.0))
    assert all(made.desk.cancel(order.order_id) for _ in range(5))
    assert len(made.adapter.cancels) == 5
    assert made.send(a_request(price=98.0)).rule == "message_rate"


def test_neither_cancels_nor_entries_use_up_the_way_out() -> None:
    made = floor(messages_per_s=3)
    made.hold(1000)
    orders = [made.send(a_request(price=price)) for price in (97.0, 98.0, 99.0)]
    assert made.desk.cancel_all(OWNER) == 3
    for order in orders:
        made.put(an_order(order.order_id, OrderStatus.CANCELLED))
    for _ in range(3):
        assert made.send(a_request(SELL, 0.25)).status is OrderStatus.SUBMITTED
    assert made.send(a_request(SELL, 0.25)).rule == "message_rate"


def test_the_same_order_twice_within_a_second_is_refused() -> None:
    made = floor()
    made.send(a_request(price=99.0))
    made.clock.move_to(T0 + SECOND - 1)
    twin = made.send(a_request(price=99.0))
    assert twin.rule == "duplicate"
    assert twin.reason == "duplicate: 1.000 s is against the limit 1.0 s between equal orders"
    assert made.send(a_request(price=99.0), owner="beta").rule == ""
    assert made.send(a_request(price=99.0, tag="other")).rule == ""
    made.clock.move_to(T0 + SECOND)
    assert made.send(a_request(price=99.0)).rule == ""


def test_a_refused_order_is_not_what_the_next_one_duplicates() -> None:
    made = TradingFloor()
    assert made.send(a_request(price=99.0)).rule == "reference"
    made.put(a_tick())
    assert made.send(a_request(price=99.0)).rule == ""


@pytest.mark.parametrize(("held", "side", "quantity", "ok"), [
    (1000, SELL, 1.0, True), (1000, SELL, 1.001, False), (1000, BUY, 1.0, False), (0, SELL, 1.0, False),
    (-1000, BUY, 1.0, True), (-1000, BUY, 1.001, False),
])  # fmt: skip
def test_reduce_only_is_judged_on_the_owners_position(held: int, side: Side, quantity: float, ok: bool) -> None:
    made = floor()
    made.hold(5000, owner="beta")
    if held:
        made.hold(held)
    order = made.send(a_request(side, quantity, reduce_only=True))
    assert (order.rule == "") is ok
    assert order.rule in ("", "reduce_only")


def test_reduce_only_counts_what_the_owners_open_orders_reduce_already() -> None:
    made = floor()
    made.hold(1000)
    assert made.send(a_request(SELL, 0.6, 101.0, reduce_only=True)).rule == ""
    assert made.send(a_request(SELL, 0.401, 102.0, reduce_only=True)).rule == "reduce_only"
    assert made.send(a_request(SELL, 0.4, 102.0, reduce_only=True)).rule == ""


def test_a_fill_that_was_reported_but_has_not_come_cannot_be_reduced_twice() -> None:
    made = floor()
    made.hold(1000)
    order = made.send(a_request(SELL, 1.0, 100.0))
    made.put(an_order(order.order_id, OrderStatus.FILLED, 1.0, 100.0, side=SELL))
    assert made.send(a_request(SELL, 1.0, reduce_only=True)).rule == "reduce_only"


@pytest.mark.parametrize(
    ("alpha", "beta", "sent", "flag"), [(1000, 0, 1.0, True), (1000, 5000, 1.0, True), (1000, -400, 1.0, False), (1000, -400, 0.6, True)]
)  # fmt: skip
def test_the_venue_gets_the_reduce_only_flag_only_if_the_net_allows_it(
    alpha: int, beta: int, sent: float, flag: bool
) -> None:
    made = floor()
    made.hold(alpha)
    if beta:
        made.hold(beta, owner="beta")
    made.send(a_request(SELL, sent, reduce_only=True))
    assert (made.adapter.sent[0].reduces, made.adapter.sent[0].reduce_only) == (True, flag)


def test_the_net_must_bear_every_order_that_reduces_it_for_the_flag_to_be_sent() -> None:
    made = floor()
    made.hold(1000)
    made.hold(-400, owner="beta")
    for price in (101.0, 102.0):
        made.send(a_request(SELL, 0.4, price, reduce_only=True))
    assert [order.reduce_only for order in made.adapter.sent] == [True, False]


def test_a_fee_taken_in_the_base_asset_is_not_there_to_be_sold() -> None:
    made = TradingFloor(a_spot())
    made.put(a_tick("BTCUSDT.SPOT"))
    made.hold(100_000, 10_000, instrument_id="BTCUSDT.SPOT", fee=Decimal("0.00100000"), fee_asset="BTC")
    assert made.send(a_request(SELL, 0.99901, 0.0, "BTCUSDT.SPOT", reduce_only=True)).rule == "reduce_only"
    assert made.send(a_request(SELL, 0.999, 0.0, "BTCUSDT.SPOT", reduce_only=True)).rule == ""
    assert not made.adapter.sent[0].reduce_only, "a spot venue has no such flag"


@pytest.mark.parametrize(("place", "held", "side"), [(PositionSide.LONG, 1000, SELL), (PositionSide.SHORT, -1000, BUY)])
def test_when_hedged_an_order_that_closes_reduces_its_own_side_and_no_more(
    place: PositionSide, held: int, side: Side
) -> None:
    made = floor()
    made.hold(held, position_side=place)
    assert made.send(a_request(side, 1.001, position_side=place)).rule == "position_side"
    closing = made.send(a_request(side, 1.0, position_side=place, reduce_only=True))
    assert closing.rule == ""
    assert (made.adapter.sent[0].reduces, made.adapter.sent[0].reduce_only) == (True, True)


def test_when_hedged_long_and_short_are_judged_apart() -> None:
    made = floor(max_position=1.5, max_exposure=Decimal(250))
    made.hold(1000, position_side=PositionSide.LONG)
    made.hold(-1000, position_side=PositionSide.SHORT)
    assert made.send(a_request(SELL, 0.501, position_side=PositionSide.SHORT)).rule == "max_position"
    assert made.send(a_request(SELL, 0.5, position_side=PositionSide.SHORT)).rule == ""
    assert made.send(a_request(BUY, 0.001, position_side=PositionSide.LONG)).rule == "max_exposure"
    assert made.send(a_request(BUY, 0.5, position_side=PositionSide.SHORT)).rule == ""


def test_when_hedged_an_entry_on_one_side_takes_nothing_from_the_way_out_of_the_other() -> None:
    made = floor()
    made.hold(1000, position_side=PositionSide.LONG)
    assert made.send(a_request(SELL, 1.0, 101.0, position_side=PositionSide.SHORT)).rule == ""
    assert made.send(a_request(SELL, 1.0, 102.0, position_side=PositionSide.LONG)).rule == ""
    assert [order.reduces for order in made.adapter.sent] == [False, True]


def test_a_time_of_day_that_is_set_back_holds_up_neither_the_rate_nor_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    made = TradingFloor(limits=Limits(check_funds=False, quote_age_s=0.0))
    made.put(a_tick())
    for index in range(10):
        assert made.send(a_request(price=99.0 - index)).rule == ""
    assert made.send(a_request(price=80.0)).rule == "message_rate"
    monkeypatch.setattr(made.clock, "now_ns", lambda: made.clock.monotonic_ns() - 3600 * SECOND)
    made.clock.advance(2 * SECOND)
    assert made.send(a_request(price=99.0)).rule == ""


def test_a_venue_without_the_flag_is_not_given_it_for_a_contract_either() -> None:
    made = floor()
    made.hold(1000)
    adapter = made.adapter
    adapter.capabilities = msgspec.structs.replace(adapter.capabilities, reduce_only=False)
    made.send(a_request(SELL, 1.0, reduce_only=True))
    assert (adapter.sent[0].reduces, adapter.sent[0].reduce_only) == (True, False)
