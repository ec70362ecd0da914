"""An account at Binance is reconciled before it trades, after a loss and all the time; what it costs of the venue's limits."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from foxtrot.core.commands import ReconcileNow
from foxtrot.core.notices import AccountAdjusted, AccountReconciled, DifferenceFound, OpenOrdersLoaded, RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.exchange.commands import Deposit, PlaceOrder, VenueCommand
from foxtrot.trading.difference_book import CAUSE
from foxtrot.trading.reconcile_settings import ReconcileSettings
from tests.support.binance_platform import ACCOUNT, BinancePlatform
from tests.support.waiting import wait_until


@pytest.fixture(params=["spot", "usdm"])
def platform(request: pytest.FixtureRequest) -> Iterator[BinancePlatform]:
    """A platform that is not connected yet."""
    with BinancePlatform(request.param, reconcile=ReconcileSettings()) as made:
        yield made


def reconciled(platform: BinancePlatform, times: int = 1) -> AccountReconciled:
    """Wait until so many runs are over, and return the last."""
    platform.wait(lambda: len(platform.of(AccountReconciled)) >= times)
    last = platform.of(AccountReconciled)[-1]
    assert isinstance(last, AccountReconciled)
    return last


def reconcile(platform: BinancePlatform) -> AccountReconciled:
    """Reconcile once more."""
    platform.dispatcher.put(ReconcileNow(ACCOUNT))
    before = len(platform.of(AccountReconciled))
    platform.wait(lambda: any(run.cause == "asked for" for run in platform.of(AccountReconciled)[before:]))
    return next(run for run in platform.of(AccountReconciled)[before:] if run.cause == "asked for")


def execute(platform: BinancePlatform, command: VenueCommand) -> None:
    """Let the exchange do something."""
    result = platform.server.call(lambda server: server.host.execute(command))
    assert result.ok, result


def test_nothing_is_sent_before_the_account_was_reconciled_and_then_it_trades(platform: BinancePlatform) -> None:
    assert platform.line.gate.blocked(ACCOUNT, "", CAUSE) is not None
    platform.connect()
    assert (reconciled(platform).cause, reconciled(platform).error) == ("start", "")
    assert platform.line.gate.blocked(ACCOUNT, "", CAUSE) is None
    assert platform.order(0.1).status is OrderStatus.FILLED
    assert (reconcile(platform).error, reconcile(platform).differences) == ("", 0)
    assert platform.of(DifferenceFound) == platform.of(AccountAdjusted) == []


def test_money_that_comes_while_the_link_is_lost_is_named_and_halts_nothing(platform: BinancePlatform) -> None:
    platform.connect()
    reconciled(platform)
    platform.adapter.session.call_soon(lambda: platform.adapter.session.lose("cable pulled"))
    platform.wait(lambda: not platform.is_ready)
    assert platform.line.gate.blocked(ACCOUNT, "", CAUSE) is not None
    execute(platform, Deposit(platform.clock.now_ns(), ACCOUNT, "USDT", Decimal(25)))
    platform.wait(lambda: any(run.cause == "reconnect" for run in platform.of(AccountReconciled)))
    assert reconciled(platform).error == ""
    (told,) = platform.of(AccountAdjusted)
    assert told.what == "25 USDT"
    assert platform.of(DifferenceFound) == []
    assert platform.order(0.1).status is OrderStatus.FILLED


def test_trades_by_hand_while_the_link_is_lost_are_booked_and_are_no_difference(platform: BinancePlatform) -> None:
    platform.connect()
    reconciled(platform)
    platform.adapter.session.call_soon(lambda: platform.adapter.session.lose("cable pulled"))
    platform.wait(lambda: not platform.is_ready)
    name, units = platform.instrument.instrument_id, platform.instrument.quantity_units(0.2)
    execute(
        platform,
        PlaceOrder(platform.clock.now_ns(), ACCOUNT, name, "web_1", Side.BUY, OrderType.MARKET, units, 0),
    )
    platform.wait(lambda: any(run.cause == "reconnect" for run in platform.of(AccountReconciled)))
    assert (reconciled(platform).error, reconciled(platform).differences) == ("", 0)
    assert platform.of(AccountAdjusted) == platform.of(DifferenceFound) == []
    (trade,) = platform.line.desk.fills(ACCOUNT)
    assert (trade.order_id, trade.quantity) == ("web_1", 0.2)


@pytest.mark.parametrize("platform", ["spot"], indirect=True)
def test_a_question_that_fails_at_the_start_keeps_orders_back_until_it_is_answered(platform: BinancePlatform) -> None:
    platform.connect()
    reconciled(platform)
    path = "/api/v3/account" if platform.product == "spot" else "/fapi/v3/account"
    platform.fault("error_code", endpoint=f"GET {path}", code=-1000, msg="unknown", count=1)
    platform.line.reconciler._accounts[ACCOUNT].reconciled = False  # type: ignore[union-attr]
    assert "account" in reconcile(platform).error
    blocked = platform.line.gate.blocked(ACCOUNT, "", CAUSE)
    assert blocked is not None
    assert "the venue did not answer for account" in blocked[1]
    platform.wait(lambda: platform.line.gate.blocked(ACCOUNT, "", CAUSE) is None)
    assert reconciled(platform).cause == "another attempt"


def looked(platform: BinancePlatform) -> int:
    """Let both sides go on, and return how often the account was looked at; -1 while it is."""
    platform.pump()
    assert platform.line.reconciler is not None
    under_way = platform.line.reconciler._accounts[ACCOUNT].run
    return -1 if under_way is not None else len(platform.of(OpenOrdersLoaded))


@pytest.mark.parametrize("platform", ["usdm"], indirect=True)
def test_it_looks_by_itself_and_takes_little_of_what_the_venue_allows(platform: BinancePlatform) -> None:
    platform.connect()
    reconciled(platform)
    platform.order(0.1)
    before, requests = len(platform.of(AccountReconciled)), platform.adapter.health().requests
    until_ns = platform.clock.now_ns() + 31_000_000_000
    while platform.clock.now_ns() < until_ns:
        asked = len(platform.of(OpenOrdersLoaded))
        platform.clock.advance(10_000_000_000)
        wait_until(lambda asked=asked: looked(platform) > asked)  # type: ignore[misc]
    runs = platform.of(AccountReconciled)[before:]
    assert {run.error for run in runs} == {""}
    assert len(runs) >= 1
    assert platform.adapter.health().requests - requests < 20
    assert platform.of(RequestFailed) == []
