"""Orders from their entry to their end: the sequences of messages, modifications, cancels, brackets and groups."""

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.order_layouts import algo_text
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_order_rig import ACCOUNT_ID, OrderRig, brief, place, recorded, statuses


def test_an_accepted_order_is_told_twice_then_its_cancel() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = place(client, 1)
    assert brief(told) == ["1 open", "1 PreSubmitted 0/100", "1 open", "1 Submitted 0/100"]
    opened = told[2]
    assert opened[1:4] == ["1", opened[2], "AAPL"]
    assert [opened[index] for index in (13, 14, 15, 16, 18, 20, 23, 24)] == [
        "BUY", "100", "LMT", "189.5", "GTC", ACCOUNT_ID, "mine", "1",
    ]  # fmt: skip
    assert brief(client.ask(4, 1, 1)) == ["1 PendingCancel 0/100", "1 Cancelled 0/100", "1 error 202"]
    assert brief(client.ask(4, 1, 1)) == ["1 error 10148"]
    assert brief(client.ask(4, 1, 2)) == ["2 error 10147"]


def test_a_market_order_is_filled_and_its_commission_told_to_the_cent() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = place(client, 1, orderType="MKT", lmtPrice="")
    assert brief(told)[4:] == ["1 fill 100@200.1", "1 open", "1 Filled 100/0", "fee 1.0072 USD"]
    fill = told[4]
    assert (fill[1], fill[16], fill[17], fill[24], fill[26]) == ("-1", ACCOUNT_ID, "NASDAQ", "100", "mine")
    assert told[-1][5] == "1.7976931348623157e+308"
    told = place(client, 2, action="SELL", orderType="MKT", lmtPrice="")
    assert brief(told)[4:7] == ["2 fill 100@200", "2 open", "2 Filled 100/0"]
    fee = float(told[-1][3])
    assert float(told[-1][5]) == pytest.approx(-10 - 1.0072 - fee)


def test_a_part_of_an_order_is_filled_and_the_rest_goes_on() -> None:
    rig = OrderRig()
    rig.market(size=40)
    client = rig.client()
    told = place(client, 1, lmtPrice="200.1")
    assert brief(told)[4:7] == ["1 fill 40@200.1", "1 open", "1 Submitted 40/60"]
    rig.rest(Side.SELL, "200.1", 60)
    assert brief(client.take())[:3] == ["1 fill 60@200.1", "1 open", "1 Filled 100/0"]


def test_an_order_is_modified_under_its_id() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1)
    told = place(client, 1, lmtPrice="190", totalQuantity="50")
    assert brief(told) == ["1 open", "1 PreSubmitted 0/50", "1 open", "1 Submitted 0/50"]
    assert told[-2][16] == "190"
    (report,) = rig.venue.open_orders("main-ib")
    assert (report.quantity, rig.instrument("AAPL.NASDAQ").price(report.price)) == (50, 190.0)
    assert brief(place(client, 1, lmtPrice="190.005")) == ["1 error 110"]
    assert brief(place(client, 1, action="SELL")) == ["1 error 105"]
    assert brief(place(client, 1, symbol="MSFT")) == ["1 error 200"]
    told = place(client, 1, lmtPrice="200.1", totalQuantity="50")
    assert brief(told)[4:7] == ["1 fill 50@200.1", "1 open", "1 Filled 50/0"]
    assert brief(place(client, 1)) == ["1 error 104"]


def test_a_stop_waits_for_its_trigger_and_can_be_moved() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = place(client, 1, action="SELL", orderType="STP", lmtPrice="", auxPrice="195")
    assert brief(told) == ["1 open", "1 PreSubmitted 0/100"]
    assert told[1][10] == "trigger"
    perm_id = told[1][6]
    told = place(client, 1, action="SELL", orderType="STP", lmtPrice="", auxPrice="199.5")
    assert brief(told) == ["1 open", "1 PreSubmitted 0/100"]
    assert told[1][6] == perm_id
    rig.rest(Side.BUY, "199.5", 500)
    for order in rig.venue.open_orders("alice"):
        if order.side is Side.BUY and order.price == rig.instrument("AAPL.NASDAQ").price_units("200"):
            rig.cancel(order.order_id)
    rig.rest(Side.SELL, "199.5", 100, account="bob")
    assert brief(client.take())[:5] == ["1 open", "1 Submitted 0/100", "1 fill 100@199.5", "1 open", "1 Filled 100/0"]


def test_of_a_partly_filled_order_that_is_entered_again_the_fills_count_on() -> None:
    rig = OrderRig()
    rig.market(size=40)
    client = rig.client()
    place(client, 1, lmtPrice="200.1")
    told = place(client, 1, lmtPrice="200.1", tif="DAY")
    assert brief(told)[-1] == "1 Submitted 40/60"
    rig.rest(Side.SELL, "200.1", 60)
    told = client.take()
    assert brief(told)[:3] == ["1 fill 60@200.1", "1 open", "1 Filled 100/0"]
    assert told[0][24] == "100"
    fills = client.ask(7, 3, 9, 0, "", "", "", "", "", "")
    assert [fields[24] for fields in fills if fields[0] == "11"] == ["40", "100"]


@pytest.mark.parametrize(
    ("kind", "more", "first"),
    [
        ("STP LMT", {"auxPrice": "210", "lmtPrice": "211"}, "PreSubmitted"),
        ("MIT", {"auxPrice": "190", "lmtPrice": ""}, "PreSubmitted"),
        ("LIT", {"auxPrice": "190", "lmtPrice": "190.5"}, "PreSubmitted"),
        ("TRAIL", {"auxPrice": "5", "lmtPrice": ""}, "PreSubmitted"),
        ("TRAIL", {"trailingPercent": "2.5", "lmtPrice": ""}, "PreSubmitted"),
        ("LMT", {"displaySize": "10"}, "Submitted"),
        ("LMT", {"hidden": "1"}, "Submitted"),
        ("LMT", {"tif": "DAY"}, "Submitted"),
        ("LMT", {"tif": "GTD", "goodTillDate": "20260311 15:00:00 US/Eastern"}, "Submitted"),
        ("LMT", {"outsideRth": "1"}, "Submitted"),
    ],
)
def test_kinds_of_orders_rest_and_are_echoed(kind: str, more: dict[str, object], first: str) -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = place(client, 1, orderType=kind, **more)
    assert statuses(told, 1)[-1] == first
    (opened,) = [fields for fields in client.ask(5, 1) if fields[0] == "5"]
    assert opened[15] == kind


def test_the_trigger_of_a_trailing_stop_is_told() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, action="SELL", orderType="TRAIL", auxPrice="5", lmtPrice="")
    (opened,) = [fields for fields in client.ask(5, 1) if fields[0] == "5"]
    assert "195.1" in opened


def test_a_market_to_limit_order_takes_the_best_price_and_rests_there() -> None:
    rig = OrderRig()
    rig.market(size=40)
    client = rig.client()
    told = place(client, 1, orderType="MTL", lmtPrice="")
    assert brief(told)[4:7] == ["1 fill 40@200.1", "1 open", "1 Submitted 40/60"]


@pytest.mark.parametrize("tif", ["IOC", "FOK"])
def test_what_cannot_be_filled_at_once_is_cancelled(tif: str) -> None:
    rig = OrderRig()
    rig.market()
    told = place(rig.client(), 1, tif=tif)
    assert brief(told)[-2:] == ["1 Cancelled 0/100", "1 error 202"]
    assert "PendingCancel" not in statuses(told, 1)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"eTradeOnly": "1"}, 10268),
        ({"firmQuoteOnly": "1"}, 10268),
        ({"orderType": "MOC"}, 387),
        ({"orderType": "TRAIL LIMIT"}, 387),
        ({"orderType": "REL"}, 387),
        ({"allOrNone": "1"}, 201),
        ({"minQty": "5"}, 201),
        ({"discretionaryAmt": "0.5"}, 201),
        ({"lmtPrice": "189.505"}, 110),
        ({"lmtPrice": ""}, 321),
        ({"lmtPrice": "0"}, 110),
        ({"totalQuantity": "0"}, 434),
        ({"totalQuantity": "1.5"}, 10243),
        ({"symbol": "NOSUCH"}, 200),
        ({"account": "DU9"}, 321),
        ({"action": "SSHORT"}, 321),
        ({"tif": "AUC"}, 201),
        ({"tif": "OPG"}, 201),
        ({"tif": "GTD", "goodTillDate": "20260101"}, 201),
        ({"tif": "GTD", "goodTillDate": "soon"}, 321),
        ({"cashQty": "500"}, 10244),
        ({"parentId": "77"}, 201),
        ({"orderType": "MKT", "lmtPrice": "", "hidden": "1"}, 201),
        ({"totalQuantity": "100000"}, 201),
    ],
)
def test_a_refused_order_is_told_in_a_code_and_leaves_nothing_open(more: dict[str, object], code: int) -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = place(client, 1, **more)
    assert [fields[2:4] for fields in told if fields[0] == "4"] == [["1", str(code)]]
    assert statuses(told, 1) in ([], ["Inactive"])
    assert brief(client.ask(5, 1)) == ["message 53"]
    assert rig.venue.open_orders("main-ib") == ()


def test_old_attributes_are_taken_where_the_switch_is_off() -> None:
    rig = OrderRig(settings=IbSettings(refuses_old_attributes=False))
    rig.market()
    assert statuses(place(rig.client(), 1, eTradeOnly="1", firmQuoteOnly="1"), 1)[-1] == "Submitted"


def test_margin_is_refused_in_the_words_of_tws() -> None:
    rig = OrderRig()
    rig.market()
    told = place(rig.client(), 1, totalQuantity="20000", lmtPrice="200")
    assert brief(told) == ["1 error 201", "1 open", "1 Inactive 0/20000"]
    assert "YOUR EQUITY WITH LOAN VALUE [999" in told[0][4]
    assert "MUST EXCEED THE INITIAL MARGIN [200" in told[0][4]


def test_open_orders_count_for_the_margin_of_the_next() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    assert statuses(place(client, 1, totalQuantity="5000"), 1)[-1] == "Submitted"
    assert statuses(place(client, 2, totalQuantity="4900"), 2)[-1] == "Submitted"
    assert statuses(place(client, 3, totalQuantity="1000"), 3)[-1] == "Inactive"
    assert statuses(place(client, 4, action="SELL", lmtPrice="210", totalQuantity="9000"), 4)[-1] == "Submitted"


def test_ids_are_used_once_and_only_ever_rise() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 5)
    client.ask(4, 1, 5)
    assert brief(place(client, 5)) == ["5 error 103"]
    assert brief(place(client, 3)) == ["3 error 103"]
    other = rig.client()
    assert statuses(place(other, 3), 3)[-1] == "Submitted"
    assert brief(client.take()) == []
    assert brief(client.ask(4, 1, 3)) == ["3 error 10147"]


def test_twenty_orders_may_be_active_on_a_side() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    for order_id in range(1, 21):
        assert statuses(place(client, order_id, totalQuantity="1"), order_id)[-1] == "Submitted"
        rig.wait(0.1)
    assert brief(place(client, 21, totalQuantity="1")) == ["21 error 201"]
    assert statuses(place(client, 22, totalQuantity="1", action="SELL", lmtPrice="210"), 22)[-1] == "Submitted"


def test_a_read_only_api_refuses_orders_and_cancels() -> None:
    rig = OrderRig(settings=IbSettings(read_only=True))
    rig.market()
    client = rig.client()
    assert brief(place(client, 1)) == ["1 error 321"]
    assert brief(client.ask(4, 1, 1)) == ["1 error 321"]
    assert brief(client.ask(58, 1)) == ["-1 error 321"]


def test_of_several_accounts_one_must_be_named() -> None:
    rig = OrderRig(accounts=("main", "second"))
    rig.market()
    client = rig.client()
    assert brief(place(client, 1, account="")) == ["1 error 435"]
    assert statuses(place(client, 2, account="DU1000002"), 2)[-1] == "Submitted"
    (report,) = rig.venue.open_orders("second-ib")
    assert report.client_order_id == "mine"


def test_an_algo_is_echoed_and_works_as_the_order_it_is() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = client.ask(*recorded("ibapi_157")["adaptive"][0])
    assert statuses(told, 4)[-1] == "Submitted"
    opened = told[2]
    at = opened.index("Adaptive")
    assert opened[at : at + 4] == ["Adaptive", "1", "adaptivePriority", "Normal"]


@pytest.mark.parametrize(
    ("algo", "changes", "code"),
    [
        (("Twap",), {}, 439),
        (("Adaptive",), {"orderType": "STP", "auxPrice": "160"}, 442),
        (("Adaptive", "speed", "1"), {}, 443),
        (("Adaptive", "adaptivePriority", "Hasty"), {}, 441),
    ],
)
def test_an_algo_that_is_not_known_or_not_for_that_is_refused(
    algo: tuple[str, ...], changes: dict[str, str], code: int
) -> None:
    rig = OrderRig()
    rig.market()
    name, *pairs = algo
    told = place(rig.client(), 1, algoStrategy=algo_text(name, tuple(pairs)), **changes)
    assert brief(told) == [f"1 error {code}"]
    assert not rig.venue.open_orders("main-ib")


def test_what_if_answers_with_margin_and_commission_alone() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    told = place(client, 1, whatIf="1", lmtPrice="200")
    assert brief(told) == ["1 open"]
    at = told[0].index("PreSubmitted")
    assert told[0][at - 1] == "1"
    before, change, after = told[0][at + 1 : at + 4], told[0][at + 4 : at + 7], told[0][at + 7 : at + 10]
    assert before == ["0", "0", "1000000"]
    assert [float(one) for one in change[:2]] == [100 * 200.1 / 2, 100 * 200.1 / 4]
    assert float(after[2]) == 1_000_000 - float(told[0][at + 10])
    assert brief(client.ask(5, 1)) == ["message 53"]
    assert statuses(place(client, 1), 1)[-1] == "Submitted"


def test_the_manual_orders_of_tws_are_bound_by_client_zero() -> None:
    rig = OrderRig()
    rig.market()
    client, zero = rig.client(), rig.zero()
    rig.by_hand("150")
    assert brief(client.ask(5, 1)) == ["message 53"]
    told = client.ask(16, 1)
    assert brief(told) == ["0 open", "0 Submitted 0/10", "message 53"]
    told = zero.ask(5, 1)
    assert brief(told) == ["-1 open", "-1 Submitted 0/10", "message 53"]
    assert brief(zero.ask(4, 1, -1)) == ["-1 PendingCancel 0/10", "-1 Cancelled 0/10", "-1 error 202"]
    assert brief(client.ask(15, 1, 1)) == ["-1 error 321"]
    zero.ask(15, 1, 1)
    rig.by_hand("151")
    rig.wait(0.1)
    assert brief(zero.take())[:2] == ["-2 open", "-2 Submitted 0/10"]


def test_a_global_cancel_takes_the_orders_of_all_out() -> None:
    rig = OrderRig()
    rig.market()
    client, other = rig.client(), rig.client()
    place(client, 1)
    place(other, 1)
    rig.by_hand("150")
    assert brief(client.ask(58, 1)) == ["1 PendingCancel 0/100", "1 Cancelled 0/100", "1 error 202"]
    assert statuses(other.take(), 1) == ["PendingCancel", "Cancelled"]
    assert rig.venue.open_orders("main-ib") == ()


def test_while_the_link_upstream_is_lost_orders_go_on_and_nothing_is_told() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, lmtPrice="200")
    place(client, 2, lmtPrice="190")
    rig.gateway.connectivity.set_upstream(is_up=False)
    client.take()
    rig.rest(Side.SELL, "199.9", 1100, account="bob")
    assert client.take() == []
    rig.gateway.connectivity.set_upstream(is_up=True, code=1102)
    assert brief(client.take()) == ["-1 error 1102"]
    told = client.ask(7, 3, 9, 0, "", "", "", "", "", "")
    assert brief(told) == ["1 fill 100@200", "fee 1.0072 USD", "message 55"]
    assert statuses(client.ask(5, 1), 2) == ["Submitted"]
    assert [fields[0] for fields in client.ask(99, 0)] == ["101", "102"]
