"""The adapter's life over real sockets: opening, every kind of loss, coming back, refusals that are final, closing."""

import gc
from collections.abc import Iterator
from functools import partial

import pytest
from loguru import logger

from foxtrot.core.notices import (
    AdapterStatus,
    ContractsLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus, PositionMode
from tests.support.binance_bench import KEY, SECRET, BinanceBench
from tests.support.waiting import wait_until

OPENING = [
    AdapterState.CONNECTING,
    AdapterState.CONNECTED,
    ContractsLoaded,
    AccountData,
    PositionsLoaded,
    OpenOrdersLoaded,
    TradesLoaded,
    AdapterState.READY,
]


def _has(bench: BinanceBench, events: int) -> bool:
    return len(bench.heard) >= events


def _opening(bench: BinanceBench, since: int = 0) -> list[object]:
    kinds = (AdapterStatus, ContractsLoaded, AccountData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded)
    told = [event for event in bench.heard.events(since) if isinstance(event, kinds)]
    return [event.state if isinstance(event, AdapterStatus) else type(event) for event in told]


@pytest.fixture(params=["spot", "usdm"])
def bench(request: pytest.FixtureRequest) -> Iterator[BinanceBench]:
    with BinanceBench(request.param, settings={} if request.param == "spot" else {"leverage": 3}) as made:
        yield made


def test_connecting_tells_everything_in_the_promised_order_on_its_own_thread(bench: BinanceBench) -> None:
    bench.connect()
    assert _opening(bench) == OPENING
    assert bench.heard.threads() == {"binance-io"}


def test_closing_ends_the_thread_and_is_told_last(bench: BinanceBench) -> None:
    bench.connect()
    assert bench.adapter.close() == ""
    assert bench.adapter.close() == ""
    assert bench.threads() == []
    assert bench.heard.states()[-1] is AdapterState.CLOSED
    assert bench.heard.states().count(AdapterState.CLOSED) == 1


LOSSES: dict[str, tuple[str, dict[str, object], str]] = {
    "a close frame": ("close", {"connection": "user", "code": 1001, "msg": "cable pulled"}, "cable pulled"),
    "a reset": ("reset", {"connection": "user"}, "user stream"),
}


@pytest.mark.parametrize("how", list(LOSSES))
def test_a_lost_user_stream_is_told_and_everything_is_told_again(bench: BinanceBench, how: str) -> None:
    bench.connect()
    since = len(bench.heard)
    kind, settings, cause = LOSSES[how]
    bench.fault(kind, **settings)
    lost = bench.wait_state(AdapterState.LOST, since)
    assert cause in lost.cause
    backing_off = bench.wait_state(AdapterState.BACKING_OFF, since)
    assert backing_off.attempt == 1
    assert 0.0 <= backing_off.delay_s <= 0.5
    bench.come_back(since)
    assert _opening(bench, since) == [AdapterState.LOST, AdapterState.BACKING_OFF, *OPENING]
    figures = bench.adapter.health()
    assert (figures.up, figures.reconnects) == (True, 1)
    assert cause in figures.last_cause


def test_it_does_not_come_back_before_its_pause_is_over(bench: BinanceBench) -> None:
    bench.connect()
    since = len(bench.heard)
    bench.fault("close", connection="user", code=1001, msg="cable pulled")
    bench.wait_state(AdapterState.BACKING_OFF, since)
    before = len(bench.heard)
    bench.adapter.query_account()
    bench.wait(lambda: bool(bench.heard.of(RequestFailed, before)))
    assert bench.heard.states(before) == []


def test_a_user_stream_that_binance_ends_is_a_loss() -> None:
    with BinanceBench("spot") as bench:
        bench.connect()
        since = len(bench.heard)
        bench.fault("terminate_user_stream", account="ours")
        assert "eventStreamTerminated" in bench.wait_state(AdapterState.LOST, since).cause
        bench.come_back(since)


def test_a_listen_key_that_expires_is_a_loss_and_a_new_one_is_had() -> None:
    with BinanceBench("usdm") as bench:
        bench.connect()
        since = len(bench.heard)
        bench.fault("expire_listen_key", account="ours")
        assert "listenKeyExpired" in bench.wait_state(AdapterState.LOST, since).cause
        bench.come_back(since)


def test_a_listen_key_that_cannot_be_renewed_is_a_loss() -> None:
    with BinanceBench("usdm") as bench:
        bench.connect()
        since = len(bench.heard)
        bench.fault("error_code", endpoint="PUT /fapi/v1/listenKey", status=400, code=-1125, msg="does not exist")

        for _ in range(8):  # 22 minutes and 40 seconds, slowly enough for the server's pings
            told = len(bench.heard) + 1
            bench.advance(170.0)
            bench.adapter.query_account()
            wait_until(partial(_has, bench, told))
        assert "listen key" in bench.wait_state(AdapterState.LOST, since).cause
        bench.come_back(since)


def test_the_used_weight_is_among_the_figures(bench: BinanceBench) -> None:
    bench.connect()
    assert bench.adapter.health().used_weight > 0
    bench.wait(lambda: not bench.adapter.session.busy)


def test_a_venue_that_is_down_is_tried_again_until_it_is_there(bench: BinanceBench) -> None:
    bench.server.stop()
    bench.adapter.connect()
    assert (
        "127.0.0.1" in bench.wait_state(AdapterState.LOST).cause or "not" in bench.wait_state(AdapterState.LOST).cause
    )
    bench.wait_state(AdapterState.BACKING_OFF)
    bench.server.start()
    bench.come_back(0)
    assert AdapterState.FAILED not in bench.heard.states()


@pytest.mark.parametrize("product", ["spot", "usdm"])
def test_a_wrong_secret_ends_in_failed_with_what_to_do_and_is_not_tried_again(product: str) -> None:
    with BinanceBench(product, secret="wrong") as bench:
        bench.adapter.connect()
        failed = bench.wait_state(AdapterState.FAILED)
        assert "secret" in failed.cause
        before = len(bench.heard)
        bench.advance(3_600)
        bench.adapter.query_account()
        bench.wait(lambda: len(bench.heard) > before)
        assert bench.heard.states(before) == []
        assert AdapterState.READY not in bench.heard.states()
        assert bench.adapter.close() == ""


def test_another_position_mode_ends_in_failed_and_names_the_setting() -> None:
    with BinanceBench("usdm", mode=PositionMode.HEDGING) as bench:
        bench.adapter.connect()
        assert "set_position_mode" in bench.wait_state(AdapterState.FAILED).cause


def test_an_order_lives_and_a_closed_permit_denies_the_next(bench: BinanceBench) -> None:
    bench.connect()
    sent, denied = bench.order(), bench.order()
    bench.adapter.send_order(sent)
    bench.wait(lambda: bool(bench.heard.reports(sent.order_id)))
    assert bench.heard.reports(sent.order_id)[-1].status is OrderStatus.ACCEPTED
    bench.permit.close("kill switch")
    bench.adapter.send_order(denied)
    bench.wait(lambda: bool(bench.heard.reports(denied.order_id)))
    told = bench.heard.reports(denied.order_id)[-1]
    assert (told.status, told.rule) == (OrderStatus.DENIED, "send_permit")
    assert bench.open_orders() == [sent.order_id]


def test_orders_asked_for_before_closing_are_answered_before_it(bench: BinanceBench) -> None:
    bench.connect()
    orders = [bench.order() for _ in range(10)]
    for order in orders:
        bench.adapter.send_order(order)
    assert bench.adapter.close() == ""
    assert all(bench.heard.reports(order.order_id) for order in orders)
    assert bench.heard.states()[-1] is AdapterState.CLOSED


def test_closing_while_backing_off_ends_it(bench: BinanceBench) -> None:
    bench.connect()
    bench.fault("close", connection="user", code=1001)
    bench.wait_state(AdapterState.BACKING_OFF)
    assert bench.adapter.close() == ""
    before = len(bench.heard)
    bench.advance(60)
    assert bench.heard.events(before) == []


def test_binance_asking_for_fewer_requests_is_obeyed_until_the_time_is_over(bench: BinanceBench) -> None:
    bench.connect()
    number = bench.fault("http_status", status=429, retry_after_s=7, count=1)
    since = len(bench.heard)
    bench.adapter.query_account()
    bench.wait(lambda: len(bench.heard.of(RequestFailed, since)) == 1)
    bench.server.clear_faults(number)
    bench.adapter.query_account()
    bench.wait(lambda: len(bench.heard.of(RequestFailed, since)) == 2)
    assert "suspended" in bench.heard.of(RequestFailed, since)[-1].error
    bench.advance(7.1)
    bench.adapter.query_account()
    bench.wait(lambda: bool(bench.heard.of(AccountData, since)))


def test_a_clock_that_is_off_is_measured_again_and_the_question_asked_again(bench: BinanceBench) -> None:
    bench.connect()
    since = len(bench.heard)
    bench.fault("clock_skew", skew_ms=-30_000)
    bench.adapter.query_account()
    bench.wait(lambda: bool(bench.heard.of(AccountData, since)))
    assert [failed.what for failed in bench.heard.of(RequestFailed, since)] == ["check of the clock"]


def test_a_silent_connection_is_found_by_our_clock(bench: BinanceBench) -> None:
    bench.connect()
    since = len(bench.heard)
    bench.fault("half_open", connection="user")

    def lost() -> bool:
        bench.advance(1.0)
        return AdapterState.LOST in bench.heard.states(since)

    bench.wait(lost)
    assert "no frame" in bench.wait_state(AdapterState.LOST, since).cause


def test_what_the_account_hears_is_among_the_figures(bench: BinanceBench) -> None:
    bench.connect()
    order = bench.order()
    bench.adapter.send_order(order)

    def heard() -> bool:
        bench.advance(0.06)  # the venue holds the first events of a subscription back
        return bench.adapter.health().streams[0].messages > 0

    bench.wait(heard)
    (user,) = [stream for stream in bench.adapter.health().streams if stream.name == "user"]
    assert (user.up, user.reconnects, user.stale) == (True, 0, False)


def test_a_key_that_may_withdraw_is_warned_of_once_and_clearly() -> None:
    with BinanceBench("spot", can_withdraw=True, settings={"allow_withdrawal_key": True}) as bench:
        bench.connect()
        since = len(bench.heard)
        bench.fault("reset", connection="user")
        bench.come_back(since)
        (warning,) = bench.heard.of(RequestFailed)
    assert warning.what == "check of the API key"
    assert "may WITHDRAW" in warning.error
    assert "make a key without that right" in warning.error


def test_the_leverage_of_the_settings_is_set_before_the_first_order() -> None:
    with BinanceBench("usdm", settings={"leverage": 2}) as bench:
        bench.connect()
        order = bench.order()
        bench.adapter.send_order(order)
        bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
        assert bench.heard.reports(order.order_id)[-1].status is OrderStatus.ACCEPTED


def test_opening_above_the_most_leverage_is_denied_and_the_fix_is_named() -> None:
    with BinanceBench("usdm") as bench:
        bench.connect()
        order = bench.order()
        bench.adapter.send_order(order)
        bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
        told = bench.heard.reports(order.order_id)[-1]
        assert told.status is OrderStatus.DENIED
        assert "max_leverage" in told.reason
        assert bench.open_orders() == []


def test_a_lost_answer_leaves_the_order_unknown_until_it_is_found(bench: BinanceBench) -> None:
    bench.connect()
    order = bench.order()
    bench.fault("ack_lost", endpoint="POST /*/order", hang=True)
    bench.fault("go_silent", connection="user")
    bench.adapter.send_order(order)
    bench.wait(lambda: bench.open_orders() == [order.order_id])
    bench.advance(10.5)
    bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
    assert bench.heard.reports(order.order_id)[0].status is OrderStatus.UNKNOWN


def test_without_keys_there_are_contracts_and_prices_and_no_orders() -> None:
    with BinanceBench("spot", secret="") as bench:
        bench.connect()
        assert _opening(bench) == [
            AdapterState.CONNECTING,
            AdapterState.CONNECTED,
            ContractsLoaded,
            AdapterState.READY,
        ]
        order = bench.order()
        bench.adapter.send_order(order)
        (told,) = bench.heard.reports(order.order_id)
        assert told.status is OrderStatus.DENIED
        assert "api_key_env" in told.reason


def test_a_refused_handshake_is_not_tried_again_before_it_may_be(bench: BinanceBench) -> None:
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line)), level="ERROR")
    try:
        bench.fault("refuse_handshake", status=503, retry_after_s=9, connection="user")
        bench.adapter.connect()
        assert bench.wait_state(AdapterState.BACKING_OFF).delay_s >= 9.0
        bench.come_back(0)
        bench.adapter.close()
        gc.collect()
    finally:
        logger.remove(number)
    assert lines == []


def test_neither_key_nor_secret_is_in_any_line_or_event(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line)), level=0, diagnose=False)
    caplog.set_level(0)
    try:
        with BinanceBench("usdm", settings={"leverage": 3}) as bench:
            bench.connect()
            bench.adapter.send_order(bench.order())
            bench.wait(lambda: not bench.adapter.session.busy)
            bench.fault("html", endpoint="GET /fapi/v3/account", status=502)
            bench.adapter.query_account()
            bench.wait(lambda: bool(bench.heard.of(RequestFailed)))
            since = len(bench.heard)
            bench.fault("reset")
            bench.come_back(since)
            texts = [*lines, caplog.text, *map(str, bench.heard.events()), repr(bench.adapter.session.settings)]
    finally:
        logger.remove(number)
    for hidden in (KEY, SECRET, "signature", "listenKey="):
        assert not [text for text in texts if hidden in text]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_frame_that_cannot_be_read_costs_the_link_and_not_the_stream_for_ever(bench: BinanceBench, text: str) -> None:
    bench.connect()
    since = len(bench.heard)
    bench.fault("malformed_frame", connection="user", text=text)
    order = bench.order()
    bench.adapter.send_order(order)
    bench.wait(lambda: bool(bench.heard.reports(order.order_id)))

    def lost() -> bool:
        bench.advance(0.06)
        return AdapterState.LOST in bench.heard.states(since)

    bench.wait(lost)
    bench.come_back(since)


def test_an_order_on_its_way_is_answered_although_the_link_is_lost_meanwhile(bench: BinanceBench) -> None:
    bench.connect()
    since = len(bench.heard)
    bench.fault("delay", endpoint="POST /*/order", delay_s=0.2)
    order = bench.order()
    bench.adapter.send_order(order)
    bench.wait(lambda: bool(bench.adapter.session.door._in_flight))
    bench.fault("reset", connection="user")
    bench.wait_state(AdapterState.BACKING_OFF, since)
    assert bench.heard.reports(order.order_id) == []
    bench.advance(0.2)
    bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
    assert bench.heard.reports(order.order_id)[-1].status is OrderStatus.ACCEPTED
