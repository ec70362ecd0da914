"""Orders outlive the server with their ids; orders that wait for the opening; what is asked for is what was told."""

import random

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_order_rig import OrderRig, QuoteClient, brief, place, statuses
from tests.support.ib_quote_rig import new_york

SESSIONS = IbSettings(always_open=False)


def test_after_a_restart_of_the_server_every_order_is_as_it_was() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, orderRef="first")
    place(client, 2, lmtPrice="200.1", orderRef="filled")
    place(client, 3, transmit=0)
    place(client, 4, action="SELL", parentId=1, lmtPrice="210")
    before = client.ask(5, 1)
    perm_ids = [fields[25] for fields in before if fields[0] == "5"]
    other = rig.reborn()
    link = other.client()
    assert other.side.next_order_id(1) == 5
    told = link.ask(5, 1)
    assert told == before
    assert [fields[25] for fields in told if fields[0] == "5"] == perm_ids
    assert [fields[26] for fields in link.ask(7, 3, 9, 0, "", "", "", "", "", "") if fields[0] == "11"] == ["filled"]
    assert brief(place(link, 2)) == ["2 error 104"]
    assert statuses(link.ask(4, 1, 1), 1)[-1] == "Cancelled"
    told = place(link, 5)
    assert statuses(told, 5)[-1] == "Submitted"
    assert told[0][25] not in perm_ids


def test_ids_of_orders_that_were_refused_count_after_a_restart() -> None:
    rig = OrderRig()
    rig.market()
    place(rig.client(), 8, totalQuantity="100000")
    other = rig.reborn()
    other.client()
    assert other.side.next_order_id(1) == 9


def test_an_order_waits_for_the_opening_and_says_so() -> None:
    rig = OrderRig(new_york("2026-03-10 20:30:00"), SESSIONS)
    client = rig.client()
    told = place(client, 1, orderType="MKT", lmtPrice="", tif="DAY")
    assert brief(told) == ["1 open", "1 PreSubmitted 0/100", "1 error 399"]
    assert "until 2026-03-11 09:30:00 US/Eastern" in told[2][4]
    assert brief(place(client, 2, tif="IOC")) == ["2 error 201", "2 open", "2 Inactive 0/100"]
    place(client, 3, tif="OPG", orderType="MKT", lmtPrice="")
    place(client, 4)
    told = place(client, 4, lmtPrice="188")
    assert brief(told) == ["4 open", "4 PreSubmitted 0/100"]
    assert statuses(client.ask(4, 1, 4), 4) == ["PendingCancel", "Cancelled"]
    other = rig.reborn()
    link = other.client()
    other.move_to(new_york("2026-03-11 09:29:59"))
    assert link.take() == []
    other.now_ns = new_york("2026-03-11 09:30:00")
    other.rest(Side.SELL, "200", 150, account="bob")
    other.move_to(new_york("2026-03-11 09:30:01"))
    told = link.take()
    assert statuses(told, 1)[-1] == "Filled"
    assert statuses(told, 3)[-1] == "Cancelled"
    assert [fields[19] for fields in told if fields[0] == "11"] == ["100", "50"]


def test_outside_regular_hours_orders_go_that_ask_for_it() -> None:
    rig = OrderRig(new_york("2026-03-10 17:00:00"), SESSIONS)
    client = rig.client()
    assert statuses(place(client, 1, outsideRth=1), 1)[-1] == "Submitted"
    assert statuses(place(client, 2), 2) == ["PreSubmitted"]


def test_an_order_of_the_day_ends_with_it() -> None:
    rig = OrderRig(new_york("2026-03-10 15:59:00"), SESSIONS)
    client = rig.client()
    place(client, 1, tif="DAY")
    place(client, 2)
    rig.move_to(new_york("2026-03-10 16:00:01"))
    told = client.take()
    assert brief(told) == ["1 Cancelled 0/100", "1 error 202"]


def test_what_is_asked_for_agrees_with_what_was_told_whatever_two_clients_do() -> None:
    for seed in range(12):
        _one_story(random.Random(seed))


def _one_story(dice: random.Random) -> None:
    rig = OrderRig()
    rig.market()
    clients = [rig.client(), rig.client()]
    heard: list[list[list[str]]] = [[], []]
    next_ids = [1, 1]
    for _ in range(60):
        which = dice.randrange(2)
        told = _one_step(rig, clients[which], dice, next_ids, which)
        heard[which] += told
        for index, client in enumerate(clients):
            heard[index] += client.take()
        rig.wait(0.5)
        for index, client in enumerate(clients):
            heard[index] += client.take()
    rig.venue.validate()
    for client, told in zip(clients, heard, strict=True):
        _agrees(client, told)


def _one_step(
    rig: OrderRig, client: QuoteClient, dice: random.Random, next_ids: list[int], which: int
) -> list[list[str]]:
    known = next_ids[which] - 1
    act = dice.random()
    price = f"{dice.randrange(19_800, 20_220) / 100:.2f}"
    more: dict[str, object] = {"lmtPrice": price, "totalQuantity": dice.randrange(1, 40)}
    more["action"] = dice.choice(["BUY", "SELL"])
    if dice.random() < 0.3:
        more |= {"ocaGroup": dice.choice("ab"), "ocaType": dice.randrange(1, 4)}
    if dice.random() < 0.3:
        more |= {"orderType": "STP", "auxPrice": price, "lmtPrice": ""}
    if act < 0.45 or not known:
        next_ids[which] += 1
        if dice.random() < 0.2 and known:
            more |= {"parentId": dice.randrange(1, known + 1)}
        return place(client, next_ids[which] - 1, tif=dice.choice(["DAY", "GTC", "IOC"]), **more)
    order_id = dice.randrange(1, known + 1)
    if act < 0.65:
        return place(client, order_id, **more)
    if act < 0.85:
        return client.ask(4, 1, order_id)
    side = dice.choice([Side.BUY, Side.SELL])
    rig.rest(side, price, dice.randrange(1, 30), account="bob")
    return []


def _agrees(client: QuoteClient, told: list[list[str]]) -> None:
    """The last status of each order that was told, and every fill, are those that the questions answer."""
    last = {fields[1]: fields for fields in told if fields[0] == "3"}
    fills = {fields[14]: (fields[2], fields[19], fields[20]) for fields in told if fields[0] == "11"}
    open_now = {fields[1]: fields[2:6] for fields in client.ask(5, 1) if fields[0] == "3"}
    told_open = {
        number: fields[2:6] for number, fields in last.items() if fields[2] not in ("Cancelled", "Filled", "Inactive")
    }
    assert open_now == told_open
    asked = client.ask(7, 3, 9, client.link.client_id, "", "", "", "", "", "")
    assert {fields[14]: (fields[2], fields[19], fields[20]) for fields in asked if fields[0] == "11"} == fills
    charged = {fields[2]: fields[3:6] for fields in told if fields[0] == "59"}
    assert {fields[2]: fields[3:6] for fields in asked if fields[0] == "59"} == charged
    sums: dict[str, float] = {}
    for number, shares, _ in fills.values():
        sums[number] = sums.get(number, 0) + float(shares)
    assert sums == {number: float(fields[3]) for number, fields in last.items() if float(fields[3])}
    perm_ids = {fields[6]: fields[2] for fields in last.values() if fields[2] in ("Cancelled", "Filled", "Inactive")}
    ended = {fields[23]: fields for fields in client.ask(99, 1) if fields[0] == "101"}
    assert perm_ids.keys() <= ended.keys()
    for perm_id, status in perm_ids.items():
        assert status in ended[perm_id]


def test_an_order_that_waits_ends_with_its_time() -> None:
    rig = OrderRig(new_york("2026-03-10 20:30:00"), SESSIONS)
    client = rig.client()
    told = place(client, 1, tif="GTD", goodTillDate="20260311 08:00:00 US/Eastern")
    assert brief(told) == ["1 open", "1 PreSubmitted 0/100", "1 error 399"]
    rig.move_to(new_york("2026-03-11 07:59:59"))
    assert client.take() == []
    rig.move_to(new_york("2026-03-11 08:00:00"))
    assert brief(client.take()) == ["1 Cancelled 0/100", "1 error 202"]


def test_a_changed_order_is_told_with_all_that_was_changed() -> None:
    rig = OrderRig()
    rig.market()
    client = rig.client()
    place(client, 1, lmtPrice="200.1", totalQuantity="1500", displaySize="100")
    told = place(client, 1, lmtPrice="200.1", totalQuantity="1400", displaySize="100", modelCode="later", tif="DAY")
    assert statuses(told, 1)[-1] == "Submitted"
    (opened,) = [fields for fields in client.ask(5, 1) if fields[0] == "5"]
    assert "later" in opened
    assert (opened[14], opened[18]) == ("1400", "DAY")
    (report,) = rig.venue.open_orders("main-ib")
    assert (report.quantity, report.display_quantity) == (400, 100)


def test_an_account_that_is_seen_under_another_id_after_a_restart_keeps_its_orders() -> None:
    rig = OrderRig(accounts=("main", "second"))
    rig.market()
    client = rig.client()
    place(client, 1, account="DU1000002")
    place(client, 2, account="DU1000002", transmit=0)
    other = rig.reborn(accounts=("second",))
    link = other.client()
    (opened,) = [fields for fields in link.ask(5, 1) if fields[0] == "5"]
    assert opened[20] == "DU1000001"
    assert statuses(place(link, 1, lmtPrice="188"), 1)[-1] == "Submitted"
    none = rig.reborn(accounts=("main",))
    link = none.client()
    assert [fields[0] for fields in link.ask(5, 1)] == ["5", "3", "53"]
    assert brief(place(link, 1, account="", lmtPrice="188")) == ["1 error 321"]
    assert brief(place(link, 2, account=""))[0] == "2 error 321"
