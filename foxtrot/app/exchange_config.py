"""The configuration of the embedded exchange, from one TOML file: accounts, instruments, fees, behaviour, faults."""

import secrets
import string
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from foxtrot.app.config_reader import TomlFile, nearest, read_mapping, read_struct
from foxtrot.app.exchange_tables import (
    IB_BALANCES,
    STOCK_BALANCES,
    ExchangeAccount,
    ExchangeTable,
    FeeTable,
    FutuTable,
    IbTable,
    InstrumentTable,
    StockTable,
)
from foxtrot.app.secrets import from_environment
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.faults import Fault, read_fault
from foxtrot.exchange.listings import REFERENCE_PRICES, default_listings
from foxtrot.exchange.server_settings import FUTU, IB, SPOT, USDM, AccountSetup
from foxtrot.exchange.wire.binance.venue_side import ApiKey

TABLES = dict.fromkeys(("exchange", "futu", "ib", "account", "instrument", "stock", "fees", "fault"))
DEFAULT_ACCOUNT = "main"
VENUES = {
    "BINANCE": (SPOT,), "BINANCE_USDM": (USDM,), "SEHK": (FUTU, IB), "NASDAQ": (FUTU, IB),
    "CME": (IB,), "IDEALPRO": (IB,), "OPRA": (IB,), "SSE": (FUTU,), "SZSE": (FUTU,),
}  # fmt: skip
"""Which products serve an instrument, by the venue part of its id."""
_FEES = {
    "BINANCE": "binance_spot", "BINANCE_USDM": "binance_usdm", "SEHK": "futu_hk", "NASDAQ": "futu_us",
    "CME": "ib_us_futures", "IDEALPRO": "ib_forex", "OPRA": "ib_us_options",
}  # fmt: skip
_TOLD_FEES = ("spot", "usdm")
_KEY_LENGTH = 64
_KEY_LETTERS = string.ascii_letters + string.digits
_PEM = "-----BEGIN"


class ExchangeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration; without a file, all defaults."""

    exchange: ExchangeTable = ExchangeTable()
    futu: FutuTable = FutuTable()
    ib: IbTable = IbTable()
    accounts: dict[str, ExchangeAccount] = msgspec.field(default_factory=lambda: {DEFAULT_ACCOUNT: ExchangeAccount()})
    instruments: tuple[InstrumentTable, ...] = ()
    stocks: tuple[StockTable, ...] = ()
    fees: dict[str, FeeTable] = {}
    faults: tuple[Fault, ...] = ()

    def listings(self) -> dict[str, tuple[Instrument, Decimal]]:
        """Return instruments and the price at which each begins, by id; one of the file replaces a built-in one."""
        found = {
            one.instrument_id: (one, REFERENCE_PRICES[one.instrument_id])
            for one in default_listings()
            if one.venue in VENUES
        }
        told: tuple[InstrumentTable | StockTable, ...] = (*self.instruments, *self.stocks)
        for table in told:
            instrument = table.instrument()
            found[instrument.instrument_id] = (instrument, table.price)
        return found

    def fee_schedule(self, instrument: Instrument) -> FeeSchedule:
        """Return what trading an instrument costs."""
        told = self.fees.get(VENUES[instrument.venue][0])
        if told is not None:
            return told.schedule()
        return load_preset(_FEES[instrument.venue]) if instrument.venue in _FEES else FeeSchedule.zero()


def load_exchange_config(path: Path, environment: Mapping[str, str]) -> ExchangeConfig:
    """Read and check a file; keys and secrets of the environment and PEM files are taken in.

    Blocks: for the disk.

    Raises:
        ConfigError: one line that names file, line, table and key, the value and the fix.
    """
    if not path.exists():
        raise ConfigError(f"--config {path} does not exist; docs/exchange.md shows one to start from")
    file = TomlFile.read(path)
    for name in file.tables:
        if name not in TABLES:
            raise file.fault((name,), f"unknown table {name!r}{nearest(name, TABLES)}")
    config = ExchangeConfig(
        exchange=read_struct(file, ("exchange",), file.tables.get("exchange", {}), ExchangeTable),
        futu=_futu(file, environment),
        ib=read_struct(file, ("ib",), file.tables.get("ib", {}), IbTable),
        accounts=_accounts(file, environment) or {DEFAULT_ACCOUNT: ExchangeAccount()},
        instruments=tuple(
            read_struct(file, ("instrument", ""), raw, InstrumentTable) for raw in _tables(file, "instrument")
        ),
        stocks=tuple(read_struct(file, ("stock", ""), raw, StockTable) for raw in _tables(file, "stock")),
        fees=_fees(file),
        faults=tuple(
            read_fault(raw, f"{path}: fault {number}") for number, raw in enumerate(_tables(file, "fault"), 1)
        ),
    )
    _check_apart(file, config)
    return config


def account_setup(name: str, account: ExchangeAccount, served: Sequence[str] = ()) -> AccountSetup:
    """Return an account as the server opens it; a key that it does not tell is random.

    Where stocks or currencies are served, an account whose balances nobody told has the money of their markets too.
    """
    balances = account.balances
    if balances == ExchangeAccount().balances:
        more = {**(STOCK_BALANCES if FUTU in served else {}), **(IB_BALANCES if IB in served else {})}
        balances = {**balances, **more}
    return AccountSetup(name, (_key(name, account),), balances, account.position_mode, account.products)


def _key(name: str, account: ExchangeAccount) -> ApiKey:
    secret = "" if account.public_key else account.api_secret or _random_key()
    return ApiKey(
        api_key=account.api_key or _random_key(),
        account=name,
        secret=secret,
        public_key=account.public_key,
        can_trade=account.can_trade,
        can_withdraw=account.can_withdraw,
        can_transfer=account.can_transfer,
        address_bound=account.address_bound,
    )


def _random_key() -> str:
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_LENGTH))


def _accounts(file: TomlFile, environment: Mapping[str, str]) -> dict[str, ExchangeAccount]:
    found: dict[str, ExchangeAccount] = {}
    for name, raw in read_mapping(file, ("account",), file.tables.get("account", {})).items():
        key = ("account", name)
        if not isinstance(raw, dict):
            raise file.fault(key, f"[account] needs a name: write [account.NAME] above {name!r}")
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 64:
            raise file.fault((*key, ""), f"name {name!r} must be 1 to 64 of A-Z a-z 0-9 _ -")
        for secret in ("api_key", "api_secret"):
            if not isinstance(raw.get(secret, ""), str):
                raise file.fault(
                    (*key, secret), f"{secret} must be text in quotes"
                )  # without the value: it is a secret
        found[name] = _with_secrets(file, key, read_struct(file, key, raw, ExchangeAccount), environment)
    return found


def _with_secrets(
    file: TomlFile, key: tuple[str, ...], account: ExchangeAccount, environment: Mapping[str, str]
) -> ExchangeAccount:
    told: dict[str, str] = {}
    for name in ("api_key", "api_secret"):
        variable = getattr(account, f"{name}_env")
        if variable:
            try:
                told[name] = from_environment(variable, environment).reveal()
            except ConfigError as error:
                raise file.fault((*key, f"{name}_env"), str(error)) from None
            told[f"{name}_env"] = ""
    if account.public_key and not account.public_key.lstrip().startswith(_PEM):
        told["public_key"] = _pem(file, (*key, "public_key"), account.public_key, "public_key", "PUBLIC")
    return msgspec.structs.replace(account, **told) if told else account


def _pem(file: TomlFile, key: tuple[str, ...], name: str, what: str, half: str) -> str:
    path = file.path.absolute().parent / Path(name).expanduser()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise file.fault(key, f"{what} {name!r} is neither a readable PEM file nor its text") from None
    if f"{half} KEY-----" not in text:
        raise file.fault(
            key, f"{what} {name!r} holds no '-----BEGIN {half} KEY-----'; name the {half.lower()} half of the key"
        )
    return text


def _futu(file: TomlFile, environment: Mapping[str, str]) -> FutuTable:
    """Return the table with its password and its key taken in."""
    table = read_struct(file, ("futu",), file.tables.get("futu", {}), FutuTable)
    told: dict[str, str] = {}
    if table.trade_password_env:
        try:
            told["trade_password"] = from_environment(table.trade_password_env, environment).reveal()
        except ConfigError as error:
            raise file.fault(("futu", "trade_password_env"), str(error)) from None
        told["trade_password_env"] = ""
    if table.rsa_key and not table.rsa_key.lstrip().startswith(_PEM):
        told["rsa_key"] = _pem(file, ("futu", "rsa_key"), table.rsa_key, "rsa_key", "PRIVATE")
    return msgspec.structs.replace(table, **told) if told else table


def _fees(file: TomlFile) -> dict[str, FeeTable]:
    found: dict[str, FeeTable] = {}
    for product, raw in read_mapping(file, ("fees",), file.tables.get("fees", {})).items():
        if product not in _TOLD_FEES:
            raise file.fault(("fees", product), f"unknown key {product!r}; known: {', '.join(_TOLD_FEES)}")
        found[product] = read_struct(file, ("fees", product), raw, FeeTable)
    return found


def _tables(file: TomlFile, name: str) -> list[dict[str, object]]:
    found = file.tables.get(name, [])
    if isinstance(found, list) and all(isinstance(raw, dict) for raw in found):
        return found
    raise file.fault((name,), f"{name} must be a list of tables: write [[{name}]] above each")


def _check_apart(file: TomlFile, config: ExchangeConfig) -> None:
    listed: tuple[tuple[str, Sequence[InstrumentTable | StockTable]], ...]
    listed = (("instrument", config.instruments), ("stock", config.stocks))
    for kind, tables in listed:
        names = [table.instrument().instrument_id for table in tables]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise file.fault((kind,), f"{twice} is listed twice; remove one [[{kind}]]")
    keys = [account.api_key for account in config.accounts.values() if account.api_key]
    if len(set(keys)) < len(keys):
        raise file.fault(("account",), "two accounts have the same api_key; give each its own")
