"""Settings of a Binance account, checked before anything starts: unknown keys, wrong values and foreign URLs are refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.book_choice import BookChoice, BookWay, check_choice, check_engine
from foxtrot.adapter.binance.environments import ENVIRONMENTS, LOOPBACK, NAMES, SAFEST, Urls, loopback_urls
from foxtrot.adapter.binance.signer import Signer
from foxtrot.adapter.settings_reader import SettingsReader, nearest
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import Product

PRODUCTS: Final = {"spot": Product.SPOT, "usdm": Product.PERPETUAL}
"""The setting `product`, and what it means in our own words."""
MESSAGES: Final = {Product.SPOT: 4, Product.PERPETUAL: 8}
"""The most messages in a second on a market connection, with room below Binance's 5 and 10 for a ping."""
HOUR_NS: Final = 3_600_000_000_000
MARGIN_TYPES: Final = ("", "crossed", "isolated")
BOOK_ENGINES: Final = ("plain", "compiled")
OVERRIDES: Final = ("url", "port", "port_file")
SECRETS: Final = ("api_key", "api_secret")
KNOWN: Final = (
    "product", "max_leverage", "leverage", "margin_type", "set_position_mode", "websocket", "no_websocket",
    "hot_path", "book", "book_of", "book_engine", "compare_books", "audit_interval_s", "totals", "poll_interval_s",
    "rate_limit", "subscriptions_per_s", "recv_window_ms", "allow_withdrawal_key", "connection_limit", "rotate_hours",
    "trades_since_hours", "raw_messages", "url", "port_file", "port",
)  # fmt: skip
"""The settings that there are."""
WAYS: Final = tuple(str(way) for way in BookWay)
PEM_MARK: Final = "PRIVATE KEY"
PORT_FILE_KEYS: Final = {Product.SPOT: "binance_spot", Product.PERPETUAL: "binance_usdm"}


class BinanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is set to; `no_websocket` are venue symbols whose data is asked for by REST.

    `leverage` 0 and `margin_type` "" leave at the venue what is set there; `max_leverage` is the most that may open a position.
    """

    product: Product
    environment: str
    urls: Urls
    api_key: Secret
    api_secret: Secret
    signer: Signer | None = None
    """Signs in place of the secret, which is forgotten then."""
    max_leverage: int = 3
    leverage: int = 0
    margin_type: str = ""
    set_position_mode: bool = False
    """Whether an account of another position mode is changed to ours, which Binance allows without positions only."""
    websocket: bool = True
    no_websocket: frozenset[str] = frozenset()
    hot_path: bool = True
    book: BookWay = BookWay.DEPTH_CACHE
    """By which way order books are had, those of `book_of` ("BTCUSDT=ccxt, ETHUSDT=partial") by others."""
    book_of: Mapping[str, BookWay] = {}
    book_engine: str = "plain"
    """Whether our own books are changed in Python or, faster, in compiled code."""
    compare_books: frozenset[str] = frozenset()
    """Venue symbols whose book ccxt keeps beside ours, to be compared."""
    audit_interval_s: float = 300.0
    """How often each book is compared with a fresh snapshot; 0 is never."""
    totals: bool = False
    """Whether ticks carry volume and prices of 24 hours, at the cost of one more stream per symbol."""
    poll_interval_s: float = 1.0
    """How often data without a stream is asked for."""
    rate_limit: bool = True
    subscriptions_per_s: int = 4
    """How many messages may leave on a market connection in a second; Binance takes 5 on spot, 10 on USD-M. 0 is any number."""
    recv_window_ms: int = 5000
    allow_withdrawal_key: bool = False
    """Whether a key that may take money out is used, with a warning."""
    connection_limit: int = 150
    """How many WebSocket connections may be opened in five minutes: half of what Binance allows one address."""
    rotate_hours: int = 23
    """How old a WebSocket connection may grow before another takes its place; Binance ends one after 24 hours. 0 is any age."""
    trades_since_hours: int = 24
    """How long before the start the fills begin that are asked for, so that READY does not take longer the older the account is."""
    raw_messages: bool = True
    """Whether what is sent and heard about orders is kept in the journal as it was, without signatures and keys."""

    @property
    def books(self) -> BookChoice:
        """Return what is chosen for books."""
        return BookChoice(
            usual=self.book,
            of=self.book_of,
            compared=self.compare_books,
            audit_interval_s=self.audit_interval_s,
            compiled=self.book_engine == "compiled",
        )

    def signed(self) -> "BinanceSettings":
        """Return the settings with a signer in place of the secret."""
        if not self.api_secret:
            return self
        signer = Signer(self.api_secret)
        return msgspec.structs.replace(self, api_secret=Secret(signer.placeholder), signer=signer)

    @property
    def host(self) -> str:
        """Return the host that counts our requests, with its port where it has one."""
        return urlsplit(str(self.urls["public" if self.product is Product.SPOT else "fapiPublic"])).netloc

    @property
    def has_keys(self) -> bool:
        """Tell whether there are credentials."""
        return bool(self.api_key) and bool(self.api_secret)

    def fills_begin_ns(self, start_ns: int) -> int:
        """Return the time before which fills are not asked for by a run that starts at a time."""
        return max(start_ns - self.trades_since_hours * HOUR_NS, 0) if self.trades_since_hours else 0

    def streams(self, symbol: str) -> bool:
        """Tell whether a symbol's market data comes by WebSocket."""
        return self.websocket and symbol not in self.no_websocket


def read_settings(context: AdapterContext) -> BinanceSettings:
    """Return the settings of an account.

    Raises:
        ConfigError: names the key, its value, how to mend it and, for a misspelt one, the nearest that is known.
    """
    reader = SettingsReader(context, KNOWN, SECRETS, "a Binance account")
    environment = _environment(reader, context.environment or SAFEST)
    product = PRODUCTS[reader.choice("product", "spot", tuple(PRODUCTS))]
    settings = BinanceSettings(
        product=product,
        environment=environment,
        urls=_urls(reader, environment, product),
        api_key=context.secrets.get("api_key", Secret("")),
        api_secret=context.secrets.get("api_secret", Secret("")),
        max_leverage=reader.whole("max_leverage", 3, 1, 125),
        leverage=reader.whole("leverage", 0, 0, 125),
        margin_type=reader.choice("margin_type", "", MARGIN_TYPES),
        set_position_mode=reader.flag("set_position_mode", default=False),
        websocket=reader.flag("websocket", default=True),
        no_websocket=reader.symbols("no_websocket"),
        hot_path=reader.flag("hot_path", default=True),
        book=BookWay(reader.choice("book", BookWay.DEPTH_CACHE, WAYS)),
        book_of={symbol: BookWay(way) for symbol, way in reader.ways("book_of", WAYS).items()},
        book_engine=reader.choice("book_engine", "plain", BOOK_ENGINES),
        compare_books=reader.symbols("compare_books"),
        audit_interval_s=reader.seconds("audit_interval_s", 300.0, 0.0, 86_400.0),
        totals=reader.flag("totals", default=False),
        poll_interval_s=reader.seconds("poll_interval_s", 1.0, 0.1, 3600.0),
        rate_limit=reader.flag("rate_limit", default=environment != LOOPBACK),
        subscriptions_per_s=reader.whole("subscriptions_per_s", MESSAGES[product], 0, MESSAGES[product]),
        recv_window_ms=reader.whole("recv_window_ms", 5000, 1, 60_000),
        allow_withdrawal_key=reader.flag("allow_withdrawal_key", default=False),
        connection_limit=reader.whole("connection_limit", 150, 1, 300),
        rotate_hours=reader.whole("rotate_hours", 23, 0, 23),
        trades_since_hours=reader.whole("trades_since_hours", 24, 0, 8_760),
        raw_messages=reader.flag("raw_messages", default=True),
    )
    _check(reader, settings, context)
    return settings


def _environment(reader: SettingsReader, environment: str) -> str:
    if environment not in NAMES:
        raise reader.wrong("environment", environment, f"it is one of {', '.join(NAMES)}{nearest(environment, NAMES)}")
    return environment


def _check(reader: SettingsReader, settings: BinanceSettings, context: AdapterContext) -> None:
    _check_books(reader, settings, context)
    if settings.leverage > settings.max_leverage:
        raise reader.wrong(
            "leverage",
            settings.leverage,
            f"it is above max_leverage = {settings.max_leverage}; raise that or lower this",
        )
    if bool(settings.api_key) != bool(settings.api_secret):
        missing = "api_secret" if settings.api_key else "api_key"
        raise reader.wrong(missing, "", f'the other of the pair is set; add {missing}_env = "VARIABLE"')
    if settings.has_keys:
        _check_keys(reader, settings)


def _check_books(reader: SettingsReader, settings: BinanceSettings, context: AdapterContext) -> None:
    choice = settings.books
    wrong = check_choice(choice, hot_path=settings.hot_path) or check_engine(choice, hot_path=settings.hot_path)
    if wrong is not None:
        raise reader.wrong(wrong[0], context.settings.get(wrong[0], ""), wrong[1])


def _check_keys(reader: SettingsReader, settings: BinanceSettings) -> None:
    """Refuse what cannot be a key, so that it is not sent in a header or fails in the middle of signing."""
    secret = settings.api_secret.reveal()
    is_pem = PEM_MARK in secret
    for name, text in (("api_key", settings.api_key.reveal()), ("api_secret", "" if is_pem else secret)):
        if not all("!" <= character <= "~" for character in text):
            raise reader.wrong(
                name, "***", "it has a blank, a line break or another letter that no key has; copy it whole"
            )
    if is_pem:
        try:
            load_pem_private_key(secret.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise reader.wrong("api_secret", "***", "it is no readable private key in PEM without a password") from None


def _urls(reader: SettingsReader, environment: str, product: Product) -> Urls:
    url, port_file = reader.text("url"), reader.text("port_file")
    port = reader.whole("port", 0, 0, 65_535)
    given = {"url": url, "port": port, "port_file": port_file}
    if environment != LOOPBACK:
        for key, value in given.items():
            if value:
                raise reader.wrong(
                    key, value, f'only environment = "loopback" takes it, not "{environment}"; remove it'
                )
        return ENVIRONMENTS[environment]
    if sum(map(bool, given.values())) != 1:
        raise reader.wrong("environment", LOOPBACK, f"it needs exactly one of {', '.join(OVERRIDES)}")
    if url:
        port = _port_of_url(reader, url)
    elif port_file:
        port = _port_of_file(reader, port_file, product)
    return loopback_urls(port)


def _port_of_url(reader: SettingsReader, url: str) -> int:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if _foreign(url, host, port):
        raise reader.wrong("url", url, "loopback reaches this machine only; write it as http://127.0.0.1:PORT")
    return int(port or 0)


def _foreign(url: str, host: str | None, port: int | None) -> bool:
    """Tell whether a URL is anything but http://127.0.0.1:PORT."""
    return host != "127.0.0.1" or not port or url.rstrip("/") != f"http://127.0.0.1:{port}"


def _port_of_file(reader: SettingsReader, name: str, product: Product) -> int:
    key = PORT_FILE_KEYS[product]
    try:
        read = msgspec.json.decode(Path(name).read_bytes(), type=dict[str, object])
    except (OSError, msgspec.MsgspecError) as error:
        raise reader.wrong("port_file", name, f"it cannot be read ({error}); start the exchange first") from error
    port = read.get(key)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port <= 65_535:
        raise reader.wrong("port_file", name, f"it has no port under {key}; start the exchange with that service")
    return port
