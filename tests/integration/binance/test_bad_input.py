"""What is wrong with keys, clocks and orders comes back as one clear event and one line of the log, and nothing hangs.

Each line has Binance's code, our own word for it, and what to do; the adapter ends FAILED where trying again would not help,
and READY everywhere else.
"""

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import aiohttp
import msgspec
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import ManualClock, SystemClock
from foxtrot.core.notices import AdapterStatus, OrderChanged, RequestFailed
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.binance_platform import ACCOUNT, KEY, OWNER, SECRET, BinancePlatform
from tests.support.object_walk import reached
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

PRODUCTS = ("spot", "usdm")
BAD_KEY = "Invalid API-key, IP, or permissions for action."
PEM_GARBAGE = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwgarbage\n-----END PRIVATE KEY-----\n"


@pytest.fixture(params=PRODUCTS)
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def opened(platform: BinancePlatform) -> Iterator[BinancePlatform]:
    """Connect a platform and look, at its end, for secrets in all that it told and logged."""
    with platform:
        yield platform.connect()
    told = "\n".join(map(repr, platform.events)) + "\n".join(platform.lines)
    for secret in (KEY, SECRET, "signature="):
        assert secret not in told
    assert "Traceback" not in told


def only_line(platform: BinancePlatform, *parts: str) -> None:
    """Check that one line was logged above INFO, and what it says."""
    (line,) = platform.loud
    for part in parts:
        assert part in line


def cause_of_failure(platform: BinancePlatform) -> str:
    """Check that the adapter gave up once, without a second try, and return why."""
    assert platform.states().count(AdapterState.FAILED) == 1
    assert platform.states()[-1] is AdapterState.FAILED
    assert not {AdapterState.LOST, AdapterState.BACKING_OFF} & set(platform.states())
    (failed,) = [status for status in platform.of(AdapterStatus) if status.cause]
    return str(failed.cause)


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secrets", "code", "fix"),
    [
        (("no-such-key", SECRET), "-2015", "check the key's environment, its IP list and its trading right"),
        ((KEY, "another-secret"), "-1022", "check the API secret"),
    ],
    ids=["wrong key", "wrong secret"],
)
def test_wrong_credentials_fail_once_and_say_what_to_check(
    product: str, secrets: tuple[str, str], code: str, fix: str
) -> None:
    with opened(BinancePlatform(product, secrets=secrets)) as platform:
        cause = cause_of_failure(platform)
        for part in (f"binance {code}", "LoginFailed", fix, "not tried again"):
            assert part in cause
        only_line(platform, "connection failed", f"binance {code}", "LoginFailed", fix)


@pytest.mark.parametrize("code", [-2014, -2015])
def test_an_address_that_is_not_on_the_key_s_list_fails_like_a_wrong_key(product: str, code: int) -> None:
    platform = BinancePlatform(product)
    platform.fault(
        "error_code",
        endpoint="GET *account*" if product == "spot" else "POST *listenKey*",
        code=code,
        msg=BAD_KEY,
        count=0,
    )
    with opened(platform):
        assert f"binance {code}" in cause_of_failure(platform)
        only_line(platform, f"binance {code}", "LoginFailed", "check")


def test_a_key_of_another_product_fails_and_names_its_rights(product: str) -> None:
    other = "usdm" if product == "spot" else "spot"
    with opened(BinancePlatform(product, products=(other,))) as platform:
        assert "binance -2015" in cause_of_failure(platform)
        only_line(platform, "binance -2015", "LoginFailed", "trading right")


def test_a_key_without_the_right_to_trade_is_warned_of_and_its_orders_are_rejected(product: str) -> None:
    key = ApiKey(KEY, ACCOUNT, SECRET, can_trade=False)
    with opened(BinancePlatform(product, key=key)) as platform:
        assert platform.is_ready
        ((what, warning),) = platform.warnings()
        assert what == "check of the API key"
        assert "-2015" in warning
        assert "give it the right" in warning
        only_line(platform, "check of the API key failed", "-2015", "give it the right")
        platform.loud.clear()
        order = platform.order(0.1, 100.0)
        assert (order.status, order.rule) == (OrderStatus.REJECTED, "-2015")
        only_line(platform, "rejected", "-2015", "trading right")
        assert platform.is_ready


@pytest.mark.parametrize("address_bound", [True, False])
@pytest.mark.parametrize("can_transfer", [False, True])
@pytest.mark.parametrize("can_withdraw", [False, True])
def test_what_a_key_may_do_too_much_is_told_each_once_and_withdrawal_is_refused(
    product: str, can_withdraw: bool, can_transfer: bool, address_bound: bool
) -> None:
    key = ApiKey(
        KEY, ACCOUNT, SECRET, can_withdraw=can_withdraw, can_transfer=can_transfer, address_bound=address_bound
    )
    with opened(BinancePlatform(product, key=key)) as platform:
        rights = platform.adapter.key_rights
        assert rights is not None
        assert (rights.withdraws, bool(rights.transfers), rights.address_bound) == (
            can_withdraw,
            can_transfer,
            address_bound,
        )
        if can_withdraw:
            assert platform.states()[-1] is AdapterState.FAILED
            only_line(platform, "may WITHDRAW", "make a key without that right", "NotSetUp")
            assert platform.order(0.1, 100.0).status is OrderStatus.DENIED
            return
        assert platform.is_ready
        expected = ["enableInternalTransfer, permitsUniversalTransfer"] * can_transfer + ["ipRestrict"] * (
            not address_bound
        )
        told = platform.warnings()
        assert [what for what, _ in told] == ["check of the API key"] * len(expected)
        assert all(part in warning for part, (_, warning) in zip(expected, told, strict=True))
        assert len([line for line in platform.loud if "WARNING" in line]) == len(expected)


def test_a_connected_adapter_signs_and_holds_no_secret(product: str) -> None:
    with opened(BinancePlatform(product)) as platform:
        assert platform.order(0.1, 100.0).status is OrderStatus.ACCEPTED
        found = reached(platform.adapter)
        assert id(platform.adapter.session.exchange) in found
        assert [one for one in found.values() if isinstance(one, str | bytes) and SECRET in str(one)] == []


def test_a_key_that_may_withdraw_is_used_with_a_warning_where_that_is_allowed(product: str) -> None:
    key = ApiKey(KEY, ACCOUNT, SECRET, can_withdraw=True)
    with opened(BinancePlatform(product, key=key, settings={"allow_withdrawal_key": True})) as platform:
        assert platform.is_ready
        only_line(platform, "may WITHDRAW", "It is used because allow_withdrawal_key = true")


@pytest.mark.parametrize("code", [-1000, -2015])
def test_a_venue_that_does_not_tell_a_key_s_rights_is_told_once(product: str, code: int) -> None:
    platform = BinancePlatform(product)
    platform.fault("error_code", endpoint="GET /sapi/v1/account/apiRestrictions", code=code, msg="Not here.")
    with opened(platform):
        assert platform.is_ready
        assert platform.adapter.key_rights is None
        only_line(platform, "its rights are not known", str(code))


def test_a_key_of_another_environment_is_told_as_such(product: str) -> None:
    with opened(BinancePlatform(product, secrets=("a-key-of-testnet", SECRET))) as platform:
        assert platform.states()[-1] is AdapterState.FAILED
        only_line(platform, "-2015", "this account is of environment loopback: a key of another one is unknown there")


class Here(AbstractResolver):
    """Answers every name with this machine and one port."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Have nothing to close."""


@contextmanager
def live(product: str, key: ApiKey, *faults: Fault, allowed: bool = False) -> Iterator[tuple[Recorder, list[str]]]:
    """Connect with nothing but Binance's real addresses, which lead to this machine; give what is told, and loud lines."""
    name = f"binance_{product}_tls"
    accounts = (AccountSetup(ACCOUNT, (key,)),)
    server = ExchangeServer(ServerSettings(ports=ServerPorts(**{name: 0}), accounts=accounts, agents=0, faults=faults))
    server.start()
    port, heard = server.ports[name], Recorder()
    assert port is not None
    trusted = ssl.create_default_context(cafile=str(server.ca_file))
    hidden = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    settings: dict[str, Setting] = {"product": product, "allow_withdrawal_key": allowed}
    context = AdapterContext(ACCOUNT, heard, SendPermit(), SystemClock(), settings, {}, "live", secrets=hidden)
    adapter = BinanceAdapter(context, make_connector=lambda: aiohttp.TCPConnector(resolver=Here(port), ssl=trusted))
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line)), level="WARNING")
    adapter.connect()
    try:
        wait_until(lambda: heard.states()[-1:] in ([AdapterState.READY], [AdapterState.FAILED]), 20.0)
        yield heard, lines
    finally:
        assert adapter.close() == ""
        assert server.stop() == ""
        logger.remove(number)


def test_a_key_that_may_withdraw_real_money_is_refused(product: str) -> None:
    with live(product, ApiKey(KEY, ACCOUNT, SECRET, can_withdraw=True)) as (heard, lines):
        assert heard.states()[-1] is AdapterState.FAILED
        (failed,) = [status for status in heard.of(AdapterStatus) if status.cause]
        for part in ("may WITHDRAW", "make a key without that right", "allow_withdrawal_key = true", "NotSetUp"):
            assert part in failed.cause
        assert heard.of(RequestFailed) == []
        (line,) = lines
        assert failed.cause in line


def test_a_key_that_may_withdraw_real_money_is_used_and_named_where_that_is_allowed(product: str) -> None:
    with live(product, ApiKey(KEY, ACCOUNT, SECRET, can_withdraw=True), allowed=True) as (heard, _):
        assert heard.states()[-1] is AdapterState.READY
        (warning,) = heard.of(RequestFailed)
        assert "may WITHDRAW" in warning.error


def test_rights_that_cannot_be_looked_at_are_told_where_the_money_is_real(product: str) -> None:
    fault = Fault(kind="error_code", endpoint="GET /sapi/v1/account/apiRestrictions", code=-1000, msg="Unknown error.")
    with live(product, ApiKey(KEY, ACCOUNT, SECRET), fault) as (heard, _):
        assert heard.states()[-1] is AdapterState.READY
        (warning,) = heard.of(RequestFailed)
        assert "its rights are not known" in warning.error
        assert "-1000" in warning.error


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "secrets", "words"),
    [
        ({"prodcut": "spot"}, (KEY, SECRET), "did you mean product?"),
        ({"product": "spott"}, (KEY, SECRET), "did you mean spot?"),
        ({"allow_withdrawals_key": True}, (KEY, SECRET), "did you mean allow_withdrawal_key?"),
        ({"hot_path": "yes"}, (KEY, SECRET), "it is true or false"),
        ({"url": "http://203.0.113.7:80", "port": 0}, (KEY, SECRET), "this machine only"),
        ({}, (KEY, ""), 'add api_secret_env = "VARIABLE"'),
        ({}, ("", SECRET), 'add api_key_env = "VARIABLE"'),
        ({}, (f"{KEY}\n", SECRET), "copy it whole"),
        ({}, (KEY, f" {SECRET}"), "copy it whole"),
        ({}, (KEY, PEM_GARBAGE), "no readable private key"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_before_anything_starts(
    settings: dict[str, Setting], secrets: tuple[str, str], words: str
) -> None:
    given = {"port": 9, **settings}
    hidden = {"api_key": Secret(secrets[0]), "api_secret": Secret(secrets[1])}
    context = AdapterContext(ACCOUNT, Recorder(), SendPermit(), ManualClock(), given, {}, "loopback", secrets=hidden)
    with pytest.raises(ConfigError) as refused:
        BinanceAdapter(context)
    assert ACCOUNT in str(refused.value)
    assert words in str(refused.value)
    assert not [secret for secret in (KEY, SECRET, PEM_GARBAGE) if secret in repr(refused.value)]


# --- the clock ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_ms", [90_000, -90_000])
def test_a_clock_that_is_off_is_told_once_and_trading_goes_on(product: str, skew_ms: int) -> None:
    platform = BinancePlatform(product)
    platform.fault("clock_skew", skew_ms=skew_ms)
    with opened(platform):
        assert platform.is_ready
        assert platform.order(0.1, 100.0).status is OrderStatus.ACCEPTED
        ((what, words),) = platform.warnings()
        assert what == "check of the clock"
        for part in (f" s {'behind' if skew_ms > 0 else 'ahead of'} Binance's", "-1021", "NTP"):
            assert part in words
        only_line(platform, "check of the clock failed", "-1021", "NTP")


def test_an_order_under_a_clock_that_jumps_is_rejected_once_and_the_next_one_passes(product: str) -> None:
    with opened(BinancePlatform(product)) as platform:
        platform.fault("clock_skew", skew_ms=90_000)
        order = platform.order(0.1, 100.0)
        assert (order.status, order.rule) == (OrderStatus.REJECTED, "-1021")
        assert "a new order will do" in order.reason
        clock, rejected = platform.loud
        assert "check of the clock failed" in clock
        assert "rejected" in rejected
        assert "-1021" in rejected
        assert platform.order(0.1, 100.0).status is OrderStatus.ACCEPTED


# --- secrets --------------------------------------------------------------------------------------------------------


def test_no_secret_reaches_any_log_or_event_at_debug_level(product: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(BinancePlatform(product)) as platform:
        platform.order(0.1, 100.0)
        platform.line.desk.cancel_all(OWNER)
        platform.refuse_orders(-1022, "Signature for this request is not valid.")
        platform.order(0.1, 100.0)
        platform.fault("reset", count=1)
        platform.wait(lambda: AdapterState.BACKING_OFF in platform.states())
        platform.wait(lambda: platform.is_ready)
        for shown in (platform.adapter, platform.adapter.context, platform.adapter.session.settings):
            assert not [secret for secret in (KEY, SECRET) if secret in repr(shown)]
    assert len(platform.lines) > 5
    assert not [secret for secret in (KEY, SECRET, "signature=") if secret in caplog.text]


# --- orders ---------------------------------------------------------------------------------------------------------


def test_an_unknown_symbol_is_refused_by_ourselves_with_the_nearest_one(product: str) -> None:
    with opened(BinancePlatform(product)) as platform:
        ending = platform.instrument.instrument_id.partition(".")[2]
        platform.adapter.subscribe(SubscribeRequest(f"BTCUSDC.{ending}"))
        platform.wait(lambda: bool(platform.warnings()))
        ((what, words),) = platform.warnings()
        assert what == f"subscribe BTCUSDC.{ending}"
        for part in ("does not list", "-1121", f"did you mean BTCUSDT.{ending}?"):
            assert part in words
        only_line(platform, f"subscribe BTCUSDC.{ending} failed", "-1121", "did you mean")
        platform.loud.clear()
        order = platform.order(0.1, 100.0, symbol=f"BTCUSDC.{ending}")
        assert order.status is OrderStatus.DENIED
        only_line(platform, "denied", f"BTCUSDC.{ending}", order.rule)


@pytest.mark.parametrize(
    ("quantity", "price", "rule", "words"),
    [
        (0.1, 100.001, "price_grid", "nearest legal: 100.00 or 100.01"),
        (0.1004, 100.0, "quantity_grid", "nearest legal"),
        (0.02, 100.0, "min_notional", "limit 5"),
        (50.0, 1000.0, "funds", ""),
    ],
)
def test_our_own_rules_refuse_before_the_venue_would(
    product: str, quantity: float, price: float, rule: str, words: str
) -> None:
    with opened(BinancePlatform(product)) as platform:
        order = platform.order(quantity, price)
        assert (order.status, order.rule) == (OrderStatus.DENIED, rule)
        assert words in order.reason
        only_line(platform, "denied", rule, words)
        assert platform.is_ready


def test_an_order_worth_too_little_is_rejected_by_the_venue_s_own_judgement(product: str) -> None:
    """Terms may have changed at the venue since they were loaded, so that our own rule lets the order through."""
    with opened(BinancePlatform(product)) as platform:
        loaded = platform.line.instruments[platform.instrument.instrument_id]
        platform.line.instruments.add(msgspec.structs.replace(loaded, min_notional=Decimal(0)))
        order = platform.order(0.02, 100.0)
        code = "-1013" if product == "spot" else "-4164"
        assert (order.status, order.rule) == (OrderStatus.REJECTED, code)
        only_line(platform, "rejected", code, "worth at least 5 USDT", "raise the quantity to at least 0.05")
        assert platform.is_ready


def test_an_order_that_nothing_covers_is_rejected_with_what_to_do(product: str) -> None:
    with opened(BinancePlatform(product, check_funds=False)) as platform:
        order = platform.order(1_000.0, 1_000.0)
        code = "-2010" if product == "spot" else "-2019"
        assert (order.status, order.rule) == (OrderStatus.REJECTED, code)
        only_line(platform, "rejected", code, "does not cover it", "lower the quantity")
        assert platform.is_ready


REFUSALS = (
    (-1013, "Filter failure: PRICE_FILTER", "prices go in steps of 0.01"),
    (-1013, "Filter failure: LOT_SIZE", "quantities go in steps of 0.001"),
    (-1013, "Filter failure: NOTIONAL", "raise the quantity to at least 0.05"),
    (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "bring it nearer"),
    (-1121, "Invalid symbol.", "check the symbol"),
    (-2010, "Order would immediately match and take.", "behind the other side's best"),
    (-2015, BAD_KEY, "trading right"),
    (-4014, "Price not increased by tick size.", "prices go in steps of 0.01"),
    (-4164, "Order's notional must be no smaller than 5 (unless you choose reduce only).", "at least 0.05"),
)


def test_each_refusal_of_an_order_is_one_line_with_code_words_and_advice(product: str) -> None:
    with opened(BinancePlatform(product)) as platform:
        for code, text, fix in REFUSALS:
            platform.refuse_orders(code, text)
            platform.loud.clear()
            order = platform.order(0.1, 100.0)
            assert (order.status, order.rule) == (OrderStatus.REJECTED, str(code))
            assert order.reason.startswith(text)
            told = [one.order.status for one in platform.of(OrderChanged) if one.order.order_id == order.order_id]
            assert told.count(OrderStatus.REJECTED) == 1
            only_line(platform, "rejected", str(code), text, fix, order.order_id)
        assert platform.is_ready
