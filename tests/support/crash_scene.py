"""A served exchange and a platform that dies on it, again and again; afterwards venue and journal are held against each other."""

import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self

from foxtrot.core.clock import SystemClock
from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import FillBooked, Intent, NotSent, Snapshot
from tests.support.binance_rig import spot_like

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT, KEY, SECRET = "ours", "crash-key", "crash-secret"
ORDERS = 10
LONGEST_S = 40.0
STRATEGY = '''
from pathlib import Path

from foxtrot.api import Parameter, Strategy

OVER = ("denied", "rejected")


class TenOrders(Strategy):
    """Wants ten orders in all, over however many lives: every third fills at once, rests, or sells a part of what was bought."""

    marker = Parameter("")

    def on_start(self):
        self.set_timer("next", 0.04, repeat=True)

    def on_timer(self, timer):
        mine = [r for r in self._seat.desk.records() if r.owner == self.strategy_id and str(r.status) not in OVER]
        if any(str(r.status) in ("created", "submitted", "unknown") or r.missing_units for r in mine):
            return
        number = len(mine)
        if number >= 10:
            if not self.quiet:
                self.quiet = True  # one beat more, for what is on its way
                return
            Path(self.marker).touch()
        elif number % 3 == 0:
            self.buy(0.2, 101.0)
        elif number % 3 == 1:
            self.buy(0.1, 90.0)
        else:
            self.sell(0.1, 99.0)

    quiet = False
'''
CONFIG = """
[platform]
mode = "paper"
base_currency = "USDT"

[account.ours]
adapter = "binance"
environment = "loopback"
settings = {{ product = "spot", port = {port}, api_key_env = "CRASH_KEY", api_secret_env = "CRASH_SECRET", recv_window_ms = 1000 }}

[strategy.ten]
class = "{folder}/ten_orders.py:TenOrders"
account = "ours"
symbols = ["BTCUSDT.BINANCE"]
capital = 10000
params = {{ marker = "{folder}/done" }}

[risk]
price_collar = 0.0
duplicate_window_s = 0.0
quote_age_s = 0.0

[recorder]
enabled = false
"""


class Point(NamedTuple):
    """Where a platform dies: at which call of a kind, or after how many seconds."""

    kind: str
    at: float
    after: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.at:g}-{'after' if self.after else 'before'}"


class Forge:
    """A fork server of platforms; one job at a time.

    Thread: its maker's.
    """

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.support.crash_forge"]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._line() == {"ready": True}
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, job: dict[str, object]) -> dict[str, Any]:
        """Run a platform and return how it ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forge died"
        answer: dict[str, Any] = json.loads(line)
        return answer


class CrashScene:
    """One exchange with walls at 99 and 101, and the lives of one platform on it.

    Thread: the test's.
    """

    def __init__(self, folder: Path, forge: Forge) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.lives = 0
        self._forge = forge
        self._instrument = spot_like("BTCUSDT", "BTC")
        self.server = ExchangeServer(_settings(self._instrument), SystemClock())

    def __enter__(self) -> Self:
        self.server.start()
        for side, price in ((Side.BUY, 9_900), (Side.SELL, 10_100)):
            units = self._instrument.quantity_grid.from_decimal(Decimal(50))
            command = PlaceOrder(
                SystemClock().now_ns(), "maker", "BTCUSDT.BINANCE", f"wall{price}", side, OrderType.LIMIT, units, price
            )
            assert self.server.call(lambda server, placed=command: server.host.execute(placed)).ok
        (self.folder / "ten_orders.py").write_text(STRATEGY, "utf-8")
        text = CONFIG.format(port=self.server.ports["binance_spot"], folder=self.folder)
        (self.folder / "config.toml").write_text(text, "utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def live(self, point: Point | None = None) -> dict[str, Any]:
        """Let a platform live until its ten orders are there, or until it dies at a point."""
        self.lives += 1
        (self.folder / "done").unlink(missing_ok=True)  # this life has to see for itself
        job: dict[str, object] = {
            "config": str(self.folder / "config.toml"), "home": str(self.folder / "home"), "log": str(self.folder / f"log{self.lives}"),
            "marker": str(self.folder / "done"), "result": str(self.folder / f"result{self.lives}"), "longest_s": LONGEST_S,
            "environment": {"CRASH_KEY": KEY, "CRASH_SECRET": SECRET, "FOXTROT_LOCKS": str(self.folder / "locks")},
        }  # fmt: skip
        if point is not None:
            job |= {"kind": point.kind, "at": point.at, "after": point.after}
        return self._forge.run(job)

    def result(self) -> dict[str, Any]:
        """What the last life told at its end."""
        told: dict[str, Any] = json.loads((self.folder / f"result{self.lives}").read_text("utf-8"))
        return told

    def faults(self) -> list[str]:
        """What is wrong between the journal, the venue and what the last life told."""
        placed, filled = self.server.call(_truth)
        opening = open_journal(self.folder / "home" / "data" / "journal.db")
        wrong = [f"the journal dropped: {opening.dropped}"] if opening.dropped else []
        records = list(_all_records(opening.path))
        intents = {r.order.order_id for r in records if isinstance(r, Intent)}
        unsent = {r.order_id for r in records if isinstance(r, NotSent)}
        fills = Counter((r.trade.trade_id, r.trade.order_id) for r in records if isinstance(r, FillBooked))
        if len(placed) != ORDERS or len(set(placed)) != ORDERS:
            wrong.append(f"{len(placed)} orders at the venue: {sorted(placed)}")
        if not set(placed) <= intents:
            wrong.append(f"without an intent: {set(placed) - intents}")
        if set(placed) & unsent:
            wrong.append(f"held to be unsent: {set(placed) & unsent}")
        if (intents - unsent) != set(placed):
            wrong.append(f"intents without an order and without an end: {intents - unsent - set(placed)}")
        if fills != Counter(filled):
            wrong.append(f"fills booked {sorted(fills)}, at the venue {sorted(filled)}")
        told = self.result()
        if not told["reconciled"] or told["failures"] or told["gate"] != "active":
            wrong.append(f"told: {[told[key] for key in ('differences', 'failures', 'gate', 'gate_reason')]}")
        return wrong


def _all_records(path: Path) -> Any:
    import apsw

    from foxtrot.storage.journal_records import decode_record

    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        for (body,) in connection.execute("SELECT body FROM record ORDER BY sequence"):
            record = decode_record(body)
            if not isinstance(record, Snapshot):
                yield record
    finally:
        connection.close()


def _truth(server: ExchangeServer) -> tuple[list[str], list[tuple[str, str]]]:
    venue = server.host.venue
    orders = [order.client_order_id for order in venue.all_orders(ACCOUNT, "BTCUSDT.BINANCE")]
    return orders, [(str(fill.trade_id), fill.client_order_id) for fill in venue.fills(ACCOUNT)]


def _settings(instrument: Any) -> ServerSettings:
    return ServerSettings(
        ports=ServerPorts(binance_spot=0),
        accounts=(
            AccountSetup(ACCOUNT, (ApiKey(KEY, ACCOUNT, SECRET),), {"USDT": Decimal(1_000)}, products=("spot",)),
            AccountSetup("maker", (), {"USDT": Decimal(10**7), "BTC": Decimal(10**3)}),
        ),
        instruments=(instrument,),
        agents=0,
        surface=SurfaceSettings(limits=False),
    )
