"""How a request gets in: versions first, then START_API, then its handler; and how messages get out."""

from collections.abc import Callable, Mapping
from typing import Final

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.connection_layouts import CURRENT_TIME, ERROR, MANAGED_ACCOUNTS, NEXT_VALID_ID
from foxtrot.exchange.wire.ib.connectivity import Connectivity
from foxtrot.exchange.wire.ib.endpoint import ForgetsData, Handler, IbPart
from foxtrot.exchange.wire.ib.frame import BadFrame, encode_frame, fields_of
from foxtrot.exchange.wire.ib.handshake import START_API, Handshake
from foxtrot.exchange.wire.ib.layout import FieldReader, Layout, Value, texts_of
from foxtrot.exchange.wire.ib.limits import TOO_MANY
from foxtrot.exchange.wire.ib.refusal import NO_REQUEST, VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbSide

PLACE_ORDER: Final = 3
_OWN: Final = frozenset(one.message_id for one in (NEXT_VALID_ID, MANAGED_ACCOUNTS, CURRENT_TIME))
"""What TWS knows without its link to IB's servers."""
_LONGEST_ID: Final = 9
_ACCOUNT_AT, _ORDER_REF_AT = 23, 26
"""Where an order request has its account and its mark, in all versions that are served."""


class IbGateway:
    """Everything that speaks TWS's protocol. Pure: bodies of messages in, bytes out.

    Events of the venue must be handed to `on_event` after every operation, before the next one; `tick` moves what depends on time.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it; parts that answer about it are added with `add`.
    """

    def __init__(self, side: IbSide) -> None:
        self.side = side
        self.clients: dict[int, IbClient] = {}
        self.on_order: Callable[[str, str], None] = lambda _account, _order_ref: None
        """Hears of every order request before anybody judges it: the account of the venue, and the customer's mark (orderRef)."""
        self.connectivity = Connectivity(side, self.started, self._notify, self._forget_data)
        self._handshake = Handshake(side, self.send, self.started, self.connectivity.welcome)
        self._parts: list[IbPart] = []
        self._handlers: dict[int, Handler] = {}
        self.answer(self._handshake.handlers())

    def add(self, part: IbPart) -> None:
        """Let a part answer what it answers, hear the venue, and publish.

        Source: none; Foxtrot's own assembly.
        """
        self._parts.append(part)
        self.answer(part.handlers())

    def answer(self, handlers: Mapping[int, Handler]) -> None:
        """Let requests be answered, by message id.

        Source: none; Foxtrot's own assembly.
        """
        self._handlers |= handlers

    def knows(self, message_id: int) -> bool:
        """Tell whether somebody answers a message id.

        Source: EClient of ibapi 9.81.
        """
        return message_id == START_API or message_id in self._handlers

    def started(self) -> tuple[IbClient, ...]:
        """Return the connections whose START_API has come.

        Source: TWS API documentation, Initial Connection.
        """
        return tuple(one for one in self.clients.values() if one.is_started)

    # --- connections ------------------------------------------------------------------------------------------------

    def open(self, client: IbClient) -> None:
        """Hear that a connection was accepted; TWS says nothing before the client has.

        Source: TWS API documentation, Initial Connection.
        """
        self.clients[client.number] = client

    def closed(self, client: IbClient) -> None:
        """Hear that a connection is gone.

        Source: none; Foxtrot's own clean-up.
        """
        if self.clients.pop(client.number, None) is not None:
            for part in self._parts:
                part.closed(client)
            client.client_id = -1  # last: the parts may still want to know whose connection it was

    def receive(self, client: IbClient, body: bytes) -> None:
        """Take the body of one message: first the range of versions, then START_API, then requests.

        Source: TWS API documentation, Initial Connection.
        """
        if not client.version:
            self._handshake.agree(client, body)
            return
        try:
            texts = fields_of(body)
        except BadFrame as bad:
            self._unreadable(client, f"Error validating request: {bad}")
            return
        message_id, reader = _message_id(texts[0]), FieldReader(texts[1:])
        if not client.is_started:
            self._begin(client, message_id, reader)
        elif self._may_ask(client):
            self._answer(client, message_id, reader, texts)

    def send(self, client: IbClient, of: Layout, values: Mapping[str, Value], key: str = "") -> None:
        """Send a message; under a key, a newer one may take its place while the client reads slowly.

        While TWS has no link to IB's servers nothing leaves but what it knows by itself.

        Source: EDecoder of ibapi 9.81; TWS API documentation, System Messages (1100).
        """
        is_own = of.message_id in _OWN or (of is ERROR and values.get("request_id") == NO_REQUEST)
        if self.side.upstream == "lost" and not is_own:
            return
        data = encode_frame(texts_of(of, client.version, values))
        if key:
            client.push(data, key)
        else:
            client.send(data)

    def error(self, client: IbClient, request_id: int, code: int, text: str) -> None:
        """Tell a client an error, or a notice; -1 where it belongs to no request.

        Source: TWS API documentation, Error Handling.
        """
        self.send(client, ERROR, {"request_id": request_id, "code": code, "text": text})

    def refuse_start(self, client: IbClient, code: int, text: str) -> None:
        """Say why a client is not let in, and end the connection.

        Source: TWS API documentation, Error Codes (326).
        """
        self._handshake.refuse(client, code, text)

    # --- the venue --------------------------------------------------------------------------------------------------

    def on_event(self, event: VenueEvent) -> None:
        """Tell the parts of an event of the venue.

        Source: none; Foxtrot's own distribution.
        """
        for part in self._parts:
            part.on_event(event)

    def tick(self, now_ns: int) -> None:
        """Let the parts do what is due; what tells market data has nothing due while none flows.

        Source: none; Foxtrot's own clock.
        """
        for part in self._parts:
            if self.side.tells_data or not isinstance(part, ForgetsData):
                part.tick(now_ns)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, client: IbClient, message_id: int, reader: FieldReader) -> None:
        if message_id != START_API:
            client.close()
            return
        try:
            self._handshake.start(client, reader)
        except IbRefused as refused:
            self.refuse_start(client, refused.code, refused.text)

    def _may_ask(self, client: IbClient) -> bool:
        """Tell whether a message is within the rate that TWS allows."""
        now_ns = self.side.now_ns()
        if client.rate.is_within(now_ns) or client.is_paced or not self.side.settings.limits:
            return True
        text = client.rate.warn(now_ns)
        if text:
            self.error(client, NO_REQUEST, TOO_MANY, text)
        if client.rate.is_hopeless:
            client.close()
        return False

    def _answer(self, client: IbClient, message_id: int, reader: FieldReader, texts: list[str]) -> None:
        handler = self._handlers.get(message_id)
        if handler is None:
            text = f"Error validating request: message {texts[0][:40]} is not supported"
            self.error(client, NO_REQUEST, VALIDATION, text)
            return
        if message_id == PLACE_ORDER and len(texts) > _ORDER_REF_AT:
            self._note_order(client, texts)
        try:
            handler(client, reader)
        except IbRefused as refused:
            request_id = NO_REQUEST if refused.request_id is None else refused.request_id
            self.error(client, request_id, refused.code, refused.text)

    def _note_order(self, client: IbClient, texts: list[str]) -> None:
        """Note the id that an order uses, and its mark, whatever becomes of it."""
        self.side.note_order_id(client.client_id, _message_id(texts[1]))
        seen = self.side.accounts
        only = next(iter(seen)) if len(seen) == 1 else ""
        account = seen.get(texts[_ACCOUNT_AT] or only)
        self.on_order("" if account is None else account.account, texts[_ORDER_REF_AT])

    def _unreadable(self, client: IbClient, text: str) -> None:
        """Tell a client that a message of it is none; before START_API there is nobody to tell."""
        if client.is_started:
            self.error(client, NO_REQUEST, VALIDATION, text)
        else:
            client.close()

    def _notify(self, client: IbClient, code: int, text: str) -> None:
        self.error(client, NO_REQUEST, code, text)

    def _forget_data(self) -> None:
        for part in self._parts:
            if isinstance(part, ForgetsData):
                part.data_lost()


def _message_id(text: str) -> int:
    """Return a field as a whole number, -1 where it is none."""
    return int(text) if len(text) <= _LONGEST_ID + 1 and text.isascii() and text.isdecimal() else -1
