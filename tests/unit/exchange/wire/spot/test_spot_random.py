"""Random calls of two customers: nothing but Binance's refusals comes back, and what is heard agrees with what is asked."""

import random
from decimal import Decimal

import pytest

from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.wire.binance.api_error import ApiError
from tests.support.spot_rig import BTC, Row, SpotRig

TYPES = (
    "LIMIT",
    "LIMIT",
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)
MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")


class Customer:
    """Makes calls at random, mostly sensible ones.

    Thread: the test's.
    """

    def __init__(self, rig: SpotRig, seed: int) -> None:
        self.rig = rig
        self.random = random.Random(seed)
        self.refused: dict[int, int] = {}
        self.done = 0

    def step(self) -> None:
        account = self.random.choice(("alice", "bob"))
        method, path, params = self.wish()
        try:
            self.rig.call(method, path, params, account)
            self.done += 1
        except ApiError as error:
            self.refused[error.code] = self.refused.get(error.code, 0) + 1

    def wish(self) -> tuple[str, str, dict[str, object]]:
        pick = self.random
        open_ids = [order.order_id for name in ("alice", "bob") for order in self.rig.venue.open_orders(name)]
        one: dict[str, object] = {"symbol": BTC, "orderId": pick.choice([*open_ids, 1])}
        draw = pick.random()
        if draw < 0.7:
            return "POST", "/api/v3/order", self.order()
        if draw < 0.8:
            return "DELETE", "/api/v3/order", one
        if draw < 0.9:
            return "PUT", "/api/v3/order/amend/keepPriority", one | {"newQty": self.quantity()}
        if draw < 0.98:
            mode = pick.choice(("STOP_ON_FAILURE", "ALLOW_FAILURE"))
            return (
                "POST",
                "/api/v3/order/cancelReplace",
                self.order() | {"cancelReplaceMode": mode, "cancelOrderId": one["orderId"]},
            )
        return "DELETE", "/api/v3/openOrders", {"symbol": BTC}

    def order(self) -> dict[str, object]:
        pick, kind = self.random, self.random.choice(TYPES)
        order: dict[str, object] = {
            "symbol": BTC, "side": pick.choice(("BUY", "SELL")), "type": kind, "selfTradePreventionMode": pick.choice(MODES),
        }  # fmt: skip
        if kind == "MARKET" and pick.random() < 0.4:
            return order | {"quoteOrderQty": pick.randint(5, 2000)}
        order["quantity"] = self.quantity()
        if kind in ("LIMIT", "LIMIT_MAKER") or kind.endswith("_LIMIT"):
            order["price"] = self.price()
            if pick.random() < 0.1:
                order["icebergQty"] = self.quantity()
        if kind == "LIMIT" or kind.endswith("_LIMIT"):
            order["timeInForce"] = pick.choice(("GTC", "GTC", "IOC", "FOK"))
        if "_LOSS" in kind or "_PROFIT" in kind:
            trailing = kind == "STOP_LOSS" and pick.random() < 0.3
            order |= {"trailingDelta": 50} if trailing else {"stopPrice": self.price()}
        return order

    def price(self) -> str:
        return f"{40_000 + self.random.randint(-30, 30)}.{self.random.choice(('00', '50'))}"

    def quantity(self) -> str:
        return f"{self.random.randint(1, 400) / 10_000:.4f}"


def heard_states(rig: SpotRig) -> dict[tuple[str, object], Row]:
    """Return the last report of each order, as a client keeps it."""
    states: dict[tuple[str, object], Row] = {}
    for account in ("alice", "bob"):
        for report in rig.told(account):
            states[account, report["i"]] = report
    return states


@pytest.mark.parametrize("seed", range(4))
def test_what_is_heard_agrees_with_what_is_asked(seed: int) -> None:
    rig = SpotRig(FeeSchedule.percentage(Decimal("0.0005"), Decimal("0.001")))
    customer = Customer(rig, seed)
    for _ in range(400):
        customer.step()
    rig.venue.validate()
    assert customer.done > 150
    assert {-2010, -2011} <= customer.refused.keys()
    states = heard_states(rig)
    for account in ("alice", "bob"):
        orders = rig.rows("GET", "/api/v3/allOrders", account, symbol=BTC, limit=1000)
        for order in orders:
            report = states.pop((account, order["orderId"]))
            asked = (
                order["status"],
                order["executedQty"],
                order["cummulativeQuoteQty"],
                order["origQty"],
                order["clientOrderId"],
            )
            name = report["C"] if report["x"] == "CANCELED" else report["c"]
            assert (report["X"], report["z"], report["Z"], report["q"], name) == asked, report
            assert report["w"] is (order["isWorking"] and order["status"] in ("NEW", "PARTIALLY_FILLED"))
    assert not states


@pytest.mark.parametrize("seed", range(4))
def test_heard_fills_and_balances_add_up(seed: int) -> None:
    rig = SpotRig(FeeSchedule.percentage(Decimal("0.0005"), Decimal("0.001")))
    customer = Customer(rig, seed + 100)
    for _ in range(400):
        customer.step()
    for account in ("alice", "bob"):
        owned = {"USDT": Decimal(1_000_000), "BTC": Decimal(100)}
        reports = [row for row in rig.told(account) if row["x"] == "TRADE"]
        for row in reports:
            sign = 1 if row["S"] == "BUY" else -1
            owned["BTC"] += sign * Decimal(str(row["l"]))
            owned["USDT"] -= sign * Decimal(str(row["Y"]))
            owned[str(row["N"])] -= Decimal(str(row["n"]))
        for asset, amount in owned.items():
            free, locked = rig.balance(account, asset)
            assert Decimal(free) + Decimal(locked) == amount
            told = [
                row
                for position in rig.told(account, "outboundAccountPosition")
                for row in position["B"]
                if row["a"] == asset
            ]  # type: ignore[attr-defined]
            assert (told[-1]["f"], told[-1]["l"]) == (free, locked)
        listed = rig.rows("GET", "/api/v3/myTrades", account, symbol=BTC, limit=1000)
        assert [(row["id"], row["orderId"]) for row in listed] == [(row["t"], row["i"]) for row in reports]
        ids = [int(str(row["I"])) for row in rig.told(account)]
        assert ids == sorted(set(ids))
