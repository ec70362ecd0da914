"""Settings of an account at one of ccxt's exchanges, checked before anything starts: unknown keys and wrong values are refused."""

import enum
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import ccxt
import ccxt.pro
import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ccxt.contracts import symbol_of
from foxtrot.adapter.settings_reader import SettingsReader, nearest

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
NAMES: Final = tuple(str(way) for way in WAYS)
KNOWN: Final = (
    "websocket", "no_websocket", "book", "book_of", "poll_interval_s", "audit_interval_s", "rate_limit", "exchange",
    "url", "port",
)  # fmt: skip
"""The settings that there are."""


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

    @property
    def named(self) -> frozenset[str]:
        """Return the symbols that are named."""
        return self.no_websocket | frozenset(self.book_of)

    def way_of(self, symbol: str) -> BookWay:
        """Return who is to keep a symbol's book."""
        return self.book_of.get(symbol, self.book)


def read_settings(context: AdapterContext) -> CcxtSettings:
    """Return the settings of an account.

    Raises:
        ConfigError: names the key, its value, how to mend it and, for a misspelt one, the nearest that is known.
    """
    reader = SettingsReader(context, KNOWN, (), "an account of ccxt")
    exchange = _exchange(reader)
    environment = _environment(reader, exchange, context.environment)
    return CcxtSettings(
        exchange=exchange,
        environment=environment,
        loopback=_loopback(reader, environment),
        websocket=reader.flag("websocket", default=True),
        no_websocket=frozenset(map(_symbol, reader.symbols("no_websocket"))),
        book=BookWay(reader.choice("book", BookWay.DEPTH_CACHE, NAMES)),
        book_of={_symbol(name): BookWay(way) for name, way in reader.ways("book_of", NAMES).items()},
        poll_interval_s=reader.seconds("poll_interval_s", 1.0, 0.1, 3600.0),
        audit_interval_s=reader.seconds("audit_interval_s", 300.0, 0.0, 86_400.0),
        rate_limit=reader.flag("rate_limit", default=environment != LOOPBACK),
    )


def _exchange(reader: SettingsReader) -> str:
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
    fix = f"{where} has no class of that name, so there is nothing to build on{nearest(exchange, tuple(ccxt.pro.exchanges))}"
    raise reader.wrong("exchange", exchange, fix)


def _environment(reader: SettingsReader, exchange: str, environment: str) -> str:
    has_testnet = bool(getattr(ccxt.pro, exchange)().urls.get("test"))
    if not environment:
        return TESTNET if has_testnet else LIVE
    if environment not in ENVIRONMENTS:
        names = ", ".join(ENVIRONMENTS)
        raise reader.wrong("environment", environment, f"it is one of {names}{nearest(environment, ENVIRONMENTS)}")
    if environment == TESTNET and not has_testnet:
        raise reader.wrong(
            "environment", environment, f'ccxt knows no testnet of {exchange}; "live" gives market data only'
        )
    return environment


def _loopback(reader: SettingsReader, environment: str) -> str:
    url, port = reader.text("url"), reader.whole("port", 0, 0, 65_535)
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


def _symbol(name: str) -> str:
    """Return our symbol of one that may be written as ccxt writes it."""
    return symbol_of(name) if "/" in name else name
