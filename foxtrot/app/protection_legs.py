"""What protects each position, leg by leg, as rows for people."""

from collections.abc import Iterator

from msgspec.structs import replace

from foxtrot.app.blotter_requests import ProtectionLeg
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderType
from foxtrot.domain.order_state import WORKING
from foxtrot.strategy.exits import is_sellable
from foxtrot.strategy.line import Line
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import PositionKey
from foxtrot.trading.protection import ProtectionView

STOP, TAKE, TRAILING = "stop", "take_profit", "trailing"
_KINDS = {
    OrderType.STOP: STOP,
    OrderType.STOP_LIMIT: STOP,
    OrderType.TRAILING_STOP: TRAILING,
    OrderType.TAKE_PROFIT: TAKE,
    OrderType.TAKE_PROFIT_LIMIT: TAKE,
}


def protection_legs(line: Line) -> Iterator[ProtectionLeg]:
    """Yield every leg of what protects a position, and one row for each position that nothing protects.

    Thread: foxtrot-engine.
    """
    by_key: dict[PositionKey, list[OrderRecord]] = {}
    for record in line.desk.open_records():
        key = record.owner, record.terms.account, record.terms.instrument_id, record.terms.position_side
        by_key.setdefault(key, []).append(record)
    held = {key for key, position in line.portfolio.positions() if position.exact_quantity}
    for key in dict.fromkeys([*sorted(held), *by_key]):
        position = line.portfolio.position(*key)
        if key[0] == EXTERNAL and (position is None or not is_sellable(position)):
            continue
        yield from _Legs(line, key, by_key.get(key, [])).rows()


class _Legs:
    """The legs of one position."""

    def __init__(self, line: Line, key: PositionKey, records: list[OrderRecord]) -> None:
        self._key = key
        self._view: ProtectionView | None = line.protections.view(key)
        self._cover = line.protections.cover(key)
        position = line.portfolio.position(*key)
        self._held = 0.0 if position is None else float(position.exact_quantity)
        self._records = records

    def rows(self) -> Iterator[ProtectionLeg]:
        """Yield the rows of the position."""
        found = [*self._kept(), *self._loose()]
        yield from found
        if not found and self._held and self._key[0] != EXTERNAL:
            yield self._row("", 0.0, "", 0.0)

    def _kept(self) -> Iterator[ProtectionLeg]:
        """Yield the legs of a protection: those that rest at the venue, and those that are watched here."""
        view = self._view
        if view is None:
            return
        resting = {_kind_of(one) or TAKE: one for one in self._records if one.key in view.order_ids}
        terms = view.terms
        for kind, level, offset in (
            (STOP, terms.stop, 0.0),
            (TAKE, terms.take_profit, 0.0),
            (TRAILING, view.trailing_stop, terms.trailing),
        ):
            record = resting.get(kind)
            if record is not None:
                yield self._of_order(kind, record, record.terms.trigger_price or record.terms.price or level, offset)
            elif level or offset:
                where = "here" if self._held else "waits"
                yield self._row(kind, level, where, abs(self._held), offset=offset)

    def _loose(self) -> Iterator[ProtectionLeg]:
        """Yield stops and take-profits that somebody placed as orders."""
        kept = self._view.order_ids if self._view is not None else ()
        for record in self._records:
            kind = _kind_of(record)
            if kind and record.key not in kept:
                yield replace(self._of_order(kind, record, record.terms.trigger_price, 0.0), kept=False)

    def _of_order(self, kind: str, record: OrderRecord, level: float, offset: float) -> ProtectionLeg:
        where = "venue" if record.status in WORKING else "sent"
        covers = record.instrument.quantity(record.remaining_units)
        return self._row(kind, level, where, covers, offset=offset, order_id=record.key)

    def _row(
        self, kind: str, level: float, where: str, covers: float, *, offset: float = 0.0, order_id: str = ""
    ) -> ProtectionLeg:
        owner, account, instrument_id, side = self._key
        return ProtectionLeg(
            owner, account, instrument_id, str(side), kind, level, offset, where, covers, self._held, order_id, self._cover.protection,
            self._cover.reason,
        )  # fmt: skip


def _kind_of(record: OrderRecord) -> str:
    return _KINDS.get(record.terms.order_type, "")
