"""The collector is paused inside and as it was afterwards."""

import gc

import pytest

from foxtrot.core.collector_pause import paused_collector


def test_it_is_off_inside_and_on_again_after_a_failure_too() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), paused_collector():
        _ = 1 // gc.isenabled()  # divides by zero where it is off
    assert gc.isenabled()


def test_one_inside_another_does_not_end_it() -> None:
    with paused_collector():
        with paused_collector():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
