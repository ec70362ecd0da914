"""ccxt's errors in our own tree."""

import ccxt
import pytest

from foxtrot.adapter.ccxt.errors import retry_after_s, translate
from foxtrot.domain.errors import (
    AdapterError,
    BadMessage,
    ConnectionLost,
    LoginFailed,
    RateLimited,
    RequestTimedOut,
    VenueRejected,
)


@pytest.mark.parametrize(
    ("error", "made"),
    [
        (ccxt.RateLimitExceeded("slow"), RateLimited),
        (ccxt.DDoSProtection("slow"), RateLimited),
        (ccxt.AuthenticationError("who"), LoginFailed),
        (ccxt.RequestTimeout("late"), RequestTimedOut),
        (ccxt.ExchangeNotAvailable("down"), ConnectionLost),
        (ccxt.NetworkError("gone"), ConnectionLost),
        (ConnectionResetError("gone"), ConnectionLost),
        (ccxt.BadSymbol("what"), VenueRejected),
        (ccxt.ExchangeError("no"), VenueRejected),
        (KeyError("data"), BadMessage),
    ],
)
def test_each_class_has_its_own(error: Exception, made: type[AdapterError]) -> None:
    found = translate("okx", error)
    assert type(found) is made
    assert found.venue == "okx"


def test_ours_stays() -> None:
    ours = BadMessage("okx", "x", "y")
    assert translate("okx", ours) is ours


def test_the_venues_pause_is_obeyed_and_bounded() -> None:
    found = translate("okx", ccxt.DDoSProtection("slow"), {"Retry-After": "7"})
    assert isinstance(found, RateLimited)
    assert found.retry_after_s == 7.0
    assert retry_after_s({"retry-after": "99999999"}) == 86_400.0
    assert retry_after_s({"Retry-After": "soon"}) == 0.0
    assert retry_after_s(None) == 0.0


def test_query_strings_are_not_shown() -> None:
    found = translate("okx", ccxt.NetworkError("GET https://x.com/a?key=hush failed"))
    assert "hush" not in str(found)
