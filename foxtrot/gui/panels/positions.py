"""The positions: what each owner holds, what it has made, how it is protected; protect them, close them in part or in all, turn one round."""

from decimal import Decimal
from functools import partial
from typing import ClassVar, Final

import msgspec
from PySide6.QtWidgets import QWidget

from foxtrot.app.blotter_requests import ListProtections, ListWorth, ProtectionLeg, ProtectionLegs, WorthFound
from foxtrot.app.control_requests import ListPositions, PositionRow, Positions
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.alert_form import AlertForm
from foxtrot.gui.alerts import AlertKind
from foxtrot.gui.blotter import Blotter, Choice
from foxtrot.gui.blotter_cells import mark_of
from foxtrot.gui.closing import Closing, closing_of, closing_text
from foxtrot.gui.columns import Tone
from foxtrot.gui.desk import Desk
from foxtrot.gui.polling import Polling
from foxtrot.gui.position_rows import NAKED, Holding, columns_of, holding_of, is_of_strategy, why_no_reverse
from foxtrot.gui.protect_form import ProtectForm
from foxtrot.gui.protect_model import Guard, Guarded, guard_of, is_of
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, sum_pieces, sums_by

PARTS: Final = {"close_25": 0.25, "close_50": 0.5, "close": 1.0}
"""Buttons that close, and how much of a position each of them does."""
LEGS_EVERY_S: Final = 1.0
HIDDEN_RESTS: Final = 6.0


class PositionsPanel(Blotter):
    """Shows positions as they were half a second ago at most.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "positions"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, columns_of(desk), lambda one: one.key, parent=parent)
        self._rows: tuple[PositionRow, ...] = ()
        self._legs: tuple[ProtectionLeg, ...] = ()
        self._currency, self._news = "", False
        self.form: ProtectForm | AlertForm | None = None
        self.add_button("protect", self.protect)
        for name, share in PARTS.items():
            self.add_button(name, partial(self.close_chosen, share))
        self.add_button("reverse", self.reverse)
        self._polling = Polling(desk, ListPositions, self._take)
        self.asked = (self._polling,)
        self._worth = Polling(desk, ListWorth, self._take_worth, 0.0)
        self._guards = Polling(desk, ListProtections, self._take_legs, LEGS_EVERY_S)
        self.view.chosen.connect(lambda one: self.choose_instrument(one.row.instrument_id))
        self.look_at_buttons()

    # --- what a person does -----------------------------------------------------------------------------------------

    def close_chosen(self, share: float = 1.0) -> None:
        """Close the chosen positions at the market, or a share of each, after asking once."""
        held = self.view.selected()
        self._send(tr("positions.close_title"), [self._closing(one, share) for one in held])

    def reverse(self) -> None:
        """Close the chosen position and open the same on the other side, after asking once."""
        one: Holding = self.view.selected()[0]
        self._send(
            tr("positions.reverse_title"), [closing_of(one, self._instrument(one), self.guard(one), reverse=True)]
        )

    def protect(self) -> None:
        """Show the form by which the chosen position is protected."""
        one: Holding = self.view.selected()[0]
        row = one.row
        guarded = Guarded(
            row.owner, row.account, row.instrument_id, row.quantity, row.average_price, one.mark, self.guard(one)
        )
        self._open(ProtectForm(self.desk, guarded, self))

    def watch(self, kind: AlertKind) -> None:
        """Show the form of an alert on the chosen position."""
        one: Holding = self.view.selected()[0]
        self._open(AlertForm(self.desk, None, one.row.instrument_id, self, kind))

    def guard(self, one: Holding) -> Guard:
        """Return how a position was protected a second ago at most."""
        row = one.row
        place = (row.owner, row.account, row.instrument_id, row.position_side)
        return guard_of(leg for leg in self._legs if is_of(leg, *place))

    def _open(self, form: ProtectForm | AlertForm) -> None:
        if self.form is not None:
            self.form.close()
            self.form.deleteLater()
        self.form = form
        form.open()

    def _closing(self, one: Holding, share: float) -> Closing:
        return closing_of(one, self._instrument(one), self.guard(one), share)

    def _instrument(self, one: Holding) -> Instrument | None:
        return self.desk.instruments.get(one.row.instrument_id)

    def _send(self, title: str, closings: list[Closing]) -> None:
        lines = [closing_text(one, self._instrument(one.holding)) for one in closings]
        owners = sorted({one.holding.row.owner for one in closings if is_of_strategy(one.holding)})
        if owners:
            lines += ["", tr("positions.strategy_goes_on", strategies=", ".join(owners))]
        self.desk.actions.place_together(title, [one.command for one in closings], "\n".join(lines))

    # --- what a blotter says ----------------------------------------------------------------------------------------

    def why_not(self, name: str) -> str:
        """Return why a button cannot be pressed now."""
        chosen: list[Holding] = self.view.selected()
        if not chosen:
            return tr("positions.choose")
        dust = next((one.row.dust for one in chosen if one.row.dust), "")
        if dust:
            return tr("positions.dust", why=dust)
        if name in PARTS:
            closings = (self._closing(one, PARTS[name]) for one in chosen)
            return next((tr("positions.too_small") for one in closings if not one.quantity), "")
        if len(chosen) > 1:
            return tr("positions.choose_one")
        if name == "reverse":
            return why_no_reverse(chosen[0], self._instrument(chosen[0]))
        return tr("positions.protect_not_ours") if chosen[0].row.owner == EXTERNAL else ""

    def choices(self, row: Holding) -> list[Choice]:
        """Return what can be done with a position."""
        name = row.row.instrument_id
        return [
            Choice(tr("positions.protect"), self.protect, self.why_not("protect")),
            *(
                Choice(tr(f"positions.{part}"), partial(self.close_chosen, PARTS[part]), self.why_not(part))
                for part in PARTS
            ),
            Choice(tr("positions.reverse"), self.reverse, self.why_not("reverse")),
            Choice(tr("positions.alert_size"), partial(self.watch, AlertKind.SIZE)),
            Choice(tr("positions.alert_profit"), partial(self.watch, AlertKind.PROFIT)),
            Choice(tr("blotter.show_instrument", instrument=name), partial(self.choose_instrument, name)),
        ]

    def totals(self) -> list[Piece]:
        """Return profit in the base currency, and value and unrealised profit by currency."""
        held: list[Holding] = self.model.shown()
        made = [one.row.profit for one in held]
        profit = {self._currency: sum((amount for amount in made if amount is not None), Decimal(0))} if held else {}
        pieces = [
            *sum_pieces(tr("blotter.profit"), profit, signed=True),
            *sum_pieces(tr("positions.unrealised"), _sums(held, "unrealised"), signed=True),
            *sum_pieces(tr("blotter.value"), _sums(held, "worth")),
        ]
        missing = sum(amount is None for amount in made)
        if missing:
            pieces.append(Piece(tr("positions.no_price", count=missing), Tone.WARNING))
        naked = sum(one.row.protection == NAKED for one in held)
        if naked:
            pieces.append(Piece(tr("positions.sum_naked", count=naked), Tone.DANGER))
        if self._polling.error:
            pieces.append(Piece(self._polling.error, Tone.WARNING))
        return pieces

    def begin_anew(self) -> None:
        """Ask another platform for its positions."""
        super().begin_anew()
        self._rows, self._legs = (), ()
        self._polling.begin_anew()
        self._guards.begin_anew()
        self._worth.begin_anew()

    def flush(self) -> None:
        """Show the positions at the prices that stand now."""
        self._polling.look()
        self._worth.look()
        self._guards.look()
        known, desk = self.desk.instruments.get, self.desk
        self.model.replace_all(
            holding_of(row, known(row.instrument_id), mark_of(desk, row.instrument_id)) for row in self._rows
        )
        super().flush()

    def look_while_hidden(self) -> None:
        """Ask behind another tab too, though less often, and count the positions there."""
        self._polling.look(HIDDEN_RESTS)
        if self._news:
            self._news = False
            self.count_in_tab()

    def tab_count(self) -> int:
        """Return how many are shown, or would be."""
        return super().tab_count() if self.is_seen else sum(self.fits(row) for row in self._rows)

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        self._worth.end()
        self._guards.end()
        super().leave()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, Positions):
            self._rows, self._news = found.positions, True

    def _take_legs(self, found: msgspec.Struct) -> None:
        if isinstance(found, ProtectionLegs):
            self._legs = found.legs

    def _take_worth(self, found: msgspec.Struct) -> None:
        if isinstance(found, WorthFound):
            self._currency = found.base_currency


def _sums(held: list[Holding], field: str) -> dict[str, Decimal]:
    return sums_by((one.currency, Decimal(repr(getattr(one, field)))) for one in held if one.mark)
