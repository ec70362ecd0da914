"""Which events a tape can hold, and their bytes: classes are named, never loaded by a name that the tape gives."""

import inspect
from types import ModuleType
from zlib import crc32

import msgspec

from foxtrot.core import commands, notices
from foxtrot.domain import account, market, order

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_PLAIN_TEXT = frozenset({notices.HandlerFailed, notices.StrategyStatus})
"""What tells an exception's words: these may name an address in memory, so that only the class is compared."""


def _structs(module: ModuleType) -> dict[str, type[msgspec.Struct]]:
    found = {name: one for name, one in vars(module).items() if inspect.isclass(one)}
    return {
        name: one
        for name, one in found.items()
        if issubclass(one, msgspec.Struct) and one.__module__ == module.__name__
    }


KNOWN: dict[str, type[msgspec.Struct]] = {
    name: one for module in (market, account, order, notices, commands) for name, one in _structs(module).items()
}
"""Every fact, notice and command that may come from outside, by its name."""

_CLASSES = frozenset(KNOWN.values())
_DECODERS: dict[str, msgspec.msgpack.Decoder[msgspec.Struct]] = {}


def is_known(event_class: type) -> bool:
    """Tell whether events of a class can be written and read again."""
    return event_class in _CLASSES


def encode_event(event: object) -> bytes:
    """Return an event as msgpack.

    Raises:
        TypeError: it holds something that msgpack has no word for.
    """
    return _ENCODER.encode(event)


def decode_event(name: str, payload: bytes) -> object:
    """Return the event that bytes stand for.

    Raises:
        msgspec.MsgspecError: they are none of that class.
        KeyError: no such class may come from outside.
    """
    decoder = _DECODERS.get(name)
    if decoder is None:
        decoder = _DECODERS[name] = msgspec.msgpack.Decoder(KNOWN[name])
    return decoder.decode(payload)


def checksum_of(event: object) -> int:
    """Return a checksum of what an event says; 0 where that is not compared."""
    if not isinstance(event, msgspec.Struct) or type(event) in _PLAIN_TEXT:
        return 0
    try:
        return crc32(_ENCODER.encode(event))
    except TypeError:
        return 0
