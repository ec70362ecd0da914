"""What a desktop asks of a platform beside what the control port knows, and what it is answered: frozen structs, all of which can be encoded."""

from decimal import Decimal

import msgspec

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.adapter.health import HealthFigures
from foxtrot.app.control_requests import Name, Request, Value
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.statistics import EngineStatistics
from foxtrot.domain.account import AccountData
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest


class Overview(Request, frozen=True, tag="overview"):
    """How the platform and its accounts stand; asked twice a second."""


class ListInstruments(Request, frozen=True, tag="instruments"):
    """Every instrument that an account can trade, "" for all accounts."""

    account: Name = ""


class AskTerms(Request, frozen=True, tag="terms"):
    """What an account's venue takes: order types, times in force, whether it changes orders."""

    account: Name


class PreviewOrder(Request, frozen=True, tag="preview"):
    """What an order would come to, and which rule would refuse it; nothing is sent.

    `stop_loss` and `take_profit` are those of a bracket, 0.0 for none. With `risk_share` the quantity is not the order's: it is that
    by which the stop loses this fraction of the account's equity.
    """

    order: OrderRequest
    owner: Name
    stop_loss: float = 0.0
    take_profit: float = 0.0
    risk_share: float = 0.0


class Worth(msgspec.Struct, frozen=True):
    """What an account is worth in the base currency.

    `missing` names assets and instruments of which no price or rate is known, and which are not in the amount; `at_least`: all of them are
    owned, so that it is worth no less.
    """

    amount: Decimal
    missing: tuple[str, ...] = ()
    at_least: bool = True


class AccountOverview(msgspec.Struct, frozen=True):
    """One account: what it holds as the venue told it last, what it has made, how its link does, as which status it was told last.

    `worth` is None before its balances are known; `day_profit` is as that of OverviewFound, None where a price is missing.
    """

    account: str
    adapter: str
    environment: str
    real_money: bool
    balances: AccountData | None
    profit: Decimal | None
    health: HealthFigures
    status: AdapterStatus | None
    worth: Worth | None = None
    day_profit: Decimal | None = None


class OverviewFound(msgspec.Struct, frozen=True):
    """The answer to Overview: money in the base currency, None where a rate is missing.

    `day_profit` counts from `day_since_ns`, which is the start of the trading day, or that of the platform where it began later.
    """

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
    day_since_ns: int = 0


class ListedInstruments(msgspec.Struct, frozen=True):
    """The answer to ListInstruments: by account."""

    instruments: dict[str, tuple[Instrument, ...]]


class TermsFound(msgspec.Struct, frozen=True):
    """The answer to AskTerms; `hedges`: the account holds a long and a short position of an instrument apart."""

    account: str
    capabilities: Capabilities
    hedges: bool


class OrderPreview(msgspec.Struct, frozen=True):
    """The answer to PreviewOrder: money in the currency that stands beside it, None where a price or a rate is missing.

    `price` is that by which the order is valued, `notional` what it is worth in `quote`. `need` is what it takes of `need_asset`
    (margin, money to pay with, or what it sells), of which `free` is there. `fee` is what the venue takes at most by its table of
    fees, which is `fee_table`, "" where only the rate is known that risk counts with. `held` and `after` are the owner's position before and after. `risk` and `reward` are what the
    bracket's stop loses and its take-profit wins, in `quote`; `risk_share` is the former of `equity`, which is in `base`.
    `rule` and `refusal` say why the order would be refused, "" where it would not.
    """

    instrument_id: str
    account: str
    side: str
    quantity: float
    price: float
    quote: str
    notional: Decimal
    need_asset: str
    need: Decimal
    free: Decimal | None
    fee: Decimal
    fee_asset: str
    fee_table: str
    held: float
    after: float
    base: str
    equity: Decimal | None
    risk: Decimal | None = None
    risk_share: float | None = None
    reward: Decimal | None = None
    rule: str = ""
    refusal: str = ""


class DescribeStrategies(Request, frozen=True, tag="describe_strategies"):
    """How every strategy is set up: what changes only when somebody changes it, and what it raised last."""


class ParameterForm(msgspec.Struct, frozen=True):
    """One declared parameter; `kind` is "int", "float", "bool" or "str", a bound that there is not is None."""

    name: str
    kind: str
    default: Value
    minimum: Value | None = None
    maximum: Value | None = None
    description: str = ""


class StrategyForm(msgspec.Struct, frozen=True):
    """How one strategy is set up; `exits` has by occasion (on_stop, on_error, on_shutdown) what becomes of its orders and its position.

    `trace` is the traceback of what it raised last, "" where it has not.
    """

    strategy_id: str
    source: str
    interval: str
    capital: Decimal
    parameters: tuple[ParameterForm, ...]
    exits: dict[str, tuple[str, str]]
    trace: str = ""


class DescribedStrategies(msgspec.Struct, frozen=True):
    """The answer to DescribeStrategies."""

    base_currency: str
    strategies: tuple[StrategyForm, ...]


class AskInstrument(Request, frozen=True, tag="instrument"):
    """What trading an instrument costs by the platform's tables, and where its market is."""

    instrument_id: Name


class FeeLine(msgspec.Struct, frozen=True):
    """One item of a table of fees at its first level.

    The rates are of `unit`: notional, quantity, order, or item, which is a share of the item before. `minimum` is the least fee, `side` the
    one that pays, "" for both; `verified` tells whether the figure was read in the venue's own document.
    """

    name: str
    unit: str
    maker: Decimal
    taker: Decimal
    minimum: Decimal
    side: str
    verified: bool


class InstrumentFound(msgspec.Struct, frozen=True):
    """The answer to AskInstrument.

    `fee_table` is "" where the venue has no table of its own; `counted_rate` is the fraction of the notional that risk counts with for
    every order. `price` is what the market is judged by, 0.0 for none heard.
    """

    instrument_id: str
    fee_table: str
    fee_currency: str
    fee_date: str
    fees: tuple[FeeLine, ...]
    counted_rate: Decimal
    price: float
