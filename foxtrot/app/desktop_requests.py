"""What a desktop asks of a platform beside what the control port knows, and what it is answered: frozen structs, all of which can be encoded."""

from decimal import Decimal

import msgspec

from foxtrot.adapter.health import HealthFigures
from foxtrot.app.control_requests import Name, Request
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.statistics import EngineStatistics
from foxtrot.domain.account import AccountData
from foxtrot.domain.instrument import Instrument


class Overview(Request, frozen=True, tag="overview"):
    """How the platform and its accounts stand; asked twice a second."""


class ListInstruments(Request, frozen=True, tag="instruments"):
    """Every instrument that an account can trade, "" for all accounts."""

    account: Name = ""


class AccountOverview(msgspec.Struct, frozen=True):
    """One account: what it holds as the venue told it last, what it has made, how its link does, as which status it was told last."""

    account: str
    adapter: str
    environment: str
    real_money: bool
    balances: AccountData | None
    profit: Decimal | None
    health: HealthFigures
    status: AdapterStatus | None


class OverviewFound(msgspec.Struct, frozen=True):
    """The answer to Overview: money in the base currency, None where a rate is missing. `day_profit` counts from the start of the trading day."""

    base_currency: str
    mode: str
    time_ns: int
    accounts: tuple[AccountOverview, ...]
    equity: dict[str, Decimal | None]
    profit: Decimal | None
    day_profit: Decimal | None
    open_orders: int
    unknown_orders: int
    gate: str
    gate_reason: str
    statistics: EngineStatistics


class ListedInstruments(msgspec.Struct, frozen=True):
    """The answer to ListInstruments: by account."""

    instruments: dict[str, tuple[Instrument, ...]]
