"""The door to ibapi: when it is imported, what is cured, and how numbers of any shape are read."""

import logging
import subprocess
import sys
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from foxtrot.adapter.ib.client import SafeClient, shown
from foxtrot.adapter.ib.connection import SafeConnection
from foxtrot.adapter.ib.errors import IbError
from foxtrot.adapter.ib.sdk import HIGHEST_VERSION, check_installed, load_sdk, number
from foxtrot.adapter.ib.wrapper import wrapper_class
from foxtrot.domain.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[4]
needs_ibapi = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")


# --- the import -----------------------------------------------------------------------------------------------------


def test_the_adapter_is_made_without_importing_ibapi() -> None:
    script = (
        "import sys\nimport foxtrot.adapter.ib.session, foxtrot.adapter.ib.sdk, foxtrot.cli\n"
        "from foxtrot.adapter.base_adapter import AdapterContext\n"
        "from foxtrot.core.clock import SystemClock\nfrom foxtrot.core.send_permit import SendPermit\n"
        "from foxtrot.adapter.ib.config import read_settings\n"
        "context = AdapterContext('a', [], SendPermit(), SystemClock(), {}, {})\n"
        "foxtrot.adapter.ib.session.IbSession(context, read_settings(context))\n"
        "sys.exit(1 if 'ibapi' in sys.modules else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_where_it_is_not_installed_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxtrot.adapter.ib.sdk.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'foxtrot\[ib\]'"):
        check_installed()


@needs_ibapi
def test_our_client_has_our_own_socket_ibapi_keeps_its_and_its_log_is_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("foxtrot.adapter.ib.sdk._loaded", {})  # as if it were the first time
    sdk = load_sdk()
    assert load_sdk() is sdk
    module = sys.modules["ibapi.client"]
    _, client = sdk.make(lambda *_told: None, lambda *_bad: None)
    assert client.conn is None
    client.conn = module.Connection("127.0.0.1", 7497)
    assert type(client.conn) is SafeConnection
    assert (client.conn.host, client.conn.port) == ("127.0.0.1", 7497)
    assert not issubclass(module.Connection, SafeConnection)
    client.conn = None
    assert client.dialled is not None
    assert module.MAX_CLIENT_VER <= HIGHEST_VERSION
    log = logging.getLogger("ibapi")
    ours = [handler for handler in log.handlers if type(handler).__module__ == "foxtrot.adapter.ib.sdk"]
    assert (log.level, log.propagate, len(ours)) == (logging.WARNING, False, 1)


@needs_ibapi
def test_every_callback_of_ibapi_is_heard() -> None:
    load_sdk()
    base = sys.modules["ibapi.wrapper"].EWrapper
    heard: list[tuple[str, tuple[Any, ...]]] = []
    wrapper = wrapper_class(base)(lambda name, told: heard.append((name, told)))
    wrapper.position("DU1", None, 1, 2)
    wrapper.error(5, 201, "no")
    wrapper.connectionClosed()
    assert heard == [("position", ("DU1", None, 1, 2)), ("error", (IbError(5, 201, "no"),))]
    own = set(vars(type(wrapper)))
    assert {name for name in vars(base) if not name.startswith("_")} <= own | {"error"}


@needs_ibapi
def test_a_cancel_takes_what_this_ibapi_takes() -> None:
    sdk = load_sdk()
    told: list[tuple[Any, ...]] = []

    class Client:
        def cancelOrder(self, *arguments: Any) -> None:  # noqa: N802  # ibapi's name
            told.append(arguments)

        def reqGlobalCancel(self, *arguments: Any) -> None:  # noqa: N802  # ibapi's name
            told.append(arguments)

    sdk.cancel(Client(), 7)
    sdk.cancel_all(Client())
    assert told[0][0] == 7
    assert len(told[0]) == 1 + len(sdk.order_cancel())
    assert len(sdk.order_cancel()) == (0 if sdk.version.startswith("9.") else 1)


# --- the wrapper, without ibapi -------------------------------------------------------------------------------------


class Base:
    """As ibapi's EWrapper of a later version."""

    def logAnswer(self, *_arguments: Any) -> None: ...  # noqa: N802  # ibapi's name

    def error(self, *_arguments: Any) -> None: ...

    def connectionClosed(self) -> None: ...  # noqa: N802  # ibapi's name

    def commissionReport(self, report: Any) -> None: ...  # noqa: N802  # ibapi's name

    def commissionAndFeesReport(self, report: Any) -> None: ...  # noqa: N802  # ibapi's name

    def tickPrice(self, *_arguments: Any) -> None: ...  # noqa: N802  # ibapi's name


@pytest.mark.parametrize(
    "arguments",
    [
        (201, "no margin"),
        (201, "no margin", ""),
        (201, "no  margin", '{"json": 1}'),
        (1_795_000_000_000, 201, "no margin", ""),
        (1_795_000_000_000, 201, "no margin"),
    ],
)
def test_an_error_of_every_shape_is_the_same(arguments: tuple[Any, ...]) -> None:
    heard: list[Any] = []
    wrapper_class(Base)(lambda name, told: heard.append((name, *told))).error(9, *arguments)
    assert heard == [("error", IbError(9, 201, "no margin"))]


def test_commissions_are_heard_by_one_name() -> None:
    heard: list[Any] = []
    wrapper = wrapper_class(Base)(lambda name, told: heard.append((name, *told)))
    wrapper.commissionReport(1)
    wrapper.commissionAndFeesReport(2)
    assert heard == [("commissionReport", 1), ("commissionReport", 2)]


def test_nothing_that_hears_lets_an_exception_out_and_a_deaf_one_hears_nothing() -> None:
    def fail(*_arguments: Any) -> None:
        raise ZeroDivisionError

    wrapper = wrapper_class(Base)(fail)
    wrapper.listen("tickPrice", fail)
    wrapper.commissionReport(1)
    wrapper.tickPrice(1, 2, 3, 4)
    wrapper.error(1, 2, "3")
    heard: list[Any] = []
    wrapper.listen("tickPrice", lambda *told: heard.append(told))
    wrapper.tickPrice(1)
    wrapper.deaf = True
    wrapper.tickPrice(2)
    assert heard == [(1,)]
    told: list[Any] = []
    other = wrapper_class(Base)(lambda *what: told.append(what))
    other.deaf = True
    other.commissionReport(1)
    other.error(1, 2, "3")
    assert told == []


def test_errors_that_are_caught_are_those_of_the_own_thread_and_go_nowhere_else() -> None:
    heard: list[Any] = []
    wrapper = wrapper_class(Base)(lambda *told: heard.append(told))
    caught = wrapper.catch_errors()
    wrapper.error(1, 504, "Not connected")
    wrapper.release_errors()
    wrapper.error(1, 505, "x")
    assert [error.code for error in caught] == [504]
    assert len(heard) == 1


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, Decimal(0)), (100, Decimal(100)), (189.5, Decimal("189.5")), (0.1, Decimal("0.1")), ("189.50", Decimal("189.50")),
        (Decimal("1.5"), Decimal("1.5")), (-1.0, Decimal(-1)), (1e-05, Decimal("0.00001")),
        (None, None), ("", None), (1.7976931348623157e308, None), ("1.7976931348623157E308", None), (2147483647, None),
        (Decimal(2**127 - 1), None), (9223372036854775807, None), (float("nan"), None), (float("inf"), None), ("2147483647", None),
    ],
)  # fmt: skip
def test_numbers_of_every_shape_and_all_that_mean_none(value: Any, read: Decimal | None) -> None:
    assert number(value) == read


@pytest.mark.parametrize("value", ["abc", object(), "1,5"])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is no number"):
        number(value)


# --- the message loop, without a socket -----------------------------------------------------------------------------


class BaseClient:
    """As ibapi's client."""

    def __init__(self, wrapper: Any) -> None:
        self.wrapper = wrapper
        self.conn = None


class Decoder:
    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def interpret(self, *told: Any) -> None:
        self.seen.append(told)
        if told[0][:1] == (b"bad",):
            raise TypeError("of ibapi's own")


@pytest.mark.parametrize("takes_id", [False, True])
def test_the_message_loop_goes_on_after_what_it_cannot_read_and_ends_with_the_connection(takes_id: bool) -> None:
    bad: list[bytes] = []
    kind: Any = type("Client", (SafeClient, BaseClient), {"takes_id": takes_id})
    client = kind(None, lambda message, _error: bad.append(message))
    client.decoder = Decoder()
    client.conn = SafeConnection("127.0.0.1", 1)
    first = b"1\0bad\0" if takes_id else b"bad\0"
    for message in (first, b"4\0x\0", b"", b"5\0not ended"):
        client.msg_queue.put(message)
    client.dialled.disconnect("over")
    client.msg_queue.put(b"6\0late\0")
    client.run()
    assert bad == [first, b"", b"5\0not ended"]
    assert client.decoder.seen[-1] == (((b"x",), 4) if takes_id else ((b"4", b"x"),))
    assert client.dialled.cause == "over"


def test_a_bad_message_is_shown_short_and_in_plain_characters() -> None:
    assert shown(b"4\0\xff\n\0") == "4|\\xff\n|"
    assert len(shown(b"x" * 10_000)) < 300
