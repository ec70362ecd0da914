"""Where the passphrase of the encrypted file comes from: a file or descriptor that is named, else the terminal; never the command line."""

import contextlib
import getpass
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

VARIABLE: Final = "FOXTROT_PASSPHRASE_FILE"
SHORTEST: Final = 8
_MOST_BYTES: Final = 4096
Ask = Callable[[str], str]


class Passphrase:
    """Asks for the passphrase once in a process.

    Thread: main.

    Args:
        environment: may name a file, or the number of a descriptor that is open.
        ask: asks on the terminal; getpass by default.
    """

    def __init__(self, environment: Mapping[str, str], ask: Ask | None = None) -> None:
        self._named = environment.get(VARIABLE, "")
        self.ask = ask or _ask_terminal
        self._known: Secret | None = None

    def get(self, *, new: bool = False) -> Secret:
        """Return the passphrase.

        Blocks: for the person at the terminal.

        Args:
            new: whether one is chosen now, which is asked for twice.

        Raises:
            ConfigError: there is no terminal and no file is named, the file may be read by others, or it is too short.
        """
        if self._known is None:
            self._known = _from_file(self._named) if self._named else self._from_terminal(new=new)
            if new and len(self._known.reveal()) < SHORTEST:
                raise ConfigError(f"the passphrase is too short; choose one of at least {SHORTEST} characters")
        return self._known

    def child_descriptor(self) -> int:
        """Return a descriptor from which a child that inherits it reads the passphrase once, by FOXTROT_PASSPHRASE_FILE.

        Returns:
            -1 when no passphrase was needed here.
        """
        if self._known is None:
            return -1
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as file:
            file.write(self._known.reveal().encode())
        return reading

    def _from_terminal(self, *, new: bool) -> Secret:
        given = Secret(self.ask("new passphrase of the key store: " if new else "passphrase of the key store: "))
        if not given:
            raise ConfigError("no passphrase was given; nothing is done")
        if new and Secret(self.ask("once more: ")) != given:
            raise ConfigError("the two passphrases differ; nothing is done")
        return given


_OF_PROCESS: Final[dict[str, Passphrase]] = {}
"""By what names them, so that a process asks once however many stores it opens."""


def process_passphrase(environment: Mapping[str, str]) -> Passphrase:
    """Return this process's passphrase, which is asked for at most once."""
    named = environment.get(VARIABLE, "")
    return _OF_PROCESS.setdefault(named, Passphrase(environment))


def ask_by(environment: Mapping[str, str], ask: Ask) -> Passphrase:
    """Let this process's passphrase be asked for in another way than at the terminal, and return it; what is known already stays."""
    found = process_passphrase(environment)
    found.ask = ask
    return found


@contextlib.contextmanager
def for_child(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Give the environment of a child, and the descriptors it inherits, with which it need not ask for the passphrase again.

    Thread: main.
    """
    descriptor = process_passphrase(environment).child_descriptor()
    if descriptor < 0:
        yield dict(environment), ()
        return
    try:
        yield {**environment, VARIABLE: str(descriptor)}, (descriptor,)
    finally:
        os.close(descriptor)


def _ask_terminal(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise ConfigError(
            f"the key store needs its passphrase and there is no terminal to ask at: write it into a file of mode 0600 and set {VARIABLE} "
            "to its path, or to the number of an open descriptor"
        )
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a platform's own handler would not end the prompt
    try:
        return getpass.getpass(prompt, sys.stderr)
    finally:
        signal.signal(signal.SIGINT, before)


def _from_file(name: str) -> Secret:
    try:
        descriptor = os.dup(int(name)) if name.isdecimal() else os.open(name, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode) and os.name == "posix" and mode & 0o077:
                raise ConfigError(f"{VARIABLE}: {name} can be opened by others; do: chmod 600 {name}")
            data = file.read(_MOST_BYTES + 1)
        text = data.decode().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{VARIABLE}: {name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{VARIABLE}: what {name} holds is no UTF-8 text") from None
    if not text or len(data) > _MOST_BYTES:
        raise ConfigError(f"{VARIABLE}: {name} holds {'no text' if not text else 'too much'}; it holds the passphrase")
    return Secret(text)
