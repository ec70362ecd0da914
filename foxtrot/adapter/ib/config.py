"""Settings of an account at Interactive Brokers, checked before anything starts: unknown keys and wrong values are refused."""

from pathlib import Path
from typing import Final

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.reset_window import NEVER, ResetWindow, read_window
from foxtrot.adapter.settings_reader import SettingsReader, nearest

PAPER: Final = "paper"
LIVE: Final = "live"
ENVIRONMENTS: Final = (PAPER, LIVE)
"""The environments, the safest first; "" is that one."""
PORTS: Final = {PAPER: 7497, LIVE: 7496}
"""Where TWS listens; IB Gateway does at 4002 and 4001.

Source: TWS API, Initial Setup.
"""
SMART: Final = "smart"
DIRECT: Final = "direct"
ROUTINGS: Final = (SMART, DIRECT)
MARKET_DATA: Final = {"live": 1, "frozen": 2, "delayed": 3, "delayed_frozen": 4}
"""The kinds of market data by IB's number.

Source: TWS API, Market Data Types.
"""
REFUSE: Final = "refuse"
SEND: Final = "send"
OUTSIDE: Final = (REFUSE, SEND)
HIGHEST_CLIENT_ID: Final = 2**31 - 1
RESET_WINDOW: Final = "23:45-00:45 America/New_York"
"""When IB's servers of North America are reset each night; those of other regions have other hours.

Source: IB, System Status: server reset times.
"""
KNOWN: Final = (
    "host", "port", "port_file", "client_id", "manual_orders", "account", "instruments", "routing", "market_data", "read_only",
    "reset_window", "messages_per_s", "outside_session", "outside_hours", "always_open", "trades_since_hours", "mute_after_s",
)  # fmt: skip
"""The settings that there are."""


class IbSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is set to."""

    environment: str = PAPER
    """paper or live; an account of the other kind is refused."""
    host: str = "127.0.0.1"
    port: int = PORTS[PAPER]
    client_id: int = 1
    """By what TWS knows this program; no other connection to the same TWS may have it."""
    manual_orders: bool = False
    """Whether orders that a person enters in TWS are seen, too, for which the client id is 0."""
    account: str = ""
    """IB's name of the account, "U1234567"; "" is the only one of the login."""
    instruments: tuple[str, ...] = ()
    """Ids that are looked up at the start; others are when they are first asked for."""
    routing: str = SMART
    """Whether orders go by IB's router or to the instrument's own exchange."""
    market_data: str = "live"
    """live, frozen (the last of a closed market), delayed, or delayed_frozen."""
    read_only: bool = False
    """Whether nothing is ever sent: TWS's own setting "Read-Only API" refuses orders only at its end."""
    reset_window: ResetWindow = NEVER
    """When IB resets its servers, in which no order leaves."""
    messages_per_s: int = 45
    """How much may be sent in any second; TWS takes 50."""
    outside_session: str = REFUSE
    """What becomes of an order while its market is closed: refused here, or sent for IB to hold."""
    outside_hours: bool = False
    """Whether orders may fill outside regular trading hours."""
    always_open: bool = False
    """Whether TWS is an embedded exchange that trades around the clock, so that its instruments have no hours; never for IB's own."""
    trades_since_hours: int = 24
    """How long before the start the fills begin that are asked for; TWS tells those since midnight unless its log shows more."""
    mute_after_s: float = 15.0
    """How long TWS may say nothing at all before the connection counts as lost; it is asked every few seconds."""

    @property
    def is_live(self) -> bool:
        """Tell whether orders spend real money."""
        return self.environment == LIVE


class _PortFile(msgspec.Struct, frozen=True):
    ib: int | None = None


def read_settings(context: AdapterContext) -> IbSettings:
    """Return the settings of an account.

    Raises:
        ConfigError: names the key, its value, how to mend it and, for a misspelt one, the nearest that is known.
    """
    reader = SettingsReader(context, KNOWN, (), "an account at Interactive Brokers")
    environment = _environment(reader, context.environment or PAPER)
    manual_orders = reader.flag("manual_orders", default=False)
    return IbSettings(
        environment=environment,
        host=_host(reader),
        port=_port(reader, context, environment),
        client_id=_client_id(reader, manual_orders=manual_orders),
        manual_orders=manual_orders,
        account=reader.text("account").strip(),
        instruments=_instruments(reader),
        routing=reader.choice("routing", SMART, ROUTINGS),
        market_data=reader.choice("market_data", "live", tuple(MARKET_DATA)),
        read_only=reader.flag("read_only", default=False),
        reset_window=_window(reader, context),
        messages_per_s=reader.whole("messages_per_s", 45, 10, 1000),
        outside_session=reader.choice("outside_session", REFUSE, OUTSIDE),
        outside_hours=reader.flag("outside_hours", default=False),
        always_open=reader.flag("always_open", default=False),
        trades_since_hours=reader.whole("trades_since_hours", 24, 0, 168),
        mute_after_s=reader.seconds("mute_after_s", 15.0, 1.0, 60.0),
    )


def _environment(reader: SettingsReader, environment: str) -> str:
    if environment not in ENVIRONMENTS:
        fix = f"it is one of {', '.join(ENVIRONMENTS)}{nearest(environment, ENVIRONMENTS)}"
        raise reader.wrong("environment", environment, fix)
    return environment


def _host(reader: SettingsReader) -> str:
    host = reader.text("host", "127.0.0.1").strip()
    if not host.isascii() or not host or any(character.isspace() or character in "/@" for character in host):
        raise reader.wrong("host", host, 'it is a name or an address without a port, such as "127.0.0.1"')
    return host


def _port(reader: SettingsReader, context: AdapterContext, environment: str) -> int:
    """Return TWS's port: as it is set, or as an embedded exchange has written it into its port file."""
    name = reader.text("port_file")
    if not name:
        return reader.whole("port", PORTS[environment], 1, 65_535)
    if "port" in context.settings:
        raise reader.wrong("port_file", name, "port is set as well; give one of them")
    try:
        port = msgspec.json.decode(Path(name).read_bytes(), type=_PortFile).ib
    except (OSError, msgspec.MsgspecError) as error:
        raise reader.wrong("port_file", name, f"it cannot be read ({error}); start the exchange first") from error
    if port is None:
        raise reader.wrong("port_file", name, "it has no port of TWS; start the exchange with --ib PORT")
    return port


def _client_id(reader: SettingsReader, *, manual_orders: bool) -> int:
    if manual_orders:
        return reader.whole("client_id", 0, 0, 0)
    client_id = reader.whole("client_id", 1, 0, HIGHEST_CLIENT_ID)
    if client_id == 0:
        fix = "client 0 takes over the orders that people enter in TWS; choose another, or set manual_orders = true"
        raise reader.wrong("client_id", client_id, fix)
    return client_id


def _instruments(reader: SettingsReader) -> tuple[str, ...]:
    text = reader.text("instruments")
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in found:
        symbol, _, exchange = name.rpartition(".")
        if not symbol or not exchange or any(character.isspace() for character in name):
            fix = f'{name!r} in it is no instrument id; write ids parted by commas, such as "AAPL.NASDAQ, ESZ6.CME"'
            raise reader.wrong("instruments", text, fix)
    return found


def _window(reader: SettingsReader, context: AdapterContext) -> ResetWindow:
    """Return when IB resets; an embedded exchange that is always open never does unless it is said."""
    open_always = context.settings.get("always_open") is True
    text = reader.text("reset_window", "" if open_always else RESET_WINDOW)
    try:
        return read_window(text)
    except ValueError as error:
        raise reader.wrong("reset_window", text, f'{error}; write it as "{RESET_WINDOW}", or "" for none') from None
