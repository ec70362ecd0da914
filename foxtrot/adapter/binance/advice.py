"""What to do about a refusal of Binance's, in words; the figures are those of the order and its contract."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder

Words = Callable[[ApprovedOrder, Instrument], str]


def advice(code: str, text: str, order: ApprovedOrder, instrument: Instrument) -> str:
    """Return what to do about a refused order, "" where Binance's own words say all there is to say.

    Source: Binance spot API, Errors and Filters; USDⓈ-M Futures, Error Codes.
    """
    words = _BY_CODE.get(code) or next((found for part, found in _BY_TEXT if part in text), None)
    return words(order, instrument) if words is not None else ""


def advised(code: str, text: str, order: ApprovedOrder, instrument: Instrument) -> str:
    """Return Binance's words with what to do in brackets, unless they have some already."""
    found = "" if text.endswith("]") else advice(code, text, order, instrument)
    return f"{text} [{found}]" if found else text


def unlisted(instrument_id: str, listed: Iterable[str]) -> str:
    """Return that Binance does not list an instrument, in which it would say -1121, and what may have been meant."""
    close = get_close_matches(instrument_id, list(listed), n=1)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else "check the symbol, and the ending: .BINANCE is spot, .BINANCE_USDM is USD-M"
    )
    return f"Binance does not list {instrument_id} for this account (its -1121, Invalid symbol); {hint}"


def not_trading(instrument_id: str, why: str) -> str:
    """Return that an instrument does not trade now, and what can be done all the same; `why` is Binance's word for it."""
    return (
        f"{instrument_id} does not trade at Binance now ({why}): open orders can be cancelled; whether it trades again is "
        "asked for now, so send a new order later, or drop the instrument if it was delisted"
    )


def least_quantity(instrument: Instrument, price_units: int) -> str:
    """Return the least quantity that reaches the smallest worth of an order at a price, as decimal text."""
    price = Decimal(instrument.price_grid.to_text(price_units)) * Decimal(str(instrument.multiplier))
    step = Decimal(instrument.quantity_grid.to_text(1)) * instrument.lot_units
    lots, rest = divmod(instrument.min_notional, price * step)
    units = max((int(lots) + (rest > 0)) * instrument.lot_units, instrument.min_quantity_units)
    return _short(instrument.quantity_grid.to_text(units))


def _notional(order: ApprovedOrder, instrument: Instrument) -> str:
    worth = f"an order must be worth at least {_short(f'{instrument.min_notional:f}')} {instrument.quote_asset}"
    if not order.price_units:
        return f"{worth}: raise the quantity"
    return f"{worth}: raise the quantity to at least {least_quantity(instrument, order.price_units)}"


def _price_step(_order: ApprovedOrder, instrument: Instrument) -> str:
    return f"prices go in steps of {instrument.price_grid.to_text(1)}: take the nearest legal one"


def _quantity_step(_order: ApprovedOrder, instrument: Instrument) -> str:
    def text(units: int) -> str:
        return _short(instrument.quantity_grid.to_text(units))

    most = f" to {text(instrument.max_quantity_units)}" if instrument.max_quantity_units else ""
    least = text(max(instrument.min_quantity_units, instrument.lot_units))
    return f"quantities go in steps of {text(instrument.lot_units)}, from {least}{most}: round it, downwards"


def _short(text: str) -> str:
    """Return decimal text without the zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _said(text: str) -> Words:
    return lambda _order, _instrument: text


_FUNDS: Final = _said("the free balance does not cover it: lower the quantity, cancel another order or add funds")
_MARGIN: Final = _said("the free margin does not cover it: lower the quantity, close a position or add funds")
_FAR: Final = _said("the price is too far from the market: bring it nearer")
_MANY: Final = _said("too many orders are open: cancel some first")
_POST_ONLY: Final = _said("a post-only order would have traded at once: price it behind the other side's best")
_TRIGGER: Final = _said("the trigger is behind the market already: move it, or send the order without one")

_BY_CODE: Final[Mapping[str, Words]] = {
    "-1021": _said("the clock was measured anew just now: a new order will do; have this machine's clock set by NTP"),
    "-1121": _said("check the symbol and the product"),
    "-2018": _FUNDS,
    "-2019": _MARGIN,
    "-2021": _TRIGGER,
    "-2022": _said("there is no position that it would reduce: ask for positions, then send what is left of it"),
    "-4003": _quantity_step,
    "-4004": _quantity_step,
    "-4005": _quantity_step,
    "-4013": _FAR,
    "-4014": _price_step,
    "-4016": _FAR,
    "-4023": _quantity_step,
    "-4024": _FAR,
    "-4061": _said("the account's position mode is another one: see the settings position_mode and set_position_mode"),
    "-4131": _FAR,
    "-4164": _notional,
    "-5022": _POST_ONLY,
}
_BY_TEXT: Final[tuple[tuple[str, Words], ...]] = (
    ("NOTIONAL", _notional),
    ("PERCENT_PRICE", _FAR),
    ("PRICE_FILTER", _price_step),
    ("LOT_SIZE", _quantity_step),
    ("MAX_NUM", _MANY),
    ("MAX_POSITION", _said("the position would become too large: lower the quantity")),
    ("insufficient balance", _FUNDS),
    ("immediately match", _POST_ONLY),
    ("trigger immediately", _TRIGGER),
)
"""Parts of Binance's words, where one code stands for many filters (-1013) or reasons (-2010)."""
