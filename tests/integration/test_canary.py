"""Planted secrets are in nothing that a run full of failures leaves behind: no file, stream, command line or crash dump."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.passphrase import VARIABLE
from foxtrot.app.secret_store import SecretPlace, open_store
from foxtrot.core.secret import Secret
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.canary import CANARY_KEY, CANARY_PASSPHRASE, CANARY_SECRET, assert_no_canary, canaries_in
from tests.support.waiting import wait_until

WAIT_S = 60.0
UNMASKED = """
import sys
from foxtrot.cli import main
from foxtrot.core.redactor import Redactor
Redactor.add = lambda *_: None
sys.exit(main())
"""
"""The command line without its last door, the masking of secrets that are known, so that every door before it has to hold."""

CONFIG = """
[log]
level = "DEBUG"
file = "home/log/foxtrot.log"

[account.main]
adapter = "binance"
environment = "loopback"
settings = {{ url = "http://127.0.0.1:{port}" }}

[account.wrong]
adapter = "binance"
environment = "loopback"
settings = {{ url = "http://127.0.0.1:{port}" }}

[strategy.clumsy]
class = "{folder}/clumsy.py:Clumsy"
account = "main"
symbols = ["BTCUSDT.BINANCE"]
capital = 10000
orders = "cancel_all"
"""

STRATEGY = '''
"""A strategy that fails with everything it has in sight."""

from pathlib import Path

from foxtrot.api import Strategy


class Clumsy(Strategy):
    """Orders, logs all that it holds, and raises."""

    def on_start(self):
        self.ticks = 0

    def on_tick(self, tick):
        self.ticks += 1
        if not tick.bid_price or not tick.ask_price:
            return
        if self.ticks % 3 == 1 and self.ticks < 40:
            self.buy(0.001, self.round_price(tick.bid_price * 0.98))
        if self.ticks == 40:
            held, parts = vars(self), vars(self._seat)
            self.log(f"{held!r} {parts!r}"[:20_000])
            Path("{folder}/raised").write_text("x")
            raise RuntimeError(f"clumsy with {held!r}")
'''


def faults() -> tuple[Fault, ...]:
    """What goes wrong on the way: orders, questions, handshakes, frames and links."""
    order, account, trades = "POST /api/v3/order", "GET /api/v3/account", "GET /api/v3/openOrders"
    return (
        Fault(kind="html", endpoint=order, status=502, after=1),
        Fault(kind="http_status", endpoint=order, status=503, after=2),
        Fault(kind="error_code", endpoint=order, code=-1022, msg="Signature for this request is not valid.", after=3),
        Fault(kind="ack_lost", endpoint=order, after=4),
        Fault(kind="cut_answer", endpoint=order, after=5),
        Fault(kind="html", endpoint=account, status=500),
        Fault(kind="error_code", endpoint=trades, code=-1000, msg="An unknown error occurred."),
        Fault(kind="malformed_frame", connection="user", text="{nonsense"),
        Fault(kind="malformed_frame", connection="stream", text="{nonsense"),
        Fault(kind="refuse_handshake", status=500, after=2),
    )


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    key = ApiKey(CANARY_KEY, "main", CANARY_SECRET, can_transfer=True, address_bound=False)
    settings = ServerSettings(
        ports=ServerPorts(binance_spot=0),
        accounts=(AccountSetup("main", (key,), {"USDT": Decimal(100_000)}),),
        agents=4,
        faults=faults(),
    )
    made = ExchangeServer(settings)
    made.start()
    yield made
    assert made.stop() == ""


class Scene:
    """A user's folder, with planted secrets in a key store, whose programs' streams are kept as files."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.config = folder / "c.toml"
        self.config.write_text(CONFIG.format(port=port, folder=folder))
        (folder / "clumsy.py").write_text(STRATEGY.replace("{folder}", str(folder)))
        (folder / "streams").mkdir()
        self._passphrase = folder / "passphrase"
        self._passphrase.write_text(CANARY_PASSPHRASE)
        self._passphrase.chmod(0o600)
        self.environment = {**os.environ, "FOXTROT_HOME": str(self.home), "PYTHONFAULTHANDLER": "1"}
        self.environment["FOXTROT_PASSPHRASE_FILE"] = str(self._passphrase)
        self._count = 0

    @property
    def kept(self) -> list[Path]:
        """Everything that is left behind, but for the file of the passphrase."""
        return [path for path in self.folder.iterdir() if path != self._passphrase]

    @contextmanager
    def started(self, *words: str, stdin: str = "", **more: str) -> Iterator["subprocess.Popen[str]"]:
        """A program of the command line, its streams in files, its umask as open as can be."""
        self._count += 1
        out, err = (self.folder / "streams" / f"{self._count}_{words[0]}_{name}" for name in ("out", "err"))
        command = [sys.executable, "-c", UNMASKED, *words]
        with (
            out.open("w") as to_out,
            err.open("w") as to_err,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=to_out, stderr=to_err, text=True, umask=0,
                env={**self.environment, **more}, cwd=self.folder,
            ) as process,
        ):  # fmt: skip
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def ran(self, *words: str, stdin: str = "", **more: str) -> int:
        """Run a program to its end and return its status."""
        with self.started(*words, stdin=stdin, **more) as process:
            return process.wait(WAIT_S)

    def keep(self, secrets: dict[tuple[str, str], str]) -> None:
        """Put secrets into the key store."""
        store = open_store(self.home, {VARIABLE: str(self._passphrase)})
        for (account, name), value in secrets.items():
            store.put(SecretPlace("binance", "loopback", account, name), Secret(value), 0, in_file=True)


@pytest.fixture
def scene(tmp_path: Path, server: ExchangeServer) -> Scene:
    port = server.ports["binance_spot"]
    assert port is not None
    made = Scene(tmp_path, port)
    wrong = CANARY_SECRET[::-1]
    made.keep({("main", "api_key"): CANARY_KEY, ("main", "api_secret"): CANARY_SECRET})
    made.keep({("wrong", "api_key"): CANARY_KEY, ("wrong", "api_secret"): wrong})
    return made


def look_at_process(pid: int) -> None:
    """Check what the system shows of a process to others, and that it would leave no core dump."""
    proc = Path("/proc") / str(pid)
    if not proc.exists():
        return
    assert canaries_in((proc / "cmdline").read_bytes()) == []
    assert canaries_in((proc / "environ").read_bytes()) == []
    (core,) = [line for line in (proc / "limits").read_text().splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


def look_at_modes(home: Path) -> int:
    """Check that every file and folder of a home is its owner's alone; returns how many there are."""
    wrong, looked = [], 0
    for path in (home, *home.rglob("*")):
        mode, wanted = stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600
        looked += 1
        if mode != wanted:
            wrong.append(f"{path} {mode:o}")
    assert wrong == []
    return looked


def test_a_run_full_of_failures_leaves_no_secret_behind(scene: Scene, server: ExchangeServer) -> None:
    with scene.started("run", str(scene.config), "--json", "--debug") as process:
        log = scene.home / "log" / "foxtrot.log"

        def logged(text: str) -> bool:
            return process.poll() is not None or (log.exists() and text in log.read_text())

        wait_until(lambda: logged("account=main") and logged("ready"), WAIT_S)
        assert process.poll() is None, (scene.folder / "streams" / "1_run_err").read_text()[-2000:]
        look_at_process(process.pid)
        wait_until(lambda: logged("clumsy with"), WAIT_S)
        for connection in ("user", "stream"):
            server.inject(Fault(kind="reset", connection=connection))
        wait_until(lambda: log.read_text().count("lost") > 0 or process.poll() is not None, WAIT_S)
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_S)
    text = log.read_text()
    for happened in (
        "-1022",
        "clumsy with",
        "check of the API key failed",
        "credentials",
        "502",
        "nonsense",
        "lost",
    ):
        assert happened in text, happened
    assert look_at_modes(scene.home) > 5
    assert assert_no_canary(scene.kept) > 8


def test_a_crash_leaves_no_secret_behind(scene: Scene) -> None:
    with scene.started("run", str(scene.config), "--json", "--debug") as process:
        log = scene.home / "log" / "foxtrot.log"
        wait_until(lambda: process.poll() is not None or (log.exists() and "ready" in log.read_text()), WAIT_S)
        process.send_signal(signal.SIGABRT)
        # What writes down where the threads stand reads them while they run, and may itself fall on the way.
        assert process.wait(WAIT_S) in (-signal.SIGABRT, -signal.SIGSEGV)
    dumped = next(path for path in (scene.folder / "streams").iterdir() if path.name.endswith("run_err")).read_text()
    assert "Fatal Python error: Aborted" in dumped
    assert not [path for path in scene.folder.rglob("core*") if path.is_file()]
    assert assert_no_canary(scene.kept) > 5


def test_failures_of_the_command_line_show_no_secret(scene: Scene) -> None:
    config, store = str(scene.config), scene.home / "secrets.json"
    assert scene.ran("keys", "test", config, "--json", "--debug", "--seconds", "20") == 1
    told = json.loads((scene.folder / "streams" / "1_keys_out").read_text())["accounts"]
    assert [(row["account"], row["ok"], bool(row["cause"])) for row in told] == [
        ("main", True, False),
        ("wrong", False, True),
    ]
    assert told[0]["rights"] == {
        "trades": True,
        "withdraws": False,
        "transfers": ["enableInternalTransfer", "permitsUniversalTransfer"],
        "address_bound": False,
    }
    assert scene.ran("run", config, "--json", "--debug", FOXTROT_PASSPHRASE_FILE="/dev/null") == 2
    store.write_bytes(store.read_bytes().replace(b'"data": "', b'"data": "AAAA'))
    assert scene.ran("run", config, "--json", "--debug") == 2
    store.write_bytes(CANARY_SECRET.encode())
    assert scene.ran("keys", "list", "--json", "--debug") == 2
    store.unlink()
    assert assert_no_canary(scene.kept) > 8
