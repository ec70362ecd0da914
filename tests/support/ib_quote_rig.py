"""The market data of TWS's surface on a venue without sockets: clients that keep what they were sent, a clock that is moved by hand."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import (
    AddInstrument,
    AdvanceTime,
    CancelOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    VenueCommand,
)
from foxtrot.exchange.dated_listings import ib_listings
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import listing
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.gateway import IbGateway
from foxtrot.exchange.wire.ib.quotes import Quotes
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from foxtrot.exchange.wire.ib.venue_side import IbSide

SECOND_NS: Final = 1_000_000_000
NEW_YORK: Final = ZoneInfo("America/New_York")
AAPL, EURUSD, TENCENT = "AAPL.NASDAQ", "EURUSD.IDEALPRO", "00700.SEHK"
APPLE: Final = (0, "AAPL", "STK", "", "0.0", "", "", "SMART", "", "USD", "", "")
APPLE_DIRECT: Final = (0, "AAPL", "STK", "", "0.0", "", "", "NASDAQ", "", "USD", "", "")
EURO: Final = (0, "EUR", "CASH", "", "0.0", "", "", "IDEALPRO", "", "USD", "", "")
INDEX: Final = (0, "ES", "FUT", "202603", "0.0", "", "", "CME", "", "USD", "", "")
ES: Final = "ESH6.CME"


def new_york(text: str) -> int:
    """New York's local time in ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * SECOND_NS


T0_NS: Final = new_york("2026-03-10 10:00:00")
"""A Tuesday morning in New York: 14:00:00 UTC."""


class QuoteClient:
    """One connection, and what was sent to it."""

    def __init__(self, rig: "QuoteRig", number: int, version: int = 157) -> None:
        self.told: list[list[str]] = []
        self.is_slow = False
        self.is_closed = False
        self._rig = rig
        self.link = IbClient(
            number, rig.now_ns, send=self._take, push=self._push, close=self._close, is_slow=lambda: self.is_slow
        )
        rig.gateway.open(self.link)
        rig.gateway.receive(self.link, f"v100..{version}".encode())
        self._ask(71, 2, number, "")
        self.told.clear()

    def ask(self, *fields: object) -> list[list[str]]:
        """Send a request and return what was sent back at once."""
        self.told.clear()
        self._ask(*fields)
        return self.take()

    def take(self, message_id: int | None = None) -> list[list[str]]:
        """Return what was sent since the last time, of one kind of message or of all."""
        taken, self.told[:] = list(self.told), []
        return [fields for fields in taken if message_id in (None, int(fields[0]))]

    def _ask(self, *fields: object) -> None:
        self._rig.gateway.receive(self.link, b"".join(str(field).encode() + b"\0" for field in fields))
        self._rig.settle()

    def _take(self, data: bytes) -> None:
        assert int.from_bytes(data[:4], "big") == len(data) - 4
        self.told.append(data[4:-1].decode("ascii").split("\0"))

    def _push(self, data: bytes, _key: str) -> None:
        self._take(data)

    def _close(self) -> None:
        self.is_closed = True


class QuoteRig:
    """A venue with what IB's clients see, two rich accounts, and the market data side on it."""

    def __init__(self, now_ns: int = T0_NS, settings: IbSettings | None = None) -> None:
        self.now_ns = now_ns
        self.events: list[VenueEvent] = []
        self.venue = Venue(self.events.append)
        for instrument in (listing(AAPL), listing(TENCENT), *ib_listings(now_ns)):
            self.venue.execute(AddInstrument(now_ns, instrument))
        for account in ("alice", "bob"):
            self.venue.execute(OpenAccount(now_ns, account, allow_short=True))
            for asset in ("HKD", "USD", "EUR", "00700", "AAPL"):
                self.venue.execute(Deposit(now_ns, account, asset, Decimal(1_000_000_000)))
        self.events.clear()
        self.side = IbSide(self.venue, lambda: self.now_ns, settings or IbSettings())
        self.gateway = IbGateway(self.side)
        self.quotes = Quotes(self.side, self.gateway.send)
        self.gateway.add(self.quotes)
        self._clients = self._orders = 0

    def client(self, version: int = 157) -> QuoteClient:
        """A connection that has started."""
        self._clients += 1
        return QuoteClient(self, self._clients, version)

    def execute(self, command: VenueCommand) -> CommandResult:
        """Do a command, then tell its events to the surface."""
        result = self.venue.execute(command)
        self.settle()
        return result

    def settle(self) -> None:
        """Tell what happened."""
        told, self.events[:] = list(self.events), []
        for event in told:
            self.gateway.on_event(event)

    def rest(self, side: Side, price: str, quantity: int = 1, *, account: str = "alice", name: str = AAPL) -> int:
        """Rest an order and return its id."""
        instrument = self.instrument(name)
        self._orders += 1
        result = self.execute(
            PlaceOrder(
                self.now_ns, account, name, f"o{self._orders}", side, OrderType.LIMIT, quantity * instrument.lot_units,
                price=instrument.price_grid.from_decimal(price), time_in_force=TimeInForce.GTC,
            )
        )  # fmt: skip
        assert result.ok, result.message
        return result.order_id

    def cancel(self, order_id: int, *, account: str = "alice", name: str = AAPL) -> None:
        """Take an order out."""
        assert self.execute(CancelOrder(self.now_ns, account, name, order_id)).ok

    def trade(self, price: str, quantity: int = 1, *, name: str = AAPL, side: Side = Side.BUY) -> None:
        """Print a trade in which `side` took."""
        other = Side.SELL if side is Side.BUY else Side.BUY
        self.rest(other, price, quantity, name=name)
        self.rest(side, price, quantity, account="bob", name=name)

    def instrument(self, name: str) -> Instrument:
        """An instrument of the venue."""
        return next(one for one in self.venue.instruments() if one.instrument_id == name)

    def move_to(self, now_ns: int) -> None:
        """Let the clock stand at a moment; the venue and the surface hear of it."""
        self.now_ns = now_ns
        self.execute(AdvanceTime(now_ns))
        self.gateway.tick(now_ns)
        self.settle()

    def wait(self, seconds: float = 1.0) -> None:
        """Let time pass at once."""
        self.move_to(self.now_ns + int(seconds * SECOND_NS))


def prices_of(told: list[list[str]]) -> dict[int, float]:
    """The newest price of each tick type."""
    return {int(fields[3]): float(fields[4]) for fields in told if fields[0] == "1"}


def sizes_of(told: list[list[str]]) -> dict[int, int]:
    """The newest size of each tick type that was told alone."""
    return {int(fields[3]): int(fields[4]) for fields in told if fields[0] == "2"}


def texts_of(told: list[list[str]]) -> dict[int, str]:
    """The newest text or number of each tick type."""
    return {int(fields[3]): fields[4] for fields in told if fields[0] in ("45", "46")}


def error_of(told: list[list[str]]) -> tuple[int, int]:
    """Request and code of the one error that was told."""
    (only,) = [fields for fields in told if fields[0] == "4"]
    assert len(only) == 5
    return int(only[2]), int(only[3])
