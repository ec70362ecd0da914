"""Settings of a simulated account: defaults, one clear line for each fault, one venue for those who name the same."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.simulated.opening import open_session, read_balances, read_settings
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import PositionMode
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.listings import default_listings
from tests.support.recorder import Recorder

CLOCK = ManualClock(1_700_000_000_000_000_000)


def _context(account: str = "acc", shared: dict[str, object] | None = None, **settings: Setting) -> AdapterContext:
    settings = {"agents": 0} | settings
    return AdapterContext(account, Recorder(), SendPermit(), CLOCK, settings, {} if shared is None else shared)


def test_without_settings_there_are_all_default_listings_and_a_hundred_thousand_dollars() -> None:
    venue = open_session(_context()).venue
    assert [i.instrument_id for i in venue.instruments()] == [i.instrument_id for i in default_listings()]
    assert venue.balances("acc") == {"USDT": (Decimal(100_000), Decimal(0))}


def test_accounts_that_name_the_same_venue_share_it_and_others_do_not() -> None:
    shared: dict[str, object] = {}
    first = open_session(_context("a", shared))
    assert open_session(_context("b", shared)) is first
    assert open_session(_context("c", shared, venue="other")) is not first
    assert {"a", "b"} <= set(first.venue.accounts())
    assert "c" not in first.venue.accounts()


def test_an_account_opened_again_keeps_what_it_has() -> None:
    shared: dict[str, object] = {}
    open_session(_context("a", shared, balances="USDT=50"))
    session = open_session(_context("a", shared, balances="USDT=50"))
    assert session.venue.balances("a") == {"USDT": (Decimal(50), Decimal(0))}


def test_only_the_named_instruments_are_listed() -> None:
    venue = open_session(_context(instruments="ETHUSDT.BINANCE, AAPL.NASDAQ")).venue
    assert [i.instrument_id for i in venue.instruments()] == ["ETHUSDT.BINANCE", "AAPL.NASDAQ"]


def test_a_hedging_account_is_opened_as_one() -> None:
    context = msgspec.structs.replace(_context(), position_mode=PositionMode.HEDGING)
    session = open_session(context)
    state = session.venue._state.ledger.accounts["acc"]
    assert state.position_mode is PositionMode.HEDGING


def test_an_environment_that_the_simulated_venue_does_not_have_is_refused() -> None:
    assert open_session(msgspec.structs.replace(_context(), environment="paper"))
    with pytest.raises(ConfigError, match="bananas"):
        open_session(msgspec.structs.replace(_context(), environment="bananas"))


def test_agents_make_a_market() -> None:
    session = open_session(_context(agents=8, instruments="BTCUSDT.BINANCE"))
    for _ in range(50):
        CLOCK.advance(100_000_000)
        session.step(CLOCK.now_ns())
    assert len(session.venue.trades("BTCUSDT.BINANCE")) > 0
    assert len(session.traders) == 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"agent": 3}, "account acc: setting agent is not known; did you mean agents?"),
        ({"colour": "red"}, "account acc: setting colour is not known; there are: venue, instruments"),
        ({"agents": "8"}, "account acc: setting agents must be of type int, not '8'"),
        ({"agents": True}, "account acc: setting agents must be of type int, not True"),
    ],
)
def test_a_wrong_setting_is_named_with_the_fix(settings: dict[str, Setting], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings("acc", settings)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("text", ["USDT", "=5", "USDT=", "USDT=-1", "USDT=0", "USDT=NaN", "USDT=1e400x", "USDT=inf"])
def test_balances_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match='must be like "USDT=100000, BTC=1"'):
        read_balances("acc", text)


def test_a_balance_finer_than_the_venue_counts_is_refused() -> None:
    with pytest.raises(ConfigError, match="account acc: balance 1E-40 USDT"):
        open_session(_context(balances="USDT=1e-40"))


@pytest.mark.parametrize("settings", [{"instruments": "NOPE.X"}, {"fees": "no_such_preset"}])
def test_an_instrument_or_fee_preset_that_is_not_there_is_refused(settings: dict[str, Setting]) -> None:
    with pytest.raises(ConfigError):
        open_session(_context(**settings))
