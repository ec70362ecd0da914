"""What the SDK returns, and what OpenD answers, as errors of our own tree."""

import pytest

from foxtrot.adapter.futu.errors import NotLinked, NotSent, NotSetUp, PermitClosed, failure_of, refusal_of
from foxtrot.domain.errors import (
    AdapterError,
    ConnectionLost,
    LoginFailed,
    RateLimited,
    RequestTimedOut,
    VenueRejected,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Disconnect", ConnectionLost),
        ("PacketErr.Timeout", RequestTimedOut),
        ("Abnormal event timeout", RequestTimedOut),
        ("Connection closed", NotLinked),
        ("Connect timeout", NotLinked),
        ("Context status bad", NotLinked),
        ("Requests are too frequent", RateLimited),
        ("请求频率过高", RateLimited),
        ("the price is wrong", VenueRejected),
        ("", VenueRejected),
        (None, VenueRejected),
    ],
)
def test_what_the_sdk_returns_in_place_of_data(text: object, kind: type[AdapterError]) -> None:
    error = failure_of("place", text)
    assert type(error) is kind
    assert error.venue == "futu"
    assert error.code == "place"


@pytest.mark.parametrize(
    ("ret_type", "kind"),
    [
        (-1, VenueRejected),
        (-500, VenueRejected),
        (-100, RequestTimedOut),
        (-200, ConnectionLost),
        (-400, RequestTimedOut),
        (-7, RequestTimedOut),
    ],
)
def test_only_a_refusal_of_opend_is_one_and_anything_else_leaves_the_outcome_unknown(
    ret_type: int, kind: type[AdapterError]
) -> None:
    assert type(refusal_of("PlaceOrder", ret_type, "no")) is kind


def test_too_many_calls_are_told_apart_and_say_when_to_try_again() -> None:
    error = refusal_of("PlaceOrder", -1, "Request frequency too high")
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 30.0


def test_words_of_opend_are_one_short_line() -> None:
    error = refusal_of("PlaceOrder", -1, "first\n second " + "x" * 1000)
    assert error.text.startswith("first second x")
    assert len(error.text) == 300


def test_what_did_not_leave_says_why() -> None:
    assert PermitClosed("").reason == "the send permit is closed"
    assert isinstance(PermitClosed("kill"), NotSent)
    assert NotSent("call_frequency", "15 in 30 s").rule == "call_frequency"
    assert isinstance(NotSetUp("no account"), LoginFailed)
