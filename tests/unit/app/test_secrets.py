"""Secrets stay secret in every form a value can leave the process by."""

import base64
import copy
import json
import pickle
import traceback
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from foxtrot.app.secrets import Redactor, account_secrets, from_environment, plain_settings, secret_settings
from foxtrot.core.redactor import KNOWN
from foxtrot.core.secret import Secret, is_secret_name, shown
from foxtrot.domain.errors import ConfigError

values = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=6).filter(
    lambda text: "*" not in text
)


@given(values)
def test_no_text_form_shows_a_secret(value: str) -> None:
    secret = Secret(value)
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>8}", "%s" % secret, "{}".format(secret)):  # noqa: UP031, UP032
        assert text.strip() == "***"
    assert value not in str({"key": [secret]})
    assert secret.reveal() == value


@given(values)
def test_encoders_and_pickle_refuse_a_secret_or_mask_it(value: str) -> None:
    secret = Secret(value)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert json.dumps(secret, default=str) == '"***"'
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert msgspec.json.encode(secret, enc_hook=str) == b'"***"'
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_a_traceback_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="bad") as caught:
        raise ValueError(f"bad {Secret('hush hush')}")
    assert "bad ***" in "".join(traceback.format_exception_only(caught.value))


def test_copies_are_the_secret_itself_and_equal_secrets_are_equal() -> None:
    secret = Secret("abcdef")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
    assert secret == Secret("abcdef")
    assert hash(secret) == hash(Secret("abcdef"))
    assert secret != "abcdef"
    assert not Secret("")


def test_the_environment_gives_secrets_and_a_missing_variable_is_named() -> None:
    assert from_environment("KEY", {"KEY": "abc"}).reveal() == "abc"
    with pytest.raises(ConfigError, match="KEY is not set"):
        from_environment("KEY", {"KEY": ""})


def test_settings_are_parted_into_plain_ones_and_secrets() -> None:
    settings = {"api_key_env": "KEY", "speed": 2, "tokenised": "no", "allow_withdrawal_key": True}
    assert plain_settings(settings) == {"speed": 2, "tokenised": "no", "allow_withdrawal_key": True}
    assert secret_settings(settings, {"KEY": "abc"}) == {"api_key": Secret("abc")}


@pytest.mark.parametrize("name", ["apiSecret", "api_secret", "API-SECRET"])
def test_a_secret_among_settings_is_refused_unseen_with_what_to_write(name: str) -> None:
    assert plain_settings({name: "SEKRIT"}) == {}
    with pytest.raises(ConfigError, match='api_secret_env = "NAME') as raised:
        secret_settings({name: "SEKRIT"}, {})
    assert "SEKRIT" not in str(raised.value)
    assert raised.value.key == name


def test_a_secret_where_the_name_of_a_variable_belongs_is_not_shown() -> None:
    value = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
    with pytest.raises(ConfigError, match=r"\*\*\* is not set") as raised:
        secret_settings({"api_key_env": value}, {})
    assert value not in str(raised.value)
    assert shown("api_key_env", value) == "***"
    assert shown("api_key_env", "BINANCE_KEY_2") == "'BINANCE_KEY_2'"


@pytest.mark.parametrize(
    "name",
    [
        "api_secret",
        "secret",
        "PASSWORD",
        "trade_password",
        "api_key",
        "pin",
        "access_token",
        "apiSecret",
        "secretKey",
        "privateKey",
        "pwd",
        "APIKey",
        "apikey",
        "API-KEY",
        "api.key",
        "passPhrase",
        "passphrase",
        "authToken",
        "APISECRET",
        "userPwd",
        "private_key",
        "key",
        "secretkey",
        "key2",
    ],
)
def test_names_of_secrets_are_recognised(name: str) -> None:
    assert is_secret_name(name)
    assert not is_secret_name(f"{name}_env")
    assert shown(name, "SEKRIT") == "***"


@pytest.mark.parametrize(
    "name", ["monkey", "tokenised", "allow_withdrawal_key", "port_file", "keyboard", "pinned", "url"]
)
def test_other_names_are_shown(name: str) -> None:
    assert not is_secret_name(name)
    assert shown(name, "plain") == "'plain'"


def test_a_password_in_an_address_and_a_private_key_under_any_name_are_masked() -> None:
    assert shown("url", "http://me:SEKRIT@127.0.0.1:1") == "'http://***@127.0.0.1:1'"
    assert shown("note", "-----BEGIN PRIVATE KEY-----SEKRIT") == "***"


@given(values, st.text(), st.text())
def test_the_redactor_leaves_no_known_secret_in_a_text(value: str, before: str, after: str) -> None:
    assert value not in Redactor([Secret(value)]).redact(f"{before}{value}{after}")


def test_a_secret_inside_another_is_masked_by_the_longer_one() -> None:
    assert Redactor([Secret("abcd"), Secret("abcdef")]).redact("x abcdef y abcd") == "x *** y ***"


@given(values, st.integers(0, 5))
def test_a_known_secret_is_masked_however_it_is_written(value: str, before: int) -> None:
    redactor = Redactor([Secret(value)])
    data = value.encode()
    for form in (value, quote(value, safe=""), data.hex(), base64.b64encode(data).decode(), json.dumps(value)[1:-1]):
        assert redactor.redact(f"{'x' * before} {form} y") == f"{'x' * before} *** y"


def test_a_variable_goes_before_the_key_store_which_is_asked_for_what_the_adapter_takes_only() -> None:
    asked: list[str] = []

    def look_up(name: str) -> Secret | None:
        asked.append(name)
        return Secret("of-the-store") if name == "api_secret" else None

    names = ("api_key", "api_secret", "pin")
    found = account_secrets({"api_key_env": "KEY"}, {"KEY": "of-the-variable"}, names, look_up)
    assert found == {"api_key": Secret("of-the-variable"), "api_secret": Secret("of-the-store")}
    assert asked == ["api_secret", "pin"]
    assert KNOWN.redact("of-the-store of-the-variable") == "*** ***"


def test_a_secret_that_is_the_name_of_an_account_is_told_of_and_hides_no_name() -> None:
    told: list[str] = []
    sink = logger.add(told.append, format="{level} {message}")
    try:
        account_secrets(
            {"api_key_env": "KEY", "api_secret_env": "SECRET"}, {"KEY": "loopback-name", "SECRET": "hidden-well"}, (),
            lambda name: None, ("loopback-name", "other"),
        )  # fmt: skip
    finally:
        logger.remove(sink)
    assert told == ["WARNING api_key is the name of an account and is not masked in the log; choose another\n"]
    assert KNOWN.redact("account=loopback-name hidden-well") == "account=loopback-name ***"
