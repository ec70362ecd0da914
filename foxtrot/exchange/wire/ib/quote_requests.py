"""How requests for market data name their contract, and what is refused alike in all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.asked_contract import AskedContract, read_contract
from foxtrot.exchange.wire.ib.ib_contract import IbContract
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.refusal import NO_DEFINITION, PROCESSING, VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbSide

UNKNOWN_TICKER: Final = 300
NOT_SUBSCRIBED, DELAYED_SHOWN, DELAYED_OFF = 354, 10167, 10168
_BAG: Final = "BAG"


class Subject(msgspec.Struct, frozen=True):
    """A contract, and the exchange that the request names."""

    contract: IbContract
    exchange: str


@contextmanager
def about(request_id: int) -> Iterator[None]:
    """Let a refusal name the request that it is of.

    Source: TWS API documentation, Error Handling: the id of the request stands in its error.
    """
    try:
        yield
    except IbRefused as refused:
        raise IbRefused(refused.code, refused.text, request_id) from None


def read_subject(reader: FieldReader, version: int, side: IbSide) -> Subject:
    """Take the contract of a request for live data.

    Source: TWS API documentation, Error Codes (200).

    Raises:
        IbRefused: a field is no good, there is no such contract, there are several, or it is a combination.
    """
    asked = read_contract(reader, version)
    return subject_of(asked, side)


def subject_of(asked: AskedContract, side: IbSide, *, include_expired: bool = False) -> Subject:
    """Return the one contract that a client means.

    Source: TWS API documentation, Error Codes (200).

    Raises:
        IbRefused: there is none, there are several, or it is a combination.
    """
    if asked.sec_type == _BAG:
        raise IbRefused(
            VALIDATION, "Error validating request: combinations (BAG) are not served; ask for each of their legs"
        )
    found = side.contracts.find(asked, include_expired=include_expired)
    if not found:
        raise IbRefused(NO_DEFINITION, "No security definition has been found for the request")
    if len(found) > 1:
        names = ", ".join(one.local_symbol for one in found[:5])
        raise IbRefused(NO_DEFINITION, f"The contract description specified is ambiguous; it may be {names}")
    return Subject(found[0], asked.exchange or found[0].exchange)


def size_of(contract: IbContract, units: int) -> int:
    """Return a size as the whole number that it must be at server version 157.

    Source: seen with ibapi 9.81: a size that is no integer ends the connection.
    """
    grid = contract.instrument.quantity_grid
    return units * grid.numerator // grid.denominator


def duplicate() -> IbRefused:
    """Return the refusal of an id that is in use.

    Source: TWS API documentation, Error Codes (322).
    """
    return IbRefused(PROCESSING, "Error processing request.-'bO' : cause - Duplicate ticker id")


def unknown_ticker(request_id: int) -> IbRefused:
    """Return the refusal to cancel what was not asked for.

    Source: TWS API documentation, Error Codes (300).
    """
    return IbRefused(UNKNOWN_TICKER, f"Can't find EId with tickerId:{request_id}", request_id)


def place_text(contract: IbContract) -> str:
    """Return a contract as the data services name it in refusals.

    Source: seen by users of the TWS API: AAPL@SMART, EUR.USD@IDEALPRO.
    """
    name = contract.symbol if contract.sec_type == "STK" else contract.local_symbol
    return f"{name}@{contract.exchange}"
