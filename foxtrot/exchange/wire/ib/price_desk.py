"""The prices of all contracts, kept from the start so that there is a history of what the venue does not keep: bids and asks."""

from zoneinfo import ZoneInfo

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.wire.ib.ib_contract import IbContract
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS
from foxtrot.exchange.wire.ib.price_memory import PriceMemory
from foxtrot.exchange.wire.ib.traded_hours import TradedHours
from foxtrot.exchange.wire.ib.venue_side import IbSide


class PriceDesk:
    """Every contract's memory.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide) -> None:
        self.side = side
        self._sampled_s = 0
        self._memories: dict[str, PriceMemory] = {}
        self._hours: dict[tuple[ZoneInfo, str], TradedHours] = {}

    def of(self, contract: IbContract) -> PriceMemory:
        """Return the prices of a contract.

        Source: TWS API documentation, Historical Market Data.
        """
        name = contract.instrument_id
        found = self._memories.get(name)
        if found is None:
            found = self._memories[name] = PriceMemory(contract, self.side.venue, self.hours_of(contract))
            found.look(self.side.now_ns())
        return found

    def add_trade(self, contract: IbContract, trade: TradePrinted) -> PriceMemory:
        """Add a trade to what is remembered; a venue that was replaced by one with other trades is remembered anew.

        Source: none; a venue can be taken back to a snapshot under the surface.
        """
        found = self.of(contract)
        if trade.trade_id == found.last_trade_id + 1:
            found.add_trade(trade)
        elif not found.has(trade):
            del self._memories[contract.instrument_id]
            found = self.of(contract)
        return found

    def sample(self, now_ns: int) -> None:
        """Note the bid and ask of every contract, once in a second.

        Source: TWS API documentation, Historical Data Types (BID, ASK, MIDPOINT).
        """
        if now_ns // SECOND_NS != self._sampled_s:
            self._sampled_s = now_ns // SECOND_NS
            for contract in self.side.contracts.all():
                self.of(contract).sample(now_ns)

    def is_open(self, contract: IbContract) -> bool:
        """Tell whether a contract trades now; in years that its calendar does not know it does not.

        Source: TWS API documentation, Market Data Types (frozen data are those of a closed market).
        """
        try:
            return self.side.is_open(contract, self.side.now_ns())
        except ConfigError:
            return False

    def hours_of(self, contract: IbContract) -> TradedHours:
        """Return when a contract's market is open; at any hour where the settings say so.

        Source: TWS API documentation, Contract Details (liquidHours).
        """
        calendar = "" if self.side.settings.always_open else contract.instrument.calendar
        zone = self.side.zone_of(contract)
        found = self._hours.get((zone, calendar))
        if found is None:
            found = self._hours[zone, calendar] = TradedHours(zone, calendar)
        return found
