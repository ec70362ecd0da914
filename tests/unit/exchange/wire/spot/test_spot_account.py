"""What a spot account can ask: orders, fills, balances, rates; REST and ws-api answer alike."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.commands import Deposit, OpenAccount, PlaceOrder, Withdraw
from foxtrot.exchange.wire.binance.endpoint import Security
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.spot_rig import BTC, START_NS, SpotRig

MS = START_NS // 1_000_000


@pytest.fixture
def rig() -> SpotRig:
    return SpotRig(FeeSchedule.percentage(Decimal("0.0008"), Decimal("0.001")))


def test_an_order_is_told_with_its_times(rig: SpotRig) -> None:
    placed = rig.order()
    rig.row("DELETE", "/api/v3/order", symbol=BTC, orderId=placed["orderId"])
    assert rig.row("GET", "/api/v3/order", symbol=BTC, orderId=1) == {
        "symbol": BTC,
        "orderId": 1,
        "orderListId": -1,
        "clientOrderId": placed["clientOrderId"],
        "price": "40000.00000000",
        "origQty": "0.01000000",
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "CANCELED",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "workingTime": MS + 1,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": MS + 1,
        "updateTime": MS + 2,
        "isWorking": True,
    }


def test_open_and_all_orders_are_lists_by_age(rig: SpotRig) -> None:
    for price in ("40000", "39000", "38000"):
        rig.order(price=price)
    rig.order(symbol="ETHUSDT", price="2000", quantity="1")
    rig.row("DELETE", "/api/v3/order", symbol=BTC, orderId=2)
    ids = lambda rows: [row["orderId"] for row in rows]  # noqa: E731
    assert ids(rig.rows("GET", "/api/v3/openOrders", symbol=BTC)) == [1, 3]
    assert ids(rig.rows("GET", "/api/v3/openOrders")) == [1, 3, 4]
    assert ids(rig.rows("GET", "/api/v3/allOrders", symbol=BTC)) == [1, 2, 3]
    assert ids(rig.rows("GET", "/api/v3/allOrders", symbol=BTC, limit=2)) == [2, 3]
    assert ids(rig.rows("GET", "/api/v3/allOrders", symbol=BTC, orderId=2)) == [2, 3]
    assert ids(rig.rows("GET", "/api/v3/allOrders", symbol=BTC, startTime=MS + 1, limit=2)) == [1, 2]
    assert ids(rig.rows("GET", "/api/v3/allOrders", symbol=BTC, startTime=MS + 2, endTime=MS + 2)) == [2]
    late = rig.refusal("GET", "/api/v3/allOrders", symbol=BTC, startTime=MS, endTime=MS + 86_400_001)
    assert late == (-1127, "More than 24 hours between startTime and endTime.")


def test_fills_are_listed_from_an_id_a_time_or_the_newest(rig: SpotRig) -> None:
    for price in ("40000", "40001", "40002"):
        rig.order("bob", side="SELL", price=price, quantity="0.001")
    rig.order(type="MARKET", quantity="0.002")
    rig.order(type="MARKET", quantity="0.001")
    first = rig.rows("GET", "/api/v3/myTrades", symbol=BTC, limit=1, fromId=1)
    assert first == [
        {
            "symbol": BTC, "id": 1, "orderId": 4, "orderListId": -1, "price": "40000.00000000", "qty": "0.00100000",
            "quoteQty": "40.00000000", "commission": "0.00000100", "commissionAsset": "BTC", "time": MS + 4, "isBuyer": True,
            "isMaker": False, "isBestMatch": True,
        }
    ]  # fmt: skip
    ids = lambda **asked: [row["id"] for row in rig.rows("GET", "/api/v3/myTrades", symbol=BTC, **asked)]  # noqa: E731
    assert ids() == [1, 2, 3]
    assert ids(limit=2) == [2, 3]
    assert ids(fromId=2) == [2, 3]
    assert ids(orderId=5) == [3]
    assert ids(startTime=MS + 5) == [3]
    assert ids(endTime=MS + 4) == [1, 2]
    refusal = rig.refusal("GET", "/api/v3/myTrades", symbol=BTC, fromId=1, startTime=MS)
    assert refusal == (-1128, "Combination of optional parameters invalid.")
    assert rig.rows("GET", "/api/v3/myTrades", symbol="ETHUSDT") == []


def test_an_account_tells_balances_rates_and_permissions(rig: SpotRig) -> None:
    rig.order()
    account = rig.row("GET", "/api/v3/account")
    assert account["commissionRates"] == {
        "maker": "0.00080000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000",
    }  # fmt: skip
    assert (account["makerCommission"], account["takerCommission"]) == (8, 10)
    assert (account["canTrade"], account["canWithdraw"], account["accountType"]) == (True, False, "SPOT")
    assert (account["uid"], account["updateTime"], account["permissions"]) == (1_000_000, MS + 1, ["SPOT"])
    assert account["balances"] == [
        {"asset": "BTC", "free": "100.00000000", "locked": "0.00000000"},
        {"asset": "USDT", "free": "999600.00000000", "locked": "400.00000000"},
        {"asset": "ETH", "free": "0.00000000", "locked": "0.00000000"},
    ]
    some = rig.row("GET", "/api/v3/account", omitZeroBalances="true")["balances"]
    assert isinstance(some, list)
    assert [row["asset"] for row in some] == ["BTC", "USDT"]


def test_rates_and_coins_and_what_the_key_may_do(rig: SpotRig) -> None:
    rates = rig.row("GET", "/api/v3/account/commission", symbol=BTC)
    assert rates["standardCommission"] == {
        "maker": "0.00080000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000",
    }  # fmt: skip
    fees = [
        {"symbol": name, "makerCommission": "0.00080000", "takerCommission": "0.00100000"} for name in (BTC, "ETHUSDT")
    ]
    assert rig.rows("GET", "/sapi/v1/asset/tradeFee") == fees
    assert rig.rows("GET", "/sapi/v1/asset/tradeFee", symbol=BTC) == fees[:1]
    coins = rig.rows("GET", "/sapi/v1/capital/config/getall")
    assert [(row["coin"], row["free"]) for row in coins] == [
        ("BTC", "100.00000000"), ("USDT", "1000000.00000000"), ("ETH", "0.00000000"),
    ]  # fmt: skip
    may = rig.row("GET", "/sapi/v1/account/apiRestrictions")
    assert (may["enableWithdrawals"], may["enableSpotAndMarginTrading"], may["ipRestrict"]) == (False, True, True)
    rig.side.add_key(ApiKey("key-alice", "alice", can_withdraw=True))
    assert rig.row("GET", "/sapi/v1/account/apiRestrictions")["enableWithdrawals"] is True


def test_money_that_comes_and_goes_is_told(rig: SpotRig) -> None:
    rig.venue.execute(Deposit(rig.now_ns, "alice", "BTC", Decimal("1.5")))
    rig.venue.execute(Withdraw(rig.now_ns, "alice", "USDT", Decimal(10)))
    rig.pump()
    updates = rig.told("alice", "balanceUpdate")
    assert [(row["a"], row["d"]) for row in updates] == [("BTC", "1.50000000"), ("USDT", "-10.00000000")]
    positions = rig.told("alice", "outboundAccountPosition")
    assert [row["B"] for row in positions] == [
        [{"a": "BTC", "f": "101.50000000", "l": "0.00000000"}],
        [{"a": "USDT", "f": "999990.00000000", "l": "0.00000000"}],
    ]


def test_accounts_without_keys_hear_nothing_and_orders_of_others_ways_are_told(rig: SpotRig) -> None:
    rig.venue.execute(OpenAccount(rig.now_ns, "carol"))
    rig.venue.execute(Deposit(rig.now_ns, "carol", "USDT", Decimal(10_000)))
    for account in ("carol", "bob"):
        wish = PlaceOrder(
            rig.now_ns, account, "BTCUSDT.BINANCE", f"by-{account}", Side.BUY, OrderType.LIMIT, 100_000, price=4_000_000
        )
        assert rig.venue.execute(wish).ok
    rig.pump()
    assert {name for name, _ in rig.heard} == {"bob"}
    assert rig.told("bob")[0]["c"] == "by-bob"


def test_balances_wait_for_the_last_of_their_command_and_no_longer(rig: SpotRig) -> None:
    rig.order("bob", side="SELL")
    rig.heard.clear()
    rig.venue.execute(
        PlaceOrder(rig.now_ns, "alice", "BTCUSDT.BINANCE", "x", Side.BUY, OrderType.LIMIT, 1_000_000, price=4_000_000)
    )
    events, rig.queue[:] = list(rig.queue), []
    for event in events[:-1]:
        rig.trading.on_event(event)
    assert rig.told("alice", "outboundAccountPosition") == []
    rig.trading.tick(rig.now_ns)
    assert rig.told("alice", "outboundAccountPosition")


WS = {
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", "/api/v3/order/amend/keepPriority"),
    "order.status": ("GET", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
    "account.status": ("GET", "/api/v3/account"),
    "account.commission": ("GET", "/api/v3/account/commission"),
}


@pytest.mark.parametrize(("method", "rest"), WS.items())
def test_ws_api_methods_are_the_rest_calls(rig: SpotRig, method: str, rest: tuple[str, str]) -> None:
    assert rig.routes["WS", method] is rig.routes[rest]
    assert rig.routes["WS", method].security is Security.SIGNED


def test_only_what_enters_an_order_counts_as_one(rig: SpotRig) -> None:
    counting = {path for (_, path), endpoint in rig.routes.items() if endpoint.counts_order}
    lists = {"/api/v3/orderList/oco", "orderList.place.oco"}
    assert counting - lists == {"/api/v3/order", "/api/v3/order/cancelReplace", "order.place", "order.cancelReplace"}
    assert lists <= counting
    weights = rig.routes["GET", "/api/v3/openOrders"].weight
    assert callable(weights)


def test_an_order_by_ws_api_is_the_same_order(rig: SpotRig) -> None:
    params = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "40000", "timeInForce": "GTC"}
    assert rig.row("WS", "order.place", **params)["status"] == "NEW"
    assert rig.row("WS", "order.status", symbol=BTC, orderId=1)["status"] == "NEW"
    assert rig.row("WS", "order.cancel", symbol=BTC, orderId=1)["status"] == "CANCELED"
