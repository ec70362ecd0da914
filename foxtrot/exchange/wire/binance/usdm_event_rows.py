"""USD-M's user-data events as they go over the wire, each made of what the venue told."""

from decimal import Decimal

from foxtrot.domain.enums import Liquidity
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import LeverageChanged, OrderEvent, OrderFilled, PositionChanged
from foxtrot.exchange.wire.binance.numbers import average_text, decimal_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, OrderNote
from foxtrot.exchange.wire.binance.usdm_order_rows import (
    POSITION_SIDE_TEXT,
    SIDE_TEXT,
    TYPE_TEXT,
    client_text,
    tif_text,
)
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_positions import PositionView, entry_text


def order_event(instrument: Instrument, event: OrderEvent, note: OrderNote, happened: tuple[str, str]) -> Row:
    """Return an order update without a trade.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Order Update.

    Args:
        instrument: the contract.
        event: what the venue told.
        note: how the order was spelled.
        happened: execution type (x) and order status (X).
    """
    return _update(event, _order(instrument, event, note, happened))


def trade_event(instrument: Instrument, fill: OrderFilled, note: OrderNote, profit: Decimal) -> Row:
    """Return the order update of one fill.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Order Update, x TRADE.
    """
    status = "FILLED" if fill.remaining <= 0 else "PARTIALLY_FILLED"
    order = _order(instrument, fill, note, ("TRADE", status))
    trade = {
        "l": quantity_text(instrument, fill.fill_quantity),
        "L": price_text(instrument, fill.fill_price),
        "n": decimal_text(fill.fee),
        "N": fill.fee_asset,
        "t": fill.trade_id,
        "m": fill.liquidity is Liquidity.MAKER,
        "rp": decimal_text(profit),
    }
    return _update(fill, {**order, **trade})


def lite_event(instrument: Instrument, fill: OrderFilled) -> Row:
    """Return the short form of one fill.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Trade Lite.
    """
    return {
        "e": "TRADE_LITE",
        "E": fill.time_ns // MS_NS,
        "T": fill.time_ns // MS_NS,
        "s": instrument.symbol,
        "q": quantity_text(instrument, fill.quantity),
        "p": price_text(instrument, fill.price),
        "m": fill.liquidity is Liquidity.MAKER,
        "c": client_text(fill.client_order_id),
        "S": SIDE_TEXT[fill.side],
        "L": price_text(instrument, fill.fill_price),
        "l": quantity_text(instrument, fill.fill_quantity),
        "t": fill.trade_id,
        "i": fill.order_id,
    }


def account_event(time_ms: int, reason: str, balances: list[Row], positions: list[Row]) -> Row:
    """Return an account update.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Balance and Position Update.
    """
    return {"e": "ACCOUNT_UPDATE", "E": time_ms, "T": time_ms, "a": {"m": reason, "B": balances, "P": positions}}


def balance_part(asset: str, wallet: Decimal, change: Decimal) -> Row:
    """Return one balance of an account update; `change` is what neither profit nor commission explains.

    Source: Binance USDⓈ-M Futures, Event: Balance and Position Update, B: wb, cw, bc.
    """
    return {"a": asset, "wb": decimal_text(wallet), "cw": decimal_text(wallet), "bc": decimal_text(change)}


def position_part(instrument: Instrument, event: PositionChanged, unrealised: Decimal) -> Row:
    """Return one position of an account update.

    Source: Binance USDⓈ-M Futures, Event: Balance and Position Update, P.
    """
    return {
        "s": instrument.symbol,
        "pa": quantity_text(instrument, event.quantity),
        "ep": entry_text(event.average_price),
        "bep": entry_text(event.average_price),
        "cr": decimal_text(event.realised_profit),
        "up": decimal_text(unrealised),
        "mt": "cross",
        "iw": "0",
        "ps": POSITION_SIDE_TEXT[event.position_side],
        "ma": instrument.settle_asset,
    }


def leverage_event(instrument: Instrument, event: LeverageChanged) -> Row:
    """Return the news of a new leverage.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Account Configuration Update.
    """
    time_ms = event.time_ns // MS_NS
    changed = {"s": instrument.symbol, "l": event.leverage}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": time_ms, "T": time_ms, "ac": changed}


def margin_call(time_ms: int, wallet: Decimal, views: list[PositionView]) -> Row:
    """Return the warning that positions are being closed for want of margin.

    Source: Binance USDⓈ-M Futures, User Data Streams, Event: Margin Call.
    """
    rows: list[Row] = [
        {
            "s": view.instrument.symbol,
            "ps": POSITION_SIDE_TEXT[view.position_side],
            "pa": quantity_text(view.instrument, view.quantity),
            "mt": "CROSSED",
            "iw": "0",
            "mp": price_text(view.instrument, view.mark_price),
            "up": decimal_text(view.unrealised),
            "mm": decimal_text(view.margin.maintenance),
        }
        for view in views
    ]
    return {"e": "MARGIN_CALL", "E": time_ms, "cw": decimal_text(wallet), "p": rows}


def _update(event: OrderEvent, order: Row) -> Row:
    time_ms = event.time_ns // MS_NS
    return {"e": "ORDER_TRADE_UPDATE", "E": time_ms, "T": time_ms, "o": order}


def _order(instrument: Instrument, event: OrderEvent, note: OrderNote, happened: tuple[str, str]) -> Row:
    kind, none = TYPE_TEXT[event.order_type], quantity_text(instrument, 0)
    return {
        "s": instrument.symbol,
        "c": client_text(event.client_order_id),
        "S": SIDE_TEXT[event.side],
        "o": kind,
        "f": tif_text(event.time_in_force, event.post_only),
        "q": quantity_text(instrument, event.quantity),
        "p": price_text(instrument, event.price),
        "ap": average_text(instrument, event.cost, event.filled),
        "sp": price_text(instrument, event.trigger_price),
        "x": happened[0],
        "X": happened[1],
        "i": event.order_id,
        "l": none,
        "z": quantity_text(instrument, event.filled),
        "L": price_text(instrument, 0),
        "T": event.time_ns // MS_NS,
        "t": 0,
        "b": "0",
        "a": "0",
        "m": False,
        "R": event.reduce_only,
        "ot": kind,
        "ps": POSITION_SIDE_TEXT[event.position_side],
        "rp": "0",
        **_noted(note),
    }


def _noted(note: OrderNote) -> Row:
    return {
        "wt": note.working_type,
        "cp": note.close_position,
        "pP": False,
        "si": note.algo_id,
        "ss": 0,
        "V": note.prevention,
        "pm": "NONE",
        "gtd": note.good_till_ms,
    }
