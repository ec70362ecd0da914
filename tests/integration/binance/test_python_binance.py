"""An independent client, python-binance in an interpreter of its own, trades on the embedded exchange, and both agree on it."""

import json
import os
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foxtrot.domain.enums import Liquidity, OrderType, Side
from foxtrot.exchange.commands import PlaceOrder, VenueCommand
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON = REPOSITORY / ".venv-clients" / "bin" / "python"
SCRIPT = REPOSITORY / "tests" / "support" / "python_binance_client.py"
SPOT, USDM = "BTCUSDT.BINANCE", "BTCUSDT.BINANCE_USDM"
KEYS = {name: ApiKey(f"key-of-{name}", name, f"secret-of-{name}") for name in ("spot", "usdm")}
CROWD = "crowd"
Rows = list[list[str]]
Json = dict[str, Any]


class Market:
    """A living market; keeps its spot book at every update id, and sells into a resting order named "maker" until it is filled."""

    def __init__(self) -> None:
        settings = ServerSettings(
            ports=ServerPorts(binance_spot=0, binance_usdm=0),
            accounts=(
                AccountSetup(
                    "spot", (KEYS["spot"],), {"USDT": Decimal(100_000), "BTC": Decimal(1)}, products=("spot",)
                ),
                AccountSetup("usdm", (KEYS["usdm"],), {"USDT": Decimal(100_000)}, products=("usdm",)),
                AccountSetup(CROWD, (), {"BTC": Decimal(10_000)}),
            ),
            agents=8,
            seed=7,
            faults=(Fault("gap", product="spot", stream="btcusdt@depth*", after=8),),
        )
        self.server = ExchangeServer(settings)
        self.venue = self.server.host.venue
        self.instruments = {one.instrument_id: one for one in self.venue.instruments()}
        self.books: dict[int, tuple[Rows, Rows]] = {}
        self._sales = 0
        self.server.host.feeds += [self._sell_to_the_maker, self._keep_book]

    def _sell_to_the_maker(self, now_ns: int) -> tuple[VenueCommand, ...]:
        for order in self.venue.open_orders("spot"):
            if order.client_order_id == "maker":
                self._sales += 1
                _, bids, _ = self.venue.depth(SPOT)
                units = sum(size for price, size in bids if price >= order.price)
                whole = self.instruments[SPOT].round_quantity_units(units / 10**8, "up")
                return (PlaceOrder(now_ns, CROWD, SPOT, f"sale{self._sales}", Side.SELL, OrderType.MARKET, whole),)
        return ()

    def _keep_book(self, _now_ns: int) -> tuple[VenueCommand, ...]:
        """Keep the book as it is when the surfaces publish it, which is right after the feeds."""
        update_id, bids, asks = self.venue.depth(SPOT)
        if update_id not in self.books:
            self.books[update_id] = (self._text(bids), self._text(asks))
        return ()

    def _text(self, rows: tuple[tuple[int, int], ...]) -> Rows:
        price, size = self.instruments[SPOT].price_grid, self.instruments[SPOT].quantity_grid
        return [[f"{price.to_decimal(units):.8f}", f"{size.to_decimal(held):.8f}"] for units, held in rows]


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    made = Market()
    made.server.start()
    yield made
    assert made.server.stop() == ""
    assert made.server.failures == ()


@pytest.fixture(scope="module")
def told(market: Market) -> Json:
    assert PYTHON.exists(), f"{PYTHON} is missing: run scripts/setup --clients"
    wants = {
        name: {"port": market.server.ports[f"binance_{name}"], "api_key": key.api_key, "api_secret": key.secret}
        for name, key in KEYS.items()
    }
    ran = subprocess.run(
        [PYTHON, SCRIPT], input=json.dumps(wants), capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "NO_PROXY": "127.0.0.1,localhost"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-4000:]
    answer: Json = json.loads(ran.stdout)
    return answer


def test_spot_orders_are_placed_looked_up_and_cancelled(market: Market, told: Json) -> None:
    spot = told["spot"]
    assert {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL"} <= set(spot["filters"])
    assert (spot["resting"]["status"], spot["queried"]["status"], spot["cancelled"]["status"]) == (
        "NEW",
        "NEW",
        "CANCELED",
    )
    assert [row["clientOrderId"] for row in spot["open"]] == ["resting"]
    assert (spot["poor"], spot["unknown"], spot["coarse"]) == (-2010, -2013, -1013)
    ours = {order.client_order_id: order for order in orders(market, "spot", SPOT)}
    assert {row["clientOrderId"]: row["status"] for row in spot["orders"]} == {
        "resting": "CANCELED",
        "taker": "FILLED",
        "maker": "FILLED",
    }
    assert {name: str(order.status) for name, order in ours.items()} == {
        "resting": "cancelled",
        "taker": "filled",
        "maker": "filled",
    }
    assert market.server.call(lambda server: server.host.venue.open_orders("spot")) == ()


def test_spot_fills_and_balances_are_those_of_the_venue(market: Market, told: Json) -> None:
    spot, listed = told["spot"], market.instruments[SPOT]
    truth = [
        (
            fill.trade_id, fill.order_id, listed.price_grid.to_decimal(fill.fill_price),
            listed.quantity_grid.to_decimal(fill.fill_quantity), fill.fee, fill.fee_asset,
            fill.liquidity is Liquidity.MAKER,
        )
        for fill in fills(market, "spot")
    ]  # fmt: skip
    assert [
        (
            row["id"], row["orderId"], Decimal(row["price"]), Decimal(row["qty"]), Decimal(row["commission"]),
            row["commissionAsset"], row["isMaker"],
        )
        for row in spot["trades"]
    ] == truth  # fmt: skip
    assert {maker for *_, maker in truth} == {True, False}
    assert sum(quantity for _, _, _, quantity, *_ in truth) == Decimal("0.07")
    assert spent(spot["taker"]) == sum(
        price * size for _, order, price, size, *_ in truth if order == spot["taker"]["orderId"]
    )
    held = {row["asset"]: Decimal(row["free"]) + Decimal(row["locked"]) for row in spot["account"]["balances"]}
    assert {asset: total for asset, total in held.items() if total} == {
        asset: total for asset, (total, _) in balances(market, "spot").items() if total
    }
    assert held["USDT"] == 100_000 - sum(price * size for _, _, price, size, *_ in truth)


def test_the_spot_user_data_stream_tells_each_step(told: Json) -> None:
    spot = told["spot"]
    reports = [one for one in spot["heard"] if one["e"] == "executionReport"]
    steps = {
        name: [one["x"] for one in reports if name in (one["c"], one["C"])] for name in ("resting", "taker", "maker")
    }
    assert steps["resting"] == ["NEW", "CANCELED"]
    for name in ("taker", "maker"):
        assert steps[name][0] == "NEW"
        assert set(steps[name][1:]) == {"TRADE"}
    assert {one["t"] for one in reports if one["x"] == "TRADE"} == {row["id"] for row in spot["trades"]}
    last = {row["a"]: row["f"] for row in spot["balances"]["B"]}
    assert last.items() <= {row["asset"]: row["free"] for row in spot["account"]["balances"]}.items()
    assert Decimal(spot["print"]["p"]) > 0


def test_usdm_orders_and_the_position_are_those_of_the_venue(market: Market, told: Json) -> None:
    usdm = told["usdm"]
    assert usdm["leverage"]["leverage"] == 5
    assert (usdm["queried"]["status"], usdm["cancelled"]["status"], usdm["opened"]["status"]) == (
        "NEW",
        "CANCELED",
        "FILLED",
    )
    assert [row["algoId"] for row in usdm["open_algos"]] == [usdm["stop"]["algoId"]]
    assert [Decimal(row["positionAmt"]) for row in usdm["position"]] == [Decimal("0.1")]
    assert [Decimal(row["positionAmt"]) for row in usdm["left"]] == [Decimal("0.04")]
    listed = market.instruments[USDM]
    (held,) = market.server.call(lambda server: server.host.venue.positions("usdm"))
    assert listed.quantity_grid.to_decimal(held.quantity) == Decimal("0.04")
    assert [
        (row["id"], Decimal(row["price"]), Decimal(row["qty"]), row["side"], Decimal(row["commission"]))
        for row in usdm["trades"]
    ] == [
        (
            fill.trade_id, listed.price_grid.to_decimal(fill.fill_price),
            listed.quantity_grid.to_decimal(fill.fill_quantity), fill.side.name, fill.fee,
        )
        for fill in fills(market, "usdm")
    ]  # fmt: skip
    (wallet,) = (row["balance"] for row in usdm["balance"] if row["asset"] == "USDT")
    assert Decimal(wallet) == round(balances(market, "usdm")["USDT"][0], 8)
    assert Decimal(usdm["account"]["totalWalletBalance"]) == Decimal(wallet)


def test_the_usdm_user_data_stream_tells_each_step(told: Json) -> None:
    usdm = told["usdm"]
    updates = [one["o"] for one in usdm["heard"] if one["e"] == "ORDER_TRADE_UPDATE"]
    steps = {name: [one["x"] for one in updates if one["c"] == name] for name in ("resting", "opens", "reduces")}
    assert steps["resting"] == ["NEW", "CANCELED"]
    for name in ("opens", "reduces"):
        assert steps[name][0] == "NEW"
        assert set(steps[name][1:]) == {"TRADE"}
    assert {one["t"] for one in updates if one["x"] == "TRADE"} == {row["id"] for row in usdm["trades"]}
    positions = [one["a"]["P"] for one in usdm["heard"] if one["e"] == "ACCOUNT_UPDATE" and one["a"]["P"]]
    assert Decimal(positions[-1][0]["pa"]) == Decimal("0.04")
    assert [one["o"]["X"] for one in usdm["heard"] if one["e"] == "ALGO_UPDATE"] == ["NEW", "CANCELED"]


def test_its_book_equals_the_servers_at_each_update_id_before_and_after_a_gap(market: Market, told: Json) -> None:
    book = told["book"]
    books = market.server.call(lambda server: dict(market.books))
    assert book["gaps"] == 1
    assert (len(book["before"]) >= 3, len(book["after"])) == (True, 10)
    for update_id, bids, asks in book["before"] + book["after"]:
        assert (update_id, bids, asks) == (update_id, *books[update_id])


def orders(market: Market, account: str, instrument_id: str) -> tuple[OrderReport, ...]:
    return market.server.call(lambda server: server.host.venue.all_orders(account, instrument_id))


def fills(market: Market, account: str) -> tuple[OrderFilled, ...]:
    return market.server.call(lambda server: server.host.venue.fills(account))


def balances(market: Market, account: str) -> dict[str, tuple[Decimal, Decimal]]:
    return market.server.call(lambda server: server.host.venue.balances(account))


def spent(answer: Json) -> Decimal:
    """Return what the fills in an order's answer cost."""
    return sum((Decimal(row["price"]) * Decimal(row["qty"]) for row in answer["fills"]), Decimal(0))
