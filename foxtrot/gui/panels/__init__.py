"""The panels of the desktop, a module each."""

from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.connections import ConnectionsPanel
from foxtrot.gui.panels.diagnostics import DiagnosticsPanel
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.risk import RiskPanel
from foxtrot.gui.panels.watchlist import WatchlistPanel

ALL = PanelKinds(
    (
        WatchlistPanel,
        LogPanel,
        ConnectionsPanel,
        RiskPanel,
        DiagnosticsPanel,
    )
)
"""Every panel that can be opened, in the order of the menu."""
