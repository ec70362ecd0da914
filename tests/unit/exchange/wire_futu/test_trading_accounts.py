"""Accounts as Futu's clients see them: list, lock, who hears of what."""

import hashlib
from importlib.util import find_spec

import pytest

from tests.support.futu_trade_rig import BOB, HK, ORDER_PUSH, REAL, SIMULATE, US, TradeRig

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")


def test_each_account_shows_as_one_real_and_one_simulate_id() -> None:
    rig = TradeRig()
    c2s = rig.new(2001)
    c2s.userID = 0
    rows = rig.send(2001, c2s).accList
    assert [(row.accID, row.trdEnv, list(row.trdMarketAuthList)) for row in rows] == [
        (REAL, 1, [HK, US]),
        (SIMULATE, 0, [HK, US]),
        (REAL + 1, 1, [HK, US]),
        (SIMULATE + 1, 0, [HK, US]),
    ]
    assert [(row.HasField("securityFirm"), row.HasField("simAccType")) for row in rows] == [
        (True, False),
        (False, True),
    ] * 2
    assert {(row.accType, row.accStatus) for row in rows} == {(2, 0)}
    c2s.trdCategory = 2
    assert not rig.send(2001, c2s).accList, "nobody has an account for futures"


def test_real_orders_need_an_unlock_and_simulate_ones_do_not() -> None:
    rig = TradeRig()
    assert rig.refused() == "没有解锁交易，请先解锁交易"
    assert rig.place(SIMULATE)
    rig.unlock()
    assert rig.place()


def test_the_unlock_is_a_state_of_opend_not_of_the_connection() -> None:
    rig = TradeRig()
    other = rig.connect()
    c2s = rig.new(2005)
    c2s.unlock, c2s.pwdMD5 = True, hashlib.md5(b"foxtrot").hexdigest()
    assert rig.send(2005, c2s, other) is None
    order_id = rig.place()
    rig.trading.lock()
    assert "解锁" in rig.refusal(2205, rig.change(order_id)), "a cancel needs it too"
    assert "解锁" in rig.refused()
    rig.unlock()
    rig.cancel(order_id)


def test_a_client_may_lock_without_the_password_and_a_wrong_one_unlocks_nothing() -> None:
    rig = TradeRig()
    c2s = rig.new(2005)
    c2s.unlock, c2s.pwdMD5 = True, hashlib.md5(b"wrong").hexdigest()
    assert rig.refusal(2005, c2s) == "Unlock failed: the trade password is wrong"
    assert "解锁" in rig.refused()
    rig.unlock()
    c2s = rig.new(2005)
    c2s.unlock = False
    rig.send(2005, c2s)
    assert "解锁" in rig.refused()


def test_a_subscription_to_accounts_replaces_the_one_before_it() -> None:
    rig = TradeRig()
    rig.unlock()
    rig.listen(REAL, SIMULATE)
    rig.listen(REAL)
    rig.listen(REAL)
    rig.place(SIMULATE)
    assert rig.told(ORDER_PUSH) == []
    rig.place()
    assert [s2c.header.accID for s2c in rig.told(ORDER_PUSH)] == [REAL, REAL]
    rig.listen()
    rig.place()
    assert len(rig.told(ORDER_PUSH)) == 2


def test_every_connection_that_named_the_account_is_told_and_no_other() -> None:
    rig = TradeRig()
    rig.unlock()
    second, third = rig.connect(), rig.connect()
    rig.listen(REAL)
    rig.listen(REAL, BOB, client=second)
    rig.listen(BOB, client=third)
    rig.place()
    assert [len(rig.told(ORDER_PUSH, client)) for client in (rig.client, second, third)] == [2, 2, 0]
    rig.trading.closed(second)
    rig.place()
    assert [len(rig.told(ORDER_PUSH, client)) for client in (rig.client, second)] == [4, 2]


def test_an_account_that_is_not_there_is_refused_by_its_number() -> None:
    rig = TradeRig()
    c2s = rig.new(2008)
    c2s.accIDList.extend([REAL, 5])
    assert rig.refusal(2008, c2s) == "Account 5 does not exist; ask for the account list"
    assert not rig.client.accounts
    asked = rig.asked(2101, 5)
    assert rig.refusal(2101, asked).startswith("Account 5 does not exist")
    asked = rig.asked(2101, REAL)
    asked.header.trdEnv = 0
    assert rig.refusal(2101, asked) == f"Account {REAL} is not of trade environment 0"
    assert rig.refusal(2101, rig.asked(2101, REAL, 3)) == f"Account {REAL} does not trade on market 3"
