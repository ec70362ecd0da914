"""Contracts: what Binance lists for an account, asked of the venue, and what of it does not trade now."""

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.contract_codec import Listing, MarketLot, funding_intervals, listing
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import VenueRejected
from foxtrot.domain.instrument import Instrument

NAMED = 5
"""How many of the symbols that were left out the log line names."""
LOOK_AGAIN_S = 10.0
"""A halted symbol is looked at again so often at the most: weight 20 of 6,000 a minute on spot, 1 of 2,400 on USD-M."""


class Contracts:
    """Loads the instruments of one product; `market_lots` are what market orders of each may have.

    Thread: binance-io.
    """

    def __init__(self, adapter: BaseAdapter, session: BinanceSession) -> None:
        self._adapter = adapter
        self._session = session
        self.market_lots: dict[str, MarketLot] = {}
        self._looked_ns: dict[str, int] = {}

    async def load(self) -> tuple[Instrument, ...]:
        """Return every symbol, and give the session each with whether it trades now.

        Raises:
            AdapterError: the venue did not answer, or not in its own words.
        """
        info = await self._ask({})
        self._session.order_count.learn(info)
        hours = {} if self._session.product is Product.SPOT else await self._funding_hours()
        found = listing(info, self._session.product, hours)
        self._session.instruments = {listed.instrument_id: listed for listed in found.instruments}
        self._session.halted = dict(found.halted)
        self._say_skipped(found)
        self.market_lots.clear()
        self.market_lots.update(found.market_lots)
        return found.instruments

    async def look_again(self, instrument: Instrument) -> None:
        """Ask whether a halted instrument trades again, unless that was asked for just now.

        Raises:
            AdapterError: the venue did not answer, or not in its own words.
        """
        which = {"symbol": instrument.symbol} if self._session.product is Product.SPOT else {}
        name, now_ns = which.get("symbol", ""), self._session.clock.monotonic_ns()
        if name in self._looked_ns and now_ns - self._looked_ns[name] < LOOK_AGAIN_S * 1e9:
            return
        self._looked_ns[name] = now_ns
        found = listing(await self._ask(which), self._session.product, {})
        for listed in found.instruments:
            if listed.instrument_id not in found.halted and self._session.halted.pop(listed.instrument_id, ""):
                logger.info("{} {} trades again", self._adapter.account, listed.instrument_id)

    async def _ask(self, which: dict[str, str]) -> object:
        spot = self._session.product is Product.SPOT
        answer: object = await self._session.request(
            "publicGetExchangeInfo" if spot else "fapiPublicGetExchangeInfo", which
        )
        return answer

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
