"""Brackets and groups: children wait for their parent, and orders of which one ends or reduces the others."""

import pytest

from foxtrot.domain.enums import Side
from tests.support.ib_order_rig import OrderRig, QuoteClient, brief, place, statuses

SELL = {"action": "SELL", "parentId": 1}


def bracket(client: QuoteClient, entry: str = "199") -> list[list[str]]:
    """A parent and its two children; only the last is transmitted."""
    assert place(client, 1, lmtPrice=entry, transmit=0) == []
    assert place(client, 2, lmtPrice="210", transmit=0, **SELL) == []
    return place(client, 3, orderType="STP", lmtPrice="", auxPrice="190", **SELL)


def a_rig() -> tuple[OrderRig, QuoteClient]:
    rig = OrderRig()
    rig.market()
    return rig, rig.client()


def test_a_bracket_is_transmitted_with_its_last_child() -> None:
    rig, client = a_rig()
    told = bracket(client)
    assert brief(told) == [
        "2 open", "2 PreSubmitted 0/100", "3 open", "3 PreSubmitted 0/100",
        "1 open", "1 PreSubmitted 0/100", "1 open", "1 Submitted 0/100",
    ]  # fmt: skip
    assert [fields[10] for fields in told if fields[0] == "3"] == ["child", "child", "", ""]
    assert [fields[7] for fields in told if fields[0] == "3"] == ["1", "1", "0", "0"]
    opened = {fields[1]: fields for fields in told if fields[0] == "5"}
    assert opened["2"][19] == opened["3"][19] == opened["1"][25]
    (report,) = rig.venue.open_orders("main-ib")
    assert report.side is Side.BUY


def test_the_children_work_once_the_parent_is_filled_and_one_ends_the_other() -> None:
    rig, client = a_rig()
    bracket(client, entry="200.1")
    told = client.ask(5, 1)
    assert (statuses(told, 2), statuses(told, 3)) == (["Submitted"], ["PreSubmitted"])
    assert len(rig.venue.open_orders("main-ib")) == 2
    rig.rest(Side.BUY, "210", 2000, account="bob")
    told = client.take()
    assert statuses(told, 2)[-1] == "Filled"
    assert statuses(told, 3)[-1] == "Cancelled"
    assert rig.venue.open_orders("main-ib") == ()


def test_a_part_of_a_child_that_is_filled_reduces_the_other() -> None:
    rig, client = a_rig()
    bracket(client, entry="200.1")
    client.take()
    for order in rig.venue.open_orders("alice"):
        if order.side is Side.SELL:
            rig.cancel(order.order_id)
    rig.rest(Side.BUY, "210", 30, account="bob")
    told = client.take()
    assert statuses(told, 2)[-1] == "Submitted"
    assert [fields[3:5] for fields in told if fields[0] == "3" and fields[1] == "3"][-1] == ["0", "70"]


def test_children_are_cancelled_with_a_parent_that_was_not_filled() -> None:
    _, client = a_rig()
    bracket(client)
    told = client.ask(4, 1, 1)
    assert [statuses(told, number)[-1] for number in (1, 2, 3)] == ["Cancelled"] * 3
    assert sorted(fields[2] for fields in told if fields[0] == "4") == ["1", "2", "3"]


def test_children_get_what_was_filled_of_a_cancelled_parent() -> None:
    rig = OrderRig()
    rig.market(size=40)
    client = rig.client()
    bracket(client, entry="200.1")
    told = client.ask(4, 1, 1)
    assert statuses(told, 1)[-1] == "Cancelled"
    sells = [one for one in rig.venue.open_orders("main-ib") if one.side is Side.SELL]
    assert [one.quantity for one in sells] == [40, 40]
    assert [fields[3:5] for fields in told if fields[0] == "3" and fields[1] == "2"][-1] == ["0", "40"]


def test_a_child_of_a_filled_parent_goes_at_once_and_one_of_an_ended_parent_is_refused() -> None:
    _, client = a_rig()
    place(client, 1, lmtPrice="200.1")
    assert statuses(place(client, 2, lmtPrice="210", **SELL), 2)[-1] == "Submitted"
    place(client, 3)
    client.ask(4, 1, 3)
    assert brief(place(client, 4, action="SELL", lmtPrice="210", parentId=3)) == ["4 error 201"]


def test_an_order_that_is_kept_back_can_be_transmitted_and_cancelled() -> None:
    _, client = a_rig()
    assert place(client, 1, transmit=0) == []
    assert brief(client.ask(5, 1)) == ["message 53"]
    assert brief(place(client, 1, transmit=0, lmtPrice="188")) == []
    assert statuses(place(client, 1, lmtPrice="188"), 1)[-1] == "Submitted"
    assert place(client, 2, transmit=0) == []
    assert brief(client.ask(4, 1, 2)) == ["2 Cancelled 0/100", "2 error 202"]


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_a_fill_in_a_group_ends_or_reduces_the_others(kind: int) -> None:
    rig, client = a_rig()
    group = {"ocaGroup": "either", "ocaType": kind}
    place(client, 1, lmtPrice="199", **group)
    place(client, 2, lmtPrice="198", totalQuantity="200", **group)
    place(client, 3, lmtPrice="197")
    for order in rig.venue.open_orders("alice"):
        if order.side is Side.BUY:
            rig.cancel(order.order_id)
    client.take()
    rig.rest(Side.SELL, "199", 50, account="bob")
    told = client.take()
    assert statuses(told, 1)[-1] == "Submitted"
    if kind == 1:
        assert statuses(told, 2)[-1] == "Cancelled"
    else:
        assert [fields[3:5] for fields in told if fields[0] == "3" and fields[1] == "2"][-1] == ["0", "100"]
    rig.rest(Side.SELL, "199", 50, account="bob")
    told = client.take()
    assert statuses(told, 1)[-1] == "Filled"
    assert [fields[1] for fields in client.ask(5, 1) if fields[0] == "3"] == ["3"]
