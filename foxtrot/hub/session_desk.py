"""What a connected client may ask, one frame at a time: the version, the token, streams, the status."""

import hmac
from collections import deque
from typing import Final

from foxtrot.core.clock import Clock
from foxtrot.domain.errors import BadMessage
from foxtrot.hub.board import Board, Refusal
from foxtrot.hub.peer import Peer
from foxtrot.hub.settings import HubSettings
from foxtrot.hub.wire import (
    NO_TOKEN,
    POLICY,
    VERSION,
    Accepted,
    AnyAsk,
    ErrorTold,
    HelloAsk,
    Pong,
    Status,
    StatusAsk,
    SubscribeAsk,
    UnsubscribeAsk,
    Unsubscribed,
    id_of,
    read_ask,
)

SECOND_NS: Final = 1_000_000_000
MOST_ANSWERS: Final = 1_000
"""So many answers may wait for a client that asks and does not read."""


class HubCounters:
    """What the hub counts, and since when it runs.

    Thread: hub-io.
    """

    def __init__(self, started_ns: int) -> None:
        self.started_ns = started_ns
        self.peers: set[Peer] = set()
        self.accepted = 0
        self.refused = 0
        self.slow = 0
        self.shed = 0


class SessionDesk:
    """Hears one client.

    Thread: hub-io.

    Args:
        peer: the client's way out.
        board: what it may read.
        settings: token and limits.
        counters: of the whole hub.
        clock: the hub's.
    """

    def __init__(self, peer: Peer, board: Board, settings: HubSettings, counters: HubCounters, clock: Clock) -> None:
        self.peer = peer
        self.is_trusted = not settings.token
        self._board = board
        self._settings = settings
        self._counters = counters
        self._clock = clock
        self._asked: deque[int] = deque(maxlen=settings.limits.frames_per_s)

    def hear(self, text: str) -> tuple[int, str] | None:
        """Answer a frame; returns close code and reason when the connection is to end."""
        if self._is_too_often():
            return POLICY, f"more than {self._settings.limits.frames_per_s} frames in a second"
        try:
            ask = read_ask(text)
        except BadMessage as error:
            if not self.is_trusted:
                return NO_TOKEN, "the first frame must be hello with the token"
            self._refuse(id_of(text), error.code, error.text)
            return self._overrun()
        if isinstance(ask, HelloAsk):
            return self._hello(ask)
        if not self.is_trusted:
            return NO_TOKEN, "the first frame must be hello with the token"
        try:
            self._do(ask)
        except Refusal as error:
            self._refuse(ask.id, error.code, str(error))
        return self._overrun()

    def _hello(self, ask: HelloAsk) -> tuple[int, str] | None:
        if ask.version != VERSION:
            return POLICY, f"version {ask.version} is not spoken here; use {VERSION}"
        if not self.is_trusted and not fits(ask.token, self._settings):
            return NO_TOKEN, "the token is missing or wrong"
        self.is_trusted = True
        self.peer.answer(Accepted(id=ask.id))
        return self._overrun()

    def _do(self, ask: AnyAsk) -> None:
        if isinstance(ask, SubscribeAsk):
            most = self._settings.limits.subscriptions
            if len(self.peer.seats) >= most:
                raise Refusal(f"this client reads {most} streams already, the most it may; unsubscribe one first")
            self._board.subscribe(self.peer, ask)
        elif isinstance(ask, UnsubscribeAsk):
            self._board.unsubscribe(self.peer, ask.stream)
            self.peer.answer(Unsubscribed(id=ask.id, stream=ask.stream))
        elif isinstance(ask, StatusAsk):
            self.peer.answer(self._status(ask.id))
        else:
            self.peer.answer(Pong(id=ask.id))

    def _status(self, number: int | str) -> Status:
        return Status(
            id=number,
            up_s=round((self._clock.monotonic_ns() - self._counters.started_ns) / SECOND_NS, 3),
            clients=len(self._counters.peers),
            streams=len(self._board.channels),
            books=self._board.status(),
            shed=self._counters.shed,
            waiting_bytes=self.peer.waiting_bytes,
            conflated=self.peer.conflated,
        )

    def _refuse(self, number: int | str, code: str, text: str) -> None:
        self.peer.answer(ErrorTold(id=number, code=code, text=text))

    def _is_too_often(self) -> bool:
        now_ns = self._clock.monotonic_ns()
        crowded = len(self._asked) == self._asked.maxlen and now_ns - self._asked[0] < SECOND_NS
        self._asked.append(now_ns)
        return crowded

    def _overrun(self) -> tuple[int, str] | None:
        if self.peer.urgent_frames <= MOST_ANSWERS:
            return None
        return POLICY, f"{MOST_ANSWERS} answers wait and none is read"


def fits(token: str, settings: HubSettings) -> bool:
    """Tell whether a token is the hub's, in a time that says nothing of where it differs."""
    return hmac.compare_digest(_bytes(token), _bytes(settings.token.reveal()))


def _bytes(text: str) -> bytes:
    """Return the bytes of any text: bytes of a header or the environment that are no UTF-8 have come as surrogates."""
    return text.encode("utf-8", "surrogatepass")
