"""Keys that trade from anywhere in the window: to the ticket's size, and its two buttons, which a key that is held presses once."""

from functools import partial

from foxtrot.domain.enums import Side
from foxtrot.gui.dock_area import DockArea
from foxtrot.gui.panels.ticket import TicketPanel
from foxtrot.gui.shortcuts import Shortcuts
from foxtrot.gui.texts import tr


class TradingKeys:
    """Binds the keys of one window.

    Thread: the desktop's.
    """

    def __init__(self, shortcuts: Shortcuts, docks: DockArea) -> None:
        self._docks = docks
        shortcuts.bind("ticket", self.go_to_ticket)
        shortcuts.bind("buy", partial(self.press, Side.BUY))
        shortcuts.bind("sell", partial(self.press, Side.SELL))

    def go_to_ticket(self) -> None:
        """Show the ticket, and let a size be typed."""
        ticket = self._docks.find(TicketPanel.kind) or self._docks.open(TicketPanel.kind)
        if isinstance(ticket, TicketPanel):
            dock = ticket.parentWidget()
            if dock is not None:
                dock.show()
                dock.raise_()
            ticket.form.quantity.setFocus()
            ticket.form.quantity.selectAll()

    def press(self, side: Side) -> bool:
        """Send what a button of the ticket says; only what is seen is sent."""
        ticket = self._docks.find(TicketPanel.kind)
        if not isinstance(ticket, TicketPanel) or ticket.visibleRegion().isEmpty():
            return False
        if not ticket.buttons[side].isEnabled():
            ticket.say(ticket.buttons[side].toolTip() or tr("ticket.not_sent"), warns=True)
            return False
        return ticket.send(side)
