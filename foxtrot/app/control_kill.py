"""What a kill found, and what has become of it since: counted on the engine's thread, for whoever waits for the end."""

from itertools import count

from foxtrot.app.control_requests import KillProgress, KillTaken, OrderRow
from foxtrot.app.control_rows import ControlRows, is_entry, is_foreign
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.line import Line
from foxtrot.trading.order_record import OrderRecord

MOST_ROWS = 100
"""Orders that are told one by one, some times a second while somebody waits; the rest are counted."""
REMEMBERED = 4
"""Kills whose orders are still known; a further one forgets the oldest."""


class KillAnswers:
    """Knows the entry orders that each kill found open.

    Thread: foxtrot-engine; `next_id` any.
    """

    def __init__(self, line: Line, rows: ControlRows) -> None:
        self._line = line
        self._rows = rows
        self._ids = count(1)
        self._found: dict[int, tuple[OrderRecord, ...]] = {}

    def next_id(self) -> int:
        """Return the number of a new kill."""
        return next(self._ids)

    def survey(self, kill_id: int) -> KillTaken:
        """Remember the entry orders that are open now, and say what there is; called just before the kill is handled."""
        found = self._found[kill_id] = tuple(record for record in self._line.desk.open_records() if is_entry(record))
        for old in list(self._found)[:-REMEMBERED]:
            del self._found[old]
        return KillTaken(kill_id, engine_answered=True, entries=len(found), positions=tuple(self._rows.positions()))

    def follow(self, kill_id: int) -> KillProgress:
        """Say what has become of the orders that a kill found.

        Raises:
            ConfigError: nothing is known of that kill.
        """
        records = self._found.get(kill_id)
        if records is None:
            raise ConfigError(f"nothing is known of kill {kill_id}")
        ended = [record.status for record in records if not record.is_open]
        cancelled, filled = ended.count(OrderStatus.CANCELLED), ended.count(OrderStatus.FILLED)
        alive = [record for record in records if record.is_open]
        others = [record for record in self._line.desk.open_records() if not is_entry(record)]
        foreign = sum(is_foreign(record) for record in others)
        return KillProgress(
            entries=len(records),
            still_open=len(alive),
            cancels_asked=sum(record.cancel_asked for record in records),
            cancelled=cancelled,
            filled=filled,
            ended_otherwise=len(ended) - cancelled - filled,
            reducing=len(others) - foreign,
            foreign=foreign,
            open=self._first(alive),
            staying=self._first(others),
            positions=tuple(self._rows.positions()),
            closing=self._closing(),
        )

    def _closing(self) -> tuple[str, ...]:
        standing = self._line.kill.standing()
        return () if standing is None else (*standing.closing, *standing.waiting)

    def _first(self, records: list[OrderRecord]) -> tuple[OrderRow, ...]:
        return tuple(self._rows.order(record) for record in records[:MOST_ROWS])
