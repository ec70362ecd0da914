"""The control server: steers a running platform over loopback HTTP, for whoever can read the token in its home folder."""

import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TypeVar

import msgspec
from loguru import logger

from foxtrot.app.control_answers import ControlAnswers, UnknownName, Wish
from foxtrot.app.control_decoding import decode_request
from foxtrot.app.control_kill import KillAnswers
from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_place import FILE, PATH, ControlPlace
from foxtrot.app.control_requests import Answer, FollowKill, Kill, KillTaken, Refusal, Request
from foxtrot.app.engine_questions import EngineStuck
from foxtrot.app.loopback_http import HttpAnswer, HttpRequest, LoopbackHttp, json_answer
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.place_file import PlaceFile
from foxtrot.app.supervision_parts import durable_behind
from foxtrot.core.clock import suspend_aware_ns
from foxtrot.core.commands import KillSwitch
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import ConfigError, FoxtrotError, QueueClosed

R = TypeVar("R")
NAME = "foxtrot-control"
ENGINE_S = 1.5
"""How long the engine may take for a question; less than a client waits, so that one that is stuck is told apart from none."""
AT_ONCE = 4
"""Questions that may wait for the engine at the same time: fewer than are served at once, so that a kill always finds a place."""
STALE_NS = 5_000_000_000
BAD, BUSY = 400, 503


class Unawaited(EngineStuck):
    """A wish whose answer nobody waits for any more."""


class TooLate(FoxtrotError):
    """A wish that was asked before something of which whoever asked could not know."""


class ControlServer:
    """Serves one platform; made before it starts, so that nothing it should hear is missed.

    Thread: `start` and `stop`, main; requests are answered on the threads of foxtrot-control, several at once. What they ask
        is read on foxtrot-engine; the kill alone closes gate and permit from its own.
    """

    def __init__(self, platform: MainEngine, home: Path) -> None:
        self._platform = platform
        self._file = PlaceFile(home / FILE)
        self._token = secrets.token_urlsafe(32)
        self._places = threading.BoundedSemaphore(AT_ONCE)
        notices = ControlNotices(platform.line.dispatcher)
        self._answers = ControlAnswers(platform.line, notices)
        self._kills = KillAnswers(platform.line, self._answers.rows)
        self._http = LoopbackHttp(NAME, self.handle, Secret(self._token), platform.clock)

    def start(self) -> int:
        """Listen on a port that the system picks, and say where in the home folder; returns the port.

        Raises:
            ConfigError: no port can be had, or the home folder cannot be written.
        """
        port = self._http.start(0)
        place = ControlPlace(os.getpid(), port, self._token, self._platform.run_id)
        try:
            self._file.write(place, durable=True)  # a power cut leaves no half of it for a kill to read
        except ConfigError:
            self._http.stop()
            raise
        return port

    def stop(self, deadline_s: float = 2.0) -> str:
        """Stop listening and remove the file; returns the name of a thread that overran the deadline, or "".

        Blocks: at most about `deadline_s`.
        """
        self._file.remove()
        return self._http.stop(deadline_s)

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request; called on a serving thread."""
        if request.path != PATH or request.method != "POST":
            return _refused(404, "ConfigError", f"there is nothing at {request.method} {request.path[:80]}")
        try:
            found = self._done(decode_request(request.body), request.is_awaited)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            return _refused(BAD, "ConfigError", f"the request cannot be read: {error}")
        except FoxtrotError as error:
            return _refusal(error)
        return json_answer(200, Answer(msgspec.Raw(msgspec.json.encode(found))))

    def _done(self, wish: Request, is_awaited: Callable[[], bool]) -> msgspec.Struct:
        if isinstance(wish, Kill):
            return self._kill(wish)
        self._check_time(wish, is_awaited)
        return self._answer(wish, is_awaited)

    def _check_time(self, wish: Request, is_awaited: Callable[[], bool]) -> None:
        """Refuse what waited while the process stood still: whoever asked was told that it failed. Only a kill is still wanted then.

        Raises:
            Unawaited: nobody waits for an answer any more.
            TooLate: it was asked before a standstill ended, by somebody who could not know of it.
        """
        is_old = bool(wish.sent_ns) and self._platform.clock.now_ns() - wish.sent_ns > STALE_NS
        if is_old or (wish.until_ns and suspend_aware_ns() > wish.until_ns) or not is_awaited():
            raise Unawaited("it came too late, when nobody waited for its answer any more; nothing was done")
        if wish.asked_ns and wish.asked_ns <= self._platform.permit.lapsed_ns:
            raise TooLate("this process stood still when that was asked; nothing was done: look at it, and ask again")

    # --- the kill -----------------------------------------------------------------------------------------------------

    def _kill(self, kill: Kill) -> KillTaken:
        """Close permit and gate here and now, then let the engine cancel.

        The permit goes first, for nobody hears of it: the gate's notice wakes the engine, which would then have the interpreter. What
        is open is asked between the two, so that it is counted before anything of it is cancelled.
        """
        clock, permit, kill_id = self._platform.clock, self._platform.permit, self._kills.next_id()
        begun_ns = clock.monotonic_ns()
        if permit.allowed is not GateState.HALTED:
            permit.close(kill.reason)
        closed_ms = (clock.monotonic_ns() - begun_ns) / 1e6
        try:
            survey = self._platform.questions.begin(lambda: self._kills.survey(kill_id))
        finally:
            unwritten = self._platform.kill(kill.reason, kill.who)
        self._platform.put(KillSwitch(kill.reason, kill.who, kill.flatten, kill.everything))
        logger.warning("the kill switch was thrown by {}: {}", kill.who, kill.reason)
        try:
            found = survey.result(ENGINE_S)
        except (FutureTimeout, FoxtrotError):
            return KillTaken(kill_id, closed_ms, engine_answered=False)
        return msgspec.structs.replace(found, gate_closed_ms=closed_ms, fading=self._fading(unwritten))

    def _fading(self, unwritten: str) -> str:
        """Return why a kill whose halt file could not be written may not outlive a restart; a journal that works still may keep it."""
        if not unwritten:
            return ""
        journal = durable_behind(self._platform.line.journal)
        if journal is None or journal.failed:
            why = f"the journal failed: {journal.failed}" if journal is not None else "there is no journal"
            return f"it will NOT outlive a restart: {unwritten}; {why}"
        return f"it may NOT outlive a restart: {unwritten}; only the journal may have it"

    # --- on the engine's thread -------------------------------------------------------------------------------------

    def _answer(self, wish: Request, is_awaited: Callable[[], bool]) -> msgspec.Struct:
        if not self._places.acquire(blocking=False):
            raise EngineStuck(f"{AT_ONCE} questions wait for the engine already")
        try:
            if isinstance(wish, FollowKill):
                return self._ask(lambda: self._kills.follow(wish.kill_id))
            found = self._ask(lambda: self._in_time(wish, is_awaited))
            if not isinstance(found, Wish):
                return found
            self._check_time(wish, is_awaited)
            self._platform.put(found.command)
            return found.taken
        finally:
            self._places.release()

    def _in_time(self, wish: Request, is_awaited: Callable[[], bool]) -> msgspec.Struct | Wish:
        """Answer, unless it has become too late while the engine was waited for: a wish may be journaled when it is checked."""
        self._check_time(wish, is_awaited)
        return self._answers.answer(wish)

    def _ask(self, function: Callable[[], R]) -> R:
        try:
            return self._platform.ask(function, ENGINE_S)
        except Unawaited:
            raise
        except EngineStuck:
            raise EngineStuck(f"the engine has not come to it within {ENGINE_S} s; nothing was done") from None


def _refused(status: int, kind: str, message: str) -> HttpAnswer:
    return json_answer(status, Answer(error=Refusal(kind, message)))


def _refusal(error: FoxtrotError) -> HttpAnswer:
    if isinstance(error, UnknownName):
        return _refused(BAD, "ConfigError", error.with_nearest())
    if isinstance(error, ConfigError):
        return _refused(BAD, "ConfigError", str(error))
    if isinstance(error, QueueClosed):
        return _refused(BUSY, "FoxtrotError", "the platform has stopped")
    kind = EngineStuck if isinstance(error, EngineStuck) else type(error)
    return _refused(BUSY, kind.__name__, str(error))
