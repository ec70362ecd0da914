"""How a client gets in: the range of versions, START_API, and what TWS says first; and what it may ask of the connection itself."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.connection_layouts import CURRENT_TIME, ERROR, MANAGED_ACCOUNTS, NEXT_VALID_ID
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.frame import encode_frame
from foxtrot.exchange.wire.ib.layout import NEWEST, OLDEST, FieldReader
from foxtrot.exchange.wire.ib.refusal import NO_REQUEST, VALIDATION
from foxtrot.exchange.wire.ib.venue_side import IbSide

START_API: Final = 71
IN_USE: Final = 326
PACED: Final = "+PACEAPI"
_RANGE: Final = re.compile(rb"v(\d{1,5})(?:\.\.(\d{1,5}))?( [ -~]{0,200})?", re.ASCII)
_MOST_ID: Final = 2**31 - 1


class Handshake:
    """Lets clients in, and answers what is about the connection itself.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it.
        send: the way out.
        clients: returns the open connections.
        welcome: tells a new client in what state the links are.
    """

    def __init__(
        self,
        side: IbSide,
        send: Send,
        clients: Callable[[], tuple[IbClient, ...]],
        welcome: Callable[[IbClient], None],
    ) -> None:
        self._side = side
        self._send = send
        self._clients = clients
        self._welcome = welcome

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81.
        """
        return {49: self._current_time, 8: self._ids, 17: self._managed_accounts, 14: self._log_level}

    def agree(self, client: IbClient, body: bytes) -> bool:
        """Choose a version from the range that a client speaks and tell it, alone; without one in common, end the connection.

        Source: TWS API documentation, Initial Connection; the reply stands alone because ibapi 9.81 loses what follows it.
        """
        told = _RANGE.fullmatch(body)
        if told is None:
            client.close()
            return False
        lowest = int(told[1])
        version = min(int(told[2] or lowest), max(OLDEST, min(self._side.settings.newest_version, NEWEST)))
        if version < max(OLDEST, lowest):
            client.close()
            return False
        client.version = version
        client.is_paced = PACED.encode() in (told[3] or b"").split()
        time = datetime.fromtimestamp(self._side.now_ns() / 1e9, UTC).strftime("%Y%m%d %H:%M:%S GMT")
        client.send(encode_frame((str(version), time)))
        return True

    def start(self, client: IbClient, reader: FieldReader) -> None:
        """Take START_API: the client's id; then tell accounts, the next order id and the state of the links.

        Source: TWS API documentation, Initial Connection; order of the messages as seen with ibapi 9.81 and ib_async.
        """
        reader.whole()
        client_id = reader.whole()
        if not 0 <= client_id <= _MOST_ID:
            self.refuse(client, VALIDATION, f"Error validating request: client id {client_id} must not be negative")
        elif any(one.client_id == client_id for one in self._clients() if one is not client):
            self.refuse(
                client, IN_USE, "Unable to connect as the client id is already in use. Retry with a unique client id."
            )
        else:
            client.client_id = client_id
            self._managed_accounts(client, reader)
            self._ids(client, reader)
            self._welcome(client)

    def refuse(self, client: IbClient, code: int, text: str) -> None:
        """Say why a client is not let in, and end the connection.

        Source: TWS API documentation, Error Codes (326); seen with ibapi 9.81.
        """
        self._send(client, ERROR, {"request_id": NO_REQUEST, "code": code, "text": text})
        client.close()

    def _current_time(self, client: IbClient, _reader: FieldReader) -> None:
        self._send(client, CURRENT_TIME, {"time": self._side.now_ns() // 1_000_000_000})

    def _ids(self, client: IbClient, _reader: FieldReader) -> None:
        self._send(client, NEXT_VALID_ID, {"order_id": self._side.next_order_id(client.client_id)})

    def _managed_accounts(self, client: IbClient, _reader: FieldReader) -> None:
        self._send(client, MANAGED_ACCOUNTS, {"accounts": ",".join(self._side.accounts)})

    def _log_level(self, _client: IbClient, reader: FieldReader) -> None:
        """Take how much TWS is to write into its own log, which nobody reads here."""
        reader.whole()
        reader.whole()
