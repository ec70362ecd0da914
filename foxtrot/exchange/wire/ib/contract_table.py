"""All contracts of the venue: found by their ids, by their instruments, and by what a client says about them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.ib.asked_contract import AskedContract
from foxtrot.exchange.wire.ib.ib_contract import SMART, VENUES, IbContract, con_id_of, contract_of

Rule = tuple[tuple[Decimal, Decimal], ...]
"""Steps of prices: from which price on, and the step."""
_FIRST_RULE: Final = 26


class IbContracts:
    """The contracts of what the venue lists, read anew when something was listed.

    Thread: exchange-io.

    Args:
        venue: the venue.
        now_ns: the server's time; a contract that has expired is found only where it is asked for.
    """

    def __init__(self, venue: Venue, now_ns: Callable[[], int]) -> None:
        self._venue = venue
        self._now_ns = now_ns
        self._listed = -1
        self._by_con_id: dict[int, IbContract] = {}
        self._by_instrument: dict[str, IbContract] = {}
        self._rules: dict[Rule, int] = {}

    def all(self) -> tuple[IbContract, ...]:
        """Return every contract, in the order of the listings.

        Source: none; a look-up of our own.
        """
        self._refresh()
        return tuple(self._by_con_id.values())

    def of_con_id(self, con_id: int) -> IbContract | None:
        """Return the contract of an id.

        Source: none; a look-up of our own.
        """
        self._refresh()
        return self._by_con_id.get(con_id)

    def of_instrument(self, instrument_id: str) -> IbContract | None:
        """Return the contract of an instrument.

        Source: none; a look-up of our own.
        """
        self._refresh()
        return self._by_instrument.get(instrument_id)

    def find(self, asked: AskedContract, *, include_expired: bool = False) -> list[IbContract]:
        """Return what fits: none is no definition, several are ambiguous.

        Source: TWS API documentation, Requesting Contract Details; by conId alone, or by whatever else is given.
        """
        self._refresh()
        if asked.con_id:
            found = self._by_con_id.get(asked.con_id)
            return [found] if found is not None and _has_exchange(found, asked.exchange) else []
        if not asked.symbol and not asked.local_symbol:
            return []
        now_ns = self._now_ns()
        return [
            one
            for one in self._by_con_id.values()
            if (include_expired or not 0 < one.instrument.expiry_ns <= now_ns) and _fits(one, asked)
        ]

    def rule(self, rule_id: int) -> Rule | None:
        """Return the price steps of a market rule.

        Source: TWS API documentation, Minimum Price Increment (reqMarketRule).
        """
        self._refresh()
        return next((rule for rule, number in self._rules.items() if number == rule_id), None)

    def _refresh(self) -> None:
        listed = self._venue.instruments()
        if len(listed) == self._listed:
            return
        self._listed = len(listed)
        for instrument in listed:
            if instrument.venue in VENUES and instrument.instrument_id not in self._by_instrument:
                self._add(instrument)

    def _add(self, instrument: Instrument) -> None:
        attempt = 0
        while con_id_of(instrument.instrument_id, attempt) in self._by_con_id:
            attempt += 1
        rule = tuple(
            (instrument.price_grid.to_decimal(band.from_units), instrument.price_grid.to_decimal(band.step_units))
            for band in instrument.price_bands
        )
        number = self._rules.setdefault(rule, _FIRST_RULE + len(self._rules))
        contract = contract_of(instrument, con_id_of(instrument.instrument_id, attempt), number)
        self._by_con_id[contract.con_id] = contract
        self._by_instrument[instrument.instrument_id] = contract


def _has_exchange(one: IbContract, exchange: str) -> bool:
    return exchange in ("", one.exchange, *one.valid_exchanges) and (exchange != SMART or SMART in one.valid_exchanges)


def _fits(one: IbContract, asked: AskedContract) -> bool:
    """Tell whether nothing that the client says contradicts a contract."""
    texts = (
        (asked.symbol, one.symbol),
        (asked.sec_type, one.sec_type),
        (asked.right, one.right_text),
        (asked.currency, one.currency),
        (asked.local_symbol, one.local_symbol),
        (asked.trading_class, one.trading_class),
        (asked.multiplier, one.multiplier_text),
    )
    return (
        all(not told or told == ours for told, ours in texts)
        and one.expiry_text.startswith(asked.expiry.partition(" ")[0])
        and (not asked.strike or Decimal(asked.strike) == one.instrument.strike)
        and (not asked.primary_exchange or asked.primary_exchange in (one.primary_exchange, *one.valid_exchanges))
        and _has_exchange(one, asked.exchange)
    )
