"""Settings of an account at IB: what is right is taken, what is wrong is refused with its name, its value and the fix."""

from pathlib import Path
from typing import Any

import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.accounts import choose_account
from foxtrot.adapter.ib.config import IbSettings, read_settings
from foxtrot.adapter.ib.errors import NotSetUp
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder


def read(environment: str = "", secrets: dict[str, Secret] | None = None, **settings: Any) -> IbSettings:
    context = AdapterContext(
        "ours", Recorder(), SendPermit(), ManualClock(), settings, {}, environment=environment, secrets=secrets or {}
    )
    return read_settings(context)


def test_what_is_not_set_is_the_safe_way() -> None:
    settings = read()
    assert (settings.environment, settings.is_live, settings.port, settings.client_id) == ("paper", False, 7497, 1)
    assert (settings.routing, settings.market_data, settings.read_only, settings.outside_session) == (
        "smart", "live", False, "refuse",
    )  # fmt: skip
    assert settings.reset_window.text == "23:45-00:45 America/New_York"
    assert settings.messages_per_s == 45


def test_what_is_set_is_taken() -> None:
    settings = read(
        "live", host="gateway", port=4001, client_id=5, account=" U1234567 ", instruments="AAPL.NASDAQ, ESZ6.CME, AAPL.NASDAQ",
        routing="direct", market_data="delayed_frozen", read_only=True, reset_window="", messages_per_s=40,
        outside_session="send", outside_hours=True, trades_since_hours=48, mute_after_s=5,
    )  # fmt: skip
    assert settings.is_live
    assert settings.account == "U1234567"
    assert settings.instruments == ("AAPL.NASDAQ", "ESZ6.CME")
    assert settings.reset_window.zone == ""
    assert read("live").port == 7496


def test_an_exchange_that_is_always_open_has_no_reset_unless_it_is_said() -> None:
    assert read(always_open=True).reset_window.zone == ""
    assert read(always_open=True, reset_window="01:00-02:00 UTC").reset_window.zone == "UTC"


def test_who_wants_to_see_manual_orders_is_client_0() -> None:
    assert read(manual_orders=True).client_id == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"clientid": 3}, "did you mean client_id"),
        ({"client_id": 0}, "manual_orders = true"),
        ({"client_id": -1}, "whole number from 0"),
        ({"client_id": 4, "manual_orders": True}, "from 0 to 0"),
        ({"port": 0}, "1 to 65535"),
        ({"port": "7497"}, "whole number"),
        ({"host": "a b"}, "without a port"),
        ({"host": "ü.example"}, "without a port"),
        ({"routing": "smrt"}, "did you mean smart"),
        ({"market_data": "realtime"}, "live, frozen, delayed, delayed_frozen"),
        ({"instruments": "AAPL"}, "'AAPL' in it is no instrument id"),
        ({"instruments": "AAPL NASDAQ.X"}, "is no instrument id"),
        ({"reset_window": "23:45"}, "a beginning, an end and a time zone"),
        ({"reset_window": "23:45-00:45"}, "time zone"),
        ({"reset_window": "23:45-24:45 UTC"}, "'24:45' is no time of day"),
        ({"reset_window": "23:45-23:45 UTC"}, "begins when it ends"),
        ({"reset_window": "23:45-00:45 Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"messages_per_s": 5}, "from 10"),
        ({"mute_after_s": 0.5}, "from 1 to 60"),
        ({"read_only": "yes"}, "true or false"),
        ({"port_file": "/no/such/file"}, "start the exchange first"),
        ({"password": "x"}, "takes no keys"),
    ],
)
def test_what_is_wrong_is_refused_with_the_fix(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match="account ours") as refused:
        read(**settings)
    assert words in str(refused.value)


def test_keys_and_unknown_environments_are_refused() -> None:
    with pytest.raises(ConfigError, match="takes no keys"):
        read(secrets={"api_key": Secret("hidden")})
    with pytest.raises(ConfigError, match="did you mean paper"):
        read("papr")


def test_the_port_of_an_embedded_exchange_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text('{"pid": 1, "ib": 40123, "futu": null}')
    assert read(port_file=str(file)).port == 40123
    file.write_text('{"pid": 1, "ib": null}')
    with pytest.raises(ConfigError, match="--ib PORT"):
        read(port_file=str(file))
    with pytest.raises(ConfigError, match="give one of them"):
        read(port_file=str(file), port=1)


# --- whose account --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "account", "environment", "chosen"),
    [
        ("DU1", "", "paper", "DU1"), ("DU1,", "", "paper", "DU1"), ("DU1,DU2", "DU2", "paper", "DU2"),
        ("U1", "", "live", "U1"), ("DF1,DU2", "DF1", "paper", "DF1"), ("F1,U2", "U2", "live", "U2"),
    ],
)  # fmt: skip
def test_the_account_is_the_one_that_is_set_or_the_only_one(
    listed: str, account: str, environment: str, chosen: str
) -> None:
    assert choose_account(listed, read(environment, account=account)) == chosen


@pytest.mark.parametrize(
    ("listed", "account", "environment", "words"),
    [
        ("DU1,DU2", "", "paper", "2 accounts, DU1, DU2; say which"),
        ("", "", "paper", "0 accounts, none"),
        ("DU1", "U9", "live", '"U9" is not of this login, which has DU1'),
        ("DU1", "", "live", "DU1 is a paper account and the environment is live"),
        ("U1", "", "paper", "U1 is a live account and the environment is paper"),
    ],
)
def test_an_account_that_does_not_fit_is_refused(listed: str, account: str, environment: str, words: str) -> None:
    with pytest.raises(NotSetUp, match=words):
        choose_account(listed, read(environment, account=account))
