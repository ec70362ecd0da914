"""What a running exchange keeps as it goes: saved when an account changed, without the agents, past a disk that fails."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.exchange_saving import VenueSaving
from foxtrot.app.exchange_store import VENUE_FILE, ExchangeStore
from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.venue import Venue
from tests.support.echo_surface import EchoSurface

BTC = "BTCUSDT.BINANCE"
ALICE = AccountSetup("alice", (), {"USDT": Decimal(10_000)})


class Rig:
    """A server with agents and one customer, whose venue is saved by a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(1_700_000_000 * 1_000_000_000)
        ports = ServerPorts(binance_spot=0)
        self.server = ExchangeServer(ServerSettings(ports=ports, accounts=(ALICE,)), self.clock, surface=EchoSurface)
        self.store = ExchangeStore(folder)
        self.saving = VenueSaving(self.server, self.store, {"alice"})
        self.server.host.observers = (self.saving.hear,)
        self.server.start()

    def trade(self, seconds: int = 2) -> None:
        """Let the agents trade."""
        for _ in range(seconds * 5):
            self.clock.advance(200_000_000)
            self.server.step()

    def order(self, name: str) -> None:
        """Let the customer enter an order that rests."""
        price = 1_000_000
        order = PlaceOrder(self.clock.now_ns(), "alice", BTC, name, Side.BUY, OrderType.LIMIT, 100_000, price)
        assert self.server.call(lambda s: s.host.execute(order)).ok

    def saved(self) -> Venue:
        """Return the venue as a next run would have it."""
        snapshot = self.store.snapshot()
        assert snapshot is not None
        venue = Venue(lambda event: None)
        venue.take_up(snapshot)
        venue.validate()
        return venue


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    assert rig.server.stop() == ""
    assert rig.server.failures == ()


def test_it_is_saved_at_once_and_then_after_a_pause_when_an_account_changed(rig: Rig) -> None:
    assert rig.saving.save_if_due()
    assert rig.saved().balances("alice")["USDT"] == (Decimal(10_000), Decimal(0))
    rig.trade(6)
    assert not rig.saving.save_if_due(), "only the agents did something"
    rig.order("a")
    assert rig.saving.save_if_due()
    rig.order("b")
    assert not rig.saving.save_if_due(), "the pause is not over"
    rig.clock.advance(5_000_000_000)
    assert rig.saving.save_if_due()
    assert [one.client_order_id for one in rig.saved().open_orders("alice")] == ["a", "b"]


def test_agents_keep_their_money_and_neither_orders_nor_past(rig: Rig) -> None:
    rig.order("a")
    rig.trade(10)
    traders = list(rig.server.host.traders)
    assert rig.saving.save_if_due()
    venue = rig.saved()
    for trader in traders:
        assert venue.open_orders(trader) == ()
        assert venue.fills(trader) == ()
        assert all(locked == 0 for _, locked in venue.balances(trader).values())
        running = rig.server.call(lambda s, trader=trader: s.host.venue.balances(trader))  # type: ignore[misc]
        assert {name: total for name, (total, _) in venue.balances(trader).items()} == {
            name: total for name, (total, _) in running.items()
        }
    assert any(rig.server.call(lambda s: [s.host.venue.open_orders(one) for one in traders])), "they go on"
    assert [one.client_order_id for one in venue.open_orders("alice")] == ["a"]


def test_a_disk_that_fails_is_tried_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    (rig.store.folder / VENUE_FILE).mkdir()
    assert not rig.saving.save_if_due()
    (rig.store.folder / VENUE_FILE).rmdir()
    rig.clock.advance(5_000_000_000)
    assert rig.saving.save_if_due()
    assert rig.store.snapshot()


def test_a_server_that_has_ended_is_saved_too(rig: Rig) -> None:
    rig.order("a")
    rig.server.stop()
    assert not rig.saving.save_if_due()
    assert rig.saving.save_at_end() == str(rig.store.folder / VENUE_FILE)
    assert [one.client_order_id for one in rig.saved().open_orders("alice")] == ["a"]


def test_what_a_surface_notes_is_saved_though_no_account_changed(rig: Rig) -> None:
    assert rig.saving.save_if_due()
    rig.trade(6)
    assert not rig.saving.save_if_due()
    rig.server.call(lambda s: s.host.venue.note("surface", "order", "waits"))
    assert rig.saving.save_if_due()
    assert rig.saved().notes("surface") == {"order": "waits"}
    rig.trade(6)
    assert not rig.saving.save_if_due()
