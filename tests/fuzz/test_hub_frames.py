"""Whatever a client sends, the hub answers or hangs up; whatever a hub sends, a client takes or refuses by name."""

import contextlib
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import ContractsLoaded
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import BadMessage
from foxtrot.hub.board import Board
from foxtrot.hub.peer import Peer
from foxtrot.hub.session_desk import HubCounters, SessionDesk
from foxtrot.hub.settings import HubSettings, OfferSettings
from foxtrot.hub.wire import read_told
from tests.support.builders import a_spot

PAIR = a_spot()
OFFERS = (OfferSettings(PAIR.instrument_id, "main", 50),)
KEYS = (
    "op",
    "id",
    "kind",
    "instrument",
    "levels",
    "group",
    "stream",
    "version",
    "token",
    "type",
    "seq",
    "bids",
    "update_id",
)
WORDS = (
    "hello", "subscribe", "unsubscribe", "status", "ping", "book", "ticker", PAIR.instrument_id, "10", "0.015", "-1", "1e999", "NaN", "１０",
    "\ud800", "snapshot", "change", "state", "live",
)  # fmt: skip
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FRAMES = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUES))


def text_of(frame: object) -> str:
    return json.dumps(frame)


def desk(token: str = "") -> SessionDesk:
    board = Board(OFFERS, ManualClock(10**18), lambda _: None)
    board.hear([ContractsLoaded("main", (PAIR,))])
    settings = HubSettings(offers=OFFERS, token=Secret(token))
    return SessionDesk(Peer(10_000), board, settings, HubCounters(0), ManualClock(10**18))


def answers(one: SessionDesk) -> list[object]:
    found = []
    while (waiting := one.peer._next()) is not None:
        found.append(msgspec.json.decode(waiting.data))
    return found


@given(st.lists(FRAMES.map(text_of) | st.text(max_size=40), min_size=1, max_size=5))
def test_a_client_gets_an_answer_or_the_end_whatever_it_sends(texts: list[str]) -> None:
    one = desk()
    for text in texts:
        ended = one.hear(text)
        assert ended is not None or answers(one)


@given(FRAMES.map(text_of) | st.text(max_size=40))
def test_nobody_gets_in_without_the_token_whatever_he_sends(text: str) -> None:
    one = desk("hush hush")
    assert one.hear(text) is not None
    assert not one.is_trusted
    assert answers(one) == []


@given(FRAMES.map(text_of) | st.text(max_size=40))
def test_a_client_refuses_by_name_what_is_no_frame_of_a_hub(text: str) -> None:
    with contextlib.suppress(BadMessage):
        assert read_told(text) is not None


def test_a_frame_that_is_nested_without_end_is_refused() -> None:
    one = desk()
    assert one.hear("[" * 10_000) is None
    assert one.hear('{"op":"subscribe","id":' + "[" * 5_000 + "]" * 5_000 + "}") is None
    assert len(answers(one)) == 2
