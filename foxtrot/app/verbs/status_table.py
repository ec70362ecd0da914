"""The status of a platform as tables for people."""

import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from foxtrot.app.status_reading import Json, Reading
from foxtrot.app.verbs.text_table import time_text

WIDTH = 200
"""Columns where nobody says how wide the terminal is; wide enough that nothing is cut in a file."""
LEFT = frozenset(
    {
        "account",
        "adapter",
        "state",
        "instrument",
        "book",
        "way",
        "breakers",
        "strategy",
        "reason",
        "cause",
        "blocked",
        "lets through",
        "since",
        "by",
    }
)


def status_text(reading: Reading, width: int = WIDTH) -> str:
    """Return the tables, with what needs a person at the end."""
    text = io.StringIO()
    console = Console(file=text, width=width, highlight=False, force_terminal=False)
    status = reading.status
    accounts = _rows(status.get("accounts"))
    console.print(_headline(reading), soft_wrap=True, markup=False)
    for table in (
        _connections(accounts), _books(accounts), _ways(accounts), _strategies(_rows(status.get("strategies"))),
        _blocks(_rows(status.get("blocks"))),
    ):  # fmt: skip
        if table.row_count:
            console.print(table)
    for need in reading.needs_person:
        console.print(f"needs a person: {need}", soft_wrap=True, markup=False)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()).rstrip()


def _headline(reading: Reading) -> str:
    status, engine = reading.status, _row(reading.status.get("engine"))
    return (
        f"{reading.life}: pid {status.get('pid')}, {status.get('mode')}, told {reading.age_s:.1f} s ago; engine: "
        f"{engine.get('handled'):,} events, {engine.get('depth')} waiting, lag p99 {_number(engine.get('lag_p99_us'))} us, "
        f"gate {engine.get('gate')}"
    )


def _connections(accounts: Sequence[Json]) -> Table:
    table = _table(
        "account", "adapter", "state", "up s", "reconnects", "replaced", "msg/s", "last s", "venue p50/p99 ms", "ours p50/p99 ms", "by REST",
        "alerts", "breakers", "cause",
    )  # fmt: skip
    for one in accounts:
        open_ones = [f"{name} {state}" for name, state in _row(one.get("breakers")).items() if state != "closed"]
        told = f"{one.get('alerts')}{', often' if one.get('falls_back_often') else ''}"
        environment = one.get("environment")
        _add(
            table, one.get("account"), f"{one.get('adapter')}{f' {environment}' if environment else ''}", one.get("state"),
            one.get("uptime_s"), one.get("reconnects"), _row(one.get("connections")).get("replacements"), one.get("messages_per_s"), one.get("last_age_s"),
            _pair(one, "venue_latency_"), _pair(one, "engine_latency_"), one.get("rest_fallbacks"), told,
            ", ".join(open_ones) or "closed", one.get("cause") or one.get("last_cause"),
        )  # fmt: skip
    return table


def _books(accounts: Sequence[Json]) -> Table:
    table = _table(
        "instrument",
        "account",
        "book",
        "state",
        "sick s",
        "age ms",
        "update id",
        "gaps",
        "resyncs",
        "crossings",
        "audits",
        "match",
    )
    for one in accounts:
        for name, raw in _row(one.get("books")).items():
            book = _row(raw)
            _add(
                table, name, one.get("account"), book.get("implementation"), book.get("state"), book.get("sick_s"), book.get("age_ms"),
                book.get("update_id"), book.get("gaps"), book.get("resyncs"), book.get("crossings"), book.get("audits"),
                book.get("match_score"),
            )  # fmt: skip
    return table


def _ways(accounts: Sequence[Json]) -> Table:
    table = _table("way", "account", "answers", "latency p50/p99 ms", "age p50/p99 ms")
    for one in accounts:
        for name, raw in _row(one.get("book_paths")).items():
            way = _row(raw)
            _add(
                table,
                name,
                one.get("account"),
                way.get("count"),
                _pair(_row(way.get("latency")), ""),
                _pair(_row(way.get("age")), ""),
            )
    return table


def _strategies(strategies: Sequence[Json]) -> Table:
    table = _table("strategy", "account", "state", "reason")
    for one in strategies:
        _add(table, one.get("strategy_id"), one.get("account"), one.get("state"), one.get("reason"))
    return table


def _blocks(blocks: Sequence[Json]) -> Table:
    table = _table("blocked", "instrument", "lets through", "since", "by", "reason")
    for one in blocks:
        since, killed = one.get("since_ns"), "KILLED: " if one.get("killed") else ""
        _add(
            table,
            one.get("account") or "all",
            one.get("instrument_id") or "all",
            "reducing orders" if one.get("state") == "reducing" else "nothing",
            time_text(since) if isinstance(since, int) else "-",
            one.get("who") or "the platform",
            f"{killed}{one.get('reason')}",
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="left" if name in LEFT else "right", overflow="fold")
    return table


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(Text(_number(cell)) for cell in cells))


def _pair(figures: Json, prefix: str) -> str:
    return f"{_number(figures.get(f'{prefix}p50_ms'))}/{_number(figures.get(f'{prefix}p99_ms'))}"


def _number(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _row(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[Json]:
    return [_row(one) for one in value] if isinstance(value, Iterable) and not isinstance(value, str) else []
