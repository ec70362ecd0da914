"""Stops and brackets: every leg that protects a position, its level, how far the market is from it, what it covers and where it lives."""

from functools import partial
from typing import ClassVar, Final

import msgspec
from PySide6.QtWidgets import QWidget

from foxtrot.app.blotter_requests import ListProtections, ProtectionLeg, ProtectionLegs
from foxtrot.app.control_requests import ListPositions, Positions
from foxtrot.core.notices import ProtectionChanged
from foxtrot.gui.blotter import Blotter, Choice
from foxtrot.gui.blotter_cells import long_or_short, mark_of, name_of, origin_cell, price_cell, side_cell, size_cell
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING, rate_text
from foxtrot.gui.polling import Polling
from foxtrot.gui.position_rows import protection_cell
from foxtrot.gui.protect_form import ProtectForm
from foxtrot.gui.protect_model import Guarded, guard_of, guard_text, is_of
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece

RIGHT = Align.RIGHT
AVERAGES_EVERY_S: Final = 1.0
_WHERE: Final = {
    "venue": Tone.GOOD,
    "sent": Tone.WARNING,
    "here": Tone.WARNING,
    "waits": Tone.DIM,
    "": Tone.DANGER,
}


class Leg(msgspec.Struct, frozen=True):
    """A leg, and the price that its instrument stands at."""

    leg: ProtectionLeg
    mark: float

    @property
    def account(self) -> str:
        """Return the account of its position."""
        return self.leg.account

    @property
    def key(self) -> tuple[str, ...]:
        """Return what it is filed under."""
        leg = self.leg
        return leg.owner, leg.account, leg.instrument_id, leg.position_side, leg.kind, leg.order_id

    @property
    def distance(self) -> float:
        """Return how far the market is from the level, as a share of the price; nan where one of them is not known."""
        return self.leg.level / self.mark - 1 if self.leg.level and self.mark else float("nan")


def columns_of(desk: Desk) -> tuple[Column[Leg], ...]:
    """Return the columns."""
    known = desk.instruments.get

    def price(value: float, one: Leg) -> Cell:
        return price_cell(value, known(one.leg.instrument_id))

    return (
        Column("instrument", "protections.instrument", lambda one: word(one.leg.instrument_id), width=200),
        Column("side", "protections.side", _side_cell, width=70, rank=1),
        Column("held", "protections.held", lambda one: size_cell(one.leg.held, known(one.leg.instrument_id)), align=RIGHT, rank=1),
        Column("kind", "protections.kind", _kind_cell, width=110),
        Column("level", "protections.level", lambda one: price(one.leg.level, one), align=RIGHT),
        Column("distance", "protections.distance", _distance_cell, align=RIGHT, width=80, rank=2),
        Column("offset", "protections.offset", lambda one: price(one.leg.offset, one), align=RIGHT, rank=4),
        Column("where", "protections.where", lambda one: word(_where_text(one.leg.where), _WHERE[one.leg.where]), width=180),
        Column("covers", "protections.covers", lambda one: _covers_cell(one, desk), align=RIGHT, rank=3),
        Column("position", "protections.position", lambda one: protection_cell(one.leg.protection, one.leg.remark), width=230, rank=4),
        Column("origin", "protections.origin", lambda one: origin_cell(one.leg.owner), width=100, rank=2),
        Column("account", "protections.account", lambda one: word(one.leg.account), width=80, rank=4),
        Column("order", "protections.order", lambda one: word(one.leg.order_id, Tone.DIM), width=190, rank=5),
    )  # fmt: skip


def _where_text(where: str) -> str:
    return tr(f"protections.at_{where or 'nothing'}")


def _side_cell(one: Leg) -> Cell:
    return side_cell(long_or_short(one.leg.held)) if one.leg.held else word(NOTHING, Tone.DIM)


def _kind_cell(one: Leg) -> Cell:
    return word(name_of(one.leg.kind)) if one.leg.kind else word(tr("protections.none"), Tone.DANGER)


def _distance_cell(one: Leg) -> Cell:
    far = one.distance
    return number(far, rate_text(far, signed=True)) if far == far else number(far, NOTHING, Tone.DIM)  # noqa: PLR0124


def _covers_cell(one: Leg, desk: Desk) -> Cell:
    part = one.leg.covers < abs(one.leg.held) - 1e-12
    return size_cell(one.leg.covers, desk.instruments.get(one.leg.instrument_id), Tone.WARNING if part else Tone.PLAIN)


class ProtectionsPanel(Blotter):
    """Shows what protects positions as it was half a second ago at most.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "protections"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, columns_of(desk), lambda one: one.key, parent=parent)
        self._legs: tuple[ProtectionLeg, ...] = ()
        self._polling = Polling(desk, ListProtections, self._take)
        self.asked = (self._polling,)
        self.hear(ProtectionChanged, lambda _: self._polling.hasten())
        self.view.chosen.connect(lambda one: self.choose_instrument(one.leg.instrument_id))
        self._positions = Polling(desk, ListPositions, self._take_positions, AVERAGES_EVERY_S)
        self._averages: dict[tuple[str, ...], float] = {}
        self.form: ProtectForm | None = None
        self.add_button("change", self.change)
        self.add_button("remove", self.remove)
        self.look_at_buttons()

    # --- what a person does -----------------------------------------------------------------------------------------

    def change(self) -> None:
        """Show the form by which the position of the chosen leg is protected."""
        one: Leg = self.view.selected()[0]
        if self.form is not None:
            self.form.close()
            self.form.deleteLater()
        self.form = ProtectForm(self.desk, self._guarded(one), self)
        self.form.open()

    def remove(self) -> None:
        """Take the chosen leg away, after asking; one that is an order of its own is cancelled."""
        one: Leg = self.view.selected()[0]
        if not one.leg.kept:
            self.desk.actions.cancel(one.leg.order_id)
            return
        guarded, instrument = self._guarded(one), self.desk.instruments.get(one.leg.instrument_id)
        left = msgspec.structs.replace(guarded.guard, **{one.leg.kind: 0.0})
        name = f"{one.leg.instrument_id}  ({one.leg.account})"
        text = f"{name}\n{guard_text(guarded.guard, instrument)}\n→ {guard_text(left, instrument)}"
        self.desk.actions.unprotect(guarded.command(left), text)

    def _guarded(self, one: Leg) -> Guarded:
        leg = one.leg
        place = (leg.owner, leg.account, leg.instrument_id, leg.position_side)
        guard = guard_of(other for other in self._legs if is_of(other, *place))
        return Guarded(*place[:3], leg.held, self._averages.get(place, one.mark), one.mark, guard)

    # --- what a blotter says ----------------------------------------------------------------------------------------

    def why_not(self, name: str) -> str:
        """Return why a button cannot be pressed now."""
        chosen: list[Leg] = self.view.selected()
        if len(chosen) != 1:
            return tr("protections.choose")
        leg = chosen[0].leg
        if name == "remove":
            return "" if leg.kind else tr("protect.nothing_to_remove")
        if not leg.held:
            return tr("protections.nothing_held")
        return "" if leg.kept else tr("protections.own_order")

    def choices(self, row: Leg) -> list[Choice]:
        """Return what can be done with a leg."""
        name, order_id = row.leg.instrument_id, row.leg.order_id
        asked = partial(self.desk.order_asked.emit, order_id)
        return [
            Choice(tr("protections.change"), self.change, self.why_not("change")),
            Choice(tr("protections.remove"), self.remove, self.why_not("remove")),
            Choice(tr("blotter.show_order"), asked, "" if order_id else tr("protections.no_order")),
            Choice(tr("blotter.show_instrument", instrument=name), partial(self.choose_instrument, name)),
        ]

    def totals(self) -> list[Piece]:
        """Return how many legs live where."""
        legs = [one.leg for one in self.model.shown()]
        pieces = []
        for where, tone in _WHERE.items():
            count = sum(leg.where == where for leg in legs)
            if count:
                pieces.append(Piece(f"{_where_text(where)}: {count}", tone))
        if self._polling.error:
            pieces.append(Piece(self._polling.error, Tone.WARNING))
        return pieces

    def begin_anew(self) -> None:
        """Ask another platform."""
        super().begin_anew()
        self._legs = ()
        self._averages = {}
        self._polling.begin_anew()
        self._positions.begin_anew()

    def flush(self) -> None:
        """Show the legs beside the prices that stand now."""
        self._polling.look()
        self._positions.look()
        self.model.replace_all(Leg(leg, mark_of(self.desk, leg.instrument_id)) for leg in self._legs)
        super().flush()

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        self._positions.end()
        super().leave()

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, ProtectionLegs):
            self._legs = found.legs

    def _take_positions(self, found: msgspec.Struct) -> None:
        if isinstance(found, Positions):
            rows = found.positions
            self._averages = {
                (row.owner, row.account, row.instrument_id, row.position_side): row.average_price for row in rows
            }
