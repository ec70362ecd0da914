"""The SDK's contexts, made without dialling, dialled once and thrown away when their connection is lost.

The SDK's own ways are not used: its constructors wait for ever, it tries again after 6 s by itself, subscribes anew unasked, and
keeps the password to unlock again. A new connection is a new context here.

Source: seen with futu-api 10.11.7108 (open_context_base.py, network_manager.py, callback_executor.py).
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.futu.errors import ANSWERLESS, CUT, RET_OK, UNLINKED, VENUE, NotLinked, refusal_of
from foxtrot.adapter.futu.order_gate import Gate, GatedNetwork
from foxtrot.adapter.futu.push_frames import TOGETHER, PushBatch, PushFrame, leading_pushes
from foxtrot.adapter.futu.sdk import Sdk
from foxtrot.domain.errors import BadMessage, ConnectionLost, RequestTimedOut

PRIVATE: Final = (
    "_init_connect_sync", "_connect_sync", "_send_init_connect_sync", "_query_sync", "_auto_reconnect",
    "_callback_executor", "_net_mgr", "_handle_recv", "_recv_buf",
)  # fmt: skip
"""The private names of the SDK's contexts that are used here."""
HANDLERS: Final = {
    "ticker": "TickerHandlerBase",
    "order_book": "OrderBookHandlerBase",
    "quote": "StockQuoteHandlerBase",
    "kline": "CurKlineHandlerBase",
    "order": "TradeOrderHandlerBase",
    "deal": "TradeDealHandlerBase",
    "notice": "SysNotifyHandlerBase",
}
"""The SDK's class of handler for each kind of push."""
CALLBACK_THREAD: Final = "futu-push"
"""The SDK's thread of each context that calls our handlers."""
AT_ONCE: Final = {"quote": 3005, "kline": 3007, "ticker": 3011, "order_book": 3013}
"""The protocol ids of market data's pushes, of which there may be thousands a second.

Source: Futu OpenAPI, Protocol Introduction.
"""
Hear = Callable[[Any], None]
Decode = Callable[[bytes], Any]
Ended = Callable[[str], None]


class FutuContext:
    """What both kinds of context are besides the SDK's own.

    Thread: made and dialled by a worker; `discard` any; `on_disconnect` is called by the SDK's network thread with the context's
        lock held, so that it only tells.
    """

    _callback_executor: Any
    _net_mgr: Any
    _recv_buf: bytearray
    is_encrypt: Callable[[], bool]
    _connect_sync: Callable[[], int]
    _send_init_connect_sync: Callable[[], tuple[int, str]]
    _query_sync: Callable[..., tuple[int, str, Any]]
    close: Callable[[], None]
    get_sync_conn_id: Callable[[], int]
    set_handler: Callable[[Any], int]
    set_sync_query_connect_timeout: Callable[[float], None]

    def __init__(self, on_end: Ended, **arguments: Any) -> None:
        self._on_end = on_end
        self._turn = threading.Lock()  # guards these three
        self._dialled = self._connecting = self._discarded = False
        self._gone = threading.Event()
        self._at_once: dict[int, Hear] = {}
        self._decode: dict[int, Decode] = {}
        self._undecodable: type[Exception] = ValueError
        self._told_undecodable = False
        super().__init__(**arguments)
        self._net_mgr = GatedNetwork(self._net_mgr)
        self._auto_reconnect = False
        self._callback_executor._thread.name = CALLBACK_THREAD
        self.set_sync_query_connect_timeout(0.5)

    def _init_connect_sync(self) -> int:
        """Do nothing: the constructor calls this again and again until it succeeds."""
        return RET_OK

    def dial(self) -> None:
        """Connect and introduce ourselves.

        Blocks: until OpenD has answered, 20 s, or `discard`.

        Raises:
            ConnectionLost: it does not listen, does not answer, or the context is discarded.
            VenueRejected: it refused.
        """
        with self._turn:
            if self._discarded:
                raise NotLinked(VENUE, "connect", "not wanted any more")
            self._dialled = self._connecting = True
        connected = self._connect_sync() == RET_OK
        self._end_connecting()
        if not connected:
            self._gone.set()
            raise ConnectionLost(VENUE, "connect", "OpenD did not take the connection")
        ret, text = self._send_init_connect_sync()
        if ret != RET_OK:
            raise _unheard("InitConnect", text) or refusal_of("InitConnect", -1, text)

    def _end_connecting(self) -> None:
        with self._turn:
            self._connecting = False
            if self._discarded:  # while it connected, when it could not be closed
                self.close()

    def hear_at_once(self, sdk: Sdk, proto_id: int, hear: Hear) -> None:
        """Let somebody, who must not raise, hear pushes of a kind without the SDK's locks, clocks and log lines around each."""
        self._at_once[proto_id] = hear
        self._decode[proto_id] = sdk.decoder(proto_id)
        self._undecodable = sdk.undecodable

    def _handle_recv(self) -> None:
        """Hand pushes of market data over, many at a time, and let the SDK do the rest as it does; its lock is held.

        It is called on the network thread when something was received. Decoding is left to the callback thread.
        """
        if self._at_once and not self.is_encrypt():
            pushes, end = leading_pushes(self._recv_buf, self._at_once)
            if pushes:
                del self._recv_buf[:end]
                self._callback_executor.queue.put(PushBatch(self, TOGETHER, 0, pushes))
        super()._handle_recv()  # type: ignore[misc]  # the SDK's, the next in line

    def packet_callback(self, proto_id: int, serial_no: int, rsp_pb: Any) -> None:
        """Hand a push over, on the context's callback thread, as the SDK's own does."""
        hear = self._at_once.get(proto_id)
        if proto_id == TOGETHER:
            self._hear_together(rsp_pb)
        elif hear is None:
            super().packet_callback(proto_id, serial_no, rsp_pb)  # type: ignore[misc]  # the SDK's, the next in line
        elif rsp_pb.retType == RET_OK and not self._discarded:
            hear(rsp_pb.s2c)

    def _hear_together(self, pushes: list[PushFrame]) -> None:
        """Decode pushes and hand them over; one that cannot be decoded is told once and left out."""
        for proto_id, body in pushes:
            if self._discarded:
                return
            try:
                response = self._decode[proto_id](body)
            except self._undecodable as error:
                level = "DEBUG" if self._told_undecodable else "WARNING"
                self._told_undecodable = True
                logger.log(level, "a push of Futu's protocol {} cannot be decoded: {}", proto_id, error)
                continue
            if response.retType == RET_OK:
                self._at_once[proto_id](response.s2c)

    def on_disconnect(self, conn_id: int, reason: Any, msg: str) -> None:
        """Tell that the connection is gone, unless it was we who ended it."""
        super().on_disconnect(conn_id, reason, msg)  # type: ignore[misc]  # the SDK's, the next in line
        self._gone.set()
        if not self._discarded:
            self._on_end(reason.name)

    def discard(self) -> None:
        """End the connection and the callbacks; every call in progress returns at once.

        Who is just connecting ends afterwards: the SDK's close would let it wait for ever then.
        """
        with self._turn:
            self._discarded = True
            if not self._connecting:
                self.close()
        self._callback_executor.close()  # the SDK's close leaves it when the connection failed before

    def join(self, deadline_s: float) -> bool:
        """Wait until socket and callback thread are gone after `discard`; tells whether they are.

        Blocks: at most twice `deadline_s`; not for the callback thread on that thread itself.
        """
        gone = not self._dialled or self._gone.wait(deadline_s)
        thread = self._callback_executor._thread
        if thread is threading.current_thread():
            return gone
        thread.join(deadline_s)
        return gone and not thread.is_alive()

    def ask(self, pack: Callable[..., tuple[Any, ...]], **arguments: Any) -> Any:
        """Make one of the SDK's requests and return its answer's `s2c` as it is, without pandas and without asking for accounts.

        Blocks: at most 12 s.

        Args:
            pack: `pack_req` of one of the SDK's classes of requests.
            arguments: what it takes; `conn_id` is given.

        Raises:
            VenueRejected: OpenD refused, or the SDK could not make such a request: nothing was done.
            NotLinked: there is no connection: nothing left.
            ConnectionLost: it went away before the answer came.
            RequestTimedOut: no answer in time.
            BadMessage: the answer cannot be read.
            RateLimited: OpenD refused because of too many calls.
        """
        name = pack.__qualname__.partition(".")[0]
        packed = pack(conn_id=self.get_sync_conn_id(), **arguments)
        if packed[0] != RET_OK:
            raise refusal_of(name, -1, str(packed[1]))
        ret, text, response = self._query_sync(lambda: packed, lambda answer: (RET_OK, "", answer))
        if ret != RET_OK:
            raise _unheard(name, text) or BadMessage(VENUE, name, str(text))
        if response.retType != RET_OK:
            raise refusal_of(name, response.retType, response.retMsg)
        return response.s2c

    def ask_through(self, gate: Gate, pack: Callable[..., tuple[Any, ...]], **arguments: Any) -> Any:
        """Make a request as `ask` does, whose bytes go through a gate.

        Blocks: at most 12 s.
        """
        with self._net_mgr.through(gate):
            return self.ask(pack, **arguments)


def _unheard(name: str, text: object) -> ConnectionLost | RequestTimedOut | None:
    if text in UNLINKED:
        return NotLinked(VENUE, name, str(text))
    if text in CUT:
        return ConnectionLost(VENUE, name, "the connection to OpenD went away before it answered")
    return RequestTimedOut(VENUE, name, "OpenD did not answer in time") if text in ANSWERLESS else None


def make_quote_context(sdk: Sdk, on_end: Ended, on_push: Mapping[str, Hear], **where: Any) -> Any:
    """Return a context for market data that is not dialled yet.

    Args:
        sdk: the SDK.
        on_end: hears why the connection is gone, on the SDK's network thread.
        on_push: by kind who hears a push, on the context's callback thread.
        where: host, port and is_encrypt.
    """
    return _make(sdk, sdk.futu.OpenQuoteContext, on_end, on_push, where)


def make_trade_context(sdk: Sdk, on_end: Ended, on_push: Mapping[str, Hear], **where: Any) -> Any:
    """Return a context for accounts of any market that is not dialled yet; see `make_quote_context`."""
    where = {**where, "filter_trdmarket": sdk.futu.TrdMarket.NONE}
    return _make(sdk, sdk.futu.OpenSecTradeContext, on_end, on_push, where)


def _make(sdk: Sdk, base: Any, on_end: Ended, on_push: Mapping[str, Hear], where: Mapping[str, Any]) -> Any:
    kind = type(f"Foxtrot{base.__name__}", (FutuContext, base), {})
    context = kind(on_end, **where)
    for name, hear in on_push.items():
        if name in AT_ONCE:
            context.hear_at_once(sdk, AT_ONCE[name], hear)
        else:
            context.set_handler(_handler(getattr(sdk.futu, HANDLERS[name]), hear))
    return context


def _handler(base: Any, hear: Hear) -> Any:
    """Return a handler that reads the message as it is; the SDK's own make a table of each, ten times slower."""

    def on_recv_rsp(_handler: Any, response: Any) -> tuple[int, None]:
        if response.retType == RET_OK:
            hear(response.s2c)
        return RET_OK, None

    return type(f"Foxtrot{base.__name__}", (base,), {"on_recv_rsp": on_recv_rsp})()
