"""The quote side of FutuOpenD on a venue without sockets: clients that keep what they were sent, a clock that is moved by hand."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.exchange.commands import (
    AddInstrument,
    AdvanceTime,
    CancelOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    VenueCommand,
)
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages
from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings
from foxtrot.exchange.wire.futu.quotes import Quotes
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from foxtrot.exchange.wire.futu.venue_side import FutuSide

SECOND_NS = 1_000_000_000
TENCENT, APPLE = (1, "00700"), (11, "AAPL")
_NAMES = {TENCENT: "00700.SEHK", APPLE: "AAPL.NASDAQ"}
_ZONES = {TENCENT: ZoneInfo("Asia/Hong_Kong"), APPLE: ZoneInfo("America/New_York")}


def at(key: tuple[int, str], text: str) -> int:
    """A market's local time in ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=_ZONES[key]).timestamp() * 1_000) * 1_000_000


T0_NS = at(TENCENT, "2026-03-10 10:00:00")
"""A Tuesday morning in Hong Kong."""


class Told(tuple[int, Any, str]):
    """One push: protocol id, S2C, key."""

    @property
    def proto_id(self) -> int:
        return self[0]

    @property
    def s2c(self) -> Any:
        return self[1]

    @property
    def key(self) -> str:
        return self[2]


class QuoteClient:
    """One connection, and what was pushed to it."""

    def __init__(self, rig: "QuoteRig", number: int) -> None:
        self.pushes: list[Told] = []
        self._rig = rig
        self.client = FutuClient(number, rig.now_ns, send=_never, push=_never, close=_never)

    def ask(self, proto_id: int, **fields: Any) -> Any:
        """Send a request made of fields and return the S2C, after which the pushes it caused are in `pushes`."""
        c2s = messages(PROTOCOLS[proto_id]).C2S(**fields)
        return self.send(proto_id, c2s)

    def send(self, proto_id: int, c2s: Any) -> Any:
        """Send a request."""
        request = messages(PROTOCOLS[proto_id]).Request()
        request.c2s.CopyFrom(c2s)
        request.SerializeToString()  # fails where a required field is missing
        s2c = self._rig.handlers[proto_id](self.client, request.c2s)
        if s2c is not None:
            s2c.SerializeToString()
        self._rig.quotes.after_answer(self.client, proto_id)
        return s2c

    def subscribe(self, keys: list[tuple[int, str]], types: list[int], **more: Any) -> list[Told]:
        """Subscribe with pushes as the SDK does, and return what was pushed first."""
        known = {"isSubOrUnSub": True, "isRegOrUnRegPush": True, "isFirstPush": True}
        self.take()
        self.ask(3001, securityList=securities(*keys), subTypeList=types, **(known | more))
        return self.take()

    def unsubscribe(self, keys: list[tuple[int, str]], types: list[int]) -> None:
        self.ask(3001, securityList=securities(*keys), subTypeList=types, isSubOrUnSub=False)

    def take(self) -> list[Told]:
        """Return the pushes since the last time."""
        taken, self.pushes[:] = list(self.pushes), []
        return taken


class QuoteRig:
    """A venue with the default listings, two rich accounts, and the quote side on it."""

    def __init__(
        self,
        now_ns: int = T0_NS,
        *,
        always_open: bool = False,
        limits: bool = True,
        settings: QuoteSettings | None = None,
    ) -> None:
        self.now_ns = now_ns
        self.events: list[VenueEvent] = []
        self.venue = Venue(self.events.append)
        for instrument in default_listings():
            self.venue.execute(AddInstrument(now_ns, instrument))
        for account in ("alice", "bob"):
            self.venue.execute(OpenAccount(now_ns, account, allow_short=True))
            for asset in ("HKD", "USD", "00700", "AAPL"):
                self.venue.execute(Deposit(now_ns, account, asset, Decimal(1_000_000_000)))
        self.clients = 0
        self._orders = 0
        self._held: dict[int, QuoteClient] = {}
        self.side = FutuSide(self.venue, lambda: self.now_ns, FutuSettings(always_open=always_open, limits=limits))
        self.quotes = Quotes(self.side, self._push, settings)
        self.handlers = self.quotes.handlers()
        self.flush()

    def open(self) -> QuoteClient:
        self.clients += 1
        found = self._held[self.clients] = QuoteClient(self, self.clients)
        return found

    def close(self, client: QuoteClient) -> None:
        del self._held[client.client.number]
        self.quotes.closed(client.client)

    def flush(self) -> None:
        """Hand the venue's events to the quote side, as the server does after every operation."""
        while self.events:
            self.quotes.on_event(self.events.pop(0))

    def do(self, command: VenueCommand) -> CommandResult:
        result = self.venue.execute(command)
        self.flush()
        return result

    def order(self, key: tuple[int, str], side: Side, price: float, quantity: int, account: str = "alice") -> int:
        """Enter a limit order and return its id."""
        self._orders += 1
        units = self.side.stocks()[key].price_units(price)
        name = f"order-{self._orders}"
        command = PlaceOrder(
            self.now_ns,
            account,
            _NAMES[key],
            name,
            side,
            OrderType.LIMIT,
            quantity,
            units,
            time_in_force=TimeInForce.GTC,
        )
        result = self.do(command)
        assert result.order_id, result
        return result.order_id

    def cancel(self, key: tuple[int, str], order_id: int, account: str = "alice") -> None:
        self.do(CancelOrder(self.now_ns, account, _NAMES[key], order_id))

    def trade(self, key: tuple[int, str], price: float, quantity: int, aggressor: Side = Side.BUY) -> None:
        """Let one trade happen on an empty book."""
        passive = Side.SELL if aggressor is Side.BUY else Side.BUY
        self.order(key, passive, price, quantity, "bob")
        self.order(key, aggressor, price, quantity)

    def go_to(self, now_ns: int) -> None:
        """Move the clock."""
        self.now_ns = now_ns
        self.do(AdvanceTime(now_ns))
        self.quotes.tick(now_ns)

    def wait(self, seconds: float) -> None:
        self.go_to(self.now_ns + int(seconds * SECOND_NS))

    def _push(self, client: FutuClient, proto_id: int, s2c: Any, key: str) -> None:
        response = messages(PROTOCOLS[proto_id]).Response(retType=0)
        response.s2c.CopyFrom(s2c)
        response.SerializeToString()
        self._held[client.number].pushes.append(Told((proto_id, response.s2c, key)))


def securities(*keys: tuple[int, str]) -> list[Any]:
    """Securities as requests name them."""
    common = messages("Qot_Common")
    return [common.Security(market=market, code=code) for market, code in keys]


def _never(*_: Any) -> None:
    raise AssertionError("pushes go through the rig")
