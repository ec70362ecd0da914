"""The order in which a call is judged, what is signed, and what limits say."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from foxtrot.domain.enums import Product
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.connection import HttpRequest
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Security
from foxtrot.exchange.wire.binance.gateway import Gate, Gateway, check_time
from foxtrot.exchange.wire.binance.limits import RateLimits
from foxtrot.exchange.wire.binance.signing import is_signed_by, signed_params, signed_text
from foxtrot.exchange.wire.binance.surface import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey, VenueSide
from tests.support.binance_surface import KEY, MS_NS, SECRET, T0_NS, signed

PATH = "/api/v3/order"
T0 = T0_NS // MS_NS


class Door:
    """A gateway with one endpoint that answers with what it was called with."""

    def __init__(self, settings: SurfaceSettings | None = None, product: Product = Product.SPOT) -> None:
        self.now_ns = T0_NS
        self.side = VenueSide(product, Venue(lambda _: None), self.tell)
        self.side.add_key(ApiKey(KEY, "alice", SECRET))
        self.side.add_key(ApiKey("reader", "alice", SECRET, can_trade=False))
        self.limits = RateLimits(product, (settings or SurfaceSettings()).for_product(product))
        self.late_ns = 0
        self.calls: list[Call] = []
        endpoint = Endpoint(self.handle, Security.SIGNED, weight=4, counts_order=True, required=("symbol",))
        routes = {("POST", PATH): endpoint, ("GET", "/api/v3/ping"): Endpoint(lambda call: {})}
        self.gateway = Gateway(self.side, Gate(self.side, self.limits), routes)

    def tell(self) -> int:
        now_ns, self.now_ns = self.now_ns, self.now_ns + self.late_ns
        return now_ns

    def handle(self, call: Call) -> object:
        self.calls.append(call)
        return {"account": call.account, **call.params}

    def post(self, query: str = "", body: str = "", key: str = KEY) -> tuple[int, Any, dict[str, str]]:
        headers = {"x-mbx-apikey": key} if key else {}
        answer = self.gateway.answer(HttpRequest("POST", PATH, query, body, headers, "1.1.1.1"))
        return answer.status, json.loads(answer.body), dict(answer.headers)


def text(timestamp: int = T0, more: str = "") -> str:
    return f"symbol=BTCUSDT&timestamp={timestamp}{more}"


def with_signature(query: str) -> str:
    return f"{query}&signature={signed(query)}"


def test_query_body_and_mixed_are_each_signed_as_they_were_sent() -> None:
    door = Door()
    query, body = "symbol=BTCUSDT&side=BUY", f"price=0.1&note=a%20b&timestamp={T0}"
    for sent in (
        (with_signature(text()), ""),
        ("", with_signature(text())),
        (query, f"{body}&signature={signed(query + body)}"),
        (f"{query}&signature={signed(query + body)}", body),
        (f"signature={signed(query + body)}&{query}", body),
        ("", f"{text()}&signature={signed(text()).upper()}"),
    ):
        status, answer, _ = door.post(*sent)
        assert (status, answer["account"]) == (200, "alice"), sent
    assert "signature" not in door.calls[2].params
    assert door.calls[2].params["note"] == "a b"


@pytest.mark.parametrize(
    ("query", "key", "status", "code"),
    [
        ("", "", 401, -2014),
        ("", "nobody", 401, -2015),
        ("", "reader", 401, -2015),
        ("", KEY, 400, -1102),
        ("symbol=&timestamp=1&signature=x", KEY, 400, -1102),
        ("symbol=BTCUSDT", KEY, 400, -1102),
        (text(), KEY, 400, -1102),
        (text(T0 - 5001) + "&signature=x", KEY, 400, -1021),
        (text(T0 + 1000) + "&signature=x", KEY, 400, -1021),
        (text(more="&recvWindow=60001") + "&signature=x", KEY, 400, -1131),
        (text() + "&signature=x", KEY, 400, -1022),
        (text() + "&signature=" + "0" * 64, KEY, 400, -1022),
    ],
)
def test_the_first_thing_that_is_wrong_is_what_is_refused(query: str, key: str, status: int, code: int) -> None:
    door = Door()
    answered, body, headers = door.post(query, key=key)
    assert (answered, body["code"]) == (status, code)
    assert door.calls == []
    assert headers["X-MBX-USED-WEIGHT-1M"] == headers["X-MBX-USED-WEIGHT"] == "4"
    assert headers["Content-Type"].startswith("application/json")


def test_texts_are_binances() -> None:
    door = Door()
    assert door.post(key="")[1]["msg"] == "API-key format invalid."
    assert door.post(key="x")[1]["msg"] == "Invalid API-key, IP, or permissions for action."
    assert door.post("symbol=A")[1]["msg"] == (
        "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."
    )
    assert door.post(text() + "&signature=x")[1]["msg"] == "Signature for this request is not valid."
    late = door.post(text(T0 - 5001) + "&signature=x")[1]["msg"]
    assert late == "Timestamp for this request is outside of the recvWindow."
    early = door.post(text(T0 + 1000) + "&signature=x")[1]["msg"]
    assert early == "Timestamp for this request was 1000ms ahead of the server's time."


def test_the_window_of_time_is_exact_in_milliseconds_and_microseconds() -> None:
    for stamp, window in ((T0 - 5000, ""), (T0 + 999, ""), (T0 - 60_000, "60000"), (T0 * 1000 + 999_999, "")):
        check_time({"timestamp": str(stamp), "recvWindow": window}, T0_NS)
    for stamp, window in ((T0 - 5001, ""), (T0 + 1000, ""), (T0 * 1000 + 1_000_000, ""), (T0 - 2, "1.5")):
        with pytest.raises(ApiError) as refused:
            check_time({"timestamp": str(stamp), "recvWindow": window}, T0_NS)
        assert refused.value.code == -1021
    with pytest.raises(ApiError) as refused:
        check_time({"timestamp": "yesterday"}, T0_NS)
    assert refused.value.code == -1102


def test_time_is_looked_at_again_before_the_handler() -> None:
    door = Door()
    door.late_ns = 3_000 * MS_NS
    assert door.post(with_signature(text(T0 - 1000)))[1].get("code") is None
    door = Door()
    door.late_ns = 4_001 * MS_NS
    assert door.post(with_signature(text(T0 - 1000)))[1]["code"] == -1021
    assert door.calls == []


def test_ed25519_and_rsa_keys_sign_in_base64() -> None:
    ed25519, rsa = Ed25519PrivateKey.generate(), generate_private_key(65537, 2048)
    for private, signature in (
        (ed25519, ed25519.sign(b"a=1")),
        (rsa, rsa.sign(b"a=1", PKCS1v15(), SHA256())),
    ):
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        key, given = ApiKey("k", "alice", public_key=pem), base64.b64encode(signature).decode()
        assert is_signed_by(key, "a=1", given)
        assert not is_signed_by(key, "a=2", given)
        assert not is_signed_by(key, "a=1", "rubbish!")
        assert not is_signed_by(key, "a=1", signed("a=1"))
    assert not is_signed_by(ApiKey("k", "alice"), "a=1", signed("a=1", ""))


def test_a_signature_is_percent_decoded_and_the_rest_is_not() -> None:
    assert signed_text("a=%2F&signature=x%2By%3D", "b=1") == ("a=%2Fb=1", "x+y=")
    assert signed_params({"b": "true", "signature": "s", "a": "0.10"}) == ("a=0.10&b=true", "s")


def test_the_weight_of_a_minute_runs_out_and_who_goes_on_is_banned() -> None:
    door = Door(SurfaceSettings(weight_per_minute=10, ban_after=2, ban_s=30))
    door.now_ns = T0_NS - T0_NS % 60_000_000_000 + 12_500 * MS_NS
    answers = [door.post(with_signature(text())) for _ in range(6)]
    assert [status for status, _, _ in answers[2:]] == [429, 429, 418, 418]
    _, body, headers = answers[2]
    assert body["code"] == -1003
    assert body["msg"].startswith("Too much request weight used; current limit is 10 request weight per 1 MINUTE.")
    assert headers["Retry-After"] == "48"
    assert answers[4][2]["Retry-After"] == "30"
    assert "IP banned until" in answers[4][1]["msg"]
    door.now_ns += 61_000_000_000
    assert door.post(key="")[0] == 401


def test_orders_are_counted_by_account_and_refused_past_the_limit() -> None:
    door = Door(SurfaceSettings(orders_per_10s=2))
    good = [door.post(with_signature(text())) for _ in range(3)]
    assert [status for status, _, _ in good] == [200, 200, 429]
    assert good[1][2]["X-MBX-ORDER-COUNT-10S"] == good[1][2]["X-MBX-ORDER-COUNT-1D"] == "2"
    assert good[2][1] == {"code": -1015, "msg": "Too many new orders; current limit is 2 orders per 10 SECOND."}
    assert int(good[2][2]["Retry-After"]) in range(1, 11)


def test_with_limits_off_all_is_counted_and_nothing_refused() -> None:
    door = Door(SurfaceSettings(limits=False, weight_per_minute=1, orders_per_10s=1))
    assert [door.post(with_signature(text()))[0] for _ in range(4)] == [200] * 4
    assert door.limits.used_table("1.1.1.1", "alice", T0_NS)[0]["count"] == 16


def test_an_unknown_path_is_a_404_in_the_words_of_the_product() -> None:
    for product, kind in ((Product.SPOT, "text/html"), (Product.PERPETUAL, "application/json")):
        door = Door(product=product)
        answer = door.gateway.answer(HttpRequest("GET", "/fapi/v1/x", "", "", {}, ""))
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith(kind)
    assert json.loads(answer.body) == {"code": -5000, "msg": "Path /fapi/v1/x, Method GET is invalid"}


def test_what_is_not_asked_for_is_ignored_and_twice_the_same_is_refused() -> None:
    door = Door()
    answer = door.gateway.answer(HttpRequest("GET", "/api/v3/ping", "timestamp=1&signature=2", "", {}, ""))
    assert (answer.status, answer.body) == (200, b"{}")
    assert door.post("symbol=A&symbol=B")[1]["code"] == -1101


def test_the_query_wins_over_the_body() -> None:
    door = Door()
    query, body = "symbol=BTCUSDT", f"symbol=ETHUSDT&timestamp={T0}"
    status, answer, _ = door.post(query, f"{body}&signature={signed(query + body)}")
    assert (status, answer["symbol"]) == (200, "BTCUSDT")
