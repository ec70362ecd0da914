"""Requests under faults, REST and WebSocket API alike: which are not executed, whose answers change, wait or are lost."""

import asyncio
from collections.abc import Callable
from typing import Final

from foxtrot.domain.errors import FoxtrotError
from foxtrot.exchange.fault_script import Place
from foxtrot.exchange.faults import Fault, Scope
from foxtrot.exchange.serving.binance_frames import Asked, lower_snapshot
from foxtrot.exchange.serving.client_socket import ClientSocket
from foxtrot.exchange.serving.fault_answers import (
    instead,
    lost_answer,
    stream_refusal,
    user_stream_refusal,
    ws_api_reply,
)
from foxtrot.exchange.serving.fault_desk import FaultDesk
from foxtrot.exchange.wire.binance.connection import HttpAnswer, HttpRequest

DEFAULT_LAG: Final = 1_000
"""By how much the update id of a stale snapshot is too low when nothing else is told and no older one was asked for."""
_KEPT_SNAPSHOTS: Final = 64
_INSTEAD: Final = ("http_status", "error_code", "html", "too_many_requests", "banned")
_STREAM_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE")
_USER_METHODS: Final = ("userDataStream.subscribe", "userDataStream.subscribe.signature", "session.logon")


class Broken(FoxtrotError):
    """An answer that is not given whole: half of it leaves, or nothing, then the socket closes or is reset."""

    def __init__(self, answer: HttpAnswer | None, *, is_reset: bool = False) -> None:
        super().__init__("the answer is withheld")
        self.answer = answer
        self.is_reset = is_reset


class RequestFaults:
    """Stands between the sockets and a surface's answers.

    Thread: exchange-io.
    """

    def __init__(self, desk: FaultDesk) -> None:
        self._desk = desk
        self._snapshots: dict[str, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def rest(self, request: HttpRequest, place: Place, execute: Callable[[], HttpAnswer]) -> HttpAnswer:
        """Answer a REST request.

        Raises:
            Broken: the client gets no answer, or half of one.
        """
        armed = self._desk.script.take(Scope.REQUEST, place, self._desk.now_ns())
        if armed is None:
            return self._remembered(request, execute())
        fault = armed.fault
        if fault.kind == "delay" and not fault.executed:
            await self._desk.wait_s(fault.delay_s)
            return execute()
        if fault.kind in _INSTEAD:
            if fault.executed:
                execute()
            return instead(armed, self._desk.now_ns())
        return await self._late(request, fault, execute())

    def ws_api(self, socket: ClientSocket, asked: Asked, place: Place, execute: Callable[[], None]) -> None:
        """Hand a request of the WebSocket API to the surface, or not; its answer passes the fault."""
        armed = self._desk.script.take(Scope.REQUEST, place, self._desk.now_ns())
        if armed is None:
            execute()
            return
        fault = armed.fault
        if fault.kind == "delay" and not fault.executed:
            self._later(fault.delay_s, execute)
            return
        if fault.kind not in _INSTEAD or fault.executed:
            socket.replies[asked.reply_id] = self._reply(socket, fault)
            execute()
        if fault.kind in _INSTEAD:
            socket.put(ws_api_reply(asked.reply_id, instead(armed, self._desk.now_ns())))
        elif fault.kind == "ack_lost" and fault.code:
            lost = lost_answer(fault)
            if lost is not None:
                socket.put(ws_api_reply(asked.reply_id, lost))

    def incoming(self, socket: ClientSocket, asked: Asked, place: Place) -> bool:
        """Let faults of subscriptions act; tell whether the surface is to hear the frame."""
        armed = self._desk.script.take(
            Scope.INCOMING, place, self._desk.now_ns(), lambda fault: asked.method in _methods(fault)
        )
        if armed is None:
            return True
        fault = armed.fault
        if fault.kind == "drop_subscribe_reply":
            socket.replies[asked.reply_id] = lambda _: None
            return True
        refusal = stream_refusal if fault.kind == "reject_subscribe" else user_stream_refusal
        socket.put(refusal(asked.reply_id, fault))
        return False

    def cancel(self) -> None:
        """End what waits: the server stops."""
        for task in self._tasks:
            task.cancel()

    async def _late(self, request: HttpRequest, fault: Fault, answer: HttpAnswer) -> HttpAnswer:
        """Return an answer that was made, the way the fault lets it through."""
        if fault.kind == "stale_snapshot":
            return self._stale(request, fault, answer)
        if fault.kind == "delay":
            await self._desk.wait_s(fault.delay_s)
            return answer
        if fault.kind == "cut_answer":
            raise Broken(answer)
        lost = lost_answer(fault)
        if lost is not None:
            return lost
        if fault.hang:
            await asyncio.get_running_loop().create_future()
        raise Broken(None, is_reset=fault.reset)

    def _reply(self, socket: ClientSocket, fault: Fault) -> Callable[[str], str | None]:
        def keep(text: str) -> str | None:
            if fault.kind == "delay":
                self._later(fault.delay_s, lambda: socket.put(text))
            elif fault.kind == "stale_snapshot":
                return lower_snapshot(text.encode(), fault.lag or DEFAULT_LAG).decode()
            elif fault.kind == "cut_answer":
                socket.cut(text)
            return None

        return keep

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        over = self._desk.wait_s(seconds)

        async def wait() -> None:
            await over
            work()

        task = asyncio.get_running_loop().create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _remembered(self, request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
        """Keep the first snapshot of every book, to have an old one."""
        if request.path.endswith("/depth") and answer.status == 200 and len(self._snapshots) < _KEPT_SNAPSHOTS:
            self._snapshots.setdefault(f"{request.path}?{request.query}", answer.body)
        return answer

    def _stale(self, request: HttpRequest, fault: Fault, answer: HttpAnswer) -> HttpAnswer:
        old = self._snapshots.get(f"{request.path}?{request.query}", answer.body)
        if fault.lag or old == answer.body:
            old = lower_snapshot(answer.body, fault.lag or DEFAULT_LAG)
        return HttpAnswer(answer.status, old, answer.headers)


def _methods(fault: Fault) -> tuple[str, ...]:
    return _USER_METHODS if fault.kind == "reject_user_stream" else _STREAM_METHODS
