"""The form by which a person protects a position: stop, take-profit, trailing stop, as prices or distances, and what they would lose or win."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QWidget

from foxtrot.domain.instrument import Instrument
from foxtrot.gui.blotter_cells import long_or_short, name_of
from foxtrot.gui.desk import Desk
from foxtrot.gui.number_box import NumberBox
from foxtrot.gui.numbers import money_text, price_decimals, price_text, rate_text, size_decimals, size_text
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.order_dialogs import OrderDialog
from foxtrot.gui.protect_model import Guard, Guarded, Unit, guard_text, why_not
from foxtrot.gui.texts import tr

LEVELS = ("stop", "take_profit")


class ProtectForm(OrderDialog):
    """Sets, changes and removes what protects one position; it does not hold up the window's facts.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        one: the position, as it was when the form was asked for.
    """

    def __init__(self, desk: Desk, one: Guarded, parent: QWidget | None = None) -> None:
        self._desk, self._one = desk, one
        self._instrument: Instrument | None = desk.instruments.get(one.instrument_id)
        super().__init__(parent, tr("protect.title"), self._position_text(), tr("protect.go"))
        self.setObjectName("protect_form")
        self.setMinimumWidth(desk.theme.pixels(430))
        self.unit = QComboBox(self)
        self.unit.setObjectName("protect_unit")
        for unit in Unit:
            self.unit.addItem(tr(f"protect.{unit}"), unit)
        self.form.addRow(tr("protect.as"), self.unit)
        self.boxes = {name: self._box(name) for name in (*LEVELS, "trailing")}
        self.outcome = QLabel(self)
        self.outcome.setObjectName("protect_outcome")
        self.outcome.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.outcome.setMinimumHeight(
            3 * self.outcome.fontMetrics().lineSpacing() + 2
        )  # it does not jump while one types
        self.outcome.setToolTip(tr("protect.outcome_hint"))
        self.form.addRow(tr("protect.then"), self.outcome)
        self.remove = self._removing()
        self._unit = Unit.PRICE
        if not one.mark:
            self.unit.setEnabled(False)
            self.unit.setToolTip(tr("protect.no_mark"))
        self._show(one.guard)
        self.unit.currentIndexChanged.connect(self._convert)
        for box in self.boxes.values():
            box.valueChanged.connect(self._look)
        self._look()

    @property
    def guard(self) -> Guard:
        """Return what is wished for, in prices that the instrument takes."""
        stop, take = (
            self._on_grid(self._one.level(self.boxes[name].value(), self._unit, is_stop=name == "stop"))
            for name in LEVELS
        )
        return Guard(stop, take, self.boxes["trailing"].value())

    def accept(self) -> None:
        """Send the wish; the form stays where the person does not agree."""
        guard = self.guard
        command = self._one.command(guard)
        text = f"{self._position_text()}\n{guard_text(self._one.guard, self._instrument)}\n→ {guard_text(guard, self._instrument)}"
        lowers = any(was and not now for was, now in self._figures(guard))
        if (self._desk.actions.unprotect if lowers else self._desk.actions.protect)(command, text):
            super().accept()

    def _remove(self) -> None:
        text = f"{self._position_text()}\n{guard_text(self._one.guard, self._instrument)}\n→ {tr('protect.none')}"
        if self._desk.actions.unprotect(self._one.command(Guard()), text):
            super().accept()

    def _figures(self, guard: Guard) -> list[tuple[float, float]]:
        was = self._one.guard
        return [(was.stop, guard.stop), (was.take_profit, guard.take_profit), (was.trailing, guard.trailing)]

    # --- what is shown ----------------------------------------------------------------------------------------------

    def _position_text(self) -> str:
        one = self._one
        size = size_text(abs(one.held), size_decimals(self._instrument))
        decimals = price_decimals(self._instrument)
        whose = name_of(OWNER) if one.owner == OWNER else tr("protect.strategy", name=one.owner)
        now = price_text(one.mark, decimals) if one.mark else "–"
        return tr(
            "protect.position", side=name_of(long_or_short(one.held)), size=size, instrument=one.instrument_id, whose=whose,
            account=one.account, average=price_text(one.average, decimals + 1), mark=now,
        )  # fmt: skip

    def _removing(self) -> QPushButton:
        button = QPushButton(tr("protect.remove"), self)
        button.setObjectName("protect_remove")
        button.setAutoDefault(False)
        button.setEnabled(self._one.guard != Guard())
        button.setToolTip("" if button.isEnabled() else tr("protect.nothing_to_remove"))
        button.clicked.connect(self._remove)
        self.add_button(button)
        return button

    def _box(self, name: str) -> NumberBox:
        box = NumberBox(f"protect_{name}", self)
        box.show_prices(self._instrument)
        box.setToolTip(tr("protect.none_hint"))
        self.form.addRow(tr(f"protect.{name}"), box)
        return box

    def _show(self, guard: Guard) -> None:
        decimals = 2 if self._unit is Unit.PERCENT else price_decimals(self._instrument)
        for name in LEVELS:
            box = self.boxes[name]
            box.blockSignals(True)
            box.setDecimals(decimals)
            box.setSuffix(" %" if self._unit is Unit.PERCENT else "")
            box.setSingleStep(0.1) if self._unit is Unit.PERCENT else box.show_prices(self._instrument)
            box.setValue(self._one.figure(getattr(guard, name), self._unit))
            box.blockSignals(False)
        trailing = self.boxes["trailing"]
        trailing.blockSignals(True)
        trailing.setValue(guard.trailing)
        trailing.blockSignals(False)

    def _convert(self) -> None:
        guard = self.guard
        self._unit = Unit(self.unit.currentData())
        self._show(guard)
        self._look()

    def _look(self, *_: object) -> None:
        guard = self.guard
        self.say(why_not(self._one, guard, self._instrument))
        lines = [self._line("stop", guard.stop), self._line("take_profit", guard.take_profit)]
        if guard.trailing and self._one.mark:
            lines.append(self._line("trailing_now", self._one.mark - guard.trailing * self._one.sign))
        self.outcome.setText("\n".join(line for line in lines if line) or tr("protect.naked"))

    def _line(self, name: str, level: float) -> str:
        """Return what a leg would make of the position."""
        if not level:
            return ""
        one, instrument = self._one, self._instrument
        currency = "" if instrument is None else instrument.quote_asset
        made = money_text(one.outcome(level, instrument), signed=True)
        away = f" ({rate_text(level / one.mark - 1, signed=True)})" if one.mark else ""
        shown = price_text(level, price_decimals(instrument))
        return tr("protect.outcome", name=tr(f"protect.{name}"), level=shown, away=away, made=made, currency=currency)

    def _on_grid(self, level: float) -> float:
        one = self._instrument
        return level if one is None or level <= 0 else one.price(one.round_price_units(level))
