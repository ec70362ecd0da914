"""Contracts: what a Binance account can trade, asked of the venue."""

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.contract_codec import Listing, MarketLot, funding_intervals, listing
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import VenueRejected
from foxtrot.domain.instrument import Instrument

NAMED = 5
"""How many of the symbols that were left out the log line names."""


class Contracts:
    """Loads the instruments of one product; `market_lots` are what market orders of each may have.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession) -> None:
        self._adapter = adapter
        self._session = session
        self.market_lots: dict[str, MarketLot] = {}

    async def load(self) -> tuple[Instrument, ...]:
        """Return every symbol that trades now.

        Raises:
            AdapterError: the venue did not answer, or not in its own words.
        """
        spot = self._session.product is Product.SPOT
        info = await self._session.request("publicGetExchangeInfo" if spot else "fapiPublicGetExchangeInfo", {})
        self._session.order_count.learn(info)
        hours = {} if spot else await self._funding_hours()
        found = listing(info, self._session.product, hours)
        self._say_skipped(found)
        self.market_lots.clear()
        self.market_lots.update(found.market_lots)
        return found.instruments

    async def _funding_hours(self) -> dict[str, int]:
        try:
            return funding_intervals(await self._session.request("fapiPublicGetFundingInfo", {}))
        except VenueRejected as refusal:
            logger.warning("{} funding intervals: {}; taken as every 8 hours", self._adapter.account, refusal)
            return {}

    def _say_skipped(self, found: Listing) -> None:
        if found.skipped:
            some = "; ".join(found.skipped[:NAMED])
            logger.warning(
                "{} skips {} symbols it cannot represent: {}", self._adapter.account, len(found.skipped), some
            )
