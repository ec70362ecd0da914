"""The life of one order, from the journal: what caused it, each step, how long each leg took, what it cost."""

from functools import partial
from pathlib import Path
from time import monotonic
from typing import ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from foxtrot.app.order_life import OrderStory
from foxtrot.app.order_life_text import story_lines
from foxtrot.core.notices import AmendAnswered, OrderChanged, TradeBooked
from foxtrot.gui.aside import Aside
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_story import LEGS, STEPS, cost_text, head_text, leg_rows, read_story, step_rows
from foxtrot.gui.panel import Panel, State
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr

AGAIN_S: Final = 1.0
"""An order that goes on is looked up again no sooner than this."""


WIDE: Final = 700
"""In pixels at a scale of 1: as wide as steps and legs beside each other."""


class OrderLifePanel(Panel):
    """Shows one order; it is looked up again when something happens to it.

    Thread: the desktop's; the journal is read beside it.
    """

    kind: ClassVar[str] = "order_life"
    least_size: ClassVar[tuple[int, int]] = (420, 240)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.order_id = ""
        self.story: OrderStory | None = None
        self.aside = Aside(self)
        self._due = False
        self._looked_s = float("-inf")
        self.steps = FactTable(STEPS, lambda row: row.number)
        self.legs = FactTable(LEGS, lambda row: row.number)
        self.words = QLineEdit(self)
        self.words.setObjectName("order_life_words")
        self.words.setPlaceholderText(tr("order_life.which"))
        self.words.returnPressed.connect(self.look_up)
        self.again = QPushButton(tr("order_life.look"), self)
        self.again.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.again.clicked.connect(self.look_up)
        self.copying = QPushButton(tr("order_life.copy"), self)
        self.copying.setObjectName("order_life_copy")
        self.copying.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.copying.clicked.connect(self.copy)
        self.head = self._label("order_life_head")
        self.cost = self._label("order_life_cost")
        self.said = self._label("order_life_said")
        self._arrange()
        self.say(tr("order_life.none"))
        self._show(None)
        for kind in (OrderChanged, TradeBooked, AmendAnswered):
            self.hear(kind, self._hear)

    # --- what a person does -----------------------------------------------------------------------------------------

    def show_order(self, order_id: str) -> None:
        """Show the life of an order."""
        self.words.setText(order_id)
        self.look_up()

    def look_up(self) -> None:
        """Read about the order that is named in the box."""
        order_id = self.words.text().strip()
        if order_id != self.order_id:
            self.order_id = order_id
            self._show(None)
        path = self._journal()
        if not order_id:
            self.say(tr("order_life.none"))
        elif path is None:
            self.say(tr("order_life.no_journal"))
        else:
            self._due, self._looked_s = False, monotonic()
            if self.story is None:
                self.say(tr("order_life.reading"))
            self.aside.run(partial(read_story, path, order_id), partial(self._take, order_id))

    def text(self) -> str:
        """Return the life in lines, as `foxtrot order` prints it; "" without one."""
        return "" if self.story is None else "\n".join(story_lines(self.story))

    def copy(self) -> None:
        """Put the life into the clipboard."""
        QApplication.clipboard().setText(self.text())

    def say(self, text: str) -> None:
        """Show a line instead of a life, or none with ""."""
        self.said.setText(text)
        self.said.setVisible(bool(text))

    def flush(self) -> None:
        """Look the order up again if something happened to it."""
        if self._due and not self.aside.running and monotonic() - self._looked_s >= AGAIN_S:
            self.look_up()

    def save_state(self) -> State:
        """Return which order is shown."""
        return {**super().save_state(), "order": self.order_id}

    def restore_state(self, state: State) -> None:
        """Show an order again."""
        super().restore_state(state)
        order_id = state.get("order")
        if isinstance(order_id, str) and order_id:
            self.words.setText(order_id)
            if self._journal() is None:
                self._due = True  # the platform is opened later than its window
            else:
                self.look_up()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Put the legs below the steps where there is no room beside them."""
        super().resizeEvent(event)
        wide = event.size().width() >= self.desk.theme.pixels(WIDE)
        self.split.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _journal(self) -> Path | None:
        questions = self.desk.questions
        return None if questions is None else questions.link.journal

    def _hear(self, fact: OrderChanged | TradeBooked | AmendAnswered) -> None:
        match fact:
            case OrderChanged():
                order_id = fact.order.order_id
            case TradeBooked():
                order_id = fact.trade.order_id
            case _:
                order_id = fact.order_id
        self._due |= order_id == self.order_id

    def _take(self, order_id: str, story: OrderStory | None, error: str) -> None:
        if order_id != self.order_id:
            return
        if story is not None:
            self.say("")
            self._show(story)
        elif self.story is None:
            self.say(f"⚠ {error}")

    def _show(self, story: OrderStory | None) -> None:
        self.story = story
        self.steps.replace_all(step_rows(story) if story is not None else ())
        self.legs.replace_all(leg_rows(story) if story is not None else ())
        self.head.setText(head_text(story) if story is not None else "")
        self.head.setToolTip("" if story is None else story.strategy_hash)
        self.cost.setText(cost_text(story) if story is not None else "")
        self.copying.setEnabled(story is not None)
        self.copying.setToolTip(tr("order_life.copy_hint" if story is not None else "order_life.none"))
        self.steps.apply()
        self.legs.apply()

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setContentsMargins(*(self.desk.theme.pixels(6),) * 4)
        return label

    def _arrange(self) -> None:
        theme = self.desk.theme
        row = QHBoxLayout()
        row.setContentsMargins(*(theme.pixels(4),) * 4)
        row.addWidget(self.words, 1)
        row.addWidget(self.again)
        row.addWidget(self.copying)
        side = QWidget(self)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        self.leg_view = FactView(self.legs, theme, side)
        column.addWidget(self.leg_view, 1)
        column.addWidget(self.cost)
        split = self.split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        self.step_view = FactView(self.steps, theme, split)
        split.addWidget(self.step_view)
        split.addWidget(side)
        split.setSizes([theme.pixels(620), theme.pixels(330)])
        self.body.addLayout(row)
        self.body.addWidget(self.said)
        self.body.addWidget(self.head)
        self.body.addWidget(split, 1)
