"""Subscriptions: the cross product, who may, the minute, the slots that connections share, and what is told of them."""

from importlib.util import find_spec

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.futu.quote_limits import FIGURES, QuoteSettings
from foxtrot.exchange.wire.futu.quote_types import NAMES
from foxtrot.exchange.wire.futu.refusal import FAILED, FutuRefused
from tests.support.futu_quote_rig import APPLE, TENCENT, QuoteClient, QuoteRig, securities

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
QUOTE, BOOK, TICKER, K_1M = 1, 2, 4, 11
MINUTE_S = FIGURES["shortest_s"].value


@pytest.fixture
def rig() -> QuoteRig:
    return QuoteRig()


def used(client: QuoteClient) -> tuple[int, int]:
    info = client.ask(3003, isReqAllConn=True)
    return info.totalUsedQuota, info.remainQuota


def refusal(client: QuoteClient, proto_id: int, **fields: object) -> str:
    with pytest.raises(FutuRefused) as caught:
        client.ask(proto_id, **fields)
    assert caught.value.ret_type == FAILED
    return caught.value.message


def test_every_type_is_subscribed_for_every_security(rig: QuoteRig) -> None:
    client = rig.open()
    client.subscribe([TENCENT, APPLE], [QUOTE, BOOK])
    held = {(key, kind) for key, by_type in client.client.subscriptions.items() for kind in by_type}
    assert held == {(TENCENT, QUOTE), (TENCENT, BOOK), (APPLE, QUOTE), (APPLE, BOOK)}
    assert used(client) == (4, 296)


def test_all_types_of_the_table_can_be_subscribed(rig: QuoteRig) -> None:
    rig.trade(TENCENT, 400.0, 100)
    first = rig.open().subscribe([TENCENT], list(NAMES))
    assert len(first) == len(NAMES)
    rig.wait(1)
    client = rig.open()
    client.subscribe([TENCENT], list(NAMES), isFirstPush=False)
    rig.trade(TENCENT, 400.0, 100)
    klines = {told.s2c.klType for told in client.take() if told.proto_id == 3007}
    assert len(klines) == len(NAMES) - 3


@pytest.mark.parametrize("kind", [0, 5, 14, 22, 99])
def test_a_type_that_is_not_served_is_refused_by_its_number(rig: QuoteRig, kind: int) -> None:
    text = refusal(rig.open(), 3001, securityList=securities(TENCENT), subTypeList=[QUOTE, kind], isSubOrUnSub=True)
    assert text.startswith(f"Data type {kind} cannot be subscribed here; there are 1 Basic, 2 OrderBook, 4 Ticker")


def test_an_unknown_code_refuses_the_whole_request(rig: QuoteRig) -> None:
    client = rig.open()
    wanted = securities(TENCENT, (1, "99999"))
    assert refusal(client, 3001, securityList=wanted, subTypeList=[QUOTE], isSubOrUnSub=True) == "Unknown stock 99999"
    assert refusal(client, 3001, securityList=securities((11, "00700")), subTypeList=[QUOTE], isSubOrUnSub=True)
    assert client.client.subscriptions == {}
    assert used(client) == (0, 300)


def test_a_market_without_quote_right_is_refused() -> None:
    rig = QuoteRig(settings=QuoteSettings(rights={1: "LV2"}))
    client = rig.open()
    asked = {"securityList": securities(TENCENT, APPLE), "subTypeList": [QUOTE], "isSubOrUnSub": True}
    assert refusal(client, 3001, **asked) == "No right to subscribe AAPL"
    assert refusal(client, 3203, securityList=securities(APPLE)) == "No right to get the quote for US.AAPL"
    assert used(client) == (0, 300)


def test_level_one_shows_one_level() -> None:
    rig = QuoteRig(settings=QuoteSettings(rights={1: "LV1"}))
    for price in (399.6, 399.8):
        rig.order(TENCENT, Side.BUY, price, 100)
    [told] = rig.open().subscribe([TENCENT], [BOOK])
    assert [row.price for row in told.s2c.orderBookBidList] == [399.8]


def test_nothing_can_be_unsubscribed_before_its_minute_and_then_all_of_it(rig: QuoteRig) -> None:
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE])
    rig.wait(MINUTE_S - 1)
    client.subscribe([TENCENT], [BOOK])
    with pytest.raises(FutuRefused, match=r"HK\.00700 Basic was subscribed 59 s ago: .* after at least one minute"):
        client.unsubscribe([TENCENT], [QUOTE])
    rig.wait(1)
    with pytest.raises(FutuRefused, match=r"HK\.00700 OrderBook was subscribed 1 s ago"):
        client.unsubscribe([TENCENT], [QUOTE, BOOK])
    assert client.client.subscriptions[TENCENT].keys() == {QUOTE, BOOK}
    client.unsubscribe([TENCENT], [QUOTE])
    assert used(client) == (1, 299)
    assert "subscribed 1 s ago" in refusal(client, 3001, isSubOrUnSub=False, isUnsubAll=True)
    rig.wait(MINUTE_S)
    client.ask(3001, isSubOrUnSub=False, isUnsubAll=True)
    assert used(client) == (0, 300)


def test_subscribing_again_does_not_begin_the_minute_anew(rig: QuoteRig) -> None:
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE])
    rig.wait(MINUTE_S - 1)
    client.subscribe([TENCENT], [QUOTE])
    assert used(client) == (1, 299)
    rig.wait(1)
    client.unsubscribe([TENCENT], [QUOTE])


def test_what_is_not_subscribed_can_be_unsubscribed(rig: QuoteRig) -> None:
    rig.open().unsubscribe([TENCENT], [QUOTE])


def test_connections_share_a_slot_until_the_last_has_left_it(rig: QuoteRig) -> None:
    one, two = rig.open(), rig.open()
    one.subscribe([TENCENT], [QUOTE, BOOK])
    two.subscribe([TENCENT], [QUOTE])
    assert used(one) == (2, 298)
    rig.wait(MINUTE_S)
    one.unsubscribe([TENCENT], [QUOTE, BOOK])
    assert used(one) == (1, 299)
    two.unsubscribe([TENCENT], [QUOTE])
    assert used(one) == (0, 300)


def test_a_connection_that_closes_early_leaves_its_slots_taken_until_their_minute_is_over(rig: QuoteRig) -> None:
    one, two = rig.open(), rig.open()
    one.subscribe([TENCENT], [QUOTE, BOOK])
    rig.wait(MINUTE_S - 10)
    one.subscribe([TENCENT], [TICKER])
    rig.close(one)
    assert used(two) == (3, 297)
    rig.wait(10)
    assert used(two) == (1, 299)
    rig.wait(MINUTE_S)
    assert used(two) == (0, 300)
    two.subscribe([TENCENT], [QUOTE])
    rig.wait(MINUTE_S)
    rig.close(two)
    assert used(rig.open()) == (0, 300)


def test_a_slot_that_was_left_early_costs_nothing_when_it_is_taken_again() -> None:
    rig = QuoteRig(settings=QuoteSettings(subscription_quota=1))
    one, two = rig.open(), rig.open()
    one.subscribe([TENCENT], [QUOTE])
    rig.close(one)
    two.subscribe([TENCENT], [QUOTE])
    assert used(two) == (1, 0)


def test_more_than_the_quota_is_refused_as_a_whole() -> None:
    rig = QuoteRig(settings=QuoteSettings(subscription_quota=3))
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, BOOK])
    asked = {"securityList": securities(TENCENT, APPLE), "isSubOrUnSub": True}
    text = refusal(client, 3001, subTypeList=[QUOTE, BOOK], **asked)
    assert text == "Insufficient subscription quota: 2 needed, 1 left"
    assert used(client) == (2, 1)
    client.subscribe([APPLE], [QUOTE])
    assert used(client) == (3, 0)


def test_without_limits_quotas_are_counted_and_nothing_is_refused() -> None:
    rig = QuoteRig(limits=False, settings=QuoteSettings(subscription_quota=1))
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, BOOK])
    assert used(client) == (2, 0)
    client.unsubscribe([TENCENT], [QUOTE, BOOK])


def test_what_is_subscribed_is_told_of_one_connection_or_of_all(rig: QuoteRig) -> None:
    one, two, three = rig.open(), rig.open(), rig.open()
    one.subscribe([TENCENT], [QUOTE, BOOK])
    two.subscribe([TENCENT, APPLE], [QUOTE])
    mine = two.ask(3003)
    assert [(row.isOwnConnData, row.usedQuota) for row in mine.connSubInfoList] == [(True, 2)]
    assert [one.code for one in mine.connSubInfoList[0].subInfoList[0].securityList] == ["00700", "AAPL"]
    every = two.ask(3003, isReqAllConn=True)
    assert [(row.isOwnConnData, row.usedQuota) for row in every.connSubInfoList] == [(False, 2), (True, 2)]
    assert every.totalUsedQuota == 3
    rig.close(one)
    assert len(three.ask(3003, isReqAllConn=True).connSubInfoList) == 1


def test_polling_only_gets_no_push_but_answers(rig: QuoteRig) -> None:
    rig.trade(TENCENT, 400.0, 100)
    client = rig.open()
    assert client.subscribe([TENCENT], [QUOTE], isRegOrUnRegPush=False) == []
    rig.trade(TENCENT, 400.2, 100)
    assert client.take() == []
    assert client.ask(3004, securityList=securities(TENCENT)).basicQotList[0].curPrice == 400.2


def test_pushes_are_registered_and_let_go_without_touching_the_subscription(rig: QuoteRig) -> None:
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE], isRegOrUnRegPush=False)
    asked = {"securityList": securities(TENCENT), "subTypeList": [QUOTE]}
    client.ask(3002, isRegOrUnReg=True, isFirstPush=False, **asked)
    assert client.take() == []
    rig.trade(TENCENT, 400.0, 100)
    assert [told.proto_id for told in client.take()] == [3005]
    client.ask(3002, isRegOrUnReg=False, **asked)
    rig.trade(TENCENT, 400.0, 100)
    assert client.take() == []
    client.ask(3002, isRegOrUnReg=True, **asked)
    assert [told.proto_id for told in client.take()] == [3005]
    assert used(client) == (1, 299)


def test_pushes_of_what_is_not_subscribed_are_refused_but_may_be_let_go(rig: QuoteRig) -> None:
    client = rig.open()
    asked = {"securityList": securities(TENCENT), "subTypeList": [QUOTE]}
    client.ask(3002, isRegOrUnReg=False, **asked)
    assert refusal(client, 3002, isRegOrUnReg=True, **asked) == "HK.00700 Basic is not subscribed on this connection"


@pytest.mark.parametrize(
    ("proto_id", "fields", "name"),
    [
        (3004, {"securityList": securities}, "Basic"),
        (3006, {"security": securities, "rehabType": 1, "klType": 1, "reqNum": 1}, "KL_1Min"),
        (3010, {"security": securities, "maxRetNum": 1}, "Ticker"),
        (3012, {"security": securities, "num": 1}, "OrderBook"),
    ],
)
def test_live_data_must_be_subscribed_first(rig: QuoteRig, proto_id: int, fields: dict[str, object], name: str) -> None:
    named = securities(TENCENT)
    asked = {k: (named if k == "securityList" else named[0]) if v is securities else v for k, v in fields.items()}
    rig.open().subscribe([TENCENT], list(NAMES))
    text = refusal(rig.open(), proto_id, **asked)
    assert text == f"Before requesting this interface, please subscribe to the {name} data first"


def test_a_session_that_has_no_data_is_refused(rig: QuoteRig) -> None:
    asked = {"securityList": securities(APPLE), "subTypeList": [K_1M], "isSubOrUnSub": True}
    assert refusal(rig.open(), 3001, session=4, **asked).startswith("Session 4 has no data here")


def test_nothing_named_is_refused(rig: QuoteRig) -> None:
    assert refusal(rig.open(), 3001, subTypeList=[QUOTE], isSubOrUnSub=True) == "No security is named in the request"
    assert refusal(rig.open(), 3004) == "No security is named in the request"
