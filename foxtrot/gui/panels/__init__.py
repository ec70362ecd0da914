"""The panels of the desktop, a module each."""

from foxtrot.gui.panel import PanelKinds
from foxtrot.gui.panels.accounts import AccountsPanel
from foxtrot.gui.panels.alerts import AlertsPanel
from foxtrot.gui.panels.backtester import BacktesterPanel
from foxtrot.gui.panels.chart import ChartPanel
from foxtrot.gui.panels.connections import ConnectionsPanel
from foxtrot.gui.panels.depth import DepthPanel
from foxtrot.gui.panels.diagnostics import DiagnosticsPanel
from foxtrot.gui.panels.fills import FillsPanel
from foxtrot.gui.panels.instruments import InstrumentsPanel
from foxtrot.gui.panels.ladder import LadderPanel
from foxtrot.gui.panels.log import LogPanel
from foxtrot.gui.panels.order_life import OrderLifePanel
from foxtrot.gui.panels.orders import OrdersPanel
from foxtrot.gui.panels.performance import PerformancePanel
from foxtrot.gui.panels.positions import PositionsPanel
from foxtrot.gui.panels.protections import ProtectionsPanel
from foxtrot.gui.panels.risk import RiskPanel
from foxtrot.gui.panels.strategies import StrategiesPanel
from foxtrot.gui.panels.tape import TapePanel
from foxtrot.gui.panels.ticket import TicketPanel
from foxtrot.gui.panels.watchlist import WatchlistPanel

ALL = PanelKinds(
    (
        WatchlistPanel,
        ChartPanel,
        DepthPanel,
        LadderPanel,
        TicketPanel,
        TapePanel,
        InstrumentsPanel,
        PositionsPanel,
        OrdersPanel,
        FillsPanel,
        ProtectionsPanel,
        AccountsPanel,
        OrderLifePanel,
        PerformancePanel,
        LogPanel,
        ConnectionsPanel,
        RiskPanel,
        AlertsPanel,
        DiagnosticsPanel,
        StrategiesPanel,
        BacktesterPanel,
    )
)
"""Every panel that can be opened, in the order of the menu."""
