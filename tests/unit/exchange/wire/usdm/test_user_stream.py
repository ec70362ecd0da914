"""What a USD-M account hears, in which order and with which amounts; and the income that is kept of it."""

from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.commands import Deposit, PlaceOrder, SetFundingRate, Withdraw
from tests.support.usdm_rig import BTC, START_NS, UsdmRig

START_MS = START_NS // 1_000_000
SYMBOL = {"symbol": "BTCUSDT"}
EIGHT_HOURS_S = 28_800


@pytest.fixture
def rig() -> UsdmRig:
    return UsdmRig()


def test_a_new_order_is_told_with_every_field(rig: UsdmRig) -> None:
    rig.order(newClientOrderId="mine")
    assert rig.events() == [{
        "e": "ORDER_TRADE_UPDATE", "E": START_MS, "T": START_MS, "o": {
            "s": "BTCUSDT", "c": "mine", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010", "p": "50000.0",
            "ap": "0.00000", "sp": "0.0", "x": "NEW", "X": "NEW", "i": 1, "l": "0.000", "z": "0.000", "L": "0.0",
            "T": START_MS, "t": 0, "b": "0", "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT",
            "ps": "BOTH", "cp": False, "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "NONE", "pm": "NONE", "gtd": 0},
    }]  # fmt: skip


def test_a_taker_hears_new_then_the_account_then_its_trade(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 4, 500_000)
    rig.order()
    assert rig.kinds() == ["ORDER_TRADE_UPDATE:NEW", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE:TRADE"]
    trade = rig.events()[-1]["o"]
    told = {name: trade[name] for name in ("X", "l", "z", "L", "ap", "n", "N", "t", "m", "rp", "R", "ps")}
    assert told == {
        "X": "PARTIALLY_FILLED", "l": "0.004", "z": "0.004", "L": "50000.0", "ap": "50000.00000", "n": "0.10000000",
        "N": "USDT", "t": 1, "m": False, "rp": "0.00000000", "R": False, "ps": "BOTH",
    }  # fmt: skip
    assert rig.events("ACCOUNT_UPDATE") == [{
        "e": "ACCOUNT_UPDATE", "E": START_MS, "T": START_MS, "a": {"m": "ORDER",
            "B": [{"a": "USDT", "wb": "9999.90000000", "cw": "9999.90000000", "bc": "0.00000000"}],
            "P": [{"s": "BTCUSDT", "pa": "0.004", "ep": "50000.0", "bep": "50000.0", "cr": "0.00000000",
                   "up": "0.00000000", "mt": "cross", "iw": "0", "ps": "BOTH", "ma": "USDT"}]},
    }]  # fmt: skip
    assert rig.events("TRADE_LITE") == [{
        "e": "TRADE_LITE", "E": START_MS, "T": START_MS, "s": "BTCUSDT", "q": "0.010", "p": "50000.0", "m": False,
        "c": trade["c"], "S": "BUY", "L": "50000.0", "l": "0.004", "t": 1, "i": 2,
    }]  # fmt: skip


def test_a_maker_hears_each_of_its_fills(rig: UsdmRig) -> None:
    rig.order("SELL", price="50000")
    rig.told.clear()
    for quantity in (4, 6):
        rig.quote(Side.BUY, quantity, 500_000)
    trades = [event["o"] for event in rig.events("ORDER_TRADE_UPDATE")]
    assert [(one["X"], one["z"], one["m"], one["n"]) for one in trades] == [
        ("PARTIALLY_FILLED", "0.004", True, "0.04000000"),
        ("FILLED", "0.010", True, "0.06000000"),
    ]
    assert [event["a"]["P"][0]["pa"] for event in rig.events("ACCOUNT_UPDATE")] == ["-0.004", "-0.010"]


def test_one_command_with_two_fills_is_one_account_update(rig: UsdmRig) -> None:
    rig.quote(Side.SELL, 4, 500_000)
    rig.quote(Side.SELL, 6, 500_010)
    rig.order(price="50001")
    assert rig.kinds() == [
        "ORDER_TRADE_UPDATE:NEW", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE:TRADE", "TRADE_LITE",
        "ORDER_TRADE_UPDATE:TRADE",
    ]  # fmt: skip
    assert rig.events("ACCOUNT_UPDATE")[0]["a"]["P"][0]["ep"] == "50000.6"


def test_what_closing_earns_is_on_the_trade_in_the_wallet_and_in_the_income(rig: UsdmRig) -> None:
    rig.hold("BUY", 10, 500_000)
    rig.quote(Side.BUY, 30, 501_000)
    rig.order("SELL", "0.020", None)
    last = rig.events("ORDER_TRADE_UPDATE")[-1]["o"]
    assert (last["rp"], last["n"]) == ("1.00000000", "0.50100000")
    update = rig.events("ACCOUNT_UPDATE")[-1]["a"]
    assert update["B"][0]["wb"] == "10000.24900000"
    assert (update["P"][0]["pa"], update["P"][0]["ep"], update["P"][0]["cr"]) == ("-0.010", "50100.0", "1.00000000")
    rows = rig.call("GET", "v1/income", **SYMBOL)
    assert [(row["incomeType"], row["income"]) for row in rows] == [
        ("COMMISSION", "-0.25000000"),
        ("COMMISSION", "-0.50100000"),
        ("REALIZED_PNL", "1.00000000"),
    ]
    assert (rows[0]["tradeId"], rows[0]["asset"], rows[0]["symbol"]) == ("1", "USDT", "BTCUSDT")


def test_profits_add_up_to_the_venues(rig: UsdmRig) -> None:
    prices = [500_000, 500_010, 500_030, 499_000, 498_990, 505_000]
    for number, price in enumerate(prices):
        side = Side.SELL if number % 3 else Side.BUY
        rig.quote(side, 3 + number, price)
        rig.order("SELL" if side is Side.BUY else "BUY", Decimal(3 + number) / 1000, None)
    trades = rig.call("GET", "v1/userTrades", **SYMBOL)
    total = sum(Decimal(row["realizedPnl"]) for row in trades)
    held = rig.venue.positions("alice")[0]
    assert abs(total - held.realised_profit) < Decimal("0.00000010")
    assert total


def test_funding_is_paid_told_and_kept(rig: UsdmRig) -> None:
    rig.hold("BUY", 100, 500_000)
    rig.mark(500_000)
    rig.execute(SetFundingRate(rig.now_ns, BTC, Decimal("0.0001")))
    rig.told.clear()
    rig.wait(EIGHT_HOURS_S)
    (update,) = rig.events()
    assert (update["e"], update["a"]["m"], update["a"]["P"]) == ("ACCOUNT_UPDATE", "FUNDING_FEE", [])
    assert update["a"]["B"] == [{"a": "USDT", "wb": "9997.00000000", "cw": "9997.00000000", "bc": "-0.50000000"}]
    (row,) = rig.call("GET", "v1/income", incomeType="FUNDING_FEE")
    assert (row["income"], row["symbol"], row["time"]) == ("-0.50000000", "BTCUSDT", update["T"])


def test_money_that_comes_and_goes_is_told_with_its_amount(rig: UsdmRig) -> None:
    rig.execute(Deposit(rig.now_ns, "alice", "USDT", Decimal(500)))
    rig.execute(Withdraw(rig.now_ns, "alice", "USDT", Decimal(200)))
    rig.execute(Deposit(rig.now_ns, "alice", "BTC", Decimal(1)))
    updates = [event["a"] for event in rig.events()]
    assert [(one["m"], one["B"][0]["bc"], one["B"][0]["wb"]) for one in updates] == [
        ("DEPOSIT", "500.00000000", "10500.00000000"),
        ("WITHDRAW", "-200.00000000", "10300.00000000"),
    ]
    kinds = [(row["incomeType"], row["income"]) for row in rig.call("GET", "v1/income")]
    assert kinds[-2:] == [("TRANSFER", "500.00000000"), ("TRANSFER", "-200.00000000")]


def test_money_spent_on_spot_is_told_as_a_transfer_and_its_orders_not_at_all(rig: UsdmRig) -> None:
    spot, terms = "BTCUSDT.BINANCE", (OrderType.LIMIT, 10**6, 5_000_000)
    rig.execute(PlaceOrder(rig.now_ns, "alice", spot, "s1", Side.BUY, *terms))
    assert rig.events() == []
    rig.execute(Deposit(rig.now_ns, "maker", "BTC", Decimal(1)))
    rig.execute(PlaceOrder(rig.now_ns, "maker", spot, "s2", Side.SELL, *terms))
    (update,) = rig.events()
    assert (update["a"]["m"], update["a"]["B"][0]["bc"]) == ("ASSET_TRANSFER", "-500.10000000")
    assert rig.call("GET", "v1/openOrders") == []


def test_a_reduce_only_order_that_is_trimmed_or_ended_by_the_venue_is_told(rig: UsdmRig) -> None:
    rig.hold("BUY", 10, 500_000)
    rig.order("SELL", "0.010", "60000", reduceOnly="true")
    rig.quote(Side.BUY, 30, 500_000)
    rig.order("SELL", "0.004", None)
    rig.order("SELL", "0.006", None)
    told = [(one["o"]["i"], one["o"]["x"], one["o"]["X"]) for one in rig.events("ORDER_TRADE_UPDATE")]
    assert (3, "AMENDMENT", "NEW") in told
    assert (3, "EXPIRED", "EXPIRED") in told


def test_an_account_that_is_liquidated_is_warned_and_hears_it_all(rig: UsdmRig) -> None:
    rig.hold("BUY", 2000, 500_000)
    rig.quote(Side.BUY, 1500, 450_000)
    rig.mark(459_000)
    kinds = rig.kinds()
    assert kinds[:2] == ["MARGIN_CALL", "ORDER_TRADE_UPDATE:NEW"]
    assert kinds.count("ACCOUNT_UPDATE") == 1
    call = rig.events("MARGIN_CALL")[0]
    assert (call["p"][0]["s"], call["p"][0]["pa"], call["p"][0]["mt"]) == ("BTCUSDT", "2.000", "CROSSED")
    order = rig.events("ORDER_TRADE_UPDATE")[0]["o"]
    assert order["c"].startswith("autoclose-")
    (forced,) = rig.call("GET", "v1/forceOrders", **SYMBOL)
    assert (forced["orderId"], forced["clientOrderId"], forced["executedQty"]) == (order["i"], order["c"], "1.500")
    assert rig.call("GET", "v1/forceOrders", symbol="ETHUSDT") == []
    update = rig.events("ACCOUNT_UPDATE")[0]["a"]
    assert update["P"][0]["pa"] == "0.000"
    assert rig.call("GET", "v3/positionRisk") == []
    profits = [Decimal(row["income"]) for row in rig.call("GET", "v1/income", incomeType="REALIZED_PNL", limit=1000)]
    assert sum(profits) == rig.venue.positions("alice")[0].realised_profit


def test_income_is_found_by_kind_time_and_page(rig: UsdmRig) -> None:
    rig.hold("BUY", 10, 500_000)
    rig.now_ns += 5_000_000
    rig.quote(Side.SELL, 10, 500_000)
    rig.order(price=None)

    def kinds(**params: object) -> list[str]:
        return [row["incomeType"] for row in rig.call("GET", "v1/income", **params)]

    assert kinds() == ["TRANSFER", "COMMISSION", "COMMISSION"]
    assert kinds(limit=1) == ["COMMISSION"]
    assert kinds(startTime=START_MS + 1) == ["COMMISSION"]
    assert kinds(endTime=START_MS) == ["TRANSFER", "COMMISSION"]
    assert kinds(page=2, limit=2) == ["COMMISSION"]
    assert kinds(symbol="ETHUSDT") == []
    assert rig.refusal("GET", "v1/income", symbol="NOPE")[0] == -1121


def test_strangers_and_the_house_are_told_nothing(rig: UsdmRig) -> None:
    rig.trade_at(500_000)
    assert rig.told == []
