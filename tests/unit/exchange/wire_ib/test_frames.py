"""Frames and fields of TWS's protocol: any cutting gives the same messages, and nothing that a client sends is ever raised at it."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from foxtrot.exchange.dated_listings import ib_listings
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.contract_layouts import CONTRACT_DETAILS
from foxtrot.exchange.wire.ib.frame import GREETING, LONGEST_BODY, BadFrame, FrameReader, encode_frame, fields_of
from foxtrot.exchange.wire.ib.gateway import IbGateway
from foxtrot.exchange.wire.ib.layout import Field, FieldReader, fields_at, layout, text_of, texts_of
from foxtrot.exchange.wire.ib.message_names import REQUESTS, callback_name, request_id_of, request_name
from foxtrot.exchange.wire.ib.refusal import IbRefused
from foxtrot.exchange.wire.ib.surface import ib_surface
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from foxtrot.exchange.wire.ib.venue_side import IbSide

NOW_NS = 1_795_834_800_000_000_000
TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=12)
PLAUSIBLE = st.one_of(
    TEXTS,
    st.sampled_from(
        ["", "0", "1", "-1", "2147483647", "1.7976931348623157e+308", "AAPL", "STK", "SMART", "USD", "BUY", "LMT", "GTC", "1 D",
         "1 min", "TRADES", "DU1000001", "NaN", "1e400", "-0", "99999999999999999999", "All", "BidAsk"]
    ),
    st.integers(-(2**70), 2**70).map(str),
)  # fmt: skip


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Bytes in pieces, cut at places."""
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=5), max_size=6), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cutting_gives_the_same_messages(messages: list[list[str]], places: list[int]) -> None:
    data = GREETING + b"".join(encode_frame(fields) for fields in messages)
    reader, bodies = FrameReader(), []
    for piece in cut(data, places):
        bodies += reader.feed(piece)
    escaped = [[field.encode("ascii", "backslashreplace").decode() for field in fields] for fields in messages]
    assert [fields_of(body) for body in bodies] == escaped


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_whatever_comes_is_a_message_or_a_bad_frame(pieces: list[bytes]) -> None:
    reader = FrameReader()
    try:
        for piece in pieces:
            for body in reader.feed(piece):
                fields_of(body)
    except BadFrame:
        return


def test_another_greeting_and_too_long_a_body_are_bad() -> None:
    with pytest.raises(BadFrame, match="not with"):
        FrameReader().feed(b"AP!")
    with pytest.raises(BadFrame, match=str(LONGEST_BODY + 1)):
        FrameReader().feed(GREETING + (LONGEST_BODY + 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "1"), (False, "0"), (7, "7"), (1.5, "1.5"), ("x", "x"), (Decimal("1.50"), "1.5"), (Decimal("1E+2"), "100"),
        (Decimal("0.00"), "0"), (Decimal("1E-7"), "0.0000001"),
    ],
)  # fmt: skip
def test_values_on_the_wire(value: object, text: str) -> None:
    assert text_of(value) == text  # type: ignore[arg-type]


def test_a_layout_has_the_fields_of_its_version_and_no_others() -> None:
    made = layout(5, "a b", Field("old", 1, until=163), Field("new", 2, since=164), version=3)
    assert texts_of(made, 157, {"a": "x"}) == ["5", "3", "x", "", "1"]
    assert texts_of(made, 178, {"a": "x", "new": 9}) == ["5", "3", "x", "", "9"]
    with pytest.raises(KeyError, match="wrong"):
        texts_of(made, 157, {"wrong": 1})


@pytest.mark.parametrize(("version", "count"), [(157, 38), (162, 38), (163, 39), (164, 39), (178, 39)])
def test_contract_details_have_as_many_fields_as_their_version(version: int, count: int) -> None:
    assert len(fields_at(CONTRACT_DETAILS, version)) == count


@pytest.mark.parametrize("text", ["", "2147483647", "1.7976931348623157e+308"])
def test_three_texts_say_that_nothing_is_given(text: str) -> None:
    reader = FieldReader([text, text])
    assert reader.decimal() is None
    assert reader.whole() == 0


@pytest.mark.parametrize("text", ["x", "NaN", "inf", "1,5", "1e99999999999999999999"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(IbRefused, match="is no number"):
        FieldReader([text]).decimal()


def test_messages_by_their_names_and_ids() -> None:
    assert request_name(b"3\x0017\0") == "placeOrder"
    assert request_name(b"4711\0") == "4711"
    assert request_name(b"v100..157") == "v100..157"
    assert callback_name(encode_frame(["11", "-1"])) == "execDetails"
    assert request_id_of(b"3\x0017\0AAPL\0") == 17
    assert request_id_of(b"9\x008\x0077\0x\0") == 77
    assert request_id_of(b"49\x001\0") == -1
    assert request_id_of(b"9\0") == -1


def make_gateway(*, newest_version: int = 157) -> IbGateway:
    """A surface on a venue with everything that is listed by default, and one account."""
    venue = Venue(lambda _event: None)
    for one in (*default_listings(), *ib_listings(NOW_NS)):
        assert venue.execute(AddInstrument(NOW_NS, one)).ok
    side = IbSide(venue, lambda: NOW_NS, IbSettings(limits=False, newest_version=newest_version))
    account = side.add_account("main").account
    venue.execute(OpenAccount(NOW_NS, account, allow_short=True))
    venue.execute(Deposit(NOW_NS, account, "USD", Decimal(1_000_000)))
    return ib_surface(side)


def join(gateway: IbGateway, sent: list[bytes], ended: list[bool]) -> IbClient:
    """A connection that was accepted."""
    client = IbClient(
        1, NOW_NS, send=sent.append, push=lambda data, _key: sent.append(data), close=lambda: ended.append(True)
    )
    gateway.open(client)
    return client


GATEWAYS = {version: make_gateway(newest_version=version) for version in (157, 178)}


@given(
    version=st.sampled_from(sorted(GATEWAYS)),
    requests=st.lists(
        st.tuples(st.sampled_from([*REQUESTS, 0, -1, 4711]), st.lists(PLAUSIBLE, max_size=24)), min_size=1, max_size=4
    ),
)
def test_no_request_is_ever_raised_at_its_sender(version: int, requests: list[tuple[int, list[str]]]) -> None:
    gateway, sent, ended = GATEWAYS[version], list[bytes](), list[bool]()
    client = join(gateway, sent, ended)
    gateway.receive(client, b"v100..178")
    gateway.receive(client, b"71\x002\x001\0\0")
    for message_id, fields in requests:
        gateway.receive(client, "\0".join([str(message_id), *fields, ""]).encode())
    gateway.tick(NOW_NS)
    gateway.closed(client)
    for data in sent:
        assert len(data) == 4 + int.from_bytes(data[:4], "big")
        assert data.endswith(b"\0")
        assert data[4:].isascii()


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_no_body_is_ever_raised_at_its_sender(bodies: list[bytes]) -> None:
    gateway, sent, ended = GATEWAYS[157], list[bytes](), list[bool]()
    client = join(gateway, sent, ended)
    for body in bodies:
        gateway.receive(client, body)
    gateway.closed(client)
