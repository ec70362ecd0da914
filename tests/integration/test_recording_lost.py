"""The recording of a run has no room any more: orders leave and fill as before, and what was not kept is counted."""

from pathlib import Path

import pytest

from foxtrot.app.config import load_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.run_recording import RunRecording
from foxtrot.core.clock import SystemClock
from foxtrot.core.commands import SendOrder
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.storage.run_tape import TapeWriter
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }

[strategy.idle]
class = "idle.py:Idle"
account = "paper"
symbols = ["BTCUSDT.BINANCE_USDM"]
"""
IDLE = 'from foxtrot.api import Strategy\n\n\nclass Idle(Strategy):\n    """Does nothing."""\n'
NAME = "BTCUSDT.BINANCE_USDM"


def test_orders_fill_though_nothing_is_recorded_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "idle.py").write_text(IDLE, "utf-8")
    config, home = load_config(tmp_path / "c.toml"), tmp_path / "home"
    recording = RunRecording(config, home)
    journal = PlatformJournal(config.data_dir(home), config, SystemClock())
    platform = MainEngine(config, home, journal=journal, around=recording)

    def full(_writer: TapeWriter, _file: object, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    platform.start()
    wait_until(lambda: platform.ask(lambda: platform.line.view.reference(NAME)) is not None)
    monkeypatch.setattr(TapeWriter, "_append", full)
    recorder = recording.recorder
    assert recorder is not None
    wait_until(lambda: recorder.offered > recorder.stored + 10 and recorder.reason != "")
    platform.put(SendOrder(OrderRequest(NAME, "paper", Side.BUY, OrderType.MARKET, 0.01), "manual"))
    wait_until(lambda: platform.ask(lambda: [r.status for r in platform.line.desk.records()]) == [OrderStatus.FILLED])
    assert platform.line.gate.state is GateState.ACTIVE
    assert platform.stop().reconciled
    end = recorder.end_mark()
    assert "No space left" in end.reason
    assert end.offered == end.stored + end.lost > end.stored
