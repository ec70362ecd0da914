"""What all parts of one product's surface share: the venue, its symbols, the API keys and the server's clock."""

from collections.abc import Callable

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.api_error import ApiError

SUFFIX = {Product.SPOT: "BINANCE", Product.PERPETUAL: "BINANCE_USDM"}
"""The venue part of an instrument id by product; the embedded venue lists both products side by side."""


class ApiKey(msgspec.Struct, frozen=True):
    """A customer's key: `secret` for HMAC, or `public_key` (PEM) for Ed25519; the account it trades on; what it may do."""

    api_key: str
    account: str
    secret: str = ""
    public_key: str = ""
    can_trade: bool = True
    can_withdraw: bool = False
    can_transfer: bool = False
    address_bound: bool = True

    def __repr__(self) -> str:
        return f"ApiKey(account={self.account!r})"


class VenueSide:
    """One product of the embedded venue as its surface needs it.

    Thread: exchange-io.

    Args:
        product: Product.SPOT or Product.PERPETUAL (USD-M).
        venue: the venue, shared by both products.
        now_ns: the server's time of day, clock skew included.
    """

    def __init__(self, product: Product, venue: Venue, now_ns: Callable[[], int]) -> None:
        self.product = product
        self.venue = venue
        self.now_ns = now_ns
        self.keys: dict[str, ApiKey] = {}
        self.uids: dict[str, int] = {}
        self._symbols: dict[str, Instrument] = {}
        self._listed = -1

    def add_key(self, key: ApiKey) -> None:
        """Let a key trade."""
        self.keys[key.api_key] = key
        self.uids.setdefault(key.account, 1_000_000 + len(self.uids))

    def symbols(self) -> dict[str, Instrument]:
        """Return the product's instruments by symbol, oldest first."""
        listed = self.venue.instruments()
        if len(listed) != self._listed:
            suffix = SUFFIX[self.product]
            self._symbols = {one.symbol: one for one in listed if one.venue == suffix}
            self._listed = len(listed)
        return self._symbols

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument of a symbol.

        Raises:
            ApiError: -1121, the product has no such symbol.
        """
        found = self.symbols().get(symbol)
        if found is None:
            raise ApiError(-1121, "Invalid symbol.")
        return found
