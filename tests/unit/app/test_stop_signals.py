"""Signals ask for the stop, however many come and whatever the main thread is doing."""

import os
import signal

from foxtrot.app.stop_signals import StopSignal, stop_signals


def test_nobody_asks_and_the_wait_ends_in_time() -> None:
    assert StopSignal().wait(0.01) is False


def test_hundreds_of_signals_at_once_ask_for_one_stop_and_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        for _ in range(300):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5) is True
        assert stop.wait(0) is True
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_may_ask() -> None:
    stop = StopSignal()
    stop.ask()
    assert stop.wait() is True
