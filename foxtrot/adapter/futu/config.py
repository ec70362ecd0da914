"""Settings of a Futu account, checked before anything starts: unknown keys and wrong values are refused."""

from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.settings_reader import SettingsReader, listed, nearest
from foxtrot.core.secret import Secret

SIMULATE: Final = "simulate"
REAL: Final = "real"
ENVIRONMENTS: Final = (SIMULATE, REAL)
"""The environments, the safest first; "" is that one."""
MARKETS: Final = ("HK", "US", "CN")
FIRMS: Final = ("", "FUTUSECURITIES", "FUTUINC", "FUTUSG", "FUTUAU", "FUTUCA", "FUTUMY", "FUTUJP")
"""The firms that keep accounts; "" is that of the first account with real money.

Source: Futu OpenAPI, trade, SecurityFirm.
"""
CURRENCIES: Final = ("HKD", "USD", "CNH", "JPY", "SGD", "AUD", "CAD", "MYR")
REFUSE: Final = "refuse"
QUEUE: Final = "queue"
SEND: Final = "send"
OUTSIDE: Final = (REFUSE, QUEUE, SEND)
SECRETS: Final = ("unlock_password",)
KEY_BITS: Final = 1024
"""The SDK cuts into blocks of this key's size, whatever the key.

Source: seen with futu-api 10.11.7108 (sys_config.py, RsaCrypt).
"""
HIGHEST_ACCOUNT: Final = 2**63 - 1
KNOWN: Final = (
    "host", "port", "port_file", "markets", "account_id", "security_firm", "currency", "encrypt", "rsa_file", "outside_session",
    "extended_hours", "always_open", "poll_s", "orders_per_30_s", "changes_per_30_s", "queries_per_30_s", "subscription_quota",
    "trades_since_hours", "mute_after_s",
)  # fmt: skip
"""The settings that there are."""


class FutuSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is set to."""

    environment: str = SIMULATE
    """simulate or real."""
    host: str = "127.0.0.1"
    port: int = 11111
    markets: tuple[str, ...] = ("HK", "US")
    account_id: int = 0
    """Futu's number of the account; 0 is the only one that fits."""
    security_firm: str = ""
    currency: str = "HKD"
    """What the account's totals are told in."""
    unlock_password: Secret = Secret("")
    encrypt: bool = False
    rsa_file: str = ""
    outside_session: str = REFUSE
    """What becomes of an order while its market is closed: refused here, queued here until it opens, or sent for OpenD to judge."""
    extended_hours: bool = False
    """Whether US orders may fill before and after the session."""
    always_open: bool = False
    """Whether OpenD is an embedded exchange that trades around the clock, so that its instruments have no hours; never for Futu's own."""
    poll_s: float = 3.0
    """How often balances and positions, which Futu does not push, are asked for."""
    orders_per_30_s: int = 15
    changes_per_30_s: int = 20
    """How many changes and cancels; the last few are kept for cancels."""
    queries_per_30_s: int = 10
    """How many questions of each kind about the account."""
    subscription_quota: int = 100
    """How many subscriptions, one for each kind of data of an instrument, OpenD allows; it depends on the customer."""
    trades_since_hours: int = 24
    """How long before the start the fills begin that are asked for."""
    mute_after_s: float = 15.0
    """How long OpenD may say nothing at all before the connection counts as lost; it answers a question every 3 s."""

    @property
    def is_real(self) -> bool:
        """Tell whether orders spend real money."""
        return self.environment == REAL


class _PortFile(msgspec.Struct, frozen=True):
    futu: int | None = None


def read_settings(context: AdapterContext) -> FutuSettings:
    """Return the settings of an account.

    Raises:
        ConfigError: names the key, its value, how to mend it and, for a misspelt one, the nearest that is known.
    """
    reader = SettingsReader(context, KNOWN, SECRETS, "a Futu account")
    settings = FutuSettings(
        environment=_environment(reader, context.environment or SIMULATE),
        host=_host(reader),
        port=_port(reader, context),
        markets=_markets(reader),
        account_id=reader.whole("account_id", 0, 0, HIGHEST_ACCOUNT),
        security_firm=reader.choice("security_firm", "", FIRMS),
        currency=reader.choice("currency", "HKD", CURRENCIES),
        unlock_password=context.secrets.get("unlock_password", Secret("")),
        encrypt=reader.flag("encrypt", default=False),
        rsa_file=reader.text("rsa_file"),
        outside_session=reader.choice("outside_session", REFUSE, OUTSIDE),
        extended_hours=reader.flag("extended_hours", default=False),
        always_open=reader.flag("always_open", default=False),
        poll_s=reader.seconds("poll_s", 3.0, 3.0, 3600.0),
        orders_per_30_s=reader.whole("orders_per_30_s", 15, 1, 1000),
        changes_per_30_s=reader.whole("changes_per_30_s", 20, 1, 1000),
        queries_per_30_s=reader.whole("queries_per_30_s", 10, 1, 1000),
        subscription_quota=reader.whole("subscription_quota", 100, 1, 10_000),
        trades_since_hours=reader.whole("trades_since_hours", 24, 0, 8_760),
        mute_after_s=reader.seconds("mute_after_s", 15.0, 1.0, 30.0),
    )
    _check_key(reader, settings)
    return settings


def _environment(reader: SettingsReader, environment: str) -> str:
    if environment not in ENVIRONMENTS:
        fix = f"it is one of {', '.join(ENVIRONMENTS)}{nearest(environment, ENVIRONMENTS)}"
        raise reader.wrong("environment", environment, fix)
    return environment


def _host(reader: SettingsReader) -> str:
    host = reader.text("host", "127.0.0.1").strip()
    if not host or any(character.isspace() or character in "/:@" for character in host):
        raise reader.wrong("host", host, 'it is a name or an IPv4 address without a port, such as "127.0.0.1"')
    return host


def _port(reader: SettingsReader, context: AdapterContext) -> int:
    """Return OpenD's port: as it is set, or as an embedded exchange has written it into its port file."""
    name = reader.text("port_file")
    if not name:
        return reader.whole("port", 11111, 1, 65_535)
    if "port" in context.settings:
        raise reader.wrong("port_file", name, "port is set as well; give one of them")
    try:
        port = msgspec.json.decode(Path(name).read_bytes(), type=_PortFile).futu
    except (OSError, msgspec.MsgspecError) as error:
        raise reader.wrong("port_file", name, f"it cannot be read ({error}); start the exchange first") from error
    if port is None:
        raise reader.wrong("port_file", name, "it has no port of Futu; start the exchange with --futu PORT")
    return port


def _markets(reader: SettingsReader) -> tuple[str, ...]:
    text = reader.text("markets", "HK, US")
    names = tuple(dict.fromkeys(name.strip().upper() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in MARKETS:
            raise reader.wrong("markets", text, f"{name} in it is none of {listed(MARKETS)}{nearest(name, MARKETS)}")
    if not names:
        raise reader.wrong("markets", text, f"name some of {listed(MARKETS)}, parted by commas")
    return names


def _check_key(reader: SettingsReader, settings: FutuSettings) -> None:
    """Refuse a key file that the SDK could not use; it would fail in the middle of connecting."""
    if settings.encrypt != bool(settings.rsa_file):
        fix = "encrypt = true and rsa_file = PATH go together; the SDK mixes them up otherwise"
        key, value = ("rsa_file", settings.rsa_file) if settings.rsa_file else ("encrypt", settings.encrypt)
        raise reader.wrong(key, value, fix)
    if not settings.rsa_file:
        return
    try:
        found = load_pem_private_key(Path(settings.rsa_file).read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        fix = "it is no readable private key in PEM without a password"
        raise reader.wrong("rsa_file", settings.rsa_file, f"{fix} ({type(error).__name__})") from None
    if not isinstance(found, RSAPrivateKey) or found.key_size != KEY_BITS:
        fix = f"Futu takes an RSA key of {KEY_BITS} bits; make one: openssl genrsa -traditional -out FILE {KEY_BITS}"
        raise reader.wrong("rsa_file", settings.rsa_file, fix)
