"""Settings of a Binance account: what is wrong is named with its fix; no address is reached that the environment does not have."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.config import BinanceSettings, read_settings
from foxtrot.adapter.binance.environments import ENVIRONMENTS, loopback_urls
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder


def _read(environment: str = "loopback", secrets: dict[str, Secret] | None = None, **settings: Any) -> BinanceSettings:
    if environment == "loopback" and not {"url", "port", "port_file"} & settings.keys():
        settings["port"] = 4567
    context = AdapterContext(
        "ours", Recorder(), SendPermit(), ManualClock(), settings, {}, environment=environment, secrets=secrets or {}
    )
    return read_settings(context)


def _addresses(urls: Any) -> list[str]:
    return [text for value in urls.values() for text in ([value] if isinstance(value, str) else _addresses(value))]


def test_the_safest_environment_is_the_default_and_nothing_else_need_be_said() -> None:
    settings = _read("")
    assert (settings.environment, settings.product) == ("testnet", Product.SPOT)
    assert (settings.max_leverage, settings.leverage, settings.rate_limit, settings.hot_path) == (3, 0, True, True)
    assert not settings.has_keys


def test_fills_are_asked_for_from_a_day_before_the_start_or_as_set() -> None:
    day_ns = 86_400_000_000_000
    assert _read().fills_begin_ns(10 * day_ns) == 9 * day_ns
    assert _read(trades_since_hours=72).fills_begin_ns(10 * day_ns) == 7 * day_ns
    assert _read(trades_since_hours=72).fills_begin_ns(day_ns) == 0
    assert _read(trades_since_hours=0).fills_begin_ns(10 * day_ns) == 0


def test_connections_are_replaced_before_binance_ends_them_or_as_set() -> None:
    assert _read().rotate_hours == 23
    assert _read(rotate_hours=0).rotate_hours == 0
    with pytest.raises(ConfigError, match="from 0 to 23"):
        _read(rotate_hours=24)


@pytest.mark.parametrize("given", [{"port": 4567}, {"url": "http://127.0.0.1:4567"}, {"url": "http://127.0.0.1:4567/"}])
def test_every_address_of_loopback_is_this_machine(given: dict[str, Any]) -> None:
    addresses = _addresses(_read(**given).urls)
    assert len(addresses) > 25
    assert all(text.startswith(("http://127.0.0.1:4567/", "ws://127.0.0.1:4567/")) for text in addresses)


def test_the_port_file_gives_the_port_of_the_product(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text('{"pid": 1, "binance_spot": 1111, "binance_usdm": 2222, "futu": null}')
    assert "http://127.0.0.1:1111/api/v3" in _addresses(_read(port_file=str(file)).urls)
    assert "http://127.0.0.1:2222/fapi/v1" in _addresses(_read(port_file=str(file), product="usdm").urls)


@pytest.mark.parametrize("urls", [*ENVIRONMENTS.values(), loopback_urls(1)])
def test_ccxt_can_tell_spot_from_futures_by_the_address(urls: Any) -> None:
    assert "/stream" in urls["ws"]["spot"] or "demo-stream" in urls["ws"]["spot"]
    assert urls["ws"]["linear"].endswith("/ws")
    assert "/stream" not in urls["ws"]["linear"]


def test_environments_share_no_host_that_takes_orders() -> None:
    hosts = [{urlsplit(urls[name]).hostname for name in ("private", "fapiPrivate")} for urls in ENVIRONMENTS.values()]
    assert len(set.union(*hosts)) == sum(map(len, hosts))  # type: ignore[arg-type]


WRONG: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("live", {"port": 1}, ("port", "loopback", "remove")),
    ("testnet", {"url": "http://127.0.0.1:1"}, ("url", "loopback", "remove")),
    ("lve", {}, ("environment", "'lve'", "did you mean live?")),
    ("loopback", {"url": "http://api.binance.com:80"}, ("url", "127.0.0.1")),
    ("loopback", {"url": "http://localhost:80"}, ("url", "127.0.0.1")),
    ("loopback", {"url": "http://127.0.0.1:80@evil.example"}, ("url", "127.0.0.1")),
    ("loopback", {"url": "http://127.0.0.1:80/x"}, ("url", "127.0.0.1")),
    ("loopback", {"url": "http://127.0.0.1:99999"}, ("url", "127.0.0.1")),
    ("loopback", {"port": 1, "url": "http://127.0.0.1:1"}, ("exactly one of", "port_file")),
    ("loopback", {"port": 0}, ("exactly one of",)),
    ("loopback", {"port_file": "/nowhere/ports.json"}, ("port_file", "/nowhere/ports.json")),
    ("testnet", {"product": "usdt"}, ("product", "'usdt'", "did you mean usdm?")),
    ("testnet", {"hotpath": True}, ("hotpath", "did you mean hot_path?")),
    ("loopback", {"port": 1, "prot_file": "x.json"}, ("prot_file", "did you mean port_file?")),
    ("testnet", {"prodct": "usdt", "product": "nonsense"}, ("prodct", "did you mean product?")),
    ("testnet", {"max_leverage": 0}, ("max_leverage", "1 to 125")),
    ("testnet", {"max_leverage": True}, ("max_leverage", "True")),
    ("testnet", {"leverage": 5}, ("leverage", "max_leverage = 3")),
    ("testnet", {"margin_type": "cross"}, ("margin_type", "did you mean crossed?")),
    ("testnet", {"websocket": "yes"}, ("websocket", "true or false")),
    ("testnet", {"recv_window_ms": 60_001}, ("recv_window_ms", "60000")),
    ("testnet", {"poll_interval_s": 0}, ("poll_interval_s",)),
    ("testnet", {"no_websocket": 1}, ("no_websocket", "text")),
]


@pytest.mark.parametrize(("environment", "settings", "told"), WRONG)
def test_what_is_wrong_is_named_with_its_fix(environment: str, settings: dict[str, Any], told: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as raised:
        _read(environment, **settings)
    for part in ("ours", *told):
        assert part in str(raised.value)


@pytest.mark.parametrize(
    "secrets", [{"api_key": Secret("hidden")}, {"api_secret": Secret("hidden")}, {"api_kee": Secret("hidden")}]
)
def test_half_a_pair_of_keys_or_another_secret_is_refused_and_not_shown(secrets: dict[str, Secret]) -> None:
    with pytest.raises(ConfigError) as raised:
        _read("testnet", secrets)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("name", ["api_secret", "api_key", "apiSecret", "secretKey", "secret", "password", "pwd"])
def test_a_secret_among_the_settings_is_not_shown(name: str) -> None:
    with pytest.raises(ConfigError, match="put it in the environment") as raised:
        _read("loopback", **{name: "SEKRIT"})
    assert "SEKRIT" not in str(raised.value)
    assert raised.value.key == name


@pytest.mark.parametrize(
    ("name", "fix"), [("apiSecret", "api_secret_env ="), ("secret", "api_secret_env ="), ("pwd", "pwd_env =")]
)
def test_a_secret_is_sent_to_the_variable_of_its_name(name: str, fix: str) -> None:
    with pytest.raises(ConfigError, match=fix):
        _read("loopback", **{name: "SEKRIT"})


def test_without_a_configuration_file_nothing_comes_from_the_environment() -> None:
    with pytest.raises(ConfigError, match="only an account of a configuration file") as raised:
        _read("loopback", api_secret_env="vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2")
    assert "vmPUZE" not in str(raised.value)


def test_what_is_not_known_is_found_before_what_is_missing() -> None:
    context = AdapterContext(
        "ours", Recorder(), SendPermit(), ManualClock(), {"prot_file": "x.json"}, {}, environment="loopback"
    )
    with pytest.raises(ConfigError, match=r"prot_file.*did you mean port_file\?"):
        read_settings(context)


def test_no_secret_is_in_the_text_of_the_settings() -> None:
    settings = _read("testnet", {"api_key": Secret("hidden"), "api_secret": Secret("hidden")})
    assert settings.has_keys
    assert "hidden" not in repr(settings)


def test_symbols_without_websocket_are_those_of_the_list() -> None:
    settings = _read(no_websocket="btcusdt, ETHUSDT.BINANCE")
    assert [settings.streams(name) for name in ("BTCUSDT", "ETHUSDT", "BNBUSDT")] == [False, False, True]
    assert not _read(websocket=False).streams("BNBUSDT")
