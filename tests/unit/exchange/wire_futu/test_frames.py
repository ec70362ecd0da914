"""Frames: whole ones from pieces of any size, and bytes that are none."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.exchange.wire.futu.frame import HEADER, LONGEST_BODY, BadFrame, FrameReader, digest_of, encode_frame

FRAMES = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=300)), min_size=1, max_size=6
)


@given(frames=FRAMES, sizes=st.lists(st.integers(1, 60), min_size=1))
def test_pieces_of_any_size_make_the_same_frames(frames: list[tuple[int, int, bytes]], sizes: list[int]) -> None:
    stream = b"".join(encode_frame(*frame) for frame in frames)
    reader, found, at, turn = FrameReader(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += reader.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [(one.proto_id, one.serial, one.body) for one in found] == frames
    assert all(one.digest == digest_of(one.body) and one.body_format == 0 for one in found)


def test_the_header_is_as_futu_writes_it() -> None:
    data = encode_frame(1001, 7, b"abc")
    assert data[:16] == b"FT" + struct.pack("<IBBII", 1001, 0, 0, 7, 3)
    assert data[16:36].hex() == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert (data[36:44], data[44:], HEADER.size) == (bytes(8), b"abc", 44)


def test_the_digest_is_that_of_the_plain_body_where_another_one_is_sent() -> None:
    (frame,) = FrameReader().feed(encode_frame(1004, 1, b"plain", b"sealed!"))
    assert (frame.body, frame.digest) == (b"sealed!", digest_of(b"plain"))


@pytest.mark.parametrize(
    "data",
    [
        b"XT" + bytes(42),
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:11111\r\n\r\n\r\n\r\n",
        struct.pack("<2sIBBII20s8s", b"FT", 1001, 0, 0, 1, LONGEST_BODY + 1, bytes(20), bytes(8)),
    ],
)
def test_what_is_no_frame_is_named(data: bytes) -> None:
    with pytest.raises(BadFrame, match="flag"):
        FrameReader().feed(data)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    reader = FrameReader()
    try:
        frames = reader.feed(data)
    except BadFrame:
        return
    assert len(frames) <= len(data) // HEADER.size
