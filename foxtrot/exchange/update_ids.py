"""Update ids of a venue that came back without its old counters: a snapshot in, the same one with lower ids out."""

import msgspec

from foxtrot.domain.errors import InputError


class _Markets(msgspec.Struct):
    markets: list[dict[str, object]]


def lower_update_ids(snapshot: bytes, by: int) -> bytes:
    """Return a venue's snapshot whose books have update ids lower by a number (1 at least); nothing else changes.

    Raises:
        InputError: the bytes are not a snapshot of a venue.
    """
    try:
        image = msgspec.msgpack.decode(snapshot, type=dict[str, object])
        markets = msgspec.convert(image, _Markets).markets
    except msgspec.MsgspecError as error:
        raise InputError(f"not a venue snapshot: {error}; take one with Venue.snapshot") from error
    for market in markets:
        market["update_id"] = max(1, msgspec.convert(market["update_id"], int) - by)
    image["markets"] = markets
    return msgspec.msgpack.encode(image)
