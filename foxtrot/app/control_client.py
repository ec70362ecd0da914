"""Asks a running platform over its control port; tells apart one that is not there, one that is frozen, and one that refuses."""

import http.client
from pathlib import Path
from typing import TypeVar

import msgspec

from foxtrot.app.control_place import FILE, PATH, ControlPlace
from foxtrot.app.control_requests import Answer, Kill, KillTaken, Refusal, Request
from foxtrot.app.loopback_http import JSON, LOOPBACK
from foxtrot.app.process_table import process_start
from foxtrot.app.run_lock import holder_of
from foxtrot.core.clock import Clock, SystemClock, suspend_aware_ns
from foxtrot.domain.errors import ConfigError, FoxtrotError

ANSWER_S = 2.0
"""How long a platform may take for an answer before it is called frozen."""
GRANTED_S = 1.8
"""How long it may grant a wish: a little less, so that what is granted is also answered before nobody listens any more."""
A = TypeVar("A", bound=msgspec.Struct)


class NoPlatform(FoxtrotError):
    """Nothing runs in the home folder that could be asked."""


class PlatformFrozen(FoxtrotError):
    """A process is there and does not answer, or its engine does not."""


class PlatformBusy(FoxtrotError):
    """A platform would not do what was asked, though nothing is wrong with the question."""


class ControlClient:
    """Asks one platform; each question is a connection of its own.

    Thread: the caller's.

    Blocks: each question for at most about `ANSWER_S`.
    """

    def __init__(self, place: ControlPlace, clock: Clock | None = None) -> None:
        self.place = place
        self._clock = clock or SystemClock()

    def ask(self, request: Request, kind: type[A]) -> A:
        """Ask for an answer of a kind.

        Raises:
            ConfigError: the platform refuses the request, and why.
            NoPlatform: it is gone.
            PlatformFrozen: it does not answer.
            PlatformBusy: it will not, now.
        """
        now_ns = suspend_aware_ns()
        until_ns = now_ns + int(GRANTED_S * 1e9)
        sent = msgspec.structs.replace(request, sent_ns=self._clock.now_ns(), asked_ns=now_ns, until_ns=until_ns)
        status, body = self._send(msgspec.json.encode(sent))
        try:
            found = msgspec.json.decode(body, type=Answer)
            if found.error is not None:
                raise _error_of(found.error, self.place.pid)
            if status == 200:
                return msgspec.json.decode(found.answer, type=kind)
        except msgspec.MsgspecError as error:
            raise PlatformBusy(f"the platform (pid {self.place.pid}) answered what is no answer: {error}") from None
        raise PlatformBusy(f"the platform (pid {self.place.pid}) refused with status {status}")

    def kill(self, wish: Kill) -> KillTaken:
        """Throw the kill switch.

        Raises:
            FoxtrotError: as `ask`; it also stands for an engine that is stuck, with the gate closed.
        """
        taken = self.ask(wish, KillTaken)
        if not taken.engine_answered:
            raise PlatformFrozen(
                f"the gate was closed in {taken.gate_closed_ms:.2f} ms, but the engine of the platform (pid {self.place.pid}) is stuck, "
                "so that it cancels nothing"
            )
        return taken

    def _send(self, body: bytes) -> tuple[int, bytes]:
        pid, connection = self.place.pid, http.client.HTTPConnection(LOOPBACK, self.place.port, timeout=ANSWER_S)
        headers = {"Authorization": f"Bearer {self.place.token}", "Content-Type": JSON}
        try:
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except TimeoutError:
            raise PlatformFrozen(
                f"the platform (pid {pid}) is frozen: it has not answered within {ANSWER_S} s"
            ) from None
        except ConnectionRefusedError:
            raise _refusing(pid) from None
        except (OSError, http.client.HTTPException) as error:
            raise PlatformBusy(f"the platform (pid {pid}) hung up: {str(error) or type(error).__name__}") from None
        finally:
            connection.close()


def find_platform(home: Path) -> ControlClient:
    """Return a client of the platform that runs in a home folder; whether it answers is seen when it is asked.

    Raises:
        NoPlatform: none runs there.
        PlatformFrozen: one holds the folder and cannot be asked.
    """
    place, holder = _place(home / FILE), holder_of(home)
    if place is not None and (holder.lives if holder is not None and holder.pid == place.pid else _is_there(place.pid)):
        return ControlClient(place)
    if holder is not None and holder.lives:
        raise PlatformFrozen(
            f"a platform (pid {holder.pid}) holds {home} and cannot be asked: it is starting or stopping"
        )
    if place is None:
        raise NoPlatform(f"no platform runs in {home}; `foxtrot run CONFIG.toml` starts one")
    raise NoPlatform(
        f"no platform runs in {home}: the last one (pid {place.pid}) is gone without having ended in order"
    )


def _place(path: Path) -> ControlPlace | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ControlPlace)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FoxtrotError(
            f"{path} cannot be read: {error.strerror or error}; only who started the platform may"
        ) from None
    except msgspec.MsgspecError as error:
        raise FoxtrotError(f"{path} does not say where a platform listens: {error}; delete it") from None


def _is_there(pid: int) -> bool:
    return process_start(pid) is not None


def _refusing(pid: int) -> FoxtrotError:
    if not _is_there(pid):
        return NoPlatform(f"the platform (pid {pid}) is gone")
    return PlatformFrozen(
        f"the platform (pid {pid}) does not listen any more: it is stopping, or its port was taken down"
    )


def _error_of(refusal: Refusal | str, pid: int) -> FoxtrotError:
    if isinstance(refusal, str):
        return PlatformBusy(f"the platform (pid {pid}) refused: {refusal}")
    if refusal.type == "ConfigError":
        return ConfigError(refusal.message)
    if refusal.type == "EngineStuck":
        return PlatformFrozen(f"the engine of the platform (pid {pid}) is stuck: {refusal.message}")
    return PlatformBusy(refusal.message)
