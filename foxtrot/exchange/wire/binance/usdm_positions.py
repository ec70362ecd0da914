"""Positions of a USD-M account with all that Binance tells about them: margins, notional, liquidation price."""

from decimal import Context, Decimal

import msgspec

from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.reports import PositionMargin, PositionReport
from foxtrot.exchange.wire.binance.numbers import decimal_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.usdm_desk import UsdmDesk
from foxtrot.exchange.wire.binance.usdm_order_rows import POSITION_SIDE_TEXT
from foxtrot.exchange.wire.binance.usdm_page import Row

_EXACT = Context(prec=60)
_ZERO = Decimal(0)
_NO_MARGIN = PositionMargin(_ZERO, _ZERO, _ZERO)
_ENTRY_PLACES = 8
MOST_NOTIONAL = 1_000_000_000
"""The end of the only bracket: the embedded venue has one margin rate a contract, whatever the size."""


class PositionView(msgspec.Struct, frozen=True):
    """One position, flat or not, with its margins and the price at which its account would be liquidated (0: never)."""

    instrument: Instrument
    position_side: PositionSide
    quantity: int
    entry_price: float
    unrealised: Decimal
    mark_price: int
    margin: PositionMargin
    leverage: int
    liquidation_price: Decimal
    bid_notional: Decimal = _ZERO
    ask_notional: Decimal = _ZERO

    @property
    def notional(self) -> Decimal:
        """Return the signed value at the mark price.

        Source: Binance USDⓈ-M Futures, Position Information V3, notional.
        """
        return self.instrument.notional(self.mark_price, self.quantity)

    @property
    def is_shown(self) -> bool:
        """Tell whether V3 answers list it: it is held, or has open orders.

        Source: Binance USDⓈ-M Futures, Position Information V3: only symbols with position or open orders.
        """
        return bool(self.quantity or self.margin.orders or self.bid_notional or self.ask_notional)


def position_views(desk: UsdmDesk, account: str, symbol: str = "") -> list[PositionView]:
    """Return the positions of an account, flat ones included: BOTH of each contract, or LONG and SHORT in hedge mode.

    Source: Binance USDⓈ-M Futures, Position Information V2 and V3.
    """
    held = {(row.instrument_id, row.position_side): row for row in desk.venue.positions(account)}
    margins = desk.venue.position_margins(account)
    sides = (PositionSide.LONG, PositionSide.SHORT) if desk.is_hedged(account) else (PositionSide.NET,)
    orders = _order_notionals(desk, account)
    views: list[PositionView] = []
    for instrument in desk.side.symbols().values():
        if symbol in ("", instrument.symbol):
            for side in sides:
                key = (instrument.instrument_id, side)
                view = _view(desk, account, instrument, side, held.get(key), margins.get(key, _NO_MARGIN))
                bids, asks = orders.get((*key, Side.BUY), _ZERO), orders.get((*key, Side.SELL), _ZERO)
                views.append(msgspec.structs.replace(view, bid_notional=bids, ask_notional=asks))
    return views


def risk_row(view: PositionView, update_ms: int) -> Row:
    """Return a position as V3 tells it.

    Source: Binance USDⓈ-M Futures, Position Information V3.
    """
    return {
        **_shared(view),
        "positionAmt": quantity_text(view.instrument, view.quantity),
        "notional": decimal_text(view.notional),
        "isolatedWallet": "0",
        "marginAsset": view.instrument.settle_asset,
        "initialMargin": decimal_text(view.margin.position + view.margin.orders),
        "maintMargin": decimal_text(view.margin.maintenance),
        "positionInitialMargin": decimal_text(view.margin.position),
        "openOrderInitialMargin": decimal_text(view.margin.orders),
        "adl": 0,
        "bidNotional": decimal_text(view.bid_notional),
        "askNotional": decimal_text(view.ask_notional),
        "updateTime": update_ms,
    }


def risk_row_v2(view: PositionView, update_ms: int) -> Row:
    """Return a position as V1 and V2 tell it: with leverage and margin type.

    Source: Binance USDⓈ-M Futures, Position Information V2.
    """
    return {
        **_shared(view),
        "positionAmt": quantity_text(view.instrument, view.quantity),
        "leverage": str(view.leverage),
        "maxNotionalValue": str(MOST_NOTIONAL),
        "marginType": "cross",
        "isAutoAddMargin": "false",
        "notional": decimal_text(view.notional),
        "isolatedWallet": "0",
        "updateTime": update_ms,
    }


def account_row(view: PositionView, update_ms: int) -> Row:
    """Return a position as it stands in the V3 account.

    Source: Binance USDⓈ-M Futures, Account Information V3, positions.
    """
    return {
        "symbol": view.instrument.symbol,
        "positionSide": POSITION_SIDE_TEXT[view.position_side],
        "positionAmt": quantity_text(view.instrument, view.quantity),
        "unrealizedProfit": decimal_text(view.unrealised),
        "isolatedMargin": "0.00000000",
        "notional": decimal_text(view.notional),
        "isolatedWallet": "0",
        "initialMargin": decimal_text(view.margin.position + view.margin.orders),
        "maintMargin": decimal_text(view.margin.maintenance),
        "updateTime": update_ms,
    }


def account_row_v2(view: PositionView, update_ms: int) -> Row:
    """Return a position as it stands in the V1 and V2 account.

    Source: Binance USDⓈ-M Futures, Account Information V2, positions.
    """
    return {
        **account_row(view, update_ms),
        "positionInitialMargin": decimal_text(view.margin.position),
        "openOrderInitialMargin": decimal_text(view.margin.orders),
        "leverage": str(view.leverage),
        "isolated": False,
        "entryPrice": entry_text(view.entry_price),
        "breakEvenPrice": entry_text(view.entry_price),
        "maxNotional": str(MOST_NOTIONAL),
        "bidNotional": decimal_text(view.bid_notional),
        "askNotional": decimal_text(view.ask_notional),
    }


def entry_text(price: float) -> str:
    """Return an average entry price; it stands between the steps of the price grid.

    Source: Binance USDⓈ-M Futures, Position Information V3, entryPrice.
    """
    text = decimal_text(Decimal(repr(price)), _ENTRY_PLACES)
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"


def _shared(view: PositionView) -> Row:
    return {
        "symbol": view.instrument.symbol,
        "positionSide": POSITION_SIDE_TEXT[view.position_side],
        "entryPrice": entry_text(view.entry_price),
        "breakEvenPrice": entry_text(view.entry_price),
        "markPrice": price_text(view.instrument, view.mark_price),
        "unRealizedProfit": decimal_text(view.unrealised),
        "liquidationPrice": decimal_text(view.liquidation_price) if view.liquidation_price else "0",
        "isolatedMargin": "0.00000000",
    }


def _view(
    desk: UsdmDesk,
    account: str,
    instrument: Instrument,
    side: PositionSide,
    held: PositionReport | None,
    margin: PositionMargin,
) -> PositionView:
    name = instrument.instrument_id
    quantity, entry = (held.quantity, held.average_price) if held is not None else (0, 0.0)
    return PositionView(
        instrument,
        side,
        quantity,
        entry,
        held.unrealised_profit if held is not None else _ZERO,
        held.reference_price if held is not None else desk.venue.ticker(name).mark_price,
        margin,
        desk.venue.leverage(account, name),
        _liquidation_price(desk, account, instrument, held, margin.maintenance),
    )


def _liquidation_price(
    desk: UsdmDesk, account: str, instrument: Instrument, held: PositionReport | None, maintenance: Decimal
) -> Decimal:
    """Return the price at which equity equals the maintenance margin, everything else staying as it is."""
    if held is None or not held.quantity or not held.reference_price:
        return _ZERO
    whole = desk.venue.margin(account, instrument.settle_asset)
    rate = desk.venue.margin_rates(instrument.instrument_id)[1]
    size = instrument.notional(1, held.quantity) / instrument.price_grid.step
    mark = instrument.price_grid.to_decimal(held.reference_price)
    # equity + size * (price - mark) = other maintenance + |size| * price * rate
    cushion = whole.equity - (whole.maintenance - maintenance) - size * mark
    slope = abs(size) * rate - size
    if not slope:
        return _ZERO
    return max(_ZERO, _EXACT.divide(cushion, slope))


def _order_notionals(desk: UsdmDesk, account: str) -> dict[tuple[str, PositionSide, Side], Decimal]:
    found: dict[tuple[str, PositionSide, Side], Decimal] = {}
    for order in desk.venue.open_orders(account):
        instrument = desk.named(order.instrument_id)
        if instrument is not None:
            key = (order.instrument_id, order.position_side, order.side)
            value = instrument.notional(order.price or order.trigger_price, order.quantity - order.filled)
            found[key] = found.get(key, _ZERO) + value
    return found
