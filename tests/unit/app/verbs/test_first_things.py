"""What `run` and `demo` do before they import anything that takes long: signals ask for the stop, and the home is held."""

import os
import signal
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

from foxtrot.app.run_lock import holder_of
from foxtrot.app.status_reading import Life, read_status
from foxtrot.app.stop_signals import StopSignal
from foxtrot.app.verbs import demo, run
from foxtrot.domain.errors import ConfigError


def test_a_demo_that_is_told_to_stop_at_once_stops_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_demo(_seconds: float, _home: Path, stopped: StopSignal, _progress: object) -> dict[str, object]:
        return {"reconciled": stopped.wait(0)}

    class Slow(SimpleNamespace):
        """A module that a signal reaches while it is imported."""

        def __getattr__(self, name: str) -> object:
            if name != "run_demo":
                raise AttributeError(name)
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            os.kill(os.getpid(), signal.SIGTERM)
            return run_demo

    monkeypatch.setitem(sys.modules, "foxtrot.app.demo", Slow())
    outcome = demo.run(Namespace(seconds=30.0, home=tmp_path, debug=False))
    assert (outcome.result, outcome.status) == ({"reconciled": True}, 0)


def test_a_run_is_starting_before_it_has_read_its_configuration(tmp_path: Path) -> None:
    home, seen = tmp_path / "home", []

    class Watching:
        """A configuration file that looks around when it is read."""

        def read_text(self, _encoding: str) -> str:
            holder = holder_of(home)
            seen.append((holder.pid if holder else 0, read_status(home, 0).life, signal.getsignal(signal.SIGTERM)))
            raise ConfigError("half-way")

    with pytest.raises(ConfigError, match="half-way"):
        run.run(Namespace(config=Watching(), home=home, debug=False, live=False, seconds=1.0))
    ((pid, life, handler),) = seen
    assert (pid, life) == (os.getpid(), Life.STARTING)
    assert handler is not signal.SIG_DFL
    assert holder_of(home) is None, "given back"
