"""What the other parts of the adapter ask about contracts: instruments by id, IB's contracts of them, and back."""

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from foxtrot.adapter.ib.resolving import Contracts
from foxtrot.adapter.ib.trading_hours import VenueHours
from foxtrot.domain.errors import AdapterError, ConfigError, ConnectionLost, FoxtrotError
from foxtrot.domain.instrument import Instrument

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession


class ContractPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-io.
    """

    def on_contracts(self, instruments: tuple[Instrument, ...]) -> None:
        """Publish what can be traded."""

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish that a query failed."""


class ContractAccess:
    """The contracts of one account: those of the settings, and those that were asked for since.

    Thread: ib-io; `contract_of`, `instrument_of` and `hours_of` any.
    """

    def __init__(self, publisher: ContractPublisher, session: "IbSession") -> None:
        self.contracts = Contracts(session, self._found)
        self._contracts_up = publisher
        self._owner = session

    async def load_contracts(self) -> tuple[Instrument, ...]:
        """Return the instruments of the settings, and those that were found since; one that IB does not know is told and left out.

        Raises:
            ConnectionLost: the link is gone.
        """
        names = self._owner.settings.instruments
        await asyncio.gather(*[self._load(name) for name in names])
        return tuple(self._owner.instruments.values())

    async def resolve(self, instrument_id: str) -> Instrument:
        """Return an instrument, which is looked up at IB where it is not known.

        Raises:
            ConfigError: IB knows no such contract, or several, which are named.
            AdapterError: TWS did not answer.
        """
        return (await self.contracts.resolve(instrument_id)).instrument

    async def resolve_con_id(self, con_id: int) -> Instrument:
        """Return the instrument of IB's id, as of a position in something that the settings do not name.

        Raises:
            ConfigError: IB knows no such contract, or it is of a kind that is not traded here.
            AdapterError: TWS did not answer.
        """
        return (await self.contracts.resolve_con_id(con_id)).instrument

    def contract_of(self, instrument_id: str) -> Any:
        """Return ibapi's contract of an instrument, with the exchange of the account's routing.

        Raises:
            ConfigError: it was not looked up.
        """
        return self.contracts.contract_of(instrument_id)

    def instrument_of(self, con_id: int) -> Instrument | None:
        """Return the instrument of IB's id, None where it was not looked up."""
        return self.contracts.instrument_of(con_id)

    def hours_of(self, instrument_id: str) -> VenueHours | None:
        """Return when an instrument trades by IB's words, None where it was not looked up."""
        known = self.contracts.known(instrument_id)
        return None if known is None else known.hours

    async def _load(self, instrument_id: str) -> None:
        try:
            await self.contracts.resolve(instrument_id)
        except ConnectionLost:
            raise
        except (AdapterError, ConfigError) as error:
            self._contracts_up.on_request_failed(f"contract {instrument_id}", error)

    def _found(self, instrument: Instrument) -> None:
        """Tell of an instrument that was looked up on demand; those of the settings are told with all others."""
        if instrument.instrument_id not in self._owner.settings.instruments:
            self._contracts_up.on_contracts((instrument,))
