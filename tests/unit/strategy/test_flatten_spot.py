"""Flattening on a spot market sells what is owned, and buys nothing back."""

from foxtrot.api import Side
from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_rows import ControlRows
from foxtrot.core.commands import KillSwitch
from foxtrot.domain.account import EXTERNAL
from tests.support.builders import a_trade
from tests.support.instruments import a_spot
from tests.support.line_rig import LineRig
from tests.support.recording import Recording


def test_what_people_sold_out_of_a_spot_balance_is_no_position_and_is_never_bought_back() -> None:
    rig = LineRig(a_spot())
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    strategy.buy(0.01)
    trade = a_trade("by hand", "77", side=Side.SELL, instrument_id="BTCUSDT.TEST", account="main", quantity=0.5)
    rig.put(trade)
    rig.settle()
    external = rig.line.portfolio.position(EXTERNAL, "main", "BTCUSDT.TEST")
    assert external is not None
    assert external.quantity == -500
    rows = list(ControlRows(rig.line, ControlNotices(rig.dispatcher)).positions())
    assert [row.owner for row in rows] == ["one"]
    before = len(rig.line.desk.index.all)
    rig.line.gate.close("all is lost", "Ann", lasting=True, killed=True)
    rig.put(KillSwitch("all is lost", "Ann", flatten=True, everything=True))
    rig.wait(3)
    sent = list(rig.line.desk.index.all.values())[before:]
    assert {(record.owner, record.terms.side) for record in sent} == {("one", Side.SELL)}
    standing = rig.line.kill.standing()
    assert standing is not None
    assert (standing.closing, standing.waiting) == ((), ())
