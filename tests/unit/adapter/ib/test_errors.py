"""IB's codes in our own words: what ends an order, and what never does."""

import pytest

from foxtrot.adapter.ib.errors import CODES, ErrorKind, IbError, NotLinked, failure_of, kind_of
from foxtrot.domain.errors import ConnectionLost, RateLimited, VenueRejected

ENDS_AN_ORDER = {ErrorKind.REFUSED, ErrorKind.CANCELLED}


@pytest.mark.parametrize(
    "code",
    [399, 404, 2100, 2103, 2104, 2105, 2106, 2107, 2108, 2109, 2119, 2137, 2157, 2158, 2199, 10167, 10349, 165, 100, 161, 10147, 10148, 10149,
     104, 105, 135, 136, 1100, 1101, 1102, 1300, 2110, 504, 326, 354, 10197, 316, 317],
)  # fmt: skip
def test_no_warning_notice_or_refused_cancel_ends_an_order(code: int) -> None:
    assert kind_of(code) not in ENDS_AN_ORDER


@pytest.mark.parametrize("code", [2100, 2104, 2106, 2108, 2119, 2158, 2199])
def test_what_the_system_says_is_a_notice(code: int) -> None:
    assert kind_of(code) is ErrorKind.NOTICE


@pytest.mark.parametrize(
    "code", [103, 106, 107, 109, 110, 111, 116, 133, 200, 201, 203, 321, 322, 387, 434, 10007, 10043, 10268, 10311, 579]
)
def test_what_refuses_an_order_ends_it(code: int) -> None:
    assert kind_of(code) is ErrorKind.REFUSED


def test_a_cancelled_order_is_cancelled_and_an_unheard_of_code_says_nothing() -> None:
    assert kind_of(202) is ErrorKind.CANCELLED
    for code in (0, -1, 7, 99, 600, 999, 3000, 9999, 11_000, 99_999):
        assert kind_of(code) is ErrorKind.UNKNOWN


def test_a_pacing_violation_is_told_from_other_errors_of_history_by_its_text() -> None:
    words = "Historical Market Data Service error message:API historical data query pacing violation: 60"
    assert kind_of(162, words) is ErrorKind.PACING
    assert kind_of(162, "Historical Market Data Service error message:HMDS query returned no data") is ErrorKind.REFUSED


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (200, VenueRejected),
        (354, VenueRejected),
        (420, RateLimited),
        (100, RateLimited),
        (1100, ConnectionLost),
        (504, NotLinked),
        (7, VenueRejected),
    ],
)
def test_a_request_that_an_error_ends_fails_by_our_class(code: int, kind: type[Exception]) -> None:
    failure = failure_of(IbError(5, code, "words"))
    assert type(failure) is kind
    assert f"ib {code}: words" in str(failure)


def test_every_listed_code_is_once_in_the_table_and_shown_with_its_words() -> None:
    assert all(isinstance(kind, ErrorKind) for kind in CODES.values())
    assert str(IbError(1, 201, "no margin")) == "201 no margin"
