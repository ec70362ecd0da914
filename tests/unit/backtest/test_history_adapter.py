"""What strategies ask to be streamed in a backtest adds up, as with every adapter."""

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.history_adapter import HistoryAdapter
from foxtrot.backtest.settings import ACCOUNT
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.recorder import Recorder
from tests.unit.backtest.scripted import NAME, T0


def test_every_wish_for_an_instrument_is_kept() -> None:
    clock = ManualClock(T0)
    context = AdapterContext(ACCOUNT, Recorder(), SendPermit(), clock, {}, {})
    adapter = HistoryAdapter(context, SimulatedSession(clock, threaded=False), ())
    adapter.subscribe(SubscribeRequest(NAME, ticks=False, depth_levels=5, bars=("1m",)))
    adapter.subscribe(SubscribeRequest(NAME, trades=True, depth_levels=3, depth_changes=True, bars=("5m", "1m")))
    assert adapter.wanted == {NAME: SubscribeRequest(NAME, True, True, 5, True, ("1m", "5m"))}
