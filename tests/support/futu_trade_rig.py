"""The trading side of FutuOpenD on a venue without sockets: two customers, their connections, and what each is told."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.domain.fees import load_preset
from foxtrot.exchange.commands import AddInstrument, AdvanceTime, Deposit, OpenAccount
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages
from foxtrot.exchange.wire.futu.refusal import FAILED, FutuRefused
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from foxtrot.exchange.wire.futu.trade_limits import FrequencyLimit
from foxtrot.exchange.wire.futu.trading import Trading
from foxtrot.exchange.wire.futu.venue_side import FIRST_REAL, FIRST_SIMULATE, FutuSide

REAL, SIMULATE = FIRST_REAL, FIRST_SIMULATE
BOB = FIRST_REAL + 1
HONG_KONG, NEW_YORK = ZoneInfo("Asia/Hong_Kong"), ZoneInfo("America/New_York")
HK, US = 1, 2
BUY, SELL = 1, 2
PLACE, MODIFY, ORDER_PUSH, FILL_PUSH = 2202, 2205, 2208, 2218
_FEES = {"SEHK": "futu_hk", "NASDAQ": "futu_us"}


def local(zone: ZoneInfo, text: str) -> int:
    """A moment in ns by its local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000) * 1_000_000


T0_NS = local(HONG_KONG, "2026-03-10 10:00:00")
"""A Tuesday morning in Hong Kong; New York sleeps."""


class TradeRig:
    """Alice, who is the first account, and Bob, who owns stocks; each has a million HKD and a million USD.

    Thread: the test's.
    """

    def __init__(
        self,
        now_ns: int = T0_NS,
        *,
        always_open: bool = True,
        limits: Mapping[int, FrequencyLimit] | None = None,
        fees: bool = False,
        allow_short: bool = False,
    ) -> None:
        self.now_ns = now_ns
        self.queue: list[VenueEvent] = []
        self.log: list[tuple[str, int, int, Any]] = []
        self.venue = Venue(self.queue.append)
        for instrument in default_listings():
            schedule = load_preset(_FEES[instrument.venue]) if fees and instrument.venue in _FEES else None
            self.venue.execute(AddInstrument(now_ns, instrument, fees=schedule))
        self.side = FutuSide(self.venue, lambda: self.now_ns, FutuSettings(always_open=always_open, limits=False))
        for name in ("alice", "bob"):
            for account in self.side.add_account(name):
                self.venue.execute(OpenAccount(now_ns, account.account, allow_short=allow_short))
                for asset in ("HKD", "USD"):
                    self.venue.execute(Deposit(now_ns, account.account, asset, Decimal(1_000_000)))
        for stock in ("00700", "AAPL"):
            self.venue.execute(Deposit(now_ns, "bob", stock, Decimal(1_000_000)))
        self.trading = Trading(self.side, self._push, limits)
        self.handlers = self.trading.handlers()
        self.serial = 0
        self.clients: list[FutuClient] = []
        self.client = self.connect()
        self.queue.clear()

    def connect(self) -> FutuClient:
        """Open a connection that has said InitConnect."""
        client = FutuClient(len(self.clients) + 1, self.now_ns, send=_never, push=_never, close=_never)
        client.conn_id = 7000 + client.number
        self.clients.append(client)
        return client

    def _push(self, client: FutuClient, proto_id: int, s2c: Any, key: str) -> None:
        assert not key, "an order or fill push is never dropped for a newer one"
        response = messages(PROTOCOLS[proto_id]).Response(retType=0)
        response.s2c.CopyFrom(s2c)
        response.SerializeToString()
        self.log.append(("push", client.number, proto_id, s2c))

    def pump(self) -> None:
        """Hand over what the venue told, as the server does after each operation."""
        while self.queue:
            self.trading.on_event(self.queue.pop(0))

    def send(self, proto_id: int, c2s: Any, client: FutuClient | None = None) -> Any:
        """Send a request and return its answer; what it caused is told after it."""
        asking = client or self.client
        request = messages(PROTOCOLS[proto_id]).Request()
        request.c2s.CopyFrom(c2s)
        request.SerializeToString()
        try:
            s2c = self.handlers[proto_id](asking, request.c2s)
            if s2c is not None:
                s2c.SerializeToString()
            self.log.append(("answer", asking.number, proto_id, s2c))
            self.trading.after_answer(asking, proto_id)
        finally:
            self.pump()
        return s2c

    def new(self, proto_id: int) -> Any:
        """Return an empty C2S."""
        return messages(PROTOCOLS[proto_id]).C2S()

    def asked(self, proto_id: int, acc_id: int = REAL, market: int = HK) -> Any:
        """Return a C2S with its header filled in."""
        c2s = self.new(proto_id)
        c2s.header.trdEnv, c2s.header.accID, c2s.header.trdMarket = int(acc_id >= REAL), acc_id, market
        return c2s

    def refusal(self, proto_id: int, c2s: Any, client: FutuClient | None = None) -> str:
        """Return the text with which a request is refused."""
        with pytest.raises(FutuRefused) as refused:
            self.send(proto_id, c2s, client)
        assert refused.value.ret_type == FAILED
        return refused.value.message

    def unlock(self) -> None:
        """Unlock trading on all REAL accounts."""
        c2s = self.new(2005)
        c2s.unlock, c2s.pwdMD5 = True, self.side.accounts[REAL].password_md5
        self.send(2005, c2s)

    def listen(self, *acc_ids: int, client: FutuClient | None = None) -> None:
        """Subscribe a connection to accounts."""
        c2s = self.new(2008)
        c2s.accIDList.extend(acc_ids)
        self.send(2008, c2s, client)

    def order(self, acc_id: int = REAL, code: str = "00700", **fields: Any) -> Any:
        """Return the C2S of an order: a limit buy of 100 at 400 of Tencent, of 10 at 200 of Apple, unless told otherwise."""
        market = HK if code == "00700" else US
        c2s = self.asked(PLACE, acc_id, market)
        self.serial += 1
        c2s.packetID.connID, c2s.packetID.serialNo = self.client.conn_id, self.serial
        base = {
            "trdSide": BUY,
            "orderType": 1,
            "qty": 100 if market == HK else 10,
            "price": 400 if market == HK else 200,
        }
        for name, value in (base | {"secMarket": market, "timeInForce": 0} | fields).items():
            setattr(c2s, name, value)
        c2s.code = code
        return c2s

    def place(self, acc_id: int = REAL, code: str = "00700", **fields: Any) -> str:
        """Enter an order and return its extended id."""
        return str(self.send(PLACE, self.order(acc_id, code, **fields)).orderIDEx)

    def refused(self, acc_id: int = REAL, code: str = "00700", **fields: Any) -> str:
        """Return the text with which an order is refused."""
        return self.refusal(PLACE, self.order(acc_id, code, **fields))

    def change(self, order_id: str = "", acc_id: int = REAL, operation: int = 2, **fields: Any) -> Any:
        """Return the C2S that cancels an order, or modifies it."""
        c2s = self.asked(MODIFY, acc_id)
        self.serial += 1
        c2s.packetID.connID, c2s.packetID.serialNo = self.client.conn_id, self.serial
        c2s.orderID, c2s.orderIDEx, c2s.modifyOrderOp = 0, order_id, operation
        for name, value in fields.items():
            setattr(c2s, name, value)
        return c2s

    def cancel(self, order_id: str, acc_id: int = REAL) -> Any:
        return self.send(MODIFY, self.change(order_id, acc_id))

    def row(self, order_id: str, acc_id: int = REAL) -> Any:
        """Return an order as the order list has it."""
        c2s = self.asked(2201, acc_id)
        c2s.filterConditions.orderIDExList.append(order_id)
        (row,) = self.send(2201, c2s).orderList
        return row

    def told(self, proto_id: int, client: FutuClient | None = None) -> list[Any]:
        """Return the pushes of a connection of one kind."""
        number = (client or self.client).number
        return [s2c for kind, who, what, s2c in self.log if (kind, who, what) == ("push", number, proto_id)]

    def path(self, client: FutuClient | None = None) -> list[int]:
        """Return the statuses of the order pushes of a connection."""
        return [s2c.order.orderStatus for s2c in self.told(ORDER_PUSH, client)]

    def go_to(self, now_ns: int) -> None:
        """Let time pass."""
        self.now_ns = now_ns
        self.venue.execute(AdvanceTime(now_ns))
        self.pump()
        self.trading.tick(now_ns)
        self.pump()


def _never(*_: Any) -> None:
    raise AssertionError("pushes go through the rig")
