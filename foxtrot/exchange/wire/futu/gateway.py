"""How a request gets in: handshake first, then body, then its handler; how answers and pushes get out."""

from collections.abc import Callable
from typing import Any, Final

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.endpoint import FutuPart, Handler, LocksTrading
from foxtrot.exchange.wire.futu.frame import PROTOBUF, Frame, digest_of, encode_frame
from foxtrot.exchange.wire.futu.handshake import INIT_CONNECT, Handshake
from foxtrot.exchange.wire.futu.message_types import answer_bytes, refusal_bytes, request_of
from foxtrot.exchange.wire.futu.refusal import FAILED, INVALID, FutuRefused
from foxtrot.exchange.wire.futu.venue_side import FutuSide

_PLACE_ORDER: Final = 2202
_TRADE_IDS: Final = range(2000, 3000)
_QUOTE_IDS: Final = range(3000, 4000)


class FutuGateway:
    """Everything that speaks FutuOpenD's protocol. Pure: frames in, bytes out.

    Events of the venue must be handed to `on_event` after every operation, before the next one; `tick` moves what depends on time.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it; parts that answer about it are added with `add`.
    """

    def __init__(self, side: FutuSide) -> None:
        self.side = side
        self.clients: dict[int, FutuClient] = {}
        self.on_order: Callable[[str, str], None] = lambda _account, _remark: None
        """Hears of every order request before anybody judges it: the account of the venue, and the customer's mark."""
        self._handshake = Handshake(side, self.push)
        self._parts: list[FutuPart] = []
        self._handlers: dict[int, tuple[FutuPart, Handler]] = {}
        self.add(self._handshake)

    def add(self, part: FutuPart) -> None:
        """Let a part answer what it answers.

        Source: none; Foxtrot's own assembly.
        """
        self._parts.append(part)
        self._handlers |= {proto_id: (part, handler) for proto_id, handler in part.handlers().items()}

    def knows(self, proto_id: int) -> bool:
        """Tell whether somebody answers a protocol id.

        Source: Futu OpenAPI documentation, Protocol ID Introduction.
        """
        return proto_id in self._handlers

    # --- connections ------------------------------------------------------------------------------------------------

    def open(self, client: FutuClient) -> None:
        """Hear that a connection was accepted.

        Source: Futu OpenAPI documentation, Protocol Introduction (protocol interaction process).
        """
        self.clients[client.number] = client

    def closed(self, client: FutuClient) -> None:
        """Hear that a connection is gone.

        Source: none; Foxtrot's own clean-up.
        """
        if self.clients.pop(client.number, None) is not None:
            for part in self._parts:
                part.closed(client)

    def receive(self, client: FutuClient, frame: Frame) -> None:
        """Answer one request, then push what it causes.

        Source: Futu OpenAPI documentation, Protocol Introduction (response structure).
        """
        try:
            plain = self._plain(client, frame)
            part, handler = self._handler(client, frame.proto_id)
            c2s = request_of(frame.proto_id, plain)
            if frame.proto_id == _PLACE_ORDER:
                account = self.side.accounts.get(c2s.header.accID)
                self.on_order("" if account is None else account.account, str(c2s.remark))
            s2c = handler(client, c2s)
        except FutuRefused as refused:
            self.refuse(client, frame, refused)
        else:
            self._answer(client, frame, answer_bytes(frame.proto_id, s2c))
            part.after_answer(client, frame.proto_id)

    def refuse(self, client: FutuClient, frame: Frame, refused: FutuRefused) -> None:
        """Answer a request with a refusal.

        Source: Futu OpenAPI documentation, Protocol Introduction (response structure).
        """
        self._answer(client, frame, refusal_bytes(refused.ret_type, refused.message, refused.code))

    def push(self, client: FutuClient, proto_id: int, s2c: Any, key: str = "") -> None:
        """Send a push; of two with the same key the older one may be dropped while the client reads slowly.

        Source: Futu OpenAPI documentation, Protocol Introduction (push).
        """
        plain = answer_bytes(proto_id, s2c)
        client.push_serial += 1
        wire = None if client.cipher is None else client.cipher.encrypt(plain)
        data = encode_frame(proto_id, client.push_serial, plain, wire)
        if key:
            client.push(data, key)
        else:
            client.send(data)

    # --- the venue --------------------------------------------------------------------------------------------------

    def on_event(self, event: VenueEvent) -> None:
        """Tell the parts of an event of the venue.

        Source: none; Foxtrot's own distribution.
        """
        for part in self._parts:
            part.on_event(event)

    def tick(self, now_ns: int) -> None:
        """Let the parts do what is due.

        Source: none; Foxtrot's own clock.
        """
        for part in self._parts:
            part.tick(now_ns)

    def lock_trade(self) -> None:
        """Lock trading on all REAL accounts, as OpenD does by itself after a while or when it is told by hand.

        Source: Futu OpenAPI documentation, Unlock Trade: the state is OpenD's.
        """
        for part in self._parts:
            if isinstance(part, LocksTrading):
                part.lock()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _plain(self, client: FutuClient, frame: Frame) -> bytes:
        """Return the plain body of a request."""
        if frame.body_format != PROTOBUF:
            raise FutuRefused("bodies in JSON are not served; use Protobuf (the SDK's default)", INVALID)
        if frame.proto_id == INIT_CONNECT:
            return self._handshake.plain_of(client, frame)
        if not client.conn_id:
            raise FutuRefused("InitConnect must come first")
        plain = frame.body
        if client.cipher is not None:
            try:
                plain = client.cipher.decrypt(frame.body)
            except ValueError:
                raise FutuRefused("the body is not encrypted with this connection's key", INVALID) from None
        if digest_of(plain) != frame.digest:
            raise FutuRefused("the SHA-1 of the header is not that of the body", INVALID)
        return plain

    def _handler(self, client: FutuClient, proto_id: int) -> tuple[FutuPart, Handler]:
        found = self._handlers.get(proto_id)
        if found is None:
            raise FutuRefused(f"Unknown protocol ID {proto_id}")
        is_cut_off = (proto_id in _QUOTE_IDS and not self.side.quote_is_up) or (
            proto_id in _TRADE_IDS and not self.side.trade_is_up
        )
        if is_cut_off:
            raise FutuRefused("Network interruption: OpenD is not connected to its server", FAILED)
        return found

    def _answer(self, client: FutuClient, frame: Frame, plain: bytes) -> None:
        wire = None
        if frame.proto_id == INIT_CONNECT:
            wire = self._handshake.sealed(client, plain)
        elif client.cipher is not None:
            wire = client.cipher.encrypt(plain)
        client.send(encode_frame(frame.proto_id, frame.serial, plain, wire))
