"""FutuOpenD's frames as far as pushes of market data need them: many are cut out of what was received at a time.

The SDK reads one frame after the other: it makes a dict of each header and a line of log of each push, and hands each over to another
thread by itself, which takes more time than what is then done with a book. What is not such a push, or is not as it should be, is
left to it.

Source: Futu OpenAPI, Protocol Introduction (protocol structure); seen with futu-api 10.11.7108 (open_context_base.py, `_handle_recv`;
    utils.py, `parse_rsp`).
"""

from collections.abc import Container
from hashlib import sha1
from struct import Struct
from typing import Any, Final, NamedTuple

HEADER: Final = Struct("<2sIBBII20s8s")
PROTOBUF: Final = 0
TOGETHER: Final = -1
"""Stands for a protocol id where several pushes are handed over together; none of Futu's is below 0."""


class PushFrame(NamedTuple):
    """One push: its protocol id, and its body as it was received."""

    proto_id: int
    body: bytes


class PushBatch(NamedTuple):
    """Pushes that are handed over together, by the names of the SDK's `CallbackItem`."""

    ctx: Any
    proto_id: int
    serial_no: int
    rsp_pb: list[PushFrame]


def leading_pushes(received: bytearray, wanted: Container[int]) -> tuple[list[PushFrame], int]:
    """Return the whole frames of wanted protocols with which received bytes begin, and where they end.

    It stops at the first frame that is not whole, not wanted, not protobuf, or whose digest is wrong. Like the SDK it
    takes a frame only once it is longer than its header.

    Source: Futu OpenAPI, Protocol Introduction (protocol structure).
    """
    found: list[PushFrame] = []
    place, size, unpack = 0, HEADER.size, HEADER.unpack_from
    with memoryview(received) as view:
        while len(view) - place > size:
            _, proto_id, form, _, _, length, digest, _ = unpack(view, place)
            end = place + size + length
            if proto_id not in wanted or form != PROTOBUF or end > len(view):
                break
            body = view[place + size : end].tobytes()
            if sha1(body, usedforsecurity=False).digest() != digest:
                break
            found.append(PushFrame(proto_id, body))
            place = end
    return found, place
