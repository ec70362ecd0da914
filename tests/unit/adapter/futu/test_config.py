"""Settings of a Futu account: what is known, what is refused, and with which words."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.futu.config import FutuSettings, read_settings
from foxtrot.core.clock import SystemClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder


def read(environment: str = "", secrets: dict[str, Secret] | None = None, **settings: Setting) -> FutuSettings:
    context = AdapterContext(
        "home", Recorder(), SendPermit(), SystemClock(), settings, {}, environment=environment, secrets=secrets or {}
    )
    return read_settings(context)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, folder: Path) -> str:
    path = folder / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return str(path)


def test_without_settings_it_is_the_simulated_account_of_an_opend_on_this_machine() -> None:
    settings = read()
    assert (settings.environment, settings.host, settings.port) == ("simulate", "127.0.0.1", 11111)
    assert settings.markets == ("HK", "US")
    assert settings.account_id == 0
    assert settings.outside_session == "refuse"
    assert not settings.is_real
    assert not settings.unlock_password


def test_every_setting_is_taken() -> None:
    settings = read(
        "real",
        {"unlock_password": Secret("hunter2")},
        host="opend.local",
        port=12,
        markets="us",
        account_id=281756000000000001,
        security_firm="FUTUINC",
        currency="USD",
        outside_session="queue",
        extended_hours=True,
        poll_s=5,
        orders_per_30_s=9,
        changes_per_30_s=8,
        queries_per_30_s=7,
        subscription_quota=300,
        trades_since_hours=1,
        mute_after_s=2.5,
    )
    assert settings.is_real
    assert (settings.host, settings.port, settings.markets) == ("opend.local", 12, ("US",))
    assert (settings.account_id, settings.security_firm, settings.currency) == (281756000000000001, "FUTUINC", "USD")
    assert (settings.outside_session, settings.extended_hours, settings.poll_s) == ("queue", True, 5.0)
    assert (settings.orders_per_30_s, settings.changes_per_30_s, settings.queries_per_30_s) == (9, 8, 7)
    assert (settings.subscription_quota, settings.trades_since_hours, settings.mute_after_s) == (300, 1, 2.5)
    assert settings.unlock_password.reveal() == "hunter2"


def test_the_password_is_in_no_text_of_the_settings() -> None:
    assert "hunter2" not in repr(read("real", {"unlock_password": Secret("hunter2")}))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": ""}, "host = '': it is a name or an IPv4 address"),
        ({"host": "127.0.0.1:11111"}, "without a port"),
        ({"host": "http://x"}, "without a port"),
        ({"port": 0}, "from 1 to 65535"),
        ({"port": "11111"}, "from 1 to 65535"),
        ({"markets": "HK, JP"}, "JP in it is none of HK, US, CN"),
        ({"markets": " , "}, "name some of HK, US, CN"),
        ({"account_id": -1}, "account_id = -1"),
        ({"account_id": 2**63}, "account_id"),
        ({"security_firm": "FUTUSECURITY"}, "did you mean FUTUSECURITIES?"),
        ({"currency": "EUR"}, "currency = 'EUR'"),
        ({"outside_session": "wait"}, "it is one of refuse, queue"),
        ({"poll_s": 1}, "from 3 to 3600"),
        ({"orders_per_30_s": 0}, "from 1 to 1000"),
        ({"mute_after_s": 60}, "from 1 to 30"),
        ({"prot": 1}, "did you mean port?"),
        ({"encrypt": True}, "encrypt = true and rsa_file = PATH go together"),
        ({"rsa_file": "/tmp/key.pem"}, "encrypt = true and rsa_file = PATH go together"),
        ({"encrypt": True, "rsa_file": "/nowhere/key.pem"}, "no readable private key in PEM"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_value_and_the_fix(settings: dict[str, Setting], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(**settings)
    assert words in str(refused.value)
    assert "account home" in str(refused.value)


def test_an_environment_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean simulate"):
        read("simulated")


def test_a_password_in_the_settings_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as refused:
        read(unlock_password="hunter2")
    assert "hunter2" not in str(refused.value)
    assert "unlock_password_env" in str(refused.value)


def test_another_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes unlock_password"):
        read(secrets={"api_key": Secret("x")})


def test_a_key_of_the_size_that_the_sdk_is_built_for_is_taken(tmp_path: Path) -> None:
    file = pem(rsa.generate_private_key(65537, 1024), tmp_path)
    assert read(encrypt=True, rsa_file=file).rsa_file == file


def test_a_key_of_another_size_or_kind_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(ConfigError, match="openssl genrsa"):
            read(encrypt=True, rsa_file=pem(key, tmp_path))


def test_the_port_may_come_from_the_file_of_an_embedded_exchange(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text('{"pid": 1, "futu": 4711, "ib": null}')
    assert read(port_file=str(file)).port == 4711
    with pytest.raises(ConfigError, match="port is set as well; give one of them"):
        read(port_file=str(file), port=1)
    file.write_text('{"futu": null}')
    with pytest.raises(ConfigError, match="start the exchange with --futu PORT"):
        read(port_file=str(file))
    file.unlink()
    with pytest.raises(ConfigError, match="start the exchange first"):
        read(port_file=str(file))


def test_an_opend_has_the_hours_of_its_markets_unless_it_is_said_to_have_none() -> None:
    assert not read().always_open
    assert read(always_open=True).always_open
