"""The frame of FutuOpenD's protocol: a fixed little-endian header of 44 bytes, then a body.

Source: Futu OpenAPI documentation, Protocol Introduction (protocol structure).
"""

import hashlib
import struct
from typing import Final

import msgspec

FLAG: Final = b"FT"
HEADER: Final = struct.Struct("<2sIBBII20s8s")
PROTOBUF, JSON = 0, 1
"""Body formats."""
LONGEST_BODY: Final = 4 * 1024 * 1024
"""A client's body may have this many bytes."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message as it is on the wire: `body` as sent (encrypted or not), `digest` the SHA-1 of the plain body."""

    proto_id: int
    serial: int
    body: bytes
    digest: bytes
    body_format: int = PROTOBUF


class BadFrame(ValueError):
    """Bytes that are no frame; the connection they came on cannot be read any further."""


class FrameReader:
    """Puts frames together from bytes that come in pieces of any size.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole now.

        Raises:
            BadFrame: a header that is none, or a body that is too long.

        Source: Futu OpenAPI documentation, Protocol Introduction (protocol structure).
        """
        self._waiting += data
        frames = []
        while len(self._waiting) >= HEADER.size:
            flag, proto_id, body_format, _, serial, length, digest, _ = HEADER.unpack_from(self._waiting)
            if flag != FLAG or length > LONGEST_BODY:
                raise BadFrame(f"flag {flag!r}, body of {length} bytes")
            end = HEADER.size + length
            if len(self._waiting) < end:
                break
            frames.append(Frame(proto_id, serial, bytes(self._waiting[HEADER.size : end]), digest, body_format))
            del self._waiting[:end]
        return frames


def digest_of(plain: bytes) -> bytes:
    """Return the digest that a header carries of a plain body.

    Source: Futu OpenAPI documentation, Protocol Introduction (protocol structure).
    """
    return hashlib.sha1(plain, usedforsecurity=False).digest()


def encode_frame(proto_id: int, serial: int, plain: bytes, wire: bytes | None = None) -> bytes:
    """Return a frame as bytes; `wire` is the body as it is sent, where that is not the plain one.

    Source: Futu OpenAPI documentation, Protocol Introduction (protocol structure).
    """
    body = plain if wire is None else wire
    return HEADER.pack(FLAG, proto_id, PROTOBUF, 0, serial, len(body), digest_of(plain), bytes(8)) + body
