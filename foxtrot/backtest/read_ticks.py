"""Trades and quotes from CSV files, Binance's trade and aggTrade archives among them, with the error rules of bars."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foxtrot.backtest.column_names import TIME_NAMES, Role, choose_columns
from foxtrot.backtest.columns import (
    BUYER_AGGRESSOR,
    SELLER_AGGRESSOR,
    UNKNOWN_AGGRESSOR,
    Int8Column,
    Int64Column,
    QuoteColumns,
    TradeColumns,
)
from foxtrot.backtest.delimited import DelimitedTable
from foxtrot.backtest.input_file import read_input
from foxtrot.backtest.number_values import decimals_of, read_numbers, rounded
from foxtrot.backtest.row_order import in_time_order
from foxtrot.backtest.table import Table, shown
from foxtrot.backtest.time_values import read_times
from foxtrot.domain.errors import InputError

TRADE_ROLES = (
    Role("time", (*TIME_NAMES, "transact_time")),
    Role("price", ("price",)),
    Role("size", ("size", "qty", "quantity", "amount")),
    Role("side", ("side",), required=False),
    Role("buyer_maker", ("is_buyer_maker", "buyer_maker"), required=False),
    Role("id", ("id", "trade_id", "agg_trade_id"), required=False),
)
QUOTE_ROLES = (
    Role("time", TIME_NAMES),
    Role("bid", ("bid", "bid_price")),
    Role("ask", ("ask", "ask_price")),
    Role("bid_size", ("bid_size", "bid_quantity", "bid_qty"), required=False),
    Role("ask_size", ("ask_size", "ask_quantity", "ask_qty"), required=False),
)

# Source: github.com/binance/binance-public-data, README, AggTrades and Trades. The files of before 2025 have no header.
_AGG_TRADES = {"id": 0, "price": 1, "size": 2, "time": 5, "buyer_maker": 6}
_TRADES = {"id": 0, "price": 1, "size": 2, "time": 4, "buyer_maker": 5}

_SIDES = {
    **dict.fromkeys((b"buy", b"b", b"1", b"+1", b"1.0"), BUYER_AGGRESSOR),
    **dict.fromkeys((b"sell", b"s", b"-1", b"-1.0"), SELLER_AGGRESSOR),
    **dict.fromkeys((b"", b"0", b"0.0", b"unknown"), UNKNOWN_AGGRESSOR),
}
# Where the buyer was the maker, the seller took.
_BUYER_MAKER = {
    **dict.fromkeys((b"true", b"1", b"t"), SELLER_AGGRESSOR),
    **dict.fromkeys((b"false", b"0", b"f"), BUYER_AGGRESSOR),
}


def read_ticks(path: Path, instrument_id: str = "") -> TradeColumns | QuoteColumns:
    """Read a file of trades or of quotes; it holds quotes if it has a bid column and no price.

    Blocks: for the disk.

    Raises:
        InputError: as `read_trades` and `read_quotes` do.
    """
    table = _table(path)
    names = {name.lower() for name in table.names}
    is_quotes = bool(names & {"bid", "bid_price"}) and "price" not in names
    return _quotes_of(table, instrument_id) if is_quotes else _trades_of(table, instrument_id)


def read_trades(path: Path, instrument_id: str = "") -> TradeColumns:
    """Read trades: columns time, price, size and, if they are there, side or is_buyer_maker, and id.

    Binance's trade and aggTrade archives are read with and without their header. Equal times are accepted, equal ids
    are not; without ids that are whole numbers the rows are counted from 0.

    Blocks: for the disk.

    Raises:
        InputError: the file cannot be read, or holds something that is no sound trade.
    """
    return _trades_of(_table(path), instrument_id)


def read_quotes(path: Path, instrument_id: str = "") -> QuoteColumns:
    """Read quotes: columns time, bid, ask and, if they are there, bid_size and ask_size.

    Blocks: for the disk.

    Raises:
        InputError: the file cannot be read, or holds something that is no sound quote.
    """
    return _quotes_of(_table(path), instrument_id)


def _table(path: Path) -> DelimitedTable:
    text = read_input(path)
    if text.format != "csv":
        raise InputError(f"{text.source}: trades and quotes are read from CSV; convert the file")
    return DelimitedTable(text.source, text.data)


def _trade_columns(table: Table) -> tuple[dict[str, int], tuple[str, ...]]:
    if table.names:
        columns, notes = choose_columns(table.source, table.names, TRADE_ROLES)
        if "side" in columns and "buyer_maker" in columns:
            rivals = f"{table.names[columns['side']]} and {table.names[columns['buyer_maker']]}"
            raise InputError(f"{table.source}: columns {rivals} both tell the aggressor; keep one of them")
        return columns, notes
    if table.width not in (6, 7, 8):
        raise InputError(
            f"{table.source} has no header and {table.width} columns; add a header line (time, price, size, side, id), or "
            "use a Binance trade or aggTrade archive"
        )
    is_aggregated = table.width > 6 and table.cells(5)[0].strip().isdigit()
    kind = "Binance aggTrades" if is_aggregated else "Binance trades"
    return (_AGG_TRADES if is_aggregated else _TRADES), (f"no header: columns taken as {kind}",)


def _trades_of(table: Table, instrument_id: str) -> TradeColumns:
    columns, notes = _trade_columns(table)
    times, assumed_utc = read_times(table, columns["time"])
    price = read_numbers(table, columns["price"], "price", above_zero=True)
    size = read_numbers(table, columns["size"], "size", above_zero=True)
    side = _aggressors(table, columns)
    ids, id_notes = _ids(table, columns)
    rows, order_notes = in_time_order(table, times, strict=False)
    price_decimals, quantity_decimals = decimals_of(price), decimals_of(size)
    return TradeColumns(
        instrument_id=instrument_id,
        time_ns=np.ascontiguousarray(times[rows]),
        price=rounded(price[rows], price_decimals),
        size=rounded(size[rows], quantity_decimals),
        side=np.ascontiguousarray(side[rows]),
        id=np.ascontiguousarray(ids[rows]),
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        warnings=notes + _utc_note(assumed_utc) + id_notes + order_notes,
    )


def _utc_note(assumed: bool) -> tuple[str, ...]:
    return ("times without an offset are read as UTC",) * assumed


def _aggressors(table: Table, columns: dict[str, int]) -> Int8Column:
    for name, meanings in (("side", _SIDES), ("buyer_maker", _BUYER_MAKER)):
        if name in columns:
            return _meanings(table, columns[name], name, meanings)
    return np.full(len(table), UNKNOWN_AGGRESSOR, dtype=np.int8)


def _meanings(table: Table, column: int, name: str, meanings: dict[bytes, int]) -> Int8Column:
    cells = np.char.lower(np.char.strip(table.cells(column)))
    values = np.full(len(cells), UNKNOWN_AGGRESSOR, dtype=np.int8)
    known: NDArray[np.bool_] = np.zeros(len(cells), dtype=np.bool_)
    for text, meaning in meanings.items():
        same = cells == text
        values[same] = meaning
        known |= same
    if not known.all():
        row = int(np.argmin(known))
        wanted = "buy or sell" if name == "side" else "true or false"
        raise table.refusal(row, f"{name} is {shown(cells[row])}, not {wanted}", "correct or remove the line")
    return values


def _ids(table: Table, columns: dict[str, int]) -> tuple[Int64Column, tuple[str, ...]]:
    counted = np.arange(len(table), dtype=np.int64)
    if "id" not in columns:
        return counted, ("no id column: trades are counted from 0",)
    cells = table.cells(columns["id"])
    try:
        ids = cells.astype(np.int64)
    except (ValueError, OverflowError):
        return counted, ("ids are not whole numbers: trades are counted from 0",)
    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(np.diff(ids[order]) == 0)
    if len(twice):
        row = int(order[twice + 1].min())
        raise table.refusal(row, f"trade id {ids[row]} stands twice", "keep one of the rows")
    return ids, ()


def _quotes_of(table: Table, instrument_id: str) -> QuoteColumns:
    if not table.names:
        raise InputError(f"{table.source} has no header; add one: time,bid,ask,bid_size,ask_size (sizes may be absent)")
    columns, notes = choose_columns(table.source, table.names, QUOTE_ROLES)
    times, assumed_utc = read_times(table, columns["time"])
    bid, ask = (read_numbers(table, columns[name], name, above_zero=True) for name in ("bid", "ask"))
    sizes = [
        read_numbers(table, columns[name], name, above_zero=False) if name in columns else np.zeros(len(table))
        for name in ("bid_size", "ask_size")
    ]
    rows, order_notes = in_time_order(table, times, strict=False)
    price_decimals, quantity_decimals = decimals_of(bid, ask), decimals_of(*sizes)
    crossed = int((bid > ask).sum())
    return QuoteColumns(
        instrument_id=instrument_id,
        time_ns=np.ascontiguousarray(times[rows]),
        bid=rounded(bid[rows], price_decimals),
        ask=rounded(ask[rows], price_decimals),
        bid_size=rounded(sizes[0][rows], quantity_decimals),
        ask_size=rounded(sizes[1][rows], quantity_decimals),
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        warnings=notes
        + _utc_note(assumed_utc)
        + (f"{crossed} quotes are crossed (bid above ask)",) * (crossed > 0)
        + order_notes,
    )
