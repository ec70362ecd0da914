"""The account that is looked at: every table, the ticket, the ladder, risk and performance follow it."""

from decimal import Decimal

import pytest
from pytestqt.qtbot import QtBot

from foxtrot.app.blotter_requests import ListProtections, ProtectionLegs
from foxtrot.app.control_requests import Blocks, ListBlocks, ListPositions, Positions
from foxtrot.app.desktop_risk_requests import LimitUse, RiskFound, RiskOverview
from foxtrot.core.notices import AdapterStatus, ContractsLoaded, TradeBooked
from foxtrot.domain.enums import AdapterState
from foxtrot.gui.blotter import Blotter
from foxtrot.gui.panels.accounts import AccountsPanel
from foxtrot.gui.panels.fills import FillsPanel
from foxtrot.gui.panels.ladder import LadderPanel
from foxtrot.gui.panels.orders import OrdersPanel
from foxtrot.gui.panels.positions import PositionsPanel
from foxtrot.gui.panels.protections import ProtectionsPanel
from foxtrot.gui.panels.risk import RiskPanel
from foxtrot.gui.panels.ticket import TicketPanel
from tests.gui.test_blotters import a_held, a_leg, told
from tests.support.builders import T0, a_perpetual, a_spot, a_trade, an_account
from tests.support.desktop_rig import ACCOUNT, DesktopRig

OTHER = "other"
PERP = a_perpetual().instrument_id
BLOTTERS = (OrdersPanel, PositionsPanel, FillsPanel, ProtectionsPanel, AccountsPanel)


@pytest.fixture
def rig(rig: DesktopRig) -> DesktopRig:
    held = (a_held(), a_held(account=OTHER))
    rig.link.answers |= {
        ListPositions: Positions(held, ()),
        ListProtections: ProtectionLegs((a_leg(), a_leg(account=OTHER))),
        ListBlocks: Blocks("active", "", (), (), (), ()),
        RiskOverview: RiskFound(
            "USDT",
            tuple(LimitUse("a scope", "", name, f"rule of {name}", Decimal(9), Decimal(1), "", "") for name in (ACCOUNT, OTHER, "")),
            {},
        ),
    }  # fmt: skip
    rig.open()
    rig.hear(
        AdapterStatus(OTHER, "scripted", AdapterState.READY, "", 0, 0.0, T0),
        ContractsLoaded(OTHER, (a_perpetual(), a_spot())),
    )
    return rig


def opened(panel: object, rig: DesktopRig, qtbot: QtBot) -> None:
    qtbot.addWidget(panel)
    panel.resize(1000, 400)  # type: ignore[attr-defined]
    panel.show()  # type: ignore[attr-defined]
    rig.bridge.flush()
    rig.bridge.flush()


@pytest.mark.parametrize("kind", BLOTTERS)
def test_every_table_shows_the_chosen_account_and_its_sums_alone(
    kind: type[Blotter], rig: DesktopRig, qtbot: QtBot
) -> None:
    panel = kind(rig.desk)
    opened(panel, rig, qtbot)
    rig.hear(
        told("a"), told("b", account=OTHER),
        TradeBooked("alpha", a_trade("a", "t1", fee=Decimal(1))), TradeBooked("alpha", a_trade("b", "t2", account=OTHER, fee=Decimal(5))),
        an_account({"USDT": "1"}), an_account({"USDT": "2"}, OTHER),
    )  # fmt: skip
    rig.bridge.flush()
    everything = panel.bar.text
    assert {row.account for row in panel.model.shown()} == {ACCOUNT, OTHER}
    for account in (ACCOUNT, OTHER):
        rig.desk.choose_account(account)
        rig.bridge.flush()
        assert {row.account for row in panel.model.shown()} == {account}
        if kind in (FillsPanel, PositionsPanel):
            assert panel.bar.text != everything
    rig.desk.choose_account("")
    assert {row.account for row in panel.model.shown()} == {ACCOUNT, OTHER}
    panel.leave()


def test_risk_shows_the_chosen_account_and_what_belongs_to_all(rig: DesktopRig, qtbot: QtBot) -> None:
    panel = RiskPanel(rig.desk)
    opened(panel, rig, qtbot)
    assert len(panel.limits.shown()) == 3
    rig.desk.choose_account(OTHER)
    for _ in range(3):
        rig.bridge.flush()
    assert [use.account for use in panel.limits.shown()] == [OTHER, ""]
    assert {row.account for row in panel.death.shown()} == {OTHER}
    panel.leave()
    rig.desk.choose_account("")  # one that has left hears nothing


@pytest.mark.parametrize("kind", [TicketPanel, LadderPanel])
def test_ticket_and_ladder_trade_on_the_chosen_account(kind: type, rig: DesktopRig, qtbot: QtBot) -> None:
    panel = kind(rig.desk)
    opened(panel, rig, qtbot)
    panel.show_instrument(PERP)
    rig.bridge.flush()
    box = panel.form.account if kind is TicketPanel else panel.accounts
    for account in (OTHER, ACCOUNT, OTHER):
        rig.desk.choose_account(account)
        assert box.currentText() == account
        if kind is LadderPanel:
            assert panel.feed.account == account
    rig.desk.choose_account("")  # all: whichever it was on stays
    assert box.currentText() == OTHER
    panel.leave()
