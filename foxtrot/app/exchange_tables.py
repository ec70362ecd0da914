"""The tables of an exchange's configuration file, one struct each."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from foxtrot.domain.enums import PositionMode, Product
from foxtrot.domain.errors import ConfigError, OffGrid
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.price_steps import CN_LOT
from foxtrot.exchange.listings import stock
from foxtrot.exchange.market_maker import DEFAULT_AGENTS

Text = Annotated[str, Meta(min_length=1)]
BinanceProduct = Literal["spot", "usdm"]
TradedProduct = Literal["spot", "usdm", "futu", "ib"]
DEFAULT_BALANCES = {"USDT": Decimal(1_000_000), "BTC": Decimal(10), "ETH": Decimal(100), "BNB": Decimal(100)}
STOCK_BALANCES = {"HKD": Decimal(1_000_000), "USD": Decimal(1_000_000)}
"""What an account has beside the default balances where stocks are served."""
IB_BALANCES = {**STOCK_BALANCES, "EUR": Decimal(1_000_000)}
"""The same where IB's protocol is served, which has currencies too."""
MOST_PAST_HOURS = 24.0
"""What is played before the exchange opens; a day takes some ten seconds for each handful of instruments."""
SPOT_QUANTITY_STEP = Decimal("0.00000001")


class ExchangeTable(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange behaves."""

    limits: bool = True
    legacy_listen_key: bool = True
    strict_routing: bool = False
    agents: Annotated[int, Meta(ge=0, le=1_000)] = DEFAULT_AGENTS
    seed: Annotated[int, Meta(ge=1)] = 1
    past_hours: Annotated[float, Meta(ge=0, le=MOST_PAST_HOURS)] = 0.0


class FutuTable(msgspec.Struct, frozen=True, kw_only=True):
    """How FutuOpenD's protocol is served: hours, the password that unlocks trading, and the key of encrypted clients (a PEM file)."""

    always_open: bool = True
    limits: bool = True
    trade_password: str = ""
    trade_password_env: str = ""
    rsa_key: str = ""

    def __post_init__(self) -> None:
        """Refuse a password that is told twice.

        Raises:
            ConfigError: it is.
        """
        if self.trade_password and self.trade_password_env:
            raise ConfigError("trade_password and trade_password_env are both set; keep one of them")

    def __repr__(self) -> str:
        return f"FutuTable(always_open={self.always_open}, limits={self.limits})"


class IbTable(msgspec.Struct, frozen=True, kw_only=True):
    """How TWS's protocol is served.

    `newest_version` is 157 or 178; `read_only` refuses every order; `fees` is the price plan of IB's accounts, fixed or tiered;
    `has_quotes` off is an account without subscriptions to market data, which gets it delayed, by `delay_s`. `depth_lines` is how many
    books may be watched at once. `refuses_old_attributes` refuses orders with eTradeOnly or firmQuoteOnly, as a current TWS does.
    """

    always_open: bool = True
    limits: bool = True
    newest_version: Literal[157, 178] = 157
    read_only: bool = False
    has_quotes: bool = True
    fees: Literal["fixed", "tiered"] = "fixed"
    refuses_old_attributes: bool = True
    depth_lines: Annotated[int, Meta(ge=0, le=1_000)] = 3
    delay_s: Annotated[int, Meta(ge=0, le=86_400)] = 900


class ExchangeAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account. A key that is not told is made up; `public_key` (a PEM file or its text) makes it an Ed25519 key."""

    balances: dict[str, Decimal] = msgspec.field(default_factory=DEFAULT_BALANCES.copy)
    api_key: str = ""
    api_key_env: str = ""
    api_secret: str = ""
    api_secret_env: str = ""
    public_key: str = ""
    products: tuple[TradedProduct, ...] = ("spot", "usdm", "futu", "ib")
    position_mode: PositionMode = PositionMode.NETTING
    can_trade: bool = True
    can_withdraw: bool = False
    can_transfer: bool = False
    address_bound: bool = True

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ConfigError: no product, a balance that is none, a key or secret told twice, or a secret without its key.
        """
        if not self.products:
            raise ConfigError('products must name at least one of "spot", "usdm", "futu" and "ib"')
        for asset, amount in self.balances.items():
            if amount <= 0:
                raise ConfigError(
                    f"balances: {asset} = {amount} must be above 0; leave out what the account has none of"
                )
        for name in ("api_key", "api_secret"):
            if getattr(self, name) and getattr(self, f"{name}_env"):
                raise ConfigError(f"{name} and {name}_env are both set; keep one of them")
        if self.public_key and (self.api_secret or self.api_secret_env):
            raise ConfigError(
                "public_key and api_secret are both set; an Ed25519 key has no secret here: keep one of them"
            )
        if (self.api_secret or self.api_secret_env) and not (self.api_key or self.api_key_env):
            raise ConfigError("api_secret is set without api_key; add api_key or api_key_env")

    def __repr__(self) -> str:
        return f"ExchangeAccount(balances={self.balances!r})"


class InstrumentTable(msgspec.Struct, frozen=True, kw_only=True):
    """One more instrument; `price` is where the market that trading agents make begins."""

    symbol: Text
    base_asset: Text
    price_step: Decimal
    quantity_step: Decimal
    price: Decimal
    product: BinanceProduct = "spot"
    quote_asset: Text = "USDT"
    min_notional: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        """Refuse symbols that no order could name, and steps that make no grid.

        Raises:
            ConfigError: the symbol is not of A-Z 0-9, the price is off its grid, or a step is none.
        """
        if not (self.symbol.isascii() and self.symbol.isalnum() and self.symbol == self.symbol.upper()):
            raise ConfigError(f"symbol {self.symbol!r} must be of A-Z and 0-9, such as 'SOLUSDT'")
        for name in ("price_step", "quantity_step", "price"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} {getattr(self, name)} must be above 0")
        if self.min_notional < 0:
            raise ConfigError(f"min_notional {self.min_notional} must not be negative; 0 means no minimum")
        if self.product == "spot" and self.quantity_step % SPOT_QUANTITY_STEP:
            raise ConfigError(
                f"quantity_step {self.quantity_step} must be a multiple of {SPOT_QUANTITY_STEP:f} on spot"
            )
        if self.price % self.price_step:
            raise ConfigError(f"price {self.price} must be a multiple of price_step {self.price_step}")
        self.instrument()

    def instrument(self) -> Instrument:
        """Return it as the venue lists it."""
        is_spot = self.product == "spot"
        venue, step = ("BINANCE", SPOT_QUANTITY_STEP) if is_spot else ("BINANCE_USDM", self.quantity_step)
        lot = int(self.quantity_step / step)
        spot = Instrument(
            instrument_id=f"{self.symbol}.{venue}", symbol=self.symbol, venue=venue, product=Product.SPOT,
            base_asset=self.base_asset, quote_asset=self.quote_asset, settle_asset=self.quote_asset,
            price_grid=Grid.of(self.price_step), quantity_grid=Grid.of(step), lot_units=lot, min_quantity_units=lot,
            min_notional=self.min_notional, max_open_orders=200,
        )  # fmt: skip
        if is_spot:
            return spot
        return msgspec.structs.replace(
            spot, product=Product.PERPETUAL, initial_margin_rate=Decimal("0.05"),
            maintenance_margin_rate=Decimal("0.025"), funding_interval_s=8 * 3600,
        )  # fmt: skip


class StockTable(msgspec.Struct, frozen=True, kw_only=True):
    """One more share; its price steps are its venue's, and `price` is where the agents' market begins."""

    symbol: Text
    venue: Literal["SEHK", "NASDAQ", "SSE", "SZSE"]
    price: Decimal
    lot: Annotated[int, Meta(ge=1)] = 1
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse symbols that the venue does not use, and prices off its steps.

        Raises:
            ConfigError: as it says.
        """
        if self.venue == "SEHK" and not (len(self.symbol) == 5 and self.symbol.isascii() and self.symbol.isdecimal()):
            raise ConfigError(f"symbol {self.symbol!r} must have five digits at SEHK, such as '00005'")
        mainland = self.venue in ("SSE", "SZSE")
        if mainland and not (len(self.symbol) == 6 and self.symbol.isascii() and self.symbol.isdecimal()):
            raise ConfigError(f"symbol {self.symbol!r} must have six digits at {self.venue}, such as '600519'")
        if mainland and self.lot != CN_LOT:
            raise ConfigError(f"lot {self.lot} must be {CN_LOT} at {self.venue}")
        letters = self.symbol.replace(".", "")
        if self.venue == "NASDAQ" and not (letters.isascii() and letters.isalpha() and letters.isupper()):
            raise ConfigError(f"symbol {self.symbol!r} must be of A-Z at NASDAQ, such as 'MSFT'")
        if self.price <= 0:
            raise ConfigError(f"price {self.price} must be above 0")
        try:
            self.instrument().price_units(self.price)
        except OffGrid as error:
            raise ConfigError(str(error)) from None

    def instrument(self) -> Instrument:
        """Return it as the venue lists it."""
        return stock(self.symbol, self.venue, self.lot, self.name)


class FeeTable(msgspec.Struct, frozen=True, kw_only=True):
    """Fees of a product as fractions of a trade's value: 0.001 is 0.1 %, negative is a rebate."""

    maker: Decimal
    taker: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no fraction.

        Raises:
            ConfigError: a rate is 1 or more, or -1 or less.
        """
        for name, rate in (("maker", self.maker), ("taker", self.taker)):
            if not -1 < rate < 1:
                raise ConfigError(f"{name} {rate} must be a fraction between -1 and 1: 0.001 is 0.1 %")

    def schedule(self) -> FeeSchedule:
        """Return it as the venue takes it."""
        return FeeSchedule.percentage(self.maker, self.taker)
