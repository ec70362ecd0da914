"""Subscriptions: what each connection has asked for, in which it is refused, and who is to be pushed what."""

from typing import Any

import msgspec

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings, refused
from foxtrot.exchange.wire.futu.quote_quota import Slot, SlotTable
from foxtrot.exchange.wire.futu.quote_stocks import Stock, StockTable
from foxtrot.exchange.wire.futu.quote_times import SECOND_NS
from foxtrot.exchange.wire.futu.quote_types import FORWARD, KNOWN_SESSIONS, NAMES, REHABS, wants_extended


class Subscription(msgspec.Struct, gc=False):
    """One kind of data of one stock on one connection: since when, whether it is pushed, and how its K-lines are.

    Thread: exchange-io.
    """

    asked_ns: int
    is_pushed: bool = False
    rehabs: tuple[int, ...] = (FORWARD,)
    is_extended: bool = False


class SubscriptionDesk:
    """Handlers of Qot_Sub, Qot_RegQotPush and Qot_GetSubInfo.

    Thread: exchange-io.
    """

    def __init__(self, table: StockTable, settings: QuoteSettings) -> None:
        self._table = table
        self._side = table.side
        self._settings = settings
        self._is_strict = table.side.settings.limits
        self.slots = SlotTable(settings.subscription_quota)
        self._clients: dict[int, FutuClient] = {}
        self._first: dict[int, list[Slot]] = {}

    # --- handlers ---------------------------------------------------------------------------------------------------

    def sub(self, client: FutuClient, c2s: Any) -> Any:
        """Subscribe or unsubscribe every type for every security; all of it or nothing.

        Source: Qot_Sub.proto; Futu OpenAPI documentation, Subscribe and Unsubscribe.

        Raises:
            FutuRefused: unknown code or type, no right, no slot left, or younger than a minute.
        """
        if not c2s.isSubOrUnSub:
            self._unsubscribe(client, self._held(client) if c2s.isUnsubAll else self._slots(c2s))
            return None
        slots = self._slots(c2s)
        self._check_rights(c2s)
        if c2s.session not in KNOWN_SESSIONS:
            raise refused("bad_session", value=c2s.session)
        needed, left = self.slots.new(slots), self.slots.left
        if self._is_strict and needed > left:
            raise refused("subscription_quota", needed=needed, left=left)
        rehabs = _rehabs(c2s.regPushRehabTypeList)
        for slot in slots:
            self._subscribe(client, slot, c2s, rehabs)
        return None

    def reg_push(self, client: FutuClient, c2s: Any) -> Any:
        """Let what is subscribed be pushed, or no longer; what is not subscribed can only be let go.

        Source: Qot_RegQotPush.proto; seen with futu-api 10.11.7108: unsubscribing sends it afterwards.

        Raises:
            FutuRefused: unknown code or type, or not subscribed.
        """
        slots = self._slots(c2s)
        rehabs = _rehabs(c2s.rehabTypeList)
        if c2s.isRegOrUnReg:
            for slot in slots:
                if self.held(client, slot) is None:
                    raise refused("not_subscribed", code=self._code(slot[0]), kind=NAMES[slot[1]])
        for slot in slots:
            found = self.held(client, slot)
            if found is not None:
                found.is_pushed = c2s.isRegOrUnReg
                found.rehabs = rehabs
        if c2s.isRegOrUnReg and _is_first(c2s):
            self._first.setdefault(client.number, []).extend(slots)
        return None

    def info(self, client: FutuClient, c2s: Any, s2c: Any) -> Any:
        """Return what is subscribed, on this connection or on all, and the slots.

        Source: Qot_GetSubInfo.proto.
        """
        s2c.totalUsedQuota, s2c.remainQuota = self.slots.used, self.slots.left
        shown = list(self._clients.values()) if c2s.isReqAllConn else [client]
        for one in shown:
            held = self._held(one)
            if not held and one is not client:
                continue
            row = s2c.connSubInfoList.add(usedQuota=len(held), isOwnConnData=one is client)
            for kind in dict.fromkeys(slot[1] for slot in held):
                part = row.subInfoList.add(subType=kind)
                for key, sub_type in held:
                    if sub_type == kind:
                        part.securityList.add(market=key[0], code=key[1])
        return s2c

    # --- for the others ---------------------------------------------------------------------------------------------

    def held(self, client: FutuClient, slot: Slot) -> Subscription | None:
        """Return a connection's subscription, None when it has none.

        Source: none; a look-up of our own.
        """
        found = client.subscriptions.get(slot[0], {}).get(slot[1])
        return found if isinstance(found, Subscription) else None

    def check_held(self, client: FutuClient, stock: Stock, kind: int) -> None:
        """Refuse a request for live data that is not subscribed.

        Source: Futu OpenAPI documentation, Get Real-time Quote: it must be subscribed first.

        Raises:
            FutuRefused: it is not subscribed on this connection.
        """
        if self.held(client, (stock.key, kind)) is None:
            raise refused("subscribe_first", kind=NAMES[kind])

    def hearers(self, slot: Slot) -> list[tuple[FutuClient, Subscription]]:
        """Return who is to be pushed a kind of data of a stock.

        Source: Qot_Sub.proto, isRegOrUnRegPush.
        """
        found = ((client, self.held(client, slot)) for client in self.slots.clients(slot))
        return [(client, held) for client, held in found if held is not None and held.is_pushed]

    def take_first(self, client: FutuClient) -> list[Slot]:
        """Return what is to be pushed once now that the answer is out, and forget it.

        Source: Qot_Sub.proto, isFirstPush.
        """
        return list(dict.fromkeys(self._first.pop(client.number, ())))

    def closed(self, client: FutuClient) -> None:
        """Forget a connection; slots younger than a minute stay taken until they are that old.

        Source: Futu OpenAPI documentation, Q&A, Quote related, 4.
        """
        self._first.pop(client.number, None)
        now_ns = self._side.now_ns()
        for slot in self._held(client):
            held = self.held(client, slot)
            until_ns = 0 if held is None else held.asked_ns + self._settings.shortest_s * SECOND_NS
            self.slots.give_back(slot, client, until_ns if until_ns > now_ns else 0)
        client.subscriptions.clear()
        self._clients.pop(client.number, None)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _subscribe(self, client: FutuClient, slot: Slot, c2s: Any, rehabs: tuple[int, ...]) -> None:
        by_type = client.subscriptions.setdefault(slot[0], {})
        held = by_type.setdefault(slot[1], Subscription(self._side.now_ns()))
        held.is_extended = wants_extended(c2s)
        if c2s.HasField("isRegOrUnRegPush"):
            held.is_pushed = c2s.isRegOrUnRegPush
            held.rehabs = rehabs
        self._clients[client.number] = client
        self.slots.hold(slot, client)
        if held.is_pushed and _is_first(c2s):
            self._first.setdefault(client.number, []).append(slot)

    def _unsubscribe(self, client: FutuClient, slots: list[Slot]) -> None:
        now_ns = self._side.now_ns()
        for slot in slots:
            held = self.held(client, slot)
            age_s = self._settings.shortest_s if held is None else (now_ns - held.asked_ns) // SECOND_NS
            if self._is_strict and age_s < self._settings.shortest_s:
                raise refused("too_early", code=self._code(slot[0]), kind=NAMES[slot[1]], age=age_s)
        for slot in slots:
            by_type = client.subscriptions.get(slot[0], {})
            if by_type.pop(slot[1], None) is not None:
                self.slots.give_back(slot, client)
            if not by_type:
                client.subscriptions.pop(slot[0], None)

    def _slots(self, c2s: Any) -> list[Slot]:
        for kind in c2s.subTypeList:
            if kind not in NAMES:
                raise refused("bad_type", kind=kind, known=", ".join(f"{n} {name}" for n, name in NAMES.items()))
        if not c2s.securityList or not c2s.subTypeList:
            raise refused("no_security")
        keys = dict.fromkeys(self._table.find(security).key for security in c2s.securityList)
        return [(key, kind) for key in keys for kind in dict.fromkeys(c2s.subTypeList)]

    def _check_rights(self, c2s: Any) -> None:
        for security in c2s.securityList:
            if security.market not in self._settings.rights:
                raise refused("no_right_sub", code=security.code)

    def _held(self, client: FutuClient) -> list[Slot]:
        return [(key, kind) for key, by_type in client.subscriptions.items() for kind in by_type]

    def _code(self, key: tuple[int, str]) -> str:
        stock = self._table.by_key(key)
        return key[1] if stock is None else stock.full_code


def _is_first(c2s: Any) -> bool:
    return bool(c2s.isFirstPush) or not c2s.HasField("isFirstPush")


def _rehabs(asked: Any) -> tuple[int, ...]:
    for rehab in asked:
        if rehab not in REHABS:
            raise refused("bad_rehab", value=rehab)
    return tuple(dict.fromkeys(asked)) or (FORWARD,)
