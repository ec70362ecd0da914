"""Orders outside their market's hours: refused here, or sent for IB to hold until it opens, as the account is set."""

from typing import Final

from foxtrot.adapter.ib.config import SEND, IbSettings
from foxtrot.adapter.ib.trading_hours import VenueHours
from foxtrot.domain.enums import OrderType, Product
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder
from foxtrot.domain.sessions import hours_text, market_hours

RULE: Final = "outside_session"
FIX: Final = 'outside_session = "send" lets IB hold such orders until it opens'


def check_hours(
    order: ApprovedOrder, instrument: Instrument, settings: IbSettings, hours: VenueHours | None, now_ns: int
) -> None:
    """Refuse an order whose market is closed, by IB's own hours where they are known, by our calendar elsewhere.

    Args:
        order: the order.
        instrument: its contract.
        settings: what the account is set to.
        hours: IB's regular hours of it, None where it was not looked up.
        now_ns: UTC ns.

    Raises:
        OrderRefused: it is closed, and the account refuses such orders, or the calendar does not know the day.
    """
    if settings.outside_session == SEND or settings.always_open:
        return
    extended = may_fill_outside(order, instrument, settings)
    is_open = hours.is_open(now_ns) if hours is not None and not extended else None
    try:
        if is_open or (is_open is None and market_hours(instrument, now_ns).takes_orders(extended=extended)):
            return
        said = hours_text(instrument, now_ns) if is_open is None else "IB says that it is closed now"
    except ConfigError as error:
        raise OrderRefused(RULE, "a day that the market's calendar knows", str(error)) from error
    raise OrderRefused(RULE, "orders while the market trades", said, f"{instrument.instrument_id}: {said}; {FIX}")


def may_fill_outside(order: ApprovedOrder, instrument: Instrument, settings: IbSettings) -> bool:
    """Tell whether an order may fill outside regular hours: limit orders of shares, where the account is set so.

    Source: TWS API, Order (OutsideRth).
    """
    return settings.outside_hours and instrument.product is Product.STOCK and order.order_type is OrderType.LIMIT
