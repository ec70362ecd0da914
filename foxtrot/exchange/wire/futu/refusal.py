"""A request that OpenD refuses: what the response says instead of an answer."""

from typing import Final

FAILED: Final = -1
TIMED_OUT: Final = -100
UNKNOWN: Final = -400
INVALID: Final = -500


class FutuRefused(Exception):
    """A refusal with its return type and text; the gateway makes the response of it."""

    def __init__(self, message: str, ret_type: int = FAILED, code: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.ret_type = ret_type
        self.code = code
