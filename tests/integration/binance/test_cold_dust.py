"""A flatten without a platform that leaves dust is done, and says what no order can close."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.verbs import kill_steps
from foxtrot.app.verbs.kill_steps import KillWish
from foxtrot.core.clock import SystemClock
from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from foxtrot.strategy.flattening import Flattening
from tests.support.binance_rig import spot_like

BTC = spot_like("BTCUSDT", "BTC")
CONFIG = """
[account.ours]
adapter = "binance"
environment = "loopback"
settings = {{ port = {port}, product = "spot", api_key_env = "OURS_KEY", api_secret_env = "OURS_SECRET" }}

[strategy.holder]
class = "holder.py:Holder"
account = "ours"
symbols = ["BTCUSDT.BINANCE"]
capital = 10000
"""
KEY, SECRET = "dust-key-4c1f", "dust-secret-9e20"
WISH = KillWish("Ann", "mad", flatten=True, everything=False, yes=False, wait_s=1.0)


@contextmanager
def serving() -> Iterator[ExchangeServer]:
    """An exchange where a maker stands at 99.00 and 101.00."""
    accounts = (
        AccountSetup("ours", (ApiKey(KEY, "ours", SECRET),), {"USDT": Decimal(1_000)}, products=("spot",)),
        AccountSetup("maker", (), {"USDT": Decimal(10**7), "BTC": Decimal(10**3)}),
    )
    settings = ServerSettings(
        ports=ServerPorts(binance_spot=0), accounts=accounts, instruments=(BTC,), agents=0, surface=SurfaceSettings(limits=False),
    )  # fmt: skip
    server = ExchangeServer(settings, SystemClock())
    server.start()
    try:
        for side, price in ((Side.BUY, 9_900), (Side.SELL, 10_100)):
            place(server, "maker", f"wall{price}", side, "50", price)
        yield server
    finally:
        server.stop()


def place(server: ExchangeServer, account: str, name: str, side: Side, quantity: str, price: int = 0) -> None:
    """Let an order be placed by its owner; without a price at the market."""
    kind, units = OrderType.LIMIT if price else OrderType.MARKET, BTC.quantity_grid.from_decimal(Decimal(quantity))
    command = PlaceOrder(SystemClock().now_ns(), account, BTC.instrument_id, name, side, kind, units, price)
    result = server.call(lambda found: found.host.execute(command))
    assert result.ok, result


def killed(server: ExchangeServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, dict[str, object], str]:
    """Status, answer and text of a cold kill that flattens what the ids of our fills say is the strategy's."""
    config = folder / "platform.toml"
    config.write_text(CONFIG.format(port=server.ports["binance_spot"]), "utf-8")
    (folder / "holder.py").write_text(
        "from foxtrot.api import Strategy\n\n\nclass Holder(Strategy):\n    pass\n", "utf-8"
    )
    monkeypatch.setenv("OURS_KEY", KEY)
    monkeypatch.setenv("OURS_SECRET", SECRET)
    outcome = kill_steps.cold_way(folder / "home", config, WISH, "none runs")
    return outcome.status, outcome.result["flatten"], outcome.text  # type: ignore[return-value]


def test_what_a_fee_left_of_a_lot_is_told_and_needs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        place(server, "ours", "F-holder-run0000000-1", Side.BUY, "0.06")
        status, flatten, text = killed(server, tmp_path, monkeypatch)
        left = server.call(lambda found: found.host.venue.balances("ours")["BTC"][0])
    assert 0 < left < Decimal("0.001")
    row = {
        "owner": "holder",
        "account": "ours",
        "instrument_id": BTC.instrument_id,
        "quantity": str(left.quantize(Decimal("1e-8"))),
    }
    assert (status, flatten["left"], flatten["dust"]) == (0, [], [{**row, "why": "orders go in steps of 0.001"}]), text
    assert (
        f"dust is left: {left.normalize():f} {BTC.instrument_id} of holder on ours: no order can close it, for orders go"
        in text
    )


def test_what_is_worth_less_than_the_least_order_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        place(server, "ours", "F-holder-run0000000-1", Side.BUY, "0.1")
        place(server, "ours", "R-holder-run0000000-2", Side.SELL, "0.06")
        status, flatten, text = killed(server, tmp_path, monkeypatch)
    assert (status, flatten["left"], flatten["sold"]) == (0, [], []), text
    assert "and the least value of an order is 5 USDT" in text


def test_what_could_be_sold_and_is_not_needs_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flattening, "begin", lambda _self, *, everything: None)
    with serving() as server:
        place(server, "ours", "F-holder-run0000000-1", Side.BUY, "0.06")
        status, flatten, text = killed(server, tmp_path, monkeypatch)
    left = f"0.05994 {BTC.instrument_id} of holder on ours could be closed and was not"
    assert (status, flatten["left"], flatten["dust"]) == (3, [left], []), text
