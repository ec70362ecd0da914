"""The frame of the TWS protocol: a length of four bytes, big-endian, then fields of text that each end with a NUL.

Source: TWS API documentation, Initial Connection; EClient and its Connection of ibapi 9.81.
"""

import struct
from collections.abc import Iterable
from typing import Final

GREETING: Final = b"API\0"
"""What a client says first, without a length."""
LENGTH: Final = struct.Struct(">I")
LONGEST_BODY: Final = 1024 * 1024
"""A client's message may have this many bytes; the longest order has some thousands."""
FIELD_END: Final = b"\0"


class BadFrame(ValueError):
    """Bytes that are no message; the connection they came on cannot be read any further."""


class FrameReader:
    """Puts the bodies of messages together from bytes that come in pieces of any size; the first must be the greeting.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()
        self.is_greeted = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the bodies that are whole now.

        Raises:
            BadFrame: another greeting, or a body that is too long.

        Source: TWS API documentation, Initial Connection.
        """
        self._waiting += data
        if not self.is_greeted and not self._take_greeting():
            return []
        bodies = []
        while len(self._waiting) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._waiting)
            if length > LONGEST_BODY:
                raise BadFrame(f"a body of {length} bytes")
            end = LENGTH.size + length
            if len(self._waiting) < end:
                break
            bodies.append(bytes(self._waiting[LENGTH.size : end]))
            del self._waiting[:end]
        return bodies

    def _take_greeting(self) -> bool:
        if not GREETING.startswith(self._waiting[: len(GREETING)]):
            raise BadFrame(f"it begins with {bytes(self._waiting[:4])!r}, not with {GREETING!r}")
        if len(self._waiting) < len(GREETING):
            return False
        del self._waiting[: len(GREETING)]
        self.is_greeted = True
        return True


def fields_of(body: bytes) -> list[str]:
    """Return the fields of a body.

    Raises:
        BadFrame: the last one has no end, or a field is no text.

    Source: TWS API documentation, Initial Connection.
    """
    if not body.endswith(FIELD_END):
        raise BadFrame("the last field has no end")
    try:
        return body[:-1].decode("utf-8").split("\0")
    except UnicodeDecodeError:
        raise BadFrame("a field is no text") from None


def encode_frame(fields: Iterable[str]) -> bytes:
    """Return fields as one message.

    Source: TWS API documentation, Initial Connection; text beyond ASCII is escaped as from server version 153 on.
    """
    # A NUL is ASCII: the fields may be joined before they are escaped, which is several times as fast.
    body = "\0".join((*fields, "")).encode("ascii", "backslashreplace")
    return LENGTH.pack(len(body)) + body
