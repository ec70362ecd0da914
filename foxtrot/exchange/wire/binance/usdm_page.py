"""One page of a list: by id, by time, or simply the newest."""

from foxtrot.exchange.wire.binance.usdm_params import Params

Row = dict[str, object]


def page(rows: list[Row], params: Params, *, identity: str, from_name: str, default: int = 500) -> list[Row]:
    """Return the rows that were asked for, oldest first: from an id or a start on, else the newest.

    Source: Binance USDⓈ-M Futures, All Orders and Account Trade List: orderId or fromId, startTime, endTime, limit.

    Args:
        rows: all rows, oldest first, each with `time` in milliseconds.
        params: the call's parameters.
        identity: the row's field that counts up.
        from_name: the parameter that names the least of it.
        default: how many rows when no limit was sent.
    """
    start, end = params.integer("startTime"), params.integer("endTime")
    least = params.integer(from_name)
    found = [row for row in rows if _within(row, start, end) and _number(row[identity]) >= least]
    limit = params.limit(default)
    return found[:limit] if start or least else found[-limit:]


def _within(row: Row, start: int, end: int) -> bool:
    time = _number(row["time"])
    return time >= start and (not end or time <= end)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
