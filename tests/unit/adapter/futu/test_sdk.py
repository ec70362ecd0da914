"""The one door to the SDK: what importing it must not do to the process, and the private names that are used of it."""

import inspect
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from foxtrot.adapter.futu import sdk as door
from foxtrot.adapter.futu.contexts import HANDLERS, PRIVATE
from foxtrot.domain.errors import ConfigError

REPOSITORY = Path(__file__).resolve().parents[4]
needs_sdk = pytest.mark.skipif(
    find_spec("futu") is None, reason="futu-api is not installed: pip install 'foxtrot[futu]'"
)

IMPORTED = """
import json, os, signal, sys, threading
from pathlib import Path
def ours(number, frame): pass
signal.signal(signal.SIGINT, ours)
before = list(sys.path), dict(os.environ)
where = sys.argv[1]
def load():
    from foxtrot.adapter.futu.sdk import load_sdk
    return load_sdk(Path(where) if where else None)
if sys.argv[2] == "worker":
    found = []
    thread = threading.Thread(target=lambda: found.append(load()))
    thread.start()
    thread.join()
    sdk = found[0]
else:
    sdk = load()
from futu.common.ft_logger import logger
for _ in range(3):
    logger.info("said by the sdk")
    logger.debug("said by the sdk")
    logger.warning2(3, "warned by the sdk")
print(json.dumps({
    "sigint": signal.getsignal(signal.SIGINT) is ours,
    "path": sys.path == before[0],
    "environment": dict(os.environ) == before[1],
    "threads": [thread.name for thread in threading.enumerate()],
    "again": load() is sdk,
    "daemon": sdk.futu.SysConfig.get_all_thread_daemon(),
}))
"""


def run_import(home: Path, folder: Path | None, thread: str) -> tuple[dict[str, Any], str]:
    """Import it in another process, whose home is a folder; returns what was found, and what went to stderr."""
    command = [sys.executable, "-W", "error", "-c", IMPORTED, "" if folder is None else str(folder), thread]
    environment = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(REPOSITORY),
        "TMPDIR": str(home.parent),
    }
    ran = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found, ran.stderr


@needs_sdk
@pytest.mark.slow
@pytest.mark.parametrize("thread", ["main", "worker"])
def test_importing_it_leaves_signals_paths_and_the_home_as_they_were(tmp_path: Path, thread: str) -> None:
    home, folder = tmp_path / "home", tmp_path / "platform" / "futu"
    home.mkdir()
    found, stderr = run_import(home, folder, thread)
    assert found == {
        "sigint": True,
        "path": True,
        "environment": True,
        "threads": ["MainThread", door.NETWORK_THREAD],
        "again": True,
        "daemon": True,
    }
    assert list(home.iterdir()) == []
    assert stderr == ""
    logged = [path.read_text("utf-8") for path in folder.rglob("*.log")]
    assert len(logged) == 1
    assert "warned by the sdk" in logged[0]
    assert "said by the sdk" not in logged[0]


@needs_sdk
@pytest.mark.slow
def test_without_a_folder_nothing_of_it_stays_on_the_disk(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    found, stderr = run_import(home, None, "main")
    assert found["environment"]
    assert stderr == ""
    assert [path.name for path in tmp_path.rglob("*")] == ["home"]


@pytest.mark.slow
def test_neither_foxtrot_nor_the_adapter_imports_it_before_it_dials() -> None:
    script = (
        "import sys\n"
        "import foxtrot, foxtrot.api, foxtrot.cli\n"
        "from foxtrot.adapter.registry import adapter_names, load_adapter\n"
        "assert 'futu' in adapter_names()\n"
        "load_adapter('simulated')\n"
        "assert not [name for name in sys.modules if name.startswith('foxtrot.adapter.futu')]\n"
        "load_adapter('futu')\n"
        "sys.exit(str(sorted({'futu', 'pandas', 'Crypto'} & set(sys.modules))) if 'futu' in sys.modules else 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr


def test_where_it_is_not_installed_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'foxtrot\[futu\]'"):
        door.check_installed()


@needs_sdk
@pytest.mark.slow
def test_the_private_names_that_are_used_of_it_are_there() -> None:
    """Made for futu-api 10.11: when this fails, contexts.py and sdk.py want to be read beside the new SDK."""
    sdk = door.load_sdk(None)
    from futu.common.callback_executor import CallbackExecutor
    from futu.common.open_context_base import OpenContextBase

    source = inspect.getsource(OpenContextBase)
    for base in (sdk.futu.OpenQuoteContext, sdk.futu.OpenSecTradeContext):
        assert issubclass(base, OpenContextBase)
    for name in PRIVATE:
        assert hasattr(OpenContextBase, name) or f"self.{name} =" in source, name
    assert "self._thread =" in inspect.getsource(CallbackExecutor)
    assert list(inspect.signature(OpenContextBase.on_disconnect).parameters) == ["self", "conn_id", "reason", "msg"]
    assert list(inspect.signature(OpenContextBase._query_sync).parameters) == [
        "self", "pack_func", "unpack_func", "kargs",
    ]  # fmt: skip
    for name in HANDLERS.values():
        assert inspect.isclass(getattr(sdk.futu, name)), name
    for name in ("GetAccountList", "SubAccPush", "GlobalStateQuery", "PlaceOrder"):
        assert callable(sdk.request(name))
    version = tuple(int(part) for part in sdk.futu.__version__.split(".")[:2])
    assert version == (10, 11)


@needs_sdk
@pytest.mark.slow
def test_one_key_serves_a_process_and_another_is_refused_while_it_is_used() -> None:
    sdk = door.load_sdk(None)
    sdk.use_key("")
    try:
        with pytest.raises(ConfigError, match="room for one"):
            sdk.use_key("/somewhere/key.pem")
        sdk.use_key("")
        sdk.drop_key()
    finally:
        sdk.drop_key()
    assert sdk.futu.SysConfig.INIT_RSA_FILE == ""
