"""Which account of those that OpenD lists is meant."""

import pytest

from foxtrot.adapter.futu.accounts import FutuAccount, choose_accounts
from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.errors import NotSetUp

HK, US, CN, CONNECT = 1, 2, 3, 4
REAL = FutuAccount(281756000000000001, real=True, markets=(HK, US, CONNECT), margin=True, firm=1)
OTHER_FIRM = FutuAccount(5, real=True, markets=(US,), firm=2)
SIM_HK = FutuAccount(11, real=False, markets=(HK,), kind=1)
SIM_US = FutuAccount(12, real=False, markets=(US,), kind=4)
SIM_OPTIONS = FutuAccount(13, real=False, markets=(US,), kind=2)
SIM_CN = FutuAccount(14, real=False, markets=(CN,), kind=1)
ALL = (REAL, OTHER_FIRM, SIM_HK, SIM_US, SIM_OPTIONS, SIM_CN)


def ids(settings: FutuSettings, listed: tuple[FutuAccount, ...] = ALL) -> dict[str, int]:
    return {market: account.account_id for market, account in choose_accounts(listed, settings).items()}


def test_simulated_accounts_are_one_for_each_market_and_those_for_options_do_not_count() -> None:
    assert ids(FutuSettings(markets=("HK", "US", "CN"))) == {"HK": 11, "US": 12, "CN": 14}


def test_a_real_account_trades_all_its_markets_china_by_the_connect() -> None:
    settings = FutuSettings(environment="real", markets=("HK", "CN"))
    assert ids(settings) == {"HK": REAL.account_id, "CN": REAL.account_id}


def test_several_that_fit_are_named_and_one_is_chosen_by_its_number_or_its_firm() -> None:
    settings = FutuSettings(environment="real", markets=("US",))
    with pytest.raises(NotSetUp) as refused:
        ids(settings)
    assert "2 real accounts trade US" in refused.value.text
    assert "281756000000000001 (real, FUTUSECURITIES), 5 (real, FUTUINC)" in refused.value.text
    assert ids(FutuSettings(environment="real", markets=("US",), account_id=5)) == {"US": 5}
    assert ids(FutuSettings(environment="real", markets=("US",), security_firm="FUTUSECURITIES")) == {
        "US": REAL.account_id
    }


def test_a_number_that_is_not_listed_is_refused_with_those_that_are() -> None:
    with pytest.raises(NotSetUp) as refused:
        ids(FutuSettings(markets=("HK",), account_id=99))
    assert "no simulate account with account_id = 99 trades HK" in refused.value.text
    assert "11 (simulate, no firm)" in refused.value.text


def test_real_money_is_never_taken_where_simulated_was_meant() -> None:
    with pytest.raises(NotSetUp):
        ids(FutuSettings(markets=("HK",)), (REAL,))
    with pytest.raises(NotSetUp):
        ids(FutuSettings(environment="real", markets=("HK",)), (SIM_HK,))


def test_a_disabled_account_does_not_count() -> None:
    disabled = FutuAccount(11, real=False, markets=(HK,), kind=1, disabled=True)
    with pytest.raises(NotSetUp, match="OpenD lists 11"):
        ids(FutuSettings(markets=("HK",)), (disabled,))
