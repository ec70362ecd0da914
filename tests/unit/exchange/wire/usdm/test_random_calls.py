"""Whatever a customer does, what it hears adds up to what it is told when it asks."""

import random
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import SetFundingRate
from foxtrot.exchange.wire.binance.api_error import ApiError
from tests.support.usdm_rig import BTC, Event, UsdmRig

SYMBOL = {"symbol": "BTCUSDT"}
STEPS = 120


class Listener:
    """A client that believes the events alone."""

    def __init__(self, wallet: str) -> None:
        self.wallet = Decimal(wallet)
        self.positions: dict[str, Decimal] = {}
        self.orders: dict[int, tuple[str, str]] = {}
        self.algos: dict[int, str] = {}
        self.profits: dict[int, Decimal] = {}

    def hear(self, event: Event) -> None:
        """Take one event."""
        if event["e"] == "ACCOUNT_UPDATE":
            for balance in event["a"]["B"]:
                self.wallet = Decimal(balance["wb"])
            for held in event["a"]["P"]:
                self.positions[held["ps"]] = Decimal(held["pa"])
        elif event["e"] == "ORDER_TRADE_UPDATE":
            order = event["o"]
            self.orders[order["i"]] = (order["X"], order["z"])
            if order["x"] == "TRADE":
                self.profits[order["t"]] = Decimal(order["rp"])
        elif event["e"] == "ALGO_UPDATE":
            self.algos[event["o"]["aid"]] = event["o"]["X"]


class Customer:
    """Does something at random, allowed or not."""

    def __init__(self, rig: UsdmRig, seed: int, *, hedged: bool) -> None:
        self.rig = rig
        self.pick = random.Random(seed)
        self.hedged = hedged
        self.acts: tuple[Callable[[], object], ...] = (
            self.order, self.order, self.order, self.market, self.market, self.cancel, self.modify, self.algo,
            self.cancel_algo, self.quote, self.quote, self.quote, self.trade, self.mark, self.leverage, self.wait,
        )  # fmt: skip

    def step(self) -> None:
        """Do one thing; a refusal is an answer too."""
        with suppress(ApiError):
            self.pick.choice(self.acts)()

    def direction(self) -> dict[str, object]:
        """Return side and position side."""
        side = self.pick.choice(("BUY", "SELL"))
        return {"side": side, "positionSide": self.pick.choice(("LONG", "SHORT")) if self.hedged else "BOTH"}

    def size(self) -> Decimal:
        """Return a quantity."""
        return Decimal(self.pick.randint(1, 60)) / 1000

    def price(self) -> Decimal:
        """Return a price."""
        return Decimal(self.pick.randint(499_950, 500_050)) / 10

    def order(self) -> None:
        more = self.direction()
        if not self.hedged and self.pick.random() < 0.2:
            more["reduceOnly"] = "true"
        more["timeInForce"] = self.pick.choice(("GTC", "GTC", "IOC", "FOK", "GTX"))
        self.rig.order(quantity=self.size(), price=self.price(), **more)

    def market(self) -> None:
        self.rig.order(quantity=self.size(), price=None, **self.direction())

    def open_id(self) -> int:
        rows = self.rig.call("GET", "v1/openOrders")
        return self.pick.choice(rows)["orderId"] if rows else 1

    def cancel(self) -> None:
        self.rig.call("DELETE", "v1/order", **SYMBOL, orderId=self.open_id())

    def modify(self) -> None:
        terms = {"side": "BUY", "quantity": self.size(), "price": self.price()}
        self.rig.call("PUT", "v1/order", **SYMBOL, orderId=self.open_id(), **terms)

    def algo(self) -> None:
        kind = self.pick.choice(("STOP_MARKET", "TAKE_PROFIT_MARKET"))
        self.rig.algo(type=kind, triggerPrice=self.price(), quantity=self.size(), **self.direction())

    def cancel_algo(self) -> None:
        rows = self.rig.call("GET", "v1/openAlgoOrders")
        if rows:
            self.rig.call("DELETE", "v1/algoOrder", algoId=self.pick.choice(rows)["algoId"])

    def quote(self) -> None:
        side = self.pick.choice((Side.BUY, Side.SELL))
        self.rig.quote(side, self.pick.randint(1, 80), self.pick.randint(499_950, 500_050))

    def trade(self) -> None:
        self.rig.quote(self.pick.choice((Side.BUY, Side.SELL)), self.pick.randint(1, 40), 0)

    def mark(self) -> None:
        self.rig.mark(self.pick.randint(499_000, 501_000))

    def leverage(self) -> None:
        self.rig.call("POST", "v1/leverage", **SYMBOL, leverage=self.pick.randint(1, 40))

    def wait(self) -> None:
        rate = Decimal(self.pick.randint(-9, 9)) / 10_000
        self.rig.execute(SetFundingRate(self.rig.now_ns, BTC, rate))
        self.rig.wait(self.pick.choice((1, 10_000)))


@pytest.mark.parametrize("hedged", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_events_and_answers_agree(seed: int, hedged: bool) -> None:
    rig = UsdmRig()
    if hedged:
        rig.call("POST", "v1/positionSide/dual", dualSidePosition="true")
    listener, customer = Listener("10000"), Customer(rig, seed, hedged=hedged)
    for _ in range(STEPS):
        customer.step()
        for event in rig.events():
            listener.hear(event)
        rig.told.clear()
    rig.venue.validate()
    agree(rig, listener)


def agree(rig: UsdmRig, heard: Listener) -> None:
    """Compare everything that was heard with what is answered."""
    account = rig.call("GET", "v3/account")
    assert Decimal(account["totalWalletBalance"]) == pytest.approx(heard.wallet, abs=Decimal("1e-8"))
    asked = {row["positionSide"]: Decimal(row["positionAmt"]) for row in rig.call("GET", "v3/positionRisk")}
    held = {side: amount for side, amount in heard.positions.items() if amount}
    assert {side: amount for side, amount in asked.items() if amount} == held
    orders = {
        row["orderId"]: (row["status"], row["executedQty"])
        for row in rig.call("GET", "v1/allOrders", **SYMBOL, limit=1000)
    }
    assert orders == heard.orders
    algos = {row["algoId"]: row["algoStatus"] for row in rig.call("GET", "v1/allAlgoOrders", **SYMBOL, limit=1000)}
    assert algos == heard.algos
    trades = rig.call("GET", "v1/userTrades", **SYMBOL, limit=1000)
    assert {row["id"]: Decimal(row["realizedPnl"]) for row in trades} == heard.profits
    rows = rig.call("GET", "v1/income", limit=1000)
    moved = sum(Decimal(row["income"]) for row in rows)
    assert moved == pytest.approx(heard.wallet, abs=Decimal("1e-6"))
    assert trades
