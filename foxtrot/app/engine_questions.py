"""Questions to the engine's thread: the way for other threads to read the state of trading."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import HandlerFailed
from foxtrot.domain.errors import FoxtrotError

ASKERS = "main_engine.ask"
T = TypeVar("T")


class EngineStuck(FoxtrotError):
    """The engine did not come to a question in time; it will not be answered later, when nobody hears of it."""


class Call(Generic[T]):
    """Something to do on the engine's thread, and where its result or its exception goes.

    Thread: made by any, run by foxtrot-engine.
    """

    __slots__ = ("answer", "function")

    def __init__(self, function: Callable[[], T]) -> None:
        self.function = function
        self.answer: Future[T] = Future()

    def run(self) -> None:
        """Do it, unless nobody waits for it any more."""
        if not self.answer.set_running_or_notify_cancel():
            return
        try:
            self.answer.set_result(self.function())
        except FoxtrotError as error:
            self.answer.set_exception(error)


class EngineQuestions:
    """Takes what other threads ask to the engine's, and the answers back; what a question raises is the asker's alone.

    Thread: `begin` and `ask`, any but foxtrot-engine; the rest, foxtrot-engine.
    """

    def __init__(self, events: EventEngine) -> None:
        self._events = events
        self._asked: Call[object] | None = None
        events.dispatcher.subscribe(Call, self._on_call, owner=ASKERS)
        events.dispatcher.subscribe(HandlerFailed, self._on_handler_failed, owner=ASKERS, core=True)

    def begin(self, function: Callable[[], T]) -> "Future[T]":
        """Ask, and return where the answer will be; cancelled before the engine comes to it, the function is not called.

        Raises:
            QueueClosed: the engine has stopped.
        """
        call = Call(function)
        self._events.put(call)
        return call.answer

    def ask(self, function: Callable[[], T], deadline_s: float) -> T:
        """Call a function on the engine's thread and return its result.

        Blocks: at most `deadline_s`.

        Raises:
            EngineStuck: the engine did not come to it in time.
            QueueClosed: the engine has stopped.
            FoxtrotError: whatever the function raised.
        """
        answer = self.begin(function)
        try:
            return answer.result(deadline_s)
        except FutureTimeout:
            answer.cancel()
            raise EngineStuck(f"{self._events.name} did not answer within {deadline_s} s") from None

    def _on_call(self, call: Call[object]) -> None:
        self._asked = call
        call.run()

    def _on_handler_failed(self, failure: HandlerFailed) -> None:
        """Let the next question be heard, and tell the asker."""
        if failure.owner == ASKERS and self._asked is not None:
            self._events.dispatcher.resume(ASKERS)
            self._asked.answer.set_exception(FoxtrotError(failure.error))
