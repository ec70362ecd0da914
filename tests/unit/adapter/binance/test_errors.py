"""Every error becomes one of ours; of an order only what is listed as a refusal is one, all else is unknown."""

import ccxt
import pytest

from foxtrot.adapter.binance.errors import (
    CODES,
    OUTCOMES,
    Kind,
    NotSent,
    PermitClosed,
    Refusal,
    UnknownOutcome,
    clean,
    kind_of_code,
    outcome_of,
    outcome_of_answer,
    translate,
    translate_sent,
)
from foxtrot.domain.errors import (
    AdapterError,
    BadMessage,
    ConnectionLost,
    LoginFailed,
    RateLimited,
    RequestTimedOut,
    VenueRejected,
)
from foxtrot.domain.outcome import Outcome

BY_CODE: list[tuple[int, str, type[Exception], type[AdapterError], type[AdapterError]]] = [
    (400, "-1121", ccxt.BadSymbol, VenueRejected, VenueRejected),
    (400, "-1013", ccxt.InvalidOrder, VenueRejected, VenueRejected),
    (400, "-2010", ccxt.InsufficientFunds, VenueRejected, VenueRejected),
    (400, "-2019", ccxt.InsufficientFunds, VenueRejected, VenueRejected),
    (400, "-4164", ccxt.InvalidOrder, VenueRejected, VenueRejected),
    (400, "-5022", ccxt.OrderNotFillable, VenueRejected, VenueRejected),
    (503, "-1008", ccxt.OperationFailed, VenueRejected, VenueRejected),
    (400, "-1021", ccxt.InvalidNonce, VenueRejected, VenueRejected),
    (401, "-2015", ccxt.AuthenticationError, LoginFailed, LoginFailed),
    (400, "-1022", ccxt.AuthenticationError, LoginFailed, LoginFailed),
    (429, "-1003", ccxt.DDoSProtection, RateLimited, RateLimited),
    (418, "-1003", ccxt.DDoSProtection, RateLimited, RateLimited),
    (429, "-1015", ccxt.DDoSProtection, RateLimited, RateLimited),
    (429, "", ccxt.DDoSProtection, RateLimited, RateLimited),
    (503, "-1007", ccxt.RequestTimeout, VenueRejected, UnknownOutcome),
    (500, "-1006", ccxt.OperationFailed, VenueRejected, UnknownOutcome),
    (500, "-1000", ccxt.OperationFailed, VenueRejected, UnknownOutcome),
    (400, "-9999", ccxt.ExchangeError, VenueRejected, UnknownOutcome),
    (502, "", ccxt.ExchangeNotAvailable, ConnectionLost, UnknownOutcome),
]


@pytest.mark.parametrize(("status", "code", "raised", "asked", "sent"), BY_CODE)
def test_what_a_code_means_to_a_question_and_to_an_order(
    status: int, code: str, raised: type[Exception], asked: type[AdapterError], sent: type[AdapterError]
) -> None:
    refusal = Refusal(status, code, "words", 7.0)
    assert type(translate(raised("x"), refusal)) is asked
    assert type(translate_sent(raised("x"), refusal)) is sent


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (ccxt.RequestTimeout("x"), RequestTimedOut),
        (ccxt.ExchangeNotAvailable("x"), ConnectionLost),
        (ccxt.NetworkError("x"), ConnectionLost),
        (ccxt.ExchangeError("x"), BadMessage),
        (OSError("x"), BadMessage),
    ],
)
def test_an_error_without_an_answer_leaves_an_order_unknown(error: Exception, asked: type[AdapterError]) -> None:
    assert type(translate(error, None)) is asked
    assert type(translate_sent(error, None)) is UnknownOutcome


def test_a_refusal_that_ccxt_names_without_an_answer_of_binance_is_no_refusal_of_an_order() -> None:
    assert type(translate_sent(ccxt.AuthenticationError("x"), None)) is UnknownOutcome


def test_the_time_binance_asks_for_is_kept_and_has_a_default() -> None:
    asked = translate(ccxt.DDoSProtection("x"), Refusal(429, "-1003", "slow down", 7.0))
    assert isinstance(asked, RateLimited)
    assert asked.retry_after_s == 7.0
    vague = translate(ccxt.DDoSProtection("x"), Refusal(418, "", "banned"))
    assert isinstance(vague, RateLimited)
    assert vague.retry_after_s == 60.0


def test_refused_credentials_say_what_to_do() -> None:
    assert "API secret" in str(translate(ccxt.AuthenticationError("x"), Refusal(400, "-1022", "Signature invalid.")))


def test_texts_carry_no_query_and_end() -> None:
    told = clean("GET http://127.0.0.1:1/x?signature=abc&listenKey=def failed " + "x" * 1_000)
    assert "signature" not in told
    assert "listenKey" not in told
    assert len(told) <= 300


@pytest.mark.parametrize("code", ["", "-", "nonsense", "-1", "1121", "--1121"])
def test_a_code_that_is_none_is_unknown(code: str) -> None:
    assert kind_of_code(code) is Kind.UNKNOWN


@pytest.mark.parametrize("asked_s", [float("inf"), 1e300, 400_000.0])
def test_no_more_than_the_longest_ban_is_believed(asked_s: float) -> None:
    asked = translate(ccxt.DDoSProtection("x"), Refusal(418, "-1003", "banned", asked_s))
    assert isinstance(asked, RateLimited)
    assert asked.retry_after_s == 3 * 86_400


def test_an_error_of_ours_stays_what_it_is() -> None:
    lost = ConnectionLost("binance", "not_connected", "the venue is not connected")
    assert translate(lost, None) is lost
    assert type(translate_sent(lost, None)) is UnknownOutcome


def test_every_code_has_one_of_four_outcomes_and_an_unlisted_one_is_unknown() -> None:
    unknown = {code for code, kind in CODES.items() if OUTCOMES[kind] is Outcome.UNKNOWN}
    assert unknown == {"-1000", "-1001", "-1006", "-1007"}
    assert set(OUTCOMES) == set(Kind)
    for code in ("-1", "-9999", "-2050", "", "abc", "-"):
        refusal = Refusal(400, code, "words") if code else None
        assert outcome_of_answer(ccxt.ExchangeError("x"), refusal) is Outcome.UNKNOWN, code


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PermitClosed("killed"), Outcome.DENIED_LOCALLY),
        (NotSent("not_connected", "no link"), Outcome.DENIED_LOCALLY),
        (VenueRejected("binance", "-2010", "no money"), Outcome.REFUSED),
        (LoginFailed("binance", "-2015", "key"), Outcome.REFUSED),
        (RateLimited("binance", "-1003", "slow down", 1.0), Outcome.REFUSED),
        (RequestTimedOut("binance", "timeout", ""), Outcome.UNKNOWN),
        (ConnectionLost("binance", "lost", ""), Outcome.UNKNOWN),
        (BadMessage("binance", "html", ""), Outcome.UNKNOWN),
        (UnknownOutcome("binance", "-1007", ""), Outcome.UNKNOWN),
        (AdapterError("binance", "new", "nobody listed it"), Outcome.UNKNOWN),
    ],
)
def test_what_an_error_means_for_an_order(error: AdapterError, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome


def test_a_code_is_believed_only_with_the_status_of_an_answer() -> None:
    assert outcome_of_answer(ccxt.InvalidOrder("x"), Refusal(0, "-2010", "from nowhere")) is Outcome.UNKNOWN
