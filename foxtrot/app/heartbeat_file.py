"""The heartbeat file: how another process sees that a platform lives, without asking it anything."""

import os
from pathlib import Path

import msgspec

from foxtrot.app.process_motion import MotionWatch
from foxtrot.app.process_table import process_start
from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.domain.errors import ConfigError

NAME = "heartbeat"
SILENT_S = 2.0
STOPPING_S = 60.0
"""How long a platform that stops in order may be silent: its main thread waits for the parts."""
STARTING_S = 60.0
"""How long one that starts may be silent: it builds and restores before it comes to its first look."""
DOUBT_S = 1.0
"""From so much silence on it is looked at whether the process runs at all."""
SIZE = 256
"""The file never changes its length: each beat is one write over the last one."""


class Beat(msgspec.Struct, frozen=True):
    """What the file says: which process, its latest beat, how long it may be silent now, and whether it has ended in order."""

    pid: int
    start: str
    beat: int
    silent_s: float
    ended: bool = False

    @property
    def lives(self) -> bool:
        """Tell whether the process is there still."""
        start = process_start(self.pid)
        return start is not None and (not start or not self.start or start == self.start)


class HeartbeatFile:
    """Writes the heartbeat of this process; nothing is synced, for it is of no use after a power cut.

    Thread: main.

    Raises (when made):
        ConfigError: the file cannot be written.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        self._pid = os.getpid()
        self._start = process_start(self._pid) or ""
        self._beat = 0
        try:
            make_private_folder(home)
            self._file = open(self.path, "w+b", buffering=0, opener=private_opener)  # noqa: SIM115  (kept open)
        except OSError as error:
            raise self._refused(error) from None
        try:
            self.beat()
        except OSError as error:
            self._file.close()
            raise self._refused(error) from None

    def beat(self) -> None:
        """Tell that the process lives; called some times a second."""
        self._write(SILENT_S)

    def starting(self) -> None:
        """Tell that the platform starts, so that its silence means nothing until its first beat."""
        self._write(STARTING_S)

    def stopping(self) -> None:
        """Tell that the platform stops in order, so that its silence means nothing for a while."""
        self._write(STOPPING_S)

    def end(self) -> None:
        """Tell that the platform has ended in order, and let the file go; again is harmless."""
        if not self._file.closed:
            self._write(0.0, ended=True)
            self._file.close()

    def _refused(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self.path} cannot be written: {error.strerror or error}; name another home")

    def _write(self, silent_s: float, *, ended: bool = False) -> None:
        self._beat += 1
        data = msgspec.json.encode(Beat(self._pid, self._start, self._beat, silent_s, ended))
        self._file.seek(0)
        self._file.write(data.ljust(SIZE))


class HeartbeatReader:
    """Reads the heartbeat of a home folder.

    Thread: any one.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / NAME

    def read(self) -> Beat | None:
        """Return what it says; None when there is no file, or when it is just being written.

        Blocks: for the disk.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Beat)
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return None


class Pulse:
    """Judges by its own clock whether a platform gives signs of life.

    Whoever judges may have stood still itself: then nothing it has not seen counts as silence.

    Thread: one, `look` some times a second.

    Args:
        late_s: how long a platform may be silent whose process certainly runs; 0 makes no difference between it and any other.
        motion: judges whether it runs.
    """

    def __init__(self, late_s: float = 0.0, motion: MotionWatch | None = None) -> None:
        self._late_s = late_s
        self._motion = motion or MotionWatch()
        self._last: Beat | None = None
        self._changed_ns = 0
        self._looked_ns = 0

    @property
    def last(self) -> Beat | None:
        """Return what was read last, None before the first."""
        return self._last

    def look(self, beat: Beat | None, now_ns: int) -> str:
        """Take what the file says now, and return why the platform counts as silent, "" while it does not."""
        stood_still = self._looked_ns and now_ns - self._looked_ns > SILENT_S * 1e9 / 2
        self._looked_ns = now_ns
        if beat is not None and beat != self._last:
            self._last, self._changed_ns = beat, now_ns
            self._motion.forget()
            return ""
        last = self._last
        if last is None or last.ended:
            return ""
        if stood_still:
            self._changed_ns = now_ns
        if not last.lives:
            return f"the platform (pid {last.pid}) is gone without having ended in order"
        return self._judge(last, (now_ns - self._changed_ns) / 1e9, now_ns)

    def _judge(self, last: Beat, silent_s: float, now_ns: int) -> str:
        """Return why a process that is there counts as silent; one that certainly runs has more time."""
        runs = self._late_s > 0 and silent_s >= DOUBT_S and self._motion.runs(last.pid, now_ns)
        if silent_s < (max(last.silent_s, self._late_s) if runs else last.silent_s):
            return ""
        though = " although its process runs" if runs else ""
        return f"the platform (pid {last.pid}) has given no sign of life for {silent_s:.1f} s{though}"
