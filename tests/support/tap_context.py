"""What a tap knows besides the message, as a test wants it."""

import msgspec

NOW_NS = 1_800_000_000_000_000_000


class FixedContext(msgspec.Struct):
    """A listing of ccxt's market ids, or of a product and an id; each message counted is one more."""

    listed: dict[str, str]
    url: str = "ws://127.0.0.1:1/venue"
    now_ns: int = NOW_NS
    number: int = 1

    def find(self, market_id: str, product: str = "") -> str | None:
        """Return the instrument id."""
        return self.listed.get(f"{product}:{market_id}" if product else market_id)
