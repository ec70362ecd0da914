"""Keys that trade from anywhere in the window: to the ticket's size, and its two buttons, which a key that is held presses once."""

from functools import partial

from PySide6.QtCore import QObject

from foxtrot.domain.enums import Side
from foxtrot.gui.dock_area import DockArea
from foxtrot.gui.panels.ticket import TicketPanel
from foxtrot.gui.shortcuts import Shortcuts
from foxtrot.gui.texts import tr


class TradingKeys(QObject):
    """Binds the keys of one window.

    Of several tickets the one that has the focus is meant, else the one that was used last. Where none of those that are seen was
    used, the only one is; of several none, which they say.

    Thread: the desktop's.
    """

    def __init__(self, shortcuts: Shortcuts, docks: DockArea) -> None:
        super().__init__(docks)
        self._docks = docks
        self._shortcuts = shortcuts
        shortcuts.bind("ticket", self.go_to_ticket)
        shortcuts.bind("buy", partial(self.press, Side.BUY))
        shortcuts.bind("sell", partial(self.press, Side.SELL))
        docks.changed.connect(self._meet_tickets)

    def go_to_ticket(self) -> None:
        """Show the ticket, and let a size be typed."""
        ticket = self.meant() or self._docks.find(TicketPanel.kind) or self._docks.open(TicketPanel.kind)
        if isinstance(ticket, TicketPanel):
            dock = ticket.parentWidget()
            if dock is not None:
                dock.show()
                dock.raise_()
            ticket.form.quantity.setFocus()
            ticket.form.quantity.selectAll()

    def press(self, side: Side) -> bool:
        """Send what a button of the ticket that is meant says; only what is seen is sent."""
        ticket = self.meant()
        if ticket is None:
            for one in self._seen():
                one.say(self.says(one, side), warns=True)
            return False
        if not ticket.buttons[side].isEnabled():
            ticket.say(ticket.buttons[side].toolTip() or tr("ticket.not_sent"), warns=True)
            return False
        return ticket.send(side)

    def meant(self) -> TicketPanel | None:
        """Return the ticket on which keys act, of those that are seen."""
        seen = self._seen()
        focused = next((ticket for ticket in seen if ticket.has_focus), None)
        if focused is not None:
            return focused
        last = max(seen, key=lambda ticket: ticket.used_at, default=None)
        return last if last is not None and (last.used_at or len(seen) == 1) else None

    def says(self, ticket: TicketPanel, side: Side) -> str:
        """Return what the key of a side does, for the hint of that ticket's button; "" where it has no key."""
        key = self._shortcuts.key_of(str(side))
        if not key:
            return ""
        meant = self.meant()
        if meant is None:
            return tr("ticket.key_nowhere", sequence=key)
        if meant is ticket:
            return tr("ticket.key_here", sequence=key)
        return tr("ticket.key_there", sequence=key, symbol=meant.name.toolTip() or meant.instrument_id)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _seen(self) -> list[TicketPanel]:
        return [panel for panel in self._docks.panels if isinstance(panel, TicketPanel) and panel.is_seen]

    def _meet_tickets(self) -> None:
        for panel in self._docks.panels:
            if isinstance(panel, TicketPanel):
                panel.key_says = self.says
