"""A program that makes platforms quickly and kills them at a chosen moment: everything is imported once, each platform is a fork.

It reads jobs from stdin, a JSON object a line, and answers each with one: how the platform ended, and how often it wrote. A job names
the configuration and home of `foxtrot run`, and where the process is to die by SIGKILL: at its Nth write or sync of the journal's files,
at its Nth write to a socket, before or after it is done, or after some time.
"""

import asyncio.selector_events
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from foxtrot.adapter.binance import capabilities
from foxtrot.app.stop_signals import StopSignal

WARM = (
    "foxtrot.app.config", "foxtrot.app.live", "foxtrot.app.logging_setup", "foxtrot.app.run_lock",
    "foxtrot.adapter.binance.adapter",
)  # fmt: skip
LOOK_S = 0.02


class UntilDone(StopSignal):
    """Asks for the stop once a file stands there, or when nobody believes any more that it ever will."""

    def __init__(self, marker: Path, longest_s: float) -> None:
        super().__init__()
        self._marker = marker
        self._until_s = time.monotonic() + longest_s

    def wait(self, seconds: float | None = None) -> bool:
        end_s = time.monotonic() + (seconds or 0.0)
        while not (self._marker.exists() or time.monotonic() > self._until_s):
            if time.monotonic() >= end_s:
                return False
            super().wait(LOOK_S)
        return True


class Countdown:
    """Kills this process at the Nth call of a kind, before it or after it is done; counts all the same without one."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.count = 0
        self._at = at
        self._after = after

    def around(self, call: Callable[[], Any]) -> Any:
        """Make a call, and die if it is the one."""
        self.count += 1
        if self.count == self._at and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call()
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def watch_journal(countdown: Countdown) -> None:
    """Let every write and sync of SQLite go by a countdown."""
    usual = apsw.vfs_names()[0]

    class File(apsw.VFSFile):
        def __init__(self, name: apsw.URIFilename | str | None, flags: list[int]) -> None:
            super().__init__(usual, name, flags)

        def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  (SQLite's name)
            countdown.around(lambda: super(File, self).xWrite(data, offset))

        def xSync(self, flags: int) -> None:  # noqa: N802  (SQLite's name)
            countdown.around(lambda: super(File, self).xSync(flags))

    class Disk(apsw.VFS):
        def __init__(self) -> None:
            super().__init__("deadly", usual, makedefault=True)

        def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
            return File(name, flags)

    globals()["_disk"] = Disk()


def watch_sockets(countdown: Countdown) -> None:
    """Let every write to an asyncio transport go by a countdown."""
    transport: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    plain = transport.write

    def write(self: Any, data: bytes) -> None:
        countdown.around(lambda: plain(self, data))

    transport.write = write


def live(job: dict[str, Any]) -> None:
    """Be the platform of a job; never returns."""
    code = 1
    try:
        out = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.update(job["environment"])
        capabilities.TIMEOUT_S, capabilities.MARGIN_S = 1.0, 0.5  # type: ignore[misc]  # the embedded exchange answers at once
        kind, at, after = job.get("kind", ""), int(job.get("at", 0)), bool(job.get("after", False))
        journal = Countdown(at if kind == "journal" else 0, after=after)
        sockets = Countdown(at if kind == "socket" else 0, after=after)
        watch_journal(journal)
        watch_sockets(sockets)
        result = run(job)
        counted = {"journal": journal.count, "socket": sockets.count}
        Path(job["result"]).write_text(json.dumps({**result, "counted": counted}, default=str), "utf-8")
        code = 0
    except BaseException:  # noqa: BLE001  (the process ends here, whatever it was)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def run(job: dict[str, Any]) -> dict[str, object]:
    """Run the platform as `foxtrot run` does."""
    from foxtrot.app.config import load_config
    from foxtrot.app.live import run_live
    from foxtrot.app.logging_setup import start_logging
    from foxtrot.app.run_lock import RunLock

    home = Path(job["home"])
    with RunLock(home):
        log = start_logging("DEBUG", None)
        try:
            stopped = UntilDone(Path(job["marker"]), float(job["longest_s"]))
            return run_live(load_config(Path(job["config"])), None, False, home, stopped)
        finally:
            log.stop()


def forge(job: dict[str, Any]) -> dict[str, object]:
    """Fork the platform of a job and wait for its end."""
    pid = os.fork()
    if pid == 0:
        live(job)
    began_s = time.monotonic()
    dies_s = began_s + float(job["at"]) if job.get("kind") == "time" else None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return {"status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - began_s}
        late = time.monotonic() - began_s > float(job["longest_s"]) + 60
        if late or (dies_s is not None and time.monotonic() >= dies_s):
            os.kill(pid, signal.SIGKILL)
            dies_s = None
        time.sleep(0.002)


def main() -> None:
    """Answer jobs until stdin ends."""
    for name in WARM:
        importlib.import_module(name)
    gc.freeze()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(forge(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
