"""WebSocket frames as bytes, from the server's side: unmasked, whole messages, deflated when the client asked for it.

Source: RFC 6455 section 5.2 (framing) and 5.5 (control frames); RFC 7692 section 7 (permessage-deflate).
"""

import re
import struct
import zlib
from typing import Final

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
_FIN: Final = 0x80
_DEFLATED: Final = 0x40
_TAIL: Final = b"\x00\x00\xff\xff"
_CLOSE_REASON_BYTES: Final = 123


def frame(opcode: int, payload: bytes, is_deflated: bool = False) -> bytes:
    """Return one whole frame."""
    first = _FIN | opcode | (_DEFLATED if is_deflated else 0)
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Return a close frame; a reason that is too long is cut."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode()[:_CLOSE_REASON_BYTES])


class TextFrames:
    """Makes text frames of one connection, with its compression state.

    Thread: exchange-io.

    Args:
        extensions: the Sec-WebSocket-Extensions header that the handshake answered, "" for no compression.
    """

    def __init__(self, extensions: str) -> None:
        self._window = 0
        self._keeps_context = "server_no_context_takeover" not in extensions
        self._deflate: zlib._Compress | None = None
        if "permessage-deflate" in extensions:
            told = re.search(r"server_max_window_bits=(\d+)", extensions)
            self._window = int(told[1]) if told else zlib.MAX_WBITS

    def encode(self, text: str) -> bytes:
        """Return a text message as one frame."""
        payload = text.encode()
        if not self._window:
            return frame(TEXT, payload)
        deflate = self._deflate
        if deflate is None:
            deflate = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -self._window)
            self._deflate = deflate if self._keeps_context else None
        packed = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return frame(TEXT, packed.removesuffix(_TAIL), is_deflated=True)
