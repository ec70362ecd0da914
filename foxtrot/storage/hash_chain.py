"""The chain that binds each record of the journal to all before it."""

from hashlib import sha256

FIRST_HASH = sha256(b"foxtrot journal, format 1").digest()
"""What the first record follows; it names the format, so that records of another format never follow."""


def next_hash(previous: bytes, kind: str, order_id: str | None, body: bytes) -> bytes:
    """Return the hash of a record that follows the one with hash `previous`.

    Kind and order id hold no zero byte, so that no two records give the same text.
    """
    return sha256(b"%b%b\0%b\0%b" % (previous, kind.encode(), (order_id or "").encode(), body)).digest()
