"""Settings of an account at one of ccxt's exchanges, checked before anything starts: unknown keys and wrong values are refused."""

import enum
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

import ccxt
import ccxt.pro
import msgspec

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.domain.errors import ConfigError

LIVE, TESTNET, LOOPBACK = "live", "testnet", "loopback"
ENVIRONMENTS: Final = (LIVE, TESTNET, LOOPBACK)


class BookWay(enum.StrEnum):
    """Who keeps a book: we by the venue's rule, ccxt, or the venue, which pushes a few levels whole; or nobody."""

    DEPTH_CACHE = "depth_cache"
    CCXT = "ccxt"
    PARTIAL = "partial"
    REST = "rest"
    """No stream of the venue gives one: it is asked for."""


WAYS: Final = (BookWay.DEPTH_CACHE, BookWay.CCXT, BookWay.PARTIAL)
"""What the setting `book` may be, in the order in which one stands in for the one before."""


class CcxtSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is set to; `no_websocket` are symbols, as in instrument ids, whose data is asked for by REST."""

    exchange: str
    environment: str
    """live, testnet or loopback: what "" was found to mean."""
    loopback: str = ""
    """127.0.0.1:PORT of a scripted venue, "" elsewhere."""
    websocket: bool = True
    no_websocket: frozenset[str] = frozenset()
    book: BookWay = BookWay.DEPTH_CACHE
    book_of: Mapping[str, BookWay] = {}
    """By symbol, who keeps a book where it is not `book`."""
    poll_interval_s: float = 1.0
    audit_interval_s: float = 300.0
    """How often a book is compared with a fresh snapshot where the venue gives what can be compared; 0 for never."""
    rate_limit: bool = True

    def streams(self, symbol: str) -> bool:
        """Tell whether a symbol's market data comes by WebSocket."""
        return self.websocket and symbol not in self.no_websocket

    def way_of(self, symbol: str) -> BookWay:
        """Return who is to keep a symbol's book."""
        return self.book_of.get(symbol, self.book)


class _Reader:
    """Takes settings out one by one, so that what is left over is not known."""

    def __init__(self, account: str, settings: Mapping[str, Setting]) -> None:
        self._account = account
        self._left = dict(settings)
        self._known: list[str] = []

    def wrong(self, key: str, value: object, fix: str) -> ConfigError:
        return ConfigError(f"account {self._account}: {key} = {value!r}: {fix}")

    def text(self, key: str, default: str = "") -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, value, f'write it as text, {key} = "{value}"')
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "it is true or false")
        return value

    def port(self) -> int:
        value = self._take("port", 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65_535:
            raise self.wrong("port", value, "it is a port from 1 to 65535")
        return value

    def seconds(self, key: str, default: float, lowest: float, highest: float) -> float:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise self.wrong(key, value, f"it is a number of seconds from {lowest} to {highest}")
        return float(value)

    def way(self, key: str, text: str) -> BookWay:
        names = tuple(map(str, WAYS))
        if text not in names:
            raise self.wrong(key, text, f"it is one of {', '.join(names)}{_nearest(text, names)}")
        return BookWay(text)

    def end(self) -> None:
        for key, value in self._left.items():
            raise self.wrong(key, value, f"an account of ccxt has no such setting{_nearest(key, self._known)}")

    def _take(self, key: str, default: Setting) -> Setting:
        self._known.append(key)
        return self._left.pop(key, default)


def read_settings(context: AdapterContext) -> CcxtSettings:
    """Return the settings of an account.

    Raises:
        ConfigError: names the key, its value, how to mend it and, for a misspelt one, the nearest that is known.
    """
    reader = _Reader(context.account, context.settings)
    exchange = _exchange(reader)
    environment = _environment(reader, exchange, context.environment)
    settings = CcxtSettings(
        exchange=exchange,
        environment=environment,
        loopback=_loopback(reader, environment),
        websocket=reader.flag("websocket", default=True),
        no_websocket=_symbols(reader.text("no_websocket")),
        book=reader.way("book", reader.text("book", BookWay.DEPTH_CACHE)),
        book_of=_book_of(reader),
        poll_interval_s=reader.seconds("poll_interval_s", 1.0, 0.1, 3600.0),
        audit_interval_s=reader.seconds("audit_interval_s", 300.0, 0.0, 86_400.0),
        rate_limit=reader.flag("rate_limit", default=environment != LOOPBACK),
    )
    reader.end()
    for name in context.secrets:
        raise reader.wrong(name, "***", "this adapter gives market data only and takes no keys; remove it")
    return settings


def _exchange(reader: _Reader) -> str:
    exchange = reader.text("exchange").lower()
    if not exchange:
        raise reader.wrong("exchange", "", 'name one of ccxt\'s exchanges, such as exchange = "okx"')
    if exchange in ccxt.pro.exchanges:
        return exchange
    where = f"ccxt {ccxt.__version__}"
    if exchange in ccxt.exchanges:
        raise reader.wrong(
            "exchange", exchange, f"{where} has it by REST only, without streams: ccxt.pro has no such class"
        )
    fix = f"{where} has no class of that name, so there is nothing to build on{_nearest(exchange, list(ccxt.pro.exchanges))}"
    raise reader.wrong("exchange", exchange, fix)


def _environment(reader: _Reader, exchange: str, environment: str) -> str:
    has_testnet = bool(getattr(ccxt.pro, exchange)().urls.get("test"))
    if not environment:
        return TESTNET if has_testnet else LIVE
    if environment not in ENVIRONMENTS:
        names = ", ".join(ENVIRONMENTS)
        raise reader.wrong("environment", environment, f"it is one of {names}{_nearest(environment, ENVIRONMENTS)}")
    if environment == TESTNET and not has_testnet:
        raise reader.wrong(
            "environment", environment, f'ccxt knows no testnet of {exchange}; "live" gives market data only'
        )
    return environment


def _loopback(reader: _Reader, environment: str) -> str:
    url, port = reader.text("url"), reader.port()
    if environment != LOOPBACK:
        for key, value in (("url", url), ("port", port)):
            if value:
                raise reader.wrong(
                    key, value, f'only environment = "loopback" takes it, not "{environment}"; remove it'
                )
        return ""
    if bool(url) == bool(port):
        raise reader.wrong("environment", LOOPBACK, "it needs exactly one of url, port")
    if url:
        parts = urlsplit(url)
        if parts.hostname != "127.0.0.1" or url.rstrip("/") != f"http://127.0.0.1:{parts.port}":
            raise reader.wrong("url", url, "loopback reaches this machine only; write it as http://127.0.0.1:PORT")
        port = int(parts.port or 0)
    return f"127.0.0.1:{port}"


def _symbols(text: str) -> frozenset[str]:
    return frozenset(name.strip().upper().partition(".")[0] for name in text.split(",") if name.strip())


def _book_of(reader: _Reader) -> dict[str, BookWay]:
    """Read "BTCUSDT: ccxt, ETHUSDT: partial"."""
    ways = {}
    for pair in reader.text("book_of").split(","):
        symbol, colon, way = pair.partition(":")
        if not pair.strip():
            continue
        if not colon:
            raise reader.wrong("book_of", pair, 'write it as "SYMBOL: way, SYMBOL: way"')
        ways[symbol.strip().upper().partition(".")[0]] = reader.way("book_of", way.strip())
    return ways


def _nearest(value: str, known: "list[str] | tuple[str, ...]") -> str:
    close = get_close_matches(value, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
