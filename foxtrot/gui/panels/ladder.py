"""The ladder: prices in rows with what stands at each; a click places, a drag changes, the right button cancels."""

from typing import ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.panel import State
from foxtrot.gui.panels.ladder_model import GROUPS, Ladder, group_for
from foxtrot.gui.panels.ladder_wishes import LadderWishes
from foxtrot.gui.streams import Streams
from foxtrot.gui.texts import tr

LEVELS: Final = 100
CALM_S: Final = 1.0
"""Rows follow the price only when the mouse has not moved among them for so long."""


class LadderPanel(LadderWishes):
    """Shows one instrument of one account.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "ladder"
    follows: ClassVar[bool] = True
    least_size: ClassVar[tuple[int, int]] = (270, 290)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.top = 0
        self.touched_s = float("-inf")
        self._seen: tuple[object, int] = (None, -1)
        self._groups: dict[str, int] = {}
        self._has_group = False
        self._streams = Streams(desk, self)
        self._connect()

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_instrument(self, instrument_id: str) -> None:
        """Show another instrument; nothing that was marked stays."""
        if self.ladder is not None:
            self.shifted_s = self.clock()
        super().show_instrument(instrument_id)
        self.ladder = None
        self.feed.choose(instrument_id, "")
        self.forget_wish()
        self.say("")
        self._open()
        if self.is_seen:
            self.flush()

    def flush(self) -> None:
        """Show what was heard."""
        ladder = self.ladder
        if ladder is None:
            self._open()
            return
        self.feed.ask_if_due()
        step = ladder.step_units
        ladder.take_market(self.desk.depths.get(self.instrument_id), self.desk.ticks.get(self.instrument_id))
        seen = (self.feed.marks, self.feed.marks.revision)
        if seen != self._seen or ladder.step_units != step:
            self._seen = seen
            ladder.take_orders(self.feed.marks.levels(), OWNER)
        if self._fits_group(ladder):
            self.flush()
            return
        self.sizes.fill(ladder.best_ask or ladder.best_bid)
        self._follow_price()
        self._show_rows()

    def recentre(self) -> None:
        """Put the price into the middle, and follow it again."""
        self.hold.setChecked(False)
        if self.ladder is not None and self.ladder.middle is not None:
            self._scroll_to(self.ladder.middle + self.view.count // 2)

    def step_rows(self, rows: int) -> None:
        """Show prices so many rows higher, and follow the market no more."""
        self.hold.setChecked(True)
        self._scroll_to(self.top + rows)

    def save_state(self) -> State:
        """Return the grouping and the sizes of the buttons."""
        return {**super().save_state(), "groups": dict(self._groups), "presets": dict(self.sizes.kept)}

    def restore_state(self, state: State) -> None:
        """Take up grouping and sizes."""
        presets = state.get("presets")
        if isinstance(presets, dict):
            self.sizes.kept = {str(name): sizes for name, sizes in presets.items() if _are_sizes(sizes)}
        groups = state.get("groups")
        if isinstance(groups, dict):
            self._groups = {str(name): int(group) for name, group in groups.items() if group in GROUPS}
        super().restore_state(state)

    # --- what a hand does -------------------------------------------------------------------------------------------

    def key(self, key: int) -> None:
        """Take a key of the rows: sizes, up and down, the middle, no."""
        if Qt.Key.Key_1 <= key < Qt.Key.Key_1 + len(self.sizes.buttons):
            self.sizes.choose(key - int(Qt.Key.Key_1))
        elif key in (Qt.Key.Key_C, Qt.Key.Key_Home):
            self.recentre()
        elif key == Qt.Key.Key_H:
            self.hold.toggle()
        elif key == Qt.Key.Key_Escape:
            self.forget_wish()
        else:
            moves = {
                Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: self.view.count // 2,
                Qt.Key.Key_PageDown: -(self.view.count // 2),
            }  # fmt: skip
            self.step_rows(moves[Qt.Key(key)]) if Qt.Key(key) in moves else None

    # --- inside -----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Begin to show the instrument, once it is known."""
        instrument = self.desk.instruments.get(self.instrument_id)
        self.name.setText(self.instrument_id or tr("ladder.no_instrument"))
        if instrument is None:
            self.view.show_rows([])
            return
        kept = self._groups.get(self.instrument_id)
        self._has_group = kept is not None
        self._take_group(instrument, kept or 1)
        self.sizes.show_instrument(instrument)
        self._streams.ask(SubscribeRequest(self.instrument_id, ticks=True, trades=True, depth_levels=LEVELS))
        self._fill_accounts()
        self.hold.setChecked(False)

    def _fill_accounts(self) -> None:
        accounts = self.desk.accounts_of(self.instrument_id)
        self.accounts.blockSignals(True)
        self.accounts.clear()
        self.accounts.addItems(accounts)
        self.accounts.blockSignals(False)
        self._choose_account(self.feed.account if self.feed.account in accounts else (accounts[0] if accounts else ""))

    def _choose_account(self, account: str) -> None:
        self.forget_wish()
        self.accounts.setCurrentText(account)
        self.feed.choose(self.instrument_id, account)

    def _meet_account(self, account: str) -> None:
        """Trade on the account that is looked at, where it can trade this."""
        if account and account in self.desk.accounts_of(self.instrument_id):
            self._choose_account(account)

    def _meet_platform(self) -> None:
        """Ask everything again of a platform that was opened."""
        if self.ladder is not None:
            self._fill_accounts()

    def _meet_instruments(self) -> None:
        if self.ladder is None:
            self._open()
        elif not self.feed.account:
            self._fill_accounts()

    def _follow_price(self) -> None:
        ladder = self.ladder
        if ladder is None or ladder.middle is None or self.hold.isChecked() or self.view.is_held:
            return
        count, place = self.view.count, self.top - ladder.middle
        if count // 3 <= place <= count - 1 - count // 3:
            return
        is_new = not 0 <= place < 3 * count
        if is_new or self.clock() - self.touched_s > CALM_S:
            self.shifted_s = self.shifted_s if self.top == 0 else self.clock()
            self.top = ladder.middle + count // 2
            if self.wish is not None and not 0 <= self.top - self.wish.row < count:
                self.forget_wish()

    def _scroll_to(self, top: int) -> None:
        self.top = top
        self._show_rows()

    def _show_rows(self) -> None:
        self.show_doubt(self.doubt)
        if self.ladder is not None:
            rows = self.ladder.rows(self.top, self.view.count) if self.ladder.middle is not None else []
            self.view.show_rows(rows, stale=bool(self.doubt))

    def _show_position(self) -> None:
        held = self.feed.held
        if self.ladder is not None:
            self.ladder.take_average(0.0 if held is None else held.average_price)
        self.show_held(held, self.desk.instruments.get(self.instrument_id))

    def _choose_group(self) -> None:
        """Gather as many ticks as the person has chosen, now and whenever this instrument is shown."""
        if self.ladder is not None:
            self._groups[self.instrument_id] = self.group.currentData()
            self._has_group = True
            self._take_group(self.ladder.instrument, self.group.currentData())
            self.flush()

    def _fits_group(self, ladder: Ladder) -> bool:
        """Choose at the first price how many ticks a row gathers; tells whether that was now."""
        price = ladder.best_bid or ladder.best_ask
        if not price or self._has_group:
            return False
        self._has_group = True
        self._take_group(ladder.instrument, group_for(ladder.instrument, price))
        return True

    def _take_group(self, instrument: Instrument, group: int) -> None:
        self.forget_wish()
        self.ladder = Ladder(instrument, group)
        self.group.setCurrentIndex(GROUPS.index(group))
        self._seen, self.top = (None, -1), 0
        self._show_position()

    def _touch(self) -> None:
        self.touched_s = self.clock()

    def _connect(self) -> None:
        self.view.clicked.connect(self.click)
        self.view.dragged.connect(self.drag)
        self.view.dismissed.connect(self.dismiss)
        self.view.scrolled.connect(self.step_rows)
        self.view.key_pressed.connect(self.key)
        self.view.resized.connect(self._show_rows)
        self.view.touched.connect(self._touch)
        self.confirm.agreed.connect(self.agree)
        self.confirm.refused.connect(self.forget_wish)
        self.accounts.textActivated.connect(self._choose_account)
        self.group.activated.connect(self._choose_group)
        self.desk.connected.connect(self._meet_platform)
        self.desk.account_chosen.connect(self._meet_account)
        self.desk.instruments_changed.connect(self._meet_instruments)
        self.feed.moved.connect(self._show_position)
        self.feed.warned.connect(lambda text: self.say(text, warns=True))
        for kind, heard in self.feed.hearers:
            self.hear(kind, heard)


def _are_sizes(sizes: object) -> bool:
    return isinstance(sizes, list) and all(isinstance(one, float | int) and one > 0 for one in sizes)
