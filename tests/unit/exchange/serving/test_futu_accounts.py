"""Accounts where Futu is served: the SIMULATE twin, its money, and accounts that were there before."""

from decimal import Decimal

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.commands import AddInstrument
from foxtrot.exchange.server_settings import FUTU, AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.serving.venue_host import VenueHost
from foxtrot.exchange.wire.binance.venue_side import ApiKey

MONEY = {"USDT": Decimal(500), "HKD": Decimal(1_000), "USD": Decimal(20)}
CLOCK = ManualClock(1_700_000_000 * 10**9)


def host(ports: ServerPorts, *accounts: AccountSetup) -> VenueHost:
    """A host without surfaces; agents stay away."""
    return VenueHost(ServerSettings(ports=ports, accounts=accounts, agents=0), CLOCK, lambda _: None)  # type: ignore[arg-type,return-value]


def money(one: VenueHost, account: str) -> dict[str, Decimal]:
    """What an account has."""
    return {asset: total for asset, (total, _) in one.venue.balances(account).items() if total}


def test_the_twin_has_the_same_money_and_both_have_ids() -> None:
    served = host(
        ServerPorts(futu=0), AccountSetup("a", balances=MONEY), AccountSetup("b", balances={"HKD": Decimal(7)})
    )
    assert (money(served, "a"), money(served, "a-simulate")) == (MONEY, MONEY)
    assert money(served, "b-simulate") == {"HKD": 7}
    assert served.futu is not None
    assert [one.account for one in served.futu.accounts.values()] == ["a", "a-simulate", "b", "b-simulate"]


def test_an_account_of_other_products_is_not_seen() -> None:
    served = host(ServerPorts(futu=0), AccountSetup("a", balances=MONEY, products=("spot",)))
    assert served.futu is not None
    assert served.futu.accounts == {}
    assert "a-simulate" not in served.venue.accounts()


def test_without_a_port_there_are_no_stocks_and_no_twins() -> None:
    served = host(ServerPorts(binance_spot=0), AccountSetup("a", balances=MONEY))
    assert served.futu is None
    assert "a-simulate" not in served.venue.accounts()
    assert {one.venue for one in served.venue.instruments()} == {"BINANCE"}


def test_an_account_from_before_gets_the_money_of_stock_markets_once() -> None:
    before = host(ServerPorts(binance_spot=0), AccountSetup("a", balances={"USDT": Decimal(500)}))
    for _ in range(2):
        served = host(ServerPorts(futu=0))
        served.restore(before.venue.snapshot())
        for instrument in host(ServerPorts(futu=0)).venue.instruments():
            served.execute(AddInstrument(CLOCK.now_ns(), instrument))
        served.add_account(AccountSetup("a", balances=MONEY))
        assert money(served, "a") == {"USDT": 500, "HKD": 1_000, "USD": 20}
        assert money(served, "a-simulate") == MONEY
        before = served


def test_a_product_that_is_not_known_is_named() -> None:
    with pytest.raises(ConfigError, match="product 'hk' is not spot, usdm, futu or ib"):
        host(ServerPorts(futu=0), AccountSetup("a", keys=(ApiKey("k", "a", "s"),), products=("hk",)))
    assert FUTU == "futu"
