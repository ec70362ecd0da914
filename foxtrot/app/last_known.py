"""What is known of a platform that does not run: its journal, read without touching it, put into trading state that trades with nobody."""

from pathlib import Path

import msgspec

from foxtrot.app.config import Config, load_config
from foxtrot.app.control_answers import ControlAnswers, UnknownName, Wish
from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_place import last_config
from foxtrot.app.control_requests import Filter, Positions, TradeRow
from foxtrot.app.platform_journal import NAME as JOURNAL
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError, FoxtrotError, InputError
from foxtrot.storage.journal_reader import JournalView, open_journal, read_only
from foxtrot.storage.journal_records import Intent
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.order_ids import make_run_id
from foxtrot.trading.protection_cover import HERE, NAKED
from foxtrot.trading.restored_state import UNFOLDED, RestoredState, fold

MOST_ORDERS = 500
"""Orders whose arrival is looked up for the slippage of their fills; further ones go without."""


class LastKnown(msgspec.Struct, frozen=True):
    """An answer from a journal, and how old the last that it knows is."""

    answer: msgspec.Struct
    path: Path
    age_s: float


def journal_path(home: Path) -> Path:
    """Return where the journal of the platform of a home folder is, or would be."""
    config = _config(home)
    return (config.data_dir(home) if config is not None else home / "data") / JOURNAL


def ask_journal(home: Path, request: Filter, clock: Clock) -> LastKnown | None:
    """Answer a question from the journal of a platform that does not run; None when there is none.

    Blocks: for the disk.

    Raises:
        ConfigError: the question names something that there is not, or the journal is damaged.
    """
    path = journal_path(home)
    if not path.is_file():
        return None
    opening = open_journal(path)
    if not opening.count:
        return None
    try:
        line = _line(home, fold(opening.records(UNFOLDED)), clock)
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: it cannot be read: {error}") from None
    with read_only(path) as view:
        told_ns = next(view.newest_first()).record.time_ns
    try:
        found = ControlAnswers(line, ControlNotices(line.dispatcher)).answer(request)
    except UnknownName as error:
        raise ConfigError(error.with_nearest()) from None
    if isinstance(found, Wish):
        raise FoxtrotError("a journal takes no wishes; start the platform")
    return LastKnown(_unwatched(found), path, max(0.0, (clock.now_ns() - told_ns) / 1e9))


def with_slippage(home: Path, trades: tuple[TradeRow, ...]) -> tuple[TradeRow, ...]:
    """Return fills with what they cost, in price, against the other side's quote at which their orders were wished for.

    Blocks: for the disk.
    """
    return slipped(journal_path(home), trades)


def slipped(path: Path, trades: tuple[TradeRow, ...]) -> tuple[TradeRow, ...]:
    """Return fills with what they cost, as with_slippage does, from a journal by its place.

    Blocks: for the disk.
    """
    try:
        with read_only(path) as view:
            quotes = {order_id: _touch(view, order_id) for order_id in _orders_of(trades)}
    except InputError:  # there is none: that a fill has no slippage is no reason not to show it
        return trades
    return tuple(_slipped(row, quotes.get(row.order_id, 0.0)) for row in trades)


def _slipped(row: TradeRow, touch: float) -> TradeRow:
    if not touch:
        return row
    cost = row.price - touch if row.side == "buy" else touch - row.price
    return msgspec.structs.replace(row, slippage=round(cost, 10))


def _orders_of(trades: tuple[TradeRow, ...]) -> list[str]:
    return list(dict.fromkeys(row.order_id for row in reversed(trades)))[:MOST_ORDERS]


def _touch(view: JournalView, order_id: str) -> float:
    """Return the price of the other side when an order was wished for, 0.0 when nobody knows."""
    for found in view.of_order(order_id):
        record = found.record
        if isinstance(record, Intent) and record.arrival is not None:
            return record.arrival.ask if record.order.side.sign > 0 else record.arrival.bid
    return 0.0


def _line(home: Path, state: RestoredState, clock: Clock) -> Line:
    permit = SendPermit()
    permit.close("nothing trades here")
    config = _config(home)
    currency = config.platform.base_currency if config is not None else LineSettings(run_id="").base_currency
    settings = LineSettings(run_id=make_run_id(clock.now_ns(), 0), base_currency=currency)
    return Line(Dispatcher(clock), permit, settings, restored=state)


def _config(home: Path) -> Config | None:
    path = last_config(home)
    try:
        return load_config(path) if path is not None else None
    except FoxtrotError:  # it was changed or removed since; the journal is in its usual place then, or nowhere
        return None


def _unwatched(found: msgspec.Struct) -> msgspec.Struct:
    """Return an answer in which nothing is protected by a process that is no more."""
    if isinstance(found, Positions):
        rows = tuple(
            msgspec.structs.replace(row, protection=NAKED, remark="only the process watched it, which is gone")
            if row.protection == HERE
            else row
            for row in found.positions
        )
        return msgspec.structs.replace(found, positions=rows)
    return found
