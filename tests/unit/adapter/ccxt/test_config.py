"""Settings of an account at one of ccxt's exchanges: what is taken, and how what is wrong is refused."""

import pytest

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.ccxt.adapter import CcxtAdapter
from foxtrot.adapter.ccxt.client import on_loopback
from foxtrot.adapter.ccxt.config import BookWay, CcxtSettings, read_settings
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder


def context(environment: str = "", secrets: dict[str, Secret] | None = None, **settings: Setting) -> AdapterContext:
    return AdapterContext(
        "prices", Recorder(), SendPermit(), ManualClock(), settings, {}, environment, secrets=secrets or {}
    )


def read(environment: str = "", **settings: Setting) -> CcxtSettings:
    return read_settings(context(environment, **settings))


@pytest.mark.parametrize(
    ("exchange", "environment", "found"),
    [
        ("okx", "", "testnet"),
        ("kraken", "", "live"),
        ("kraken", "live", "live"),
        ("OKX", "live", "live"),
    ],
)
def test_without_an_environment_it_is_the_testnet_where_there_is_one(
    exchange: str, environment: str, found: str
) -> None:
    assert read(environment, exchange=exchange).environment == found


def test_books_are_chosen_by_account_and_by_symbol() -> None:
    settings = read(
        "live", exchange="okx", book="ccxt", book_of="BTCUSDT=depth_cache, ethusdt.OKX=partial, BNB/USDT:USDT=partial"
    )
    assert settings.way_of("BTCUSDT") is BookWay.DEPTH_CACHE
    assert settings.way_of("ETHUSDT") is BookWay.PARTIAL
    assert settings.way_of("BNBUSDT") is BookWay.PARTIAL
    assert settings.way_of("SOLUSDT") is BookWay.CCXT


def test_symbols_without_websocket_are_named() -> None:
    settings = read("live", exchange="okx", no_websocket="btcusdt, ETHUSDT.OKX")
    assert not settings.streams("BTCUSDT")
    assert not settings.streams("ETHUSDT")
    assert settings.streams("SOLUSDT")
    assert not read("live", exchange="okx", websocket=False).streams("SOLUSDT")


def test_loopback_is_this_machine_only() -> None:
    assert read("loopback", exchange="okx", port=8000).loopback == "127.0.0.1:8000"
    assert read("loopback", exchange="okx", url="http://127.0.0.1:8000/").loopback == "127.0.0.1:8000"
    assert not read("loopback", exchange="okx", port=8000).rate_limit
    assert read("live", exchange="okx").rate_limit


@pytest.mark.parametrize(
    ("environment", "settings", "words"),
    [
        ("", {}, "name one of ccxt's exchanges"),
        ("", {"exchange": "edgex"}, "ccxt 4.5.90 has no class of that name"),
        ("", {"exchange": "hyperliqid"}, "did you mean hyperliquid?"),
        ("", {"exchange": "zaif"}, "by REST only, without streams"),
        ("tesnet", {"exchange": "okx"}, "did you mean testnet?"),
        ("testnet", {"exchange": "kraken"}, "knows no testnet of kraken"),
        ("live", {"exchange": "okx", "port": 8000}, 'only environment = "loopback" takes it'),
        ("loopback", {"exchange": "okx"}, "exactly one of url, port"),
        ("loopback", {"exchange": "okx", "url": "http://10.0.0.1:80"}, "this machine only"),
        ("loopback", {"exchange": "okx", "port": 70_000}, "from 0 to 65535"),
        ("live", {"exchange": "okx", "book": "deph_cache"}, "did you mean depth_cache?"),
        ("live", {"exchange": "okx", "book": "rest"}, "one of depth_cache, ccxt, partial"),
        ("live", {"exchange": "okx", "book_of": "BTCUSDT"}, "SYMBOL=WAY"),
        ("live", {"exchange": "okx", "book_of": "BTCUSDT: ccxt"}, "SYMBOL=WAY"),
        ("live", {"exchange": "okx", "book_of": "BTCUSDT=rest"}, "'rest' in 'BTCUSDT=rest' is no way"),
        ("live", {"exchnge": "okx"}, "did you mean exchange?"),
        ("loopback", {"exchange": "okx", "prot": 8000}, "did you mean port?"),
        ("live", {"exchange": "okx", "poll_interval_s": 0.01}, "a number of seconds"),
        ("live", {"exchange": "okx", "websocket": "yes"}, "true or false"),
        ("live", {"exchange": 5}, "write it as text"),
        ("live", {"exchange": "okx", "bok": "ccxt"}, "did you mean book?"),
    ],
)
def test_what_is_wrong_is_refused_with_what_to_do(environment: str, settings: dict[str, Setting], words: str) -> None:
    with pytest.raises(ConfigError, match="account prices") as refused:
        read(environment, **settings)
    assert words in str(refused.value)


def test_keys_are_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="takes no keys") as refused:
        read_settings(context("live", {"api_key": Secret("hush")}, exchange="okx"))
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("name", ["api_key", "apiSecret", "secret", "password"])
def test_a_secret_among_the_settings_is_not_shown(name: str) -> None:
    with pytest.raises(ConfigError, match="takes no keys") as refused:
        read("live", **{"exchange": "okx", name: "SEKRIT"})
    assert "SEKRIT" not in str(refused.value)


def test_no_order_spends_real_money() -> None:
    assert not CcxtAdapter.real_money("live")


def test_loopback_urls_keep_the_host_as_the_first_part_of_the_path() -> None:
    urls = {"rest": "https://api.{hostname}/v5", "ws": {"public": "wss://stream.x.com:8443/ws"}, "doc": "no url"}
    assert on_loopback(urls, "127.0.0.1:9", "x.com") == {
        "rest": "http://127.0.0.1:9/api.x.com/v5",
        "ws": {"public": "ws://127.0.0.1:9/stream.x.com:8443/ws"},
        "doc": "no url",
    }
