"""The one door to Futu's SDK: imports it when it is first needed, and undoes what that does to the process.

Source: seen with futu-api 10.11.7108.
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from foxtrot.domain.errors import ConfigError

NETWORK_THREAD: Final = "futu-sdk-network"
"""The SDK's one network thread; it serves every context of the process and stays until the process ends."""
HOMES: Final = ("HOME", "APPDATA")
"""Where the SDK puts its log file: below the first of these that its system uses."""
WANTED: Final = ">=10.11,<10.12"


class Sdk:
    """The imported SDK; `futu` is its module.

    Thread: `futu` any; `use_key` and `drop_key` any.
    """

    def __init__(self, futu: Any) -> None:
        self.futu = futu
        self._trade_requests = sys.modules["futu.trade.trade_query"]
        self._quote_requests = sys.modules["futu.quote.quote_query"]
        self._guard = threading.Lock()
        self._key = ""
        self._users = 0

    def request(self, name: str) -> Any:
        """Return what packs a request, by the name of the SDK's class for it."""
        found = getattr(self._trade_requests, name, None) or getattr(self._quote_requests, name)
        return found.pack_req

    def decoder(self, proto_id: int) -> Callable[[bytes], Any]:
        """Return what makes an answer or a push of its bytes, by the number of the protocol; it raises `undecodable`."""
        made: Callable[[bytes], Any] = type(sys.modules["futu.common.utils"].pb_map[proto_id]).FromString
        return made

    @property
    def undecodable(self) -> type[Exception]:
        """Return what a decoder raises of bytes that are no such message."""
        error: type[Exception] = sys.modules["google.protobuf.message"].DecodeError
        return error

    def use_key(self, file: str) -> None:
        """Encrypt, or do not ("" is that), until `drop_key`: the SDK has one key file for the whole process.

        Raises:
            ConfigError: another account of the process uses another one now.
        """
        with self._guard:
            if self._users and file != self._key:
                raise ConfigError(
                    f"rsa_file = {file!r}: another Futu account of this process uses {self._key!r}, and the SDK has room for "
                    "one; give all of them the same, or run them apart",
                    key="rsa_file",
                )
            if file != self._key:
                self._set_key(file)
            self._key = file
            self._users += 1

    def _set_key(self, file: str) -> None:
        """Give the SDK a key; reading it here, for the SDK leaves the file open and prints what fails."""
        place = sys.modules["futu.common.sys_config"]
        try:
            key = place.RSA.import_key(Path(file).read_bytes()) if file else None
        except (OSError, ValueError) as error:
            raise ConfigError(f"rsa_file = {file!r} cannot be read ({error})", key="rsa_file") from error
        place.SysConfig.set_init_rsa_file(file)
        place.SysConfig.RSA_OBJ = key

    def drop_key(self) -> None:
        """Use the key no more."""
        with self._guard:
            self._users -= 1


_loaded: dict[str, Sdk] = {}
_loading: Final = threading.Lock()


def check_installed() -> None:
    """Refuse where there is no SDK; it is looked for, not imported.

    Raises:
        ConfigError: it is not installed.
    """
    if find_spec("futu") is None:
        raise ConfigError("Futu's SDK is not installed; do: pip install 'foxtrot[futu]'")


def load_sdk(folder: Path | None) -> Sdk:
    """Return the SDK, imported the first time.

    Its SIGINT handler, its use of the home folder, its logging of every push and its entry in `sys.path` are undone. While
    it is imported HOME names another folder, for the whole process.

    Thread: any.
    Blocks: about a second the first time.

    Args:
        folder: where its log of warnings goes; None is nowhere.

    Raises:
        ConfigError: it cannot be imported.
    """
    with _loading:
        if "sdk" not in _loaded:
            _loaded["sdk"] = Sdk(_import(folder))
        return _loaded["sdk"]


def _import(folder: Path | None) -> Any:
    check_installed()
    place = Path(tempfile.mkdtemp(prefix="foxtrot-futu-")) if folder is None else folder
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _home(place), _own_signals(), _own_path(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Thread.setDaemon, and more of what it is built of
            import futu
            from futu.common import ft_logger, network_manager

            network_manager.NetManager.default()._thread.name = NETWORK_THREAD
        _quieten(ft_logger.logger, keeps_file=folder is not None)
    except (ImportError, OSError, AttributeError) as error:
        raise ConfigError(f"Futu's SDK cannot be used ({error!r}); install futu-api{WANTED}") from error
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
    futu.SysConfig.set_all_thread_daemon(True)
    return futu


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """Let a folder be the user's home."""
    before = {name: os.environ.get(name) for name in HOMES}
    os.environ.update(dict.fromkeys(HOMES, str(folder)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handler of SIGINT, which the SDK replaces, on the main thread alone, by one that ends the process at once."""
    on_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if on_main and before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _own_path() -> Iterator[None]:
    """Keep `sys.path`; whatever the SDK needs by its entry is imported by then."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = [entry for entry in sys.path if entry in before]


def _quieten(log: Any, *, keeps_file: bool) -> None:
    """Let the SDK log warnings alone, to its file or nowhere; every push would be two lines."""
    log.file_level = logging.WARNING
    log.console_level = logging.CRITICAL
    if not keeps_file:
        log.file_logger.removeHandler(log.fileHandler)
        log.fileHandler.close()
        log.file_logger.addHandler(logging.NullHandler())
