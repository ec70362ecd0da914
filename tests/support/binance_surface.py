"""A Binance surface on a venue without sockets: connections that keep what they were sent, a clock that is moved by hand."""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from foxtrot.domain.enums import OrderType, Product, Side
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount, PlaceOrder, VenueCommand
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.connection import Connection, HttpAnswer, HttpRequest
from foxtrot.exchange.wire.binance.surface import BinanceSurface, SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import SUFFIX, ApiKey, VenueSide

T0_NS = 1_700_006_400_000_000_000
MS_NS = 1_000_000
KEY, SECRET = "key-of-alice", "secret-of-alice"


class Line:
    """One client's WebSocket as the server sees it, and what came down it."""

    def __init__(self, rig: "SurfaceRig", path: str, query: str, number: int) -> None:
        self.texts: list[str] = []
        self.closes: list[tuple[int, str]] = []
        self._rig = rig
        self.connection = Connection(
            number, path, query, "127.0.0.1", rig.now_ns, send=self.texts.append, close=self._close
        )

    def _close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))

    def ask(self, message: object) -> None:
        """Send one text frame, JSON unless it is text already."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._rig.surface.receive(self.connection, text)
        self._rig.flush()

    def take(self) -> list[Any]:
        """Return everything received since the last time, decoded."""
        taken, self.texts[:] = [json.loads(text) for text in self.texts], []
        return taken


class SurfaceRig:
    """A venue with the default listings and one account, and the surface of one product on it."""

    def __init__(self, product: Product = Product.SPOT, settings: SurfaceSettings | None = None) -> None:
        self.now_ns = T0_NS
        self.events: list[VenueEvent] = []
        self.venue = Venue(self.events.append)
        self.product = product
        self.lines = 0
        self.orders = 0
        for instrument in default_listings():
            self.venue.execute(AddInstrument(T0_NS, instrument))
        for account in ("alice", "bob"):
            self.venue.execute(OpenAccount(T0_NS, account))
            for asset in ("USDT", "BTC", "ETH"):
                self.venue.execute(Deposit(T0_NS, account, asset, Decimal(1_000_000)))
        self.side = VenueSide(product, self.venue, lambda: self.now_ns)
        self.side.add_key(ApiKey(KEY, "alice", SECRET))
        self.surface = BinanceSurface(self.side, settings or SurfaceSettings(limits=False))
        self.flush()

    def flush(self) -> None:
        """Hand the venue's events to the surface, as the server does after every operation."""
        while self.events:
            self.surface.on_event(self.events.pop(0))

    def do(self, command: VenueCommand) -> CommandResult:
        """Execute one command and publish what came of it."""
        result = self.venue.execute(command)
        self.flush()
        return result

    def name(self, symbol: str = "BTCUSDT") -> str:
        return f"{symbol}.{SUFFIX[self.product]}"

    def order(self, side: Side, price: int, quantity: int, account: str = "bob", *, market: bool = False) -> int:
        """Enter an order in units and return its id."""
        kind = OrderType.MARKET if market else OrderType.LIMIT
        self.orders += 1
        client_id = f"order-{self.orders}"
        command = PlaceOrder(self.now_ns, account, self.name(), client_id, side, kind, quantity, 0 if market else price)
        result = self.do(command)
        assert result.order_id, result
        return result.order_id

    def wait(self, ms: int, step_ms: int = 10) -> None:
        """Let time pass in steps."""
        for _ in range(0, ms, step_ms):
            self.now_ns += step_ms * MS_NS
            self.surface.tick(self.now_ns)
            self.flush()

    def open(self, path: str, query: str = "") -> Line:
        self.lines += 1
        line = Line(self, path, query, self.lines)
        self.surface.open(line.connection)
        return line

    def call(
        self, method: str, path: str, query: str = "", body: str = "", key: str = "", client: str = "127.0.0.1"
    ) -> HttpAnswer:
        headers = {"x-mbx-apikey": key} if key else {}
        answer = self.surface.answer(HttpRequest(method, path, query, body, headers, client))
        self.flush()
        return answer

    def get(self, path: str, **params: object) -> Any:
        """Return the decoded answer of a public GET."""
        answer = self.call("GET", path, urlencode({k: str(v) for k, v in params.items()}))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    @property
    def now_ms(self) -> int:
        return self.now_ns // MS_NS


def signed(text: str, secret: str = SECRET) -> str:
    """Return the HMAC-SHA256 signature of a text in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
