"""What a fill cost that was booked without: the process may have ended between the fill and the venue's word of its fee. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.domain.account import COMMISSION, AccountCharge
from foxtrot.domain.order import TradeData
from foxtrot.trading.account_book import AccountBook
from foxtrot.trading.order_index import OrderIndex
from foxtrot.trading.portfolio import Portfolio

LISTED: Final = "listed"


def late_fees(
    index: OrderIndex, adapters: Mapping[str, BaseAdapter], listed: TradeData, portfolio: Portfolio, now_ns: int
) -> list[AccountCharge]:
    """Return what is owed for a listed fill, one charge at most, as an event of its own: the fill itself stays as it was told.

    Nothing is where the venue does not tell fees apart: one that its adapter reckons, say with a minimum per order, may fall on another
    fill after a restart.
    """
    adapter = adapters.get(listed.account)
    if adapter is None or not adapter.capabilities.fees_apart:
        return []
    record = index.find(listed.order_id, listed.account, listed.instrument_id)
    booked = record.fills.get(listed.trade_id) if record is not None else None
    charge = late_fee(booked, listed, portfolio.account(listed.account), now_ns) if booked is not None else None
    return [] if charge is None else [charge]


def late_fee(booked: TradeData, listed: TradeData, book: AccountBook, now_ns: int) -> AccountCharge | None:
    """Return the charge for a fill that was booked without a fee and is listed with one, None where nothing is owed.

    An adapter that hears of the fee later in the same run charges it by itself, under an id that begins with the fill's: such a fee is
    not owed again, in this run or after a restart.
    """
    if booked.fee or not listed.fee or _is_charged(book, booked.trade_id):
        return None
    amount = Decimal(0) - listed.fee
    charge_id = f"{booked.trade_id}-{LISTED}"
    return AccountCharge(
        booked.account,
        COMMISSION,
        listed.fee_asset,
        amount,
        booked.instrument_id,
        charge_id,
        booked.venue_time_ns,
        now_ns,
    )


def _is_charged(book: AccountBook, trade_id: str) -> bool:
    """Tell whether a fee of a fill was charged apart; IB's ids have a version behind a point."""
    begins = (f"{trade_id}-", f"{trade_id}.")
    return any(kind == COMMISSION and charge_id.startswith(begins) for kind, charge_id in book.charge_ids)
