"""The connection's own requests: InitConnect, KeepAlive, global state, user info; and the notices it is sent by itself."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.futu.cipher import Cipher
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.endpoint import Handler, Push
from foxtrot.exchange.wire.futu.frame import Frame, digest_of
from foxtrot.exchange.wire.futu.futu_hours import HK, SH, SZ, US, Phase
from foxtrot.exchange.wire.futu.message_types import messages, new_answer
from foxtrot.exchange.wire.futu.quote_limits import QUOTE_RIGHTS
from foxtrot.exchange.wire.futu.refusal import INVALID, FutuRefused
from foxtrot.exchange.wire.futu.rsa_blocks import RsaBlocks
from foxtrot.exchange.wire.futu.venue_side import FutuSide

INIT_CONNECT, GET_GLOBAL_STATE, NOTIFY, KEEP_ALIVE, GET_USER_INFO = 1001, 1002, 1003, 1004, 1005
SERVER_VERSION: Final = 1011
BUILD: Final = 7108
USER_ID: Final = 10_000_001
READY: Final = 10
_NO_ENCRYPTION, _AES_CBC = -1, 2
_CONNECT_STATUS: Final = 3
_SECOND_NS: Final = 1_000_000_000
_FIRST_CONN_ID: Final = 7_000_000_000_000
STATES: Final[dict[Phase, int]] = {
    "auction": 1, "morning": 3, "rest": 4, "afternoon": 5, "closed": 6, "pre": 8, "after": 10,
}  # fmt: skip
"""Phase → QotMarketState."""


class Handshake:
    """Opens connections and answers what concerns OpenD itself.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it.
        push: sends a push.
    """

    def __init__(self, side: FutuSide, push: Push) -> None:
        self._side = side
        self._push = push
        self._rsa = RsaBlocks(side.settings.rsa_key) if side.settings.rsa_key else None
        self._wants_cipher: set[int] = set()
        self._clients: dict[int, FutuClient] = {}
        self._given = 0
        self._told = (True, True)

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by protocol id.

        Source: Futu OpenAPI documentation, Protocol ID Introduction.
        """
        return {
            INIT_CONNECT: self._init_connect,
            GET_GLOBAL_STATE: self._global_state,
            KEEP_ALIVE: self._keep_alive,
            GET_USER_INFO: self._user_info,
        }

    # --- encryption of the handshake --------------------------------------------------------------------------------

    def plain_of(self, client: FutuClient, frame: Frame) -> bytes:
        """Return the body of an InitConnect, which a client with a key file encrypts with RSA.

        Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process); a client that is not to
            encrypt does so all the same once it has a key file, seen with futu-api 10.11.7108.

        Raises:
            FutuRefused: it is encrypted with another key, or its digest is not its own.
        """
        if digest_of(frame.body) == frame.digest:
            return frame.body
        if self._rsa is None:
            raise FutuRefused("InitConnect is encrypted and this server has no RSA key; give it the client's", INVALID)
        try:
            plain = self._rsa.decrypt(frame.body)
        except ValueError:
            raise FutuRefused("InitConnect is not encrypted with this server's RSA key", INVALID) from None
        if digest_of(plain) != frame.digest:
            raise FutuRefused("the SHA-1 of the header is not that of the body", INVALID)
        return plain

    def sealed(self, client: FutuClient, plain: bytes) -> bytes | None:
        """Return the answer to an InitConnect as it is sent, None where that is the plain one.

        Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
        """
        if client.cipher is None or self._rsa is None:
            return None
        return self._rsa.encrypt(plain)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _init_connect(self, client: FutuClient, c2s: Any) -> Any:
        algorithm = c2s.packetEncAlgo if c2s.HasField("packetEncAlgo") else _NO_ENCRYPTION
        if algorithm not in (_NO_ENCRYPTION, _AES_CBC):
            raise FutuRefused(f"packetEncAlgo {algorithm} is not served; use -1 (none) or 2 (AES-CBC)", INVALID)
        if algorithm == _AES_CBC and self._rsa is None:
            raise FutuRefused("this server has no RSA key, so nothing can be encrypted; give it the client's", INVALID)
        if not client.conn_id:
            self._given += 1
            client.conn_id = _FIRST_CONN_ID + self._given
        client.hears_notices = bool(c2s.recvNotify)
        self._clients[client.number] = client
        secret = self._secret(client)
        s2c = new_answer(INIT_CONNECT)
        s2c.serverVer, s2c.loginUserID, s2c.connID = SERVER_VERSION, USER_ID, client.conn_id
        s2c.connAESKey, s2c.keepAliveInterval = secret[:16], self._side.settings.keep_alive_s
        if algorithm == _AES_CBC:
            s2c.aesCBCiv = secret[16:32]
            client.cipher = Cipher(secret[:16], secret[16:32])
        return s2c

    def _secret(self, client: FutuClient) -> str:
        """Return what nobody can know who does not have the RSA key, another one for each connection."""
        key, text = self._side.settings.rsa_key.encode(), f"{client.conn_id} {client.opened_ns}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest().upper()

    def _keep_alive(self, _client: FutuClient, _c2s: Any) -> Any:
        s2c = new_answer(KEEP_ALIVE)
        s2c.time = self._side.now_ns() // _SECOND_NS
        return s2c

    def _global_state(self, client: FutuClient, _c2s: Any) -> Any:
        now_ns = self._side.now_ns()
        s2c = new_answer(GET_GLOBAL_STATE)
        s2c.marketHK = STATES[self._side.phase(HK, now_ns)]
        s2c.marketUS = STATES[self._side.phase(US, now_ns)]
        s2c.marketSH = s2c.marketSZ = STATES[self._side.phase(SH, now_ns)]
        s2c.marketHKFuture = STATES["closed"]
        s2c.qotLogined, s2c.trdLogined = self._side.quote_is_up, self._side.trade_is_up
        s2c.serverVer, s2c.serverBuildNo = SERVER_VERSION, BUILD
        s2c.time, s2c.localTime = now_ns // _SECOND_NS, now_ns / _SECOND_NS
        s2c.programStatus.type = READY
        s2c.connID = client.conn_id
        return s2c

    def _user_info(self, _client: FutuClient, _c2s: Any) -> Any:
        s2c = new_answer(GET_USER_INFO)
        s2c.nickName, s2c.userID, s2c.apiLevel = "foxtrot", USER_ID, "4"
        s2c.isNeedAgreeDisclaimer = False
        quotes = self._side.settings.quotes
        s2c.subQuota, s2c.historyKLQuota = quotes.subscription_quota, quotes.history_quota
        s2c.hkQotRight = QUOTE_RIGHTS[quotes.rights.get(HK, "")]
        s2c.usQotRight = QUOTE_RIGHTS[quotes.rights.get(US, "")]
        s2c.shQotRight = QUOTE_RIGHTS[quotes.rights.get(SH, "")]
        s2c.szQotRight = QUOTE_RIGHTS[quotes.rights.get(SZ, "")]
        return s2c

    # --- by itself --------------------------------------------------------------------------------------------------

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue; none concerns a connection.

        Source: none; Foxtrot's own distribution.
        """

    def after_answer(self, client: FutuClient, proto_id: int) -> None:
        """Tell a new connection that OpenD is cut off, where it is.

        Source: Futu OpenAPI documentation, Event Notification (connection status).
        """
        if proto_id == INIT_CONNECT and self._told != (True, True):
            self._tell(client)

    def tick(self, now_ns: int) -> None:
        """Tell everybody when OpenD's own connections have changed.

        Source: Futu OpenAPI documentation, Event Notification (connection status).
        """
        state = (self._side.quote_is_up, self._side.trade_is_up)
        if state != self._told:
            self._told = state
            for client in tuple(self._clients.values()):
                self._tell(client)

    def closed(self, client: FutuClient) -> None:
        """Forget a connection.

        Source: none; Foxtrot's own clean-up.
        """
        self._clients.pop(client.number, None)

    def _tell(self, client: FutuClient) -> None:
        if not client.hears_notices:
            return
        s2c = messages("Notify").S2C()
        s2c.type = _CONNECT_STATUS
        s2c.connectStatus.qotLogined, s2c.connectStatus.trdLogined = self._told
        self._push(client, NOTIFY, s2c, "")
