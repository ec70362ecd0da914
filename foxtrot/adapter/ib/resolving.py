"""Contracts by our ids and by IB's: found once, kept for the day, and told to whoever trades them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from loguru import logger

from foxtrot.adapter.ib.config import DIRECT
from foxtrot.adapter.ib.contract_codec import (
    Step,
    always_open,
    described,
    instrument_of,
    rule_of,
    size_multiplier,
    steps_of,
)
from foxtrot.adapter.ib.contract_wish import FOREX, OPTION, SMART, STOCK, ContractWish, id_of, wishes_of
from foxtrot.adapter.ib.errors import VENUE
from foxtrot.adapter.ib.trading_hours import VenueHours, hours_of
from foxtrot.domain.errors import AdapterError, BadMessage, ConfigError, RequestTimedOut, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.interval import SECOND_NS

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

NOT_KNOWN: Final = "200"
"""Source: TWS API, Message Codes: 200, no security definition has been found."""
MOST_CANDIDATES: Final = 8


class Resolved(msgspec.Struct, frozen=True):
    """A contract that was found: its instrument, IB's id and words for it, and how its sizes count."""

    instrument: Instrument
    con_id: int
    details: Any
    multiplier: float
    hours: VenueHours
    day: date

    @property
    def sec_type(self) -> str:
        """Return IB's kind of it."""
        return str(self.details.contract.secType)

    @property
    def has_mid_prices(self) -> bool:
        """Tell whether nothing is printed of it, so that its bars are those of mid prices."""
        return self.sec_type == FOREX

    def use_rth(self, *, outside: bool) -> int:
        """Return whether bars are of regular hours alone: of shares and options, unless the account trades outside them."""
        return int(self.sec_type in (STOCK, OPTION) and not outside)


class Contracts:
    """The contracts that were asked for.

    Thread: ib-io, except `contract_of`, `known` and `instrument_of`, from any: what they read is replaced whole.

    Args:
        session: asks TWS.
        found: hears of an instrument that was not known, or is another one than before.
    """

    def __init__(self, session: "IbSession", found: Callable[[Instrument], None]) -> None:
        self._session = session
        self._found = found
        self._by_id: dict[str, Resolved] = {}
        self._by_con_id: dict[int, Resolved] = {}
        self._rules: dict[int, tuple[Step, ...]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    # --- what is known ----------------------------------------------------------------------------------------------

    def known(self, instrument_id: str) -> Resolved | None:
        """Return a contract that was found, None before."""
        return self._by_id.get(instrument_id)

    def instrument_of(self, con_id: int) -> Instrument | None:
        """Return the instrument of IB's id, None where it was not found yet."""
        known = self._by_con_id.get(int(con_id))
        return None if known is None else known.instrument

    def contract_of(self, instrument_id: str, *, direct: bool | None = None) -> Any:
        """Return ibapi's contract of an instrument, with its exchange by the account's routing.

        Args:
            instrument_id: ours.
            direct: whether it names the exchange itself in place of IB's router; None is as the account is set.

        Raises:
            ConfigError: it was not found yet.
        """
        known = self._by_id.get(instrument_id)
        if known is None:
            raise ConfigError(
                f"{instrument_id} was not looked up yet: subscribe to it, or name it in the setting instruments"
            )
        told, contract = known.details.contract, self._session.sdk.Contract()
        is_direct = self._session.settings.routing == DIRECT if direct is None else direct
        contract.conId, contract.symbol, contract.secType = known.con_id, told.symbol, told.secType
        contract.currency, contract.localSymbol, contract.tradingClass = (
            told.currency,
            told.localSymbol,
            told.tradingClass,
        )
        contract.multiplier, contract.lastTradeDateOrContractMonth = told.multiplier, told.lastTradeDateOrContractMonth
        contract.primaryExchange = told.primaryExchange
        contract.exchange = self._exchange(known, direct=is_direct)
        if told.secType == OPTION:
            contract.strike, contract.right = told.strike, told.right
        return contract

    @staticmethod
    def _exchange(known: Resolved, *, direct: bool) -> str:
        told = known.details.contract
        routed = SMART in str(known.details.validExchanges).split(",")
        if routed and not direct:
            return SMART
        if direct and told.secType == STOCK and told.primaryExchange:
            return str(told.primaryExchange)
        return str(told.exchange) if told.exchange not in ("", SMART) else _first_exchange(known.details)

    # --- finding ----------------------------------------------------------------------------------------------------

    async def resolve(self, instrument_id: str) -> Resolved:
        """Return the contract of an instrument, asked for once a day.

        Raises:
            ConfigError: the id is none, IB knows no such contract, or several, which are named.
            AdapterError: TWS did not answer.
        """
        async with self._turns.setdefault(instrument_id, asyncio.Lock()):
            known, today = self._by_id.get(instrument_id), self._today()
            if known is not None and known.day == today:
                return known
            details = await self._find(instrument_id, wishes_of(instrument_id, today))
            return await self._keep(details, instrument_id)

    async def resolve_con_id(self, con_id: int) -> Resolved:
        """Return the contract of IB's id: of a position or an order in something that the settings do not name.

        Raises:
            ConfigError: IB knows no such contract, or it is of a kind that is not traded here.
            AdapterError: TWS did not answer.
        """
        known = self._by_con_id.get(int(con_id))
        if known is not None:
            return known
        details = await self._find(f"conId {con_id}", (ContractWish(con_id=int(con_id)),))
        return await self._keep(details, "")

    async def _find(self, name: str, wishes: tuple[ContractWish, ...]) -> Any:
        for wish in wishes:
            try:
                found = await self._session.ask("contract details", partial(self._send, wish))
            except VenueRejected as refusal:
                if refusal.code != NOT_KNOWN:
                    raise
                continue
            chosen = _one_of(name, [row[0] for row in found])
            if chosen is not None:
                return chosen
        raise ConfigError(f"IB knows no contract {name}; look its symbol, exchange and month up in TWS, Contract Info")

    def _send(self, wish: ContractWish, client: Any, request_id: int) -> None:
        client.reqContractDetails(request_id, wish.fill(self._session.sdk.Contract()))

    async def _keep(self, details: Any, asked: str) -> Resolved:
        steps = await self._steps(details)
        instrument = instrument_of(details, steps)
        if asked and instrument.instrument_id != asked:
            raise ConfigError(f"{asked} is {instrument.instrument_id} at IB ({described(details)}); write it so")
        if instrument.underlying:
            instrument = msgspec.structs.replace(instrument, underlying=await self._underlying(details, instrument))
        if self._session.settings.always_open:
            instrument = always_open(instrument)
        before = self._by_id.get(instrument.instrument_id)
        kept = Resolved(
            instrument, int(details.contract.conId), details, size_multiplier(details), hours_of(details), self._today()
        )
        self._by_id[instrument.instrument_id] = self._by_con_id[kept.con_id] = kept
        self._session.instruments = {**self._session.instruments, instrument.instrument_id: instrument}
        if before is None or before.instrument != instrument:
            self._found(instrument)
        return kept

    async def _steps(self, details: Any) -> tuple[Step, ...]:
        """Return the price steps of a contract; those that cannot be had leave minTick, which holds at its present price."""
        contract = details.contract
        rule = rule_of(details, str(contract.exchange) or SMART)
        if not rule:
            return ()
        if rule not in self._rules:
            try:
                found = await self._session.ask_all(
                    "market rule", lambda client: client.reqMarketRule(rule), ("marketRule",), "marketRule"
                )
                told = next(arguments[1] for _, arguments in found if int(arguments[0]) == rule)
                self._rules[rule] = steps_of(told)
            except (RequestTimedOut, BadMessage, StopIteration) as error:
                logger.warning(
                    "price steps of {} could not be had ({!r}): minTick stands in", described(details), error
                )
                return ()
        return self._rules[rule]

    async def _underlying(self, details: Any, instrument: Instrument) -> str:
        """Return our id of an option's underlying, or its symbol where that cannot be had."""
        con_id = int(details.underConId or 0)
        if not con_id:
            return instrument.underlying
        try:
            return (await self.resolve_con_id(con_id)).instrument.instrument_id
        except (AdapterError, ConfigError) as error:
            logger.warning("the underlying of {} could not be had: {}", instrument.instrument_id, error)
            return instrument.underlying

    def _today(self) -> date:
        return datetime.fromtimestamp(self._session.clock.now_ns() // SECOND_NS, UTC).date()


def _one_of(name: str, rows: list[Any]) -> Any:
    """Return the one contract of an answer, None where there is none.

    Raises:
        ConfigError: there are several; they are named.
    """
    by_con_id = {int(row.contract.conId): row for row in rows}
    found = list(by_con_id.values())
    if len(found) > 1:
        found = [row for row in found if _id_or_nothing(row) == name] or found
    if len(found) > 1:
        candidates = "; ".join(described(row) for row in found[:MOST_CANDIDATES])
        more = f" and {len(found) - MOST_CANDIDATES} more" if len(found) > MOST_CANDIDATES else ""
        raise ConfigError(
            f"{name} fits {len(found)} contracts at IB: {candidates}{more}; name the exchange, or the month"
        )
    return found[0] if found else None


def _id_or_nothing(details: Any) -> str:
    try:
        return id_of(details.contract)
    except ConfigError:
        return ""


def _first_exchange(details: Any) -> str:
    names = [name for name in str(details.validExchanges).split(",") if name and name != SMART]
    if not names:
        raise ConfigError(f"{described(details)} names no exchange; {VENUE} gave {details.validExchanges!r}")
    return names[0]
