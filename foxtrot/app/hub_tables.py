"""The tables of a configuration that `foxtrot hub` reads: where it listens, who may read it, what it offers."""

from collections.abc import Collection, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from foxtrot.app.config_reader import TomlFile, nearest, read_mapping, read_struct
from foxtrot.app.config_tables import Text
from foxtrot.app.secrets import from_environment
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError
from foxtrot.hub.settings import LOOPBACK, MOST_LEVELS, HubSettings, OfferSettings, check_host, check_origin
from foxtrot.hub.wire import DEFAULT_PORT, HubLimits


class HubInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument that the hub shares; ID is its id, such as "BTCUSDT.BINANCE"."""

    account: Annotated[
        str, Meta(description="Account whose adapter streams it; may be left out where there is one account.")
    ] = ""
    levels: Annotated[
        int, Meta(ge=1, le=MOST_LEVELS, description="Deepest book a client may ask for, in levels a side.")
    ] = 100


class HubTable(msgspec.Struct, frozen=True, kw_only=True):
    """Books and tickers for other local programs, shared by `foxtrot hub`; `foxtrot run` leaves it alone."""

    host: Annotated[
        str, Meta(description="Address it listens on; one that is not loopback needs `token_env`.", examples=[LOOPBACK])
    ] = LOOPBACK
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port it listens on; 0 picks one.")] = DEFAULT_PORT
    token_env: Annotated[
        str, Meta(description="Environment variable with the token that clients must send; empty for none.")
    ] = ""
    origins: Annotated[
        tuple[Text, ...],
        Meta(description='Web pages beside the hub\'s own whose scripts may read it: `["http://localhost:3000"]`.'),
    ] = ()
    clients: Annotated[int, Meta(ge=1, le=10_000, description="Most clients at a time.")] = 100
    subscriptions: Annotated[int, Meta(ge=1, le=10_000, description="Most streams of one client.")] = 200
    instrument: Annotated[dict[str, HubInstrument], Meta(description="What it offers.")] = {}

    def __post_init__(self) -> None:
        """Refuse what would let strangers read.

        Raises:
            ConfigError: the host is none or needs a token, or an origin is none.
        """
        check_host(self.host, has_token=bool(self.token_env))
        for origin in self.origins:
            check_origin(origin)


def read_hub(file: TomlFile, accounts: Collection[str]) -> HubTable | None:
    """Return the hub of a file, None where it has none.

    Raises:
        ConfigError: one line that names file, line, table and key, the value and the fix.
    """
    if "hub" not in file.tables:
        return None
    table = dict(read_mapping(file, ("hub",), file.tables["hub"]))
    offers: dict[str, HubInstrument] = {}
    for name, raw in read_mapping(file, ("hub", "instrument"), table.pop("instrument", {})).items():
        one = offers[name] = read_struct(file, ("hub", "instrument", name), raw, HubInstrument)
        if not accounts:
            raise file.fault(
                ("hub", "instrument", name, ""),
                'no account to take it from; add [account.NAME] with adapter = "simulated" or another',
            )
        if one.account and one.account not in accounts:
            hint = nearest(one.account, dict.fromkeys(accounts))
            raise file.fault(("hub", "instrument", name, "account"), f"account {one.account!r} has no table{hint}")
        if not one.account and len(accounts) != 1:
            raise file.fault(
                ("hub", "instrument", name, ""), f"key 'account' is missing; accounts: {', '.join(accounts)}"
            )
    return msgspec.structs.replace(read_struct(file, ("hub",), table, HubTable), instrument=offers)


def hub_settings(table: HubTable | None, accounts: Collection[str], environment: Mapping[str, str]) -> HubSettings:
    """Return what a hub is told, with its token from the environment.

    Raises:
        ConfigError: there is no table, nothing is offered, or the variable of the token is not set.
    """
    if table is None or not table.instrument:
        raise ConfigError('nothing is offered; add tables [hub] and [hub.instrument."BTCUSDT.BINANCE"]')
    only = next(iter(accounts), "")
    return HubSettings(
        offers=tuple(OfferSettings(name, one.account or only, one.levels) for name, one in table.instrument.items()),
        host=table.host,
        port=table.port,
        token=from_environment(table.token_env, environment, "token_env") if table.token_env else Secret(""),
        origins=table.origins,
        limits=HubLimits(clients=table.clients, subscriptions=table.subscriptions),
    )
