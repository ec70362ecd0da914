"""A raise is told with the line of the plugin that it came from."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import CloseGate
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.failure_text import MOST_TRACE, failure_text, failure_trace
from foxtrot.core.notices import HandlerFailed
from foxtrot.domain.interval import Interval


def told(code: Callable[[], object]) -> str:
    try:
        code()
    except Exception as error:  # noqa: BLE001
        return failure_text(error)
    raise AssertionError("nothing was raised")


def plugin(text: str) -> Callable[[], object]:
    """Return `run` of a plugin's file, with names of the platform and of a library at hand."""
    names: dict[str, Callable[[], object]] = {"parse": Interval.parse, "Fraction": Fraction}  # type: ignore[dict-item]
    exec(compile(text, "/plugins/mine.py", "exec"), names)
    return names["run"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("def run():\n    return 1 / 0", "ZeroDivisionError: division by zero (mine.py:2 in run)"),
        (
            "def deep():\n    return [][1]\n\n\ndef run():\n    deep()",
            "IndexError: list index out of range (mine.py:2 in deep)",
        ),
        ("def run():\n\n    parse('5 parsecs')", "(mine.py:3 in run)"),
        ("def run():\n    Fraction('x')", "(mine.py:2 in run)"),
        ("def run():\n    assert False", "AssertionError (mine.py:2 in run)"),
    ],
    ids=["its own line", "the innermost of its own", "not the platform's", "not the library's", "no message"],
)
def test_the_place_is_the_innermost_line_of_the_plugin(text: str, place: str) -> None:
    assert told(plugin(text)).endswith(place)


def test_the_failure_that_is_published_names_the_place() -> None:
    dispatcher = Dispatcher(ManualClock())
    failures: list[HandlerFailed] = []
    dispatcher.subscribe(HandlerFailed, failures.append, owner="watcher")
    dispatcher.subscribe(CloseGate, lambda _: plugin("def run():\n    1 / 0")(), owner="x")
    dispatcher.put(CloseGate("now"))
    dispatcher.drain()
    assert [failure.error for failure in failures] == ["ZeroDivisionError: division by zero (mine.py:2 in run)"]


def test_a_raise_of_nobodys_plugin_names_its_innermost_frame() -> None:
    dispatcher = Dispatcher(ManualClock())
    failures: list[HandlerFailed] = []
    dispatcher.subscribe(HandlerFailed, failures.append, owner="watcher")
    dispatcher.subscribe(CloseGate, Interval.parse, owner="x")  # type: ignore[arg-type]
    dispatcher.put(CloseGate("now"))
    dispatcher.drain()
    assert failures[0].error.startswith("TypeError: ")
    assert "(interval.py:" in failures[0].error


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert (failure_text(ValueError("x")), failure_text(ValueError())) == ("ValueError: x", "ValueError")


def test_the_traceback_of_what_an_owner_raised_last_is_kept() -> None:
    dispatcher = Dispatcher(ManualClock())
    dispatcher.subscribe(CloseGate, lambda _: plugin("def run():\n    1 / 0")(), owner="x")
    dispatcher.put(CloseGate("now"))
    dispatcher.drain()
    assert list(dispatcher.traces) == ["x"]
    assert dispatcher.traces["x"].startswith("Traceback (most recent call last):")
    assert dispatcher.traces["x"].rstrip().endswith("ZeroDivisionError: division by zero")
    assert len(failure_trace(ValueError("x" * 100_000))) == MOST_TRACE
