"""USD-M account, balances, positions and what can be set, in figures."""

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.venue import Venue
from tests.support.usdm_rig import BTC, START_NS, UsdmRig

START_MS = START_NS // 1_000_000
SYMBOL = {"symbol": "BTCUSDT"}


@pytest.fixture
def rig() -> UsdmRig:
    return UsdmRig()


def hedge(rig: UsdmRig) -> None:
    assert rig.call("POST", "v1/positionSide/dual", dualSidePosition="true") == {"code": 200, "msg": "success"}


def test_an_account_without_positions(rig: UsdmRig) -> None:
    row = rig.call("GET", "v3/account")
    assert row["positions"] == []
    assert {name: text for name, text in row.items() if isinstance(text, str)} == {
        "totalInitialMargin": "0.00000000", "totalMaintMargin": "0.00000000",
        "totalWalletBalance": "10000.00000000", "totalUnrealizedProfit": "0.00000000",
        "totalMarginBalance": "10000.00000000", "totalPositionInitialMargin": "0.00000000",
        "totalOpenOrderInitialMargin": "0.00000000", "totalCrossWalletBalance": "10000.00000000",
        "totalCrossUnPnl": "0.00000000", "availableBalance": "10000.00000000", "maxWithdrawAmount": "10000.00000000",
    }  # fmt: skip
    assert [asset["asset"] for asset in row["assets"]] == ["USDT"]
    assert row["assets"][0]["updateTime"] == START_MS


def test_a_position_and_an_order_in_the_account(rig: UsdmRig) -> None:
    rig.hold("BUY", 100, 500_000)
    rig.order(quantity="0.100", price="40000")
    rig.mark(510_000)
    row = rig.call("GET", "v3/account")
    asset = row["assets"][0]
    figures = {name: asset[name] for name in (
        "walletBalance", "unrealizedProfit", "marginBalance", "maintMargin", "initialMargin", "positionInitialMargin",
        "openOrderInitialMargin", "availableBalance", "maxWithdrawAmount",
    )}  # fmt: skip
    assert figures == {
        "walletBalance": "9997.50000000", "unrealizedProfit": "100.00000000", "marginBalance": "10097.50000000",
        "maintMargin": "127.50000000", "initialMargin": "455.00000000", "positionInitialMargin": "255.00000000",
        "openOrderInitialMargin": "200.00000000", "availableBalance": "9642.50000000",
        "maxWithdrawAmount": "9642.50000000",
    }  # fmt: skip
    assert row["positions"] == [{
        "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "0.100", "unrealizedProfit": "100.00000000",
        "isolatedMargin": "0.00000000", "notional": "5100.00000000", "isolatedWallet": "0",
        "initialMargin": "455.00000000", "maintMargin": "127.50000000", "updateTime": START_MS,
    }]  # fmt: skip


def test_the_older_accounts_list_every_symbol(rig: UsdmRig) -> None:
    row = rig.call("GET", "v2/account")
    assert (row["canTrade"], row["feeTier"], row["multiAssetsMargin"]) == (True, 0, False)
    assert [(one["symbol"], one["leverage"], one["updateTime"]) for one in row["positions"]] == [
        ("BTCUSDT", "20", 0),
        ("ETHUSDT", "20", 0),
    ]
    assert rig.call("GET", "v1/account") == row


def test_balances(rig: UsdmRig) -> None:
    (row,) = rig.call("GET", "v3/balance")
    assert (row["asset"], row["balance"], row["availableBalance"]) == ("USDT", "10000.00000000", "10000.00000000")
    assert rig.call("GET", "v2/balance") == [row]
    assert rig.call("WS", "account.balance") == rig.call("WS", "v2/account.balance") == [row]


def test_position_risk_in_its_versions(rig: UsdmRig) -> None:
    rig.hold("SELL", 100, 500_000)
    rig.mark(510_000)
    (row,) = rig.call("GET", "v3/positionRisk")
    assert row == {
        "symbol": "BTCUSDT", "positionSide": "BOTH", "entryPrice": "50000.0", "breakEvenPrice": "50000.0",
        "markPrice": "51000.0", "unRealizedProfit": "-100.00000000", "liquidationPrice": row["liquidationPrice"],
        "isolatedMargin": "0.00000000", "positionAmt": "-0.100", "notional": "-5100.00000000", "isolatedWallet": "0",
        "marginAsset": "USDT", "initialMargin": "255.00000000", "maintMargin": "127.50000000",
        "positionInitialMargin": "255.00000000", "openOrderInitialMargin": "0.00000000", "adl": 0,
        "bidNotional": "0.00000000", "askNotional": "0.00000000", "updateTime": START_MS,
    }  # fmt: skip
    assert rig.call("GET", "v3/positionRisk", symbol="ETHUSDT") == []
    assert rig.refusal("GET", "v3/positionRisk", symbol="NOPE") == (-1121, "Invalid symbol.")
    old = rig.call("GET", "v2/positionRisk")
    assert [one["symbol"] for one in old] == ["BTCUSDT", "ETHUSDT"]
    assert (old[0]["marginType"], old[0]["leverage"], old[1]["positionAmt"]) == ("cross", "20", "0.000")
    assert rig.call("WS", "v2/account.position", **SYMBOL) == [row]
    assert rig.call("WS", "account.position") == old


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_the_liquidation_price_is_where_the_venue_liquidates(side: str) -> None:
    rig = UsdmRig()
    rig.hold(side, 2000, 500_000)
    price = float(rig.call("GET", "v3/positionRisk")[0]["liquidationPrice"])
    step, units = (1, int(price * 10)) if side == "SELL" else (-1, int(price * 10) + 1)
    rig.mark(units)
    assert rig.call("GET", "v3/positionRisk") != []
    rig.mark(units + step)
    assert rig.call("GET", "v3/positionRisk") == []


def test_an_order_alone_shows_its_symbol_with_its_notional(rig: UsdmRig) -> None:
    rig.order(quantity="0.100", price="40000")
    (row,) = rig.call("GET", "v3/positionRisk")
    assert (row["positionAmt"], row["bidNotional"], row["openOrderInitialMargin"]) == (
        "0.000",
        "4000.00000000",
        "200.00000000",
    )


def test_leverage_changes_the_margin_and_is_told(rig: UsdmRig) -> None:
    rig.order(quantity="0.100", price="50000")
    answer = rig.call("POST", "v1/leverage", **SYMBOL, leverage=10)
    assert answer == {"symbol": "BTCUSDT", "leverage": 10, "maxNotionalValue": "1000000000"}
    assert rig.call("GET", "v3/account")["totalInitialMargin"] == "500.00000000"
    assert rig.events("ACCOUNT_CONFIG_UPDATE") == [
        {"e": "ACCOUNT_CONFIG_UPDATE", "E": START_MS, "T": START_MS, "ac": {"s": "BTCUSDT", "l": 10}}
    ]
    (row,) = rig.call("GET", "v1/symbolConfig", **SYMBOL)
    assert row == {
        "symbol": "BTCUSDT", "marginType": "CROSSED", "isAutoAddMargin": False, "leverage": 10,
        "maxNotionalValue": "1000000000",
    }  # fmt: skip
    assert [one["leverage"] for one in rig.call("GET", "v1/symbolConfig")] == [10, 20]


def test_leverage_has_bounds(rig: UsdmRig) -> None:
    rig.order(quantity="1.000", price="50000")
    (row,) = rig.call("GET", "v1/leverageBracket", **SYMBOL)
    most = row["brackets"][0]["initialLeverage"]
    assert row["brackets"][0] == {
        "bracket": 1, "initialLeverage": most, "notionalCap": 1_000_000_000, "notionalFloor": 0,
        "maintMarginRatio": 0.025, "cum": 0.0,
    }  # fmt: skip
    assert rig.refusal("POST", "v1/leverage", **SYMBOL, leverage=most + 1) == (
        -4028,
        f"Leverage {most + 1} is not valid",
    )
    assert rig.refusal("POST", "v1/leverage", **SYMBOL, leverage=0) == (-4028, "Leverage 0 is not valid")
    assert rig.refusal("POST", "v1/leverage", **SYMBOL, leverage=2) == (
        -2028,
        "Leverage is smaller than permitted: insufficient margin balance.",
    )
    assert rig.refusal("POST", "v1/leverage", symbol="NOPE", leverage=2)[0] == -1121
    assert len(rig.call("GET", "v1/leverageBracket")) == 2


def test_margin_is_cross_and_stays_so(rig: UsdmRig) -> None:
    assert rig.refusal("POST", "v1/marginType", **SYMBOL, marginType="CROSSED") == (
        -4046,
        "No need to change margin type.",
    )
    assert rig.refusal("POST", "v1/marginType", **SYMBOL, marginType="ISOLATED")[0] == -4084
    assert rig.refusal("POST", "v1/marginType", **SYMBOL, marginType="OTHER")[0] == -1128
    text = "Add margin only support for isolated position."
    assert rig.refusal("POST", "v1/positionMargin", **SYMBOL, amount=1, type=1) == (-4049, text)
    assert rig.call("GET", "v1/multiAssetsMargin") == {"multiAssetsMargin": False}
    assert rig.refusal("POST", "v1/multiAssetsMargin", multiAssetsMargin="false")[0] == -4171
    assert rig.refusal("POST", "v1/multiAssetsMargin", multiAssetsMargin="true")[0] == -4084
    assert rig.refusal("POST", "v1/multiAssetsMargin", multiAssetsMargin="perhaps")[0] == -1102


def test_the_position_mode_changes_when_nothing_is_open(rig: UsdmRig) -> None:
    path = "v1/positionSide/dual"
    assert rig.call("GET", path) == {"dualSidePosition": False}
    assert rig.refusal("POST", path, dualSidePosition="false") == (-4059, "No need to change position side.")
    rig.order()
    assert rig.refusal("POST", path, dualSidePosition="true") == (
        -4067,
        "Position side cannot be changed if there exists open orders.",
    )
    rig.call("DELETE", "v1/allOpenOrders", **SYMBOL)
    rig.hold()
    assert rig.refusal("POST", path, dualSidePosition="true") == (
        -4068,
        "Position side cannot be changed if there exists position.",
    )
    rig.quote(Side.BUY, 10, 500_000)
    rig.order("SELL", price=None, reduceOnly="true")
    hedge(rig)
    assert rig.call("GET", path) == {"dualSidePosition": True}
    assert rig.call("GET", "v1/accountConfig")["dualSidePosition"] is True


def test_in_hedge_mode_orders_name_their_side_and_no_reduce_only(rig: UsdmRig) -> None:
    hedge(rig)
    assert rig.order_refusal() == (-4061, "Order's position side does not match user's setting.")
    assert rig.order_refusal(positionSide="LONG", reduceOnly="true") == (
        -1106,
        "Parameter 'reduceonly' sent when not required.",
    )
    rig.quote(Side.SELL, 10, 500_000)
    rig.quote(Side.BUY, 30, 490_000)
    assert rig.order("BUY", "0.010", None, positionSide="LONG")["positionSide"] == "LONG"
    rig.order("SELL", "0.020", None, positionSide="SHORT")
    rows = rig.call("GET", "v3/positionRisk")
    assert [(row["positionSide"], row["positionAmt"]) for row in rows] == [("LONG", "0.010"), ("SHORT", "-0.020")]
    parts = [part for event in rig.events("ACCOUNT_UPDATE") for part in event["a"]["P"]]
    assert [(part["ps"], part["pa"]) for part in parts] == [("LONG", "0.010"), ("SHORT", "-0.020")]
    assert rig.order("SELL", "0.010", None, positionSide="LONG")["reduceOnly"] is True
    assert rig.order_refusal(side="SELL", price=None, positionSide="LONG") == (-2022, "ReduceOnly Order is rejected.")
    assert len(rig.call("GET", "v2/positionRisk", **SYMBOL)) == 2


def test_a_hedged_position_is_closed_by_a_stop_of_its_side(rig: UsdmRig) -> None:
    hedge(rig)
    rig.quote(Side.SELL, 10, 500_000)
    rig.order("BUY", "0.010", None, positionSide="LONG")
    rig.quote(Side.BUY, 100, 480_000)
    wrong = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "closePosition": "true", "triggerPrice": "49000"}
    assert rig.refusal("POST", "v1/algoOrder", **SYMBOL, **wrong, side="BUY", positionSide="LONG")[0] == -2022
    rig.algo(closePosition="true", quantity=None, positionSide="LONG", triggerPrice="49000")
    rig.trade_at(490_000)
    assert rig.call("GET", "v3/positionRisk") == []


def test_rates_limits_and_rights(rig: UsdmRig) -> None:
    assert rig.call("GET", "v1/commissionRate", **SYMBOL) == {
        "symbol": "BTCUSDT", "makerCommissionRate": "0.000200", "takerCommissionRate": "0.000500",
        "rpiCommissionRate": "0.000000",
    }  # fmt: skip
    assert [row["limit"] for row in rig.call("GET", "v1/rateLimit/order")] == [300, 1200]
    assert rig.call("GET", "v1/feeBurn") == {"feeBurn": False}
    assert rig.call("GET", "v1/apiTradingStatus")["indicators"] == {}


def test_ws_rows_answer_as_rest_does(rig: UsdmRig) -> None:
    terms = {**SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "50000"}
    order = rig.call("WS", "order.place", **terms)
    assert order["status"] == "NEW"
    assert rig.call("WS", "order.status", **SYMBOL, orderId=1)["orderId"] == 1
    changed = rig.call("WS", "order.modify", **SYMBOL, side="BUY", orderId=1, quantity="0.02", price="50000")
    assert changed["origQty"] == "0.020"
    assert rig.call("WS", "order.cancel", **SYMBOL, orderId=1)["status"] == "CANCELED"
    stop = {**SYMBOL, "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "4", "quantity": "0.01"}
    algo = rig.call("WS", "algoOrder.place", algoType="CONDITIONAL", **stop)
    assert rig.call("WS", "algoOrder.cancel", algoId=algo["algoId"])["msg"] == "success"
    assert rig.call("WS", "account.status") == rig.call("GET", "v2/account")
    assert rig.call("WS", "v2/account.status") == rig.call("GET", "v3/account")


def test_a_restored_venue_goes_on_with_its_positions_and_settings(rig: UsdmRig) -> None:
    rig.hold("BUY", 10, 500_000)
    rig.call("POST", "v1/leverage", **SYMBOL, leverage=5)
    rig.venue = rig.side.venue = Venue.restore(rig.venue.snapshot(), rig.heard.append)
    assert rig.venue.leverage("alice", BTC) == 5
    rig.quote(Side.BUY, 10, 501_000)
    rig.order("SELL", price=None)
    assert rig.events("ORDER_TRADE_UPDATE")[-1]["o"]["rp"] == "1.00000000"
    fresh = UsdmRig()
    fresh.hold("BUY", 10, 500_000)
    fresh.trading = type(fresh.trading)(fresh.side, fresh)
    fresh.routes = fresh.trading.routes()
    fresh.quote(Side.BUY, 10, 501_000)
    fresh.order("SELL", price=None)
    assert fresh.events("ORDER_TRADE_UPDATE")[-1]["o"]["rp"] == "1.00000000"
