"""A sound, by the player that the system has; a beep where there is none."""

import math
import shutil
import struct
import wave
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QProcess
from PySide6.QtWidgets import QApplication

PLAYERS: Final = ("paplay", "aplay", "afplay")
RATE: Final = 22_050
TONES: Final = ((880.0, 0.12), (1318.5, 0.2))
LOUDNESS: Final = 0.35


class Sounder(QObject):
    """Plays the sound of an alert; one at a time, for many at once are noise.

    Thread: the desktop's; the player is a process of its own.

    Args:
        folder: where the sound is kept, made at the first one.
        players: programs that play a file, the first that there is.
    """

    def __init__(self, folder: Path, parent: QObject | None = None, players: tuple[str, ...] = PLAYERS) -> None:
        super().__init__(parent)
        self.beeps = 0
        self._file = folder / "alert.wav"
        found = (shutil.which(name) for name in players)
        self.player = next((path for path in found if path), "")
        self._process: QProcess | None = None

    def play(self) -> None:
        """Play it, or beep."""
        if not self.player or not self._ready():
            self.beep()
            return
        if self._process is not None:
            return
        process = self._process = QProcess(self)
        process.setStandardOutputFile(QProcess.nullDevice())
        process.setStandardErrorFile(QProcess.nullDevice())
        process.finished.connect(self._hear_end)
        process.errorOccurred.connect(self._hear_fault)
        process.start(self.player, [str(self._file)])

    def beep(self) -> None:
        """Let the system beep."""
        self.beeps += 1
        QApplication.beep()

    def stop(self) -> None:
        """End what plays.

        Blocks: for the player, at most half a second.
        """
        if self._process is not None:
            self._process.kill()
            self._process.waitForFinished(500)

    def _hear_end(self, code: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
            if code:
                self.beep()

    def _hear_fault(self, fault: QProcess.ProcessError) -> None:
        if fault is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._process.deleteLater()
            self._process = None
            self.player = ""
            self.beep()

    def _ready(self) -> bool:
        if self._file.is_file():
            return True
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_sound(self._file)
        except OSError:
            return False
        return True


def write_sound(path: Path) -> None:
    """Write two short tones as a WAV file.

    Raises:
        OSError: it cannot be written.
    """
    frames = bytearray()
    for hertz, seconds in TONES:
        total = int(RATE * seconds)
        for place in range(total):
            fade = min(1.0, place / 200, (total - place) / 2_000)
            frames += struct.pack("<h", int(32_767 * LOUDNESS * fade * math.sin(2 * math.pi * hertz * place / RATE)))
    with path.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(bytes(frames))
