"""Pushes that are cut out many at a time are those that the SDK's own reading gives, whatever comes between and wherever it is cut."""

from hashlib import sha1
from importlib.util import find_spec
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.futu.contexts import AT_ONCE, FutuContext
from foxtrot.adapter.futu.push_frames import HEADER, leading_pushes
from foxtrot.adapter.futu.sdk import load_sdk
from tests.support.futu_frames import HK, message, order_book, ten_levels, ticker
from tests.support.futu_sdk import import_futu

pytestmark = pytest.mark.skipif(
    find_spec("futu") is None, reason="futu-api is not installed: pip install 'foxtrot[futu]'"
)
BOOK, TICKER, NOTICE, BEAT = 3013, 3011, 1003, 1004
Told = list[tuple[int, bytes]]


def frame(proto_id: int, body: bytes, *, right: bool = True) -> bytes:
    """A frame as it is on the wire, or one whose digest is another's."""
    digest = sha1(body if right else body + b"!").digest()
    return HEADER.pack(b"FT", proto_id, 0, 0, 7, len(body), digest, bytes(8)) + body


def book(number: int) -> bytes:
    """A push of a book; every third one is a failure, which nobody is to hear."""
    response = order_book(HK, *ten_levels(400.0 + number, 400.2 + number, 0.2))
    response.retType = -1 if number % 3 == 2 else 0
    return bytes(response.SerializeToString())


def prints(number: int) -> bytes:
    return bytes(ticker(HK, {"sequence": number}).SerializeToString())


def notice(number: int) -> bytes:
    response = message("Notify")
    response.retType, response.s2c.type = 0, 3
    response.s2c.connectStatus.qotLogined = response.s2c.connectStatus.trdLogined = bool(number % 2)
    return bytes(response.SerializeToString())


def beat(number: int) -> bytes:
    response = message("KeepAlive")
    response.retType, response.s2c.time = 0, number
    return bytes(response.SerializeToString())


MAKE = {BOOK: book, TICKER: prints, NOTICE: notice, BEAT: beat}


def reader(*, ours: bool) -> tuple[Any, Told]:
    """Return what reads as the SDK does, or as ours does on top of that, and the list of what was handed over."""
    import_futu()
    from futu.common.open_context_base import OpenContextBase

    told: Told = []

    class Plain:
        """The SDK's reading, without its connection."""

        _handle_recv, handle_push = OpenContextBase._handle_recv, OpenContextBase.handle_push

        def __init__(self) -> None:
            self._recv_buf, self._req_map = bytearray(), {}
            self._opend_conn_id = self._conn_id = 1
            self._callback_executor = SimpleNamespace(queue=SimpleQueue())

        def is_encrypt(self) -> bool:
            return False

        def conn_str(self) -> str:
            return "one"

        def packet_callback(self, proto_id: int, serial_no: int, rsp_pb: Any) -> None:
            if rsp_pb.retType == 0:
                told.append((proto_id, rsp_pb.s2c.SerializeToString()))

    if not ours:
        return Plain(), told
    made: Any = object.__new__(type("Ours", (FutuContext, Plain), {}))
    Plain.__init__(made)
    made._at_once, made._decode, made._discarded, made._told_undecodable = {}, {}, False, False
    for proto_id in AT_ONCE.values():
        made.hear_at_once(load_sdk(None), proto_id, lambda s2c, at=proto_id: told.append((at, s2c.SerializeToString())))
    return made, told


def feed(context: Any, pieces: list[bytes]) -> int:
    """Let pieces be received, and what that hands over be heard; returns how many hand-overs there were."""
    handed = 0
    for piece in pieces:
        context._recv_buf.extend(piece)
        context._handle_recv()
        while not context._callback_executor.queue.empty():
            item = context._callback_executor.queue.get()
            item.ctx.packet_callback(item.proto_id, serial_no=item.serial_no, rsp_pb=item.rsp_pb)
            handed += 1
    return handed


frames = st.lists(st.tuples(st.sampled_from(list(MAKE)), st.integers(0, 50), st.integers(0, 9)), max_size=12)


@given(frames, st.lists(st.integers(1, 900), max_size=20))
def test_what_is_handed_over_is_what_the_sdk_hands_over(said: list[tuple[int, int, int]], sizes: list[int]) -> None:
    stream = b"".join(frame(kind, MAKE[kind](number), right=luck > 0) for kind, number, luck in said)
    pieces = []
    for size in [*sizes, len(stream)]:
        pieces.append(stream[:size])
        stream = stream[size:]
    (plain, expected), (ours, found) = reader(ours=False), reader(ours=True)
    feed(plain, pieces)
    feed(ours, pieces)
    assert found == expected
    assert len(ours._recv_buf) == len(plain._recv_buf)


def test_many_that_were_received_together_are_handed_over_together() -> None:
    ours, found = reader(ours=True)
    assert feed(ours, [b"".join(frame(BOOK, book(number)) for number in (0, 1, 3, 4))]) == 1
    assert len(found) == 4


def test_one_that_cannot_be_decoded_is_left_out() -> None:
    ours, found = reader(ours=True)
    feed(ours, [frame(BOOK, b"\xff\xff\xff") + frame(TICKER, prints(1))])
    assert [proto_id for proto_id, _ in found] == [TICKER]


def test_it_stops_before_what_it_does_not_take() -> None:
    first = frame(BOOK, book(0))
    for behind in (frame(NOTICE, notice(0)), frame(BOOK, book(1), right=False), frame(BOOK, book(1))[:-1], b"FT"):
        assert [len(one) for one in leading_pushes(bytearray(first + behind), {BOOK})[:1]] == [1]
        assert leading_pushes(bytearray(first + behind), {BOOK})[1] == len(first)
