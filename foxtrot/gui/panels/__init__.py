"""The panels of the desktop, a module each."""

from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.watchlist import WatchlistPanel

ALL = PanelKinds((WatchlistPanel, LogPanel))
"""Every panel that can be opened, in the order of the menu."""
