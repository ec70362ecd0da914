"""The positions: what each owner holds, what it has made, how it is protected; close them, or turn one round."""

from decimal import Decimal
from functools import partial
from typing import ClassVar

import msgspec
from PySide6.QtWidgets import QWidget

from foxtrot.app.blotter_requests import ListWorth, WorthFound
from foxtrot.app.control_requests import ListPositions, PositionRow, Positions
from foxtrot.core.commands import SendOrder
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.blotter import Blotter, Choice
from foxtrot.gui.blotter_cells import mark_of
from foxtrot.gui.columns import Tone
from foxtrot.gui.desk import Desk
from foxtrot.gui.polling import Polling
from foxtrot.gui.position_rows import (
    NAKED,
    Holding,
    closing_order,
    columns_of,
    holding_of,
    is_of_strategy,
    leg_text,
    opening_order,
    why_no_reverse,
)
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, sum_pieces, sums_by


class PositionsPanel(Blotter):
    """Shows positions as they were half a second ago at most.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "positions"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, columns_of(desk), lambda one: one.key, parent=parent)
        self._rows: tuple[PositionRow, ...] = ()
        self._currency = ""
        self.add_button("close", self.close_chosen)
        self.add_button("reverse", self.reverse)
        self._polling = Polling(desk, ListPositions, self._take)
        self._worth = Polling(desk, ListWorth, self._take_worth, 0.0)
        self.view.chosen.connect(lambda one: self.choose_instrument(one.row.instrument_id))
        self.look_at_buttons()

    # --- what a person does -----------------------------------------------------------------------------------------

    def close_chosen(self) -> None:
        """Close the chosen positions at the market, after asking once."""
        held = self.view.selected()
        self._send(tr("positions.close_title"), held, [closing_order(one, self._instrument(one)) for one in held])

    def reverse(self) -> None:
        """Close the chosen position and open the same on the other side, after asking once."""
        one: Holding = self.view.selected()[0]
        instrument = self._instrument(one)
        legs = [closing_order(one, instrument), opening_order(one, instrument)]
        self._send(tr("positions.reverse_title"), [one], legs)

    def _instrument(self, one: Holding) -> Instrument | None:
        return self.desk.instruments.get(one.row.instrument_id)

    def _send(self, title: str, held: list[Holding], orders: list[SendOrder]) -> None:
        lines = [leg_text(order, self.desk.instruments.get(order.request.instrument_id)) for order in orders]
        owners = sorted({one.row.owner for one in held if is_of_strategy(one)})
        if owners:
            lines += ["", tr("positions.strategy_goes_on", strategies=", ".join(owners))]
        self.desk.actions.place_together(title, orders, "\n".join(lines))

    # --- what a blotter says ----------------------------------------------------------------------------------------

    def why_not(self, name: str) -> str:
        """Return why a button cannot be pressed now."""
        chosen: list[Holding] = self.view.selected()
        if not chosen:
            return tr("positions.choose")
        dust = next((one.row.dust for one in chosen if one.row.dust), "")
        if dust:
            return tr("positions.dust", why=dust)
        if name == "reverse":
            if len(chosen) > 1:
                return tr("positions.choose_one")
            return why_no_reverse(chosen[0], self._instrument(chosen[0]))
        return ""

    def choices(self, row: Holding) -> list[Choice]:
        """Return what can be done with a position."""
        name = row.row.instrument_id
        return [
            Choice(tr("positions.close"), self.close_chosen, self.why_not("close")),
            Choice(tr("positions.reverse"), self.reverse, self.why_not("reverse")),
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
        self._rows = ()
        self._polling.begin_anew()
        self._worth.begin_anew()

    def flush(self) -> None:
        """Show the positions at the prices that stand now."""
        self._polling.look()
        self._worth.look()
        known, desk = self.desk.instruments.get, self.desk
        self.model.replace_all(
            holding_of(row, known(row.instrument_id), mark_of(desk, row.instrument_id)) for row in self._rows
        )
        super().flush()

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        self._worth.end()
        super().leave()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, Positions):
            self._rows = found.positions

    def _take_worth(self, found: msgspec.Struct) -> None:
        if isinstance(found, WorthFound):
            self._currency = found.base_currency


def _sums(held: list[Holding], field: str) -> dict[str, Decimal]:
    return sums_by((one.currency, Decimal(repr(getattr(one, field)))) for one in held if one.mark)
