"""The ws-api: requests and answers, what is signed, sessions, and the same endpoints as REST."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from foxtrot.domain.enums import Product, Side
from foxtrot.exchange.wire.binance.surface import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.binance_surface import KEY, Line, SurfaceRig, signed

ED = Ed25519PrivateKey.generate()
PEM = ED.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def line_of(rig: SurfaceRig) -> Line:
    return rig.open("/ws-api/v3" if rig.product is Product.SPOT else "/ws-fapi/v1")


def ask(line: Line, method: str, number: object = 1, **params: object) -> Any:
    line.ask({"id": number, "method": method, "params": params} if params else {"id": number, "method": method})
    (answer,) = line.take()
    assert answer["id"] == number
    return answer


def payload(params: dict[str, object]) -> str:
    return "&".join(f"{name}={json.dumps(v) if not isinstance(v, str) else v}" for name, v in sorted(params.items()))


def call(rig: SurfaceRig, line: Line, method: str, **params: object) -> Any:
    sent: dict[str, object] = {"apiKey": KEY, "timestamp": rig.now_ms, **params}
    return ask(line, method, **sent, signature=signed(payload(sent)))


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
@pytest.mark.parametrize("number", [1, "a-b", "7", None])
def test_an_answer_has_id_status_result_and_limits(product: Product, number: object) -> None:
    rig = SurfaceRig(product)
    line = line_of(rig)
    answer = ask(line, "time", number)
    assert set(answer) == {"id", "status", "result", "rateLimits"}
    assert (answer["status"], answer["result"]) == (200, {"serverTime": rig.now_ms})
    limit = answer["rateLimits"][0]
    assert limit["rateLimitType"] == "REQUEST_WEIGHT"
    assert limit["count"] > 1
    assert ask(line, "ping")["result"] == {}
    assert "rateLimits" not in ask(line, "ping", returnRateLimits=False)


def test_market_data_is_that_of_rest() -> None:
    rig = SurfaceRig()
    rig.order(Side.SELL, 6_000_000, 200_000)
    rig.order(Side.BUY, 6_000_000, 100_000, "alice")
    line = line_of(rig)
    for method, path, params in (
        ("depth", "depth", {"limit": 5}),
        ("klines", "klines", {"interval": "1m"}),
        ("trades.recent", "trades", {}),
        ("trades.historical", "historicalTrades", {"fromId": 1}),
        ("trades.aggregate", "aggTrades", {"limit": 3}),
        ("ticker.24hr", "ticker/24hr", {}),
        ("ticker.price", "ticker/price", {}),
        ("ticker.book", "ticker/bookTicker", {}),
        ("avgPrice", "avgPrice", {}),
        ("exchangeInfo", "exchangeInfo", {}),
    ):
        answer = ask(line, method, symbol="BTCUSDT", **params)
        assert answer["result"] == rig.get(f"/api/v3/{path}", symbol="BTCUSDT", **params), method
    assert len(ask(line, "ticker.price", symbols=["BTCUSDT", "ETHUSDT"])["result"]) == 2


def test_errors_have_status_and_code() -> None:
    line = line_of(SurfaceRig())
    answer = ask(line, "depth", symbol="NOSUCH")
    assert (answer["status"], answer["error"]) == (400, {"code": -1121, "msg": "Invalid symbol."})
    assert "result" not in answer
    assert ask(line, "depth")["error"]["code"] == -1102
    assert ask(line, "buy.everything")["status"] == 400
    usdm = ask(line_of(SurfaceRig(Product.PERPETUAL)), "userDataStream.subscribe.signature", apiKey=KEY)
    assert usdm["error"] == {"code": -5000, "msg": "Method userDataStream.subscribe.signature is invalid"}
    for text in ("{", "[]", '{"id":1}', '{"id":1,"method":"ping","params":[]}'):
        line.ask(text)
        (answer,) = line.take()
        assert (answer["id"], answer["status"], answer["error"]["code"]) == (None, 400, -1135)


def test_an_order_is_placed_with_numbers_and_booleans_as_they_were_sent() -> None:
    rig = SurfaceRig()
    line = line_of(rig)
    terms = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": 0.01,
        "price": 40000.5,
    }
    answer = call(rig, line, "order.place", **terms, newClientOrderId="one", returnRateLimits=True)
    assert (answer["status"], answer["result"]["clientOrderId"]) == (200, "one")
    assert [row["rateLimitType"] for row in answer["rateLimits"]] == ["REQUEST_WEIGHT", "ORDERS", "ORDERS"]
    assert answer["rateLimits"][1]["count"] == 1
    text = json.dumps({"id": 9, "method": "order.status", "params": {"symbol": "BTCUSDT"}})
    stamp = rig.now_ms
    raw = f"apiKey={KEY}&orderId=1.0e0&symbol=BTCUSDT&timestamp={stamp}"
    body = f'"apiKey":"{KEY}","orderId":1.0e0,"symbol":"BTCUSDT","timestamp":{stamp},"signature":"{signed(raw)}"'
    line.ask(text.replace('"symbol": "BTCUSDT"', body))
    assert line.take()[0]["error"]["code"] != -1022


def test_the_signature_is_checked() -> None:
    rig = SurfaceRig()
    line = line_of(rig)
    good: dict[str, object] = {"apiKey": KEY, "symbol": "BTCUSDT", "timestamp": rig.now_ms}
    for params, status, code in (
        (good | {"signature": "0" * 64}, 400, -1022),
        (good, 400, -1102),
        (good | {"apiKey": "nobody", "signature": "0"}, 401, -2015),
        ({"symbol": "BTCUSDT", "timestamp": 1}, 401, -2014),
        (good | {"timestamp": 1, "signature": "0"}, 400, -1021),
    ):
        answer = ask(line, "openOrders.status", **params)
        assert (answer["status"], answer["error"]["code"]) == (status, code), params
    assert call(rig, line, "openOrders.status", symbol="BTCUSDT", recvWindow=10000)["result"] == []


def logon(rig: SurfaceRig, line: Line) -> Any:
    rig.side.add_key(ApiKey("ed", "alice", public_key=PEM))
    sent: dict[str, object] = {"apiKey": "ed", "timestamp": rig.now_ms}
    return ask(line, "session.logon", **sent, signature=base64.b64encode(ED.sign(payload(sent).encode())).decode())


def test_a_session_that_is_logged_on_needs_no_more_signatures() -> None:
    rig = SurfaceRig()
    line = line_of(rig)
    assert ask(line, "session.status")["result"]["apiKey"] is None
    assert ask(line, "userDataStream.subscribe")["status"] == 401
    told = logon(rig, line)["result"]
    assert (told["apiKey"], told["authorizedSince"], told["userDataStream"]) == ("ed", rig.now_ms, False)
    assert ask(line, "openOrders.status", symbol="BTCUSDT", timestamp=rig.now_ms)["result"] == []
    assert ask(line, "openOrders.status", symbol="BTCUSDT", timestamp=1)["error"]["code"] == -1021
    assert ask(line, "openOrders.status", symbol="BTCUSDT")["error"]["code"] == -1102
    assert ask(line, "userDataStream.subscribe")["result"] == {"subscriptionId": 0}
    assert ask(line, "session.status")["result"]["userDataStream"] is True
    assert ask(line, "session.logout")["result"]["apiKey"] is None
    assert ask(line, "openOrders.status", symbol="BTCUSDT", timestamp=rig.now_ms)["status"] == 401


def test_a_session_is_its_connections_own_and_hmac_keys_cannot_log_on() -> None:
    rig = SurfaceRig()
    line, other = line_of(rig), line_of(rig)
    logon(rig, line)
    assert ask(other, "openOrders.status", symbol="BTCUSDT", timestamp=rig.now_ms)["status"] == 401
    answer = call(rig, other, "session.logon")
    assert answer["error"] == {"code": -4056, "msg": "HMAC_SHA256 API key is not supported."}


def test_limits_are_shared_with_rest() -> None:
    rig = SurfaceRig(settings=SurfaceSettings(weight_per_minute=100, ban_after=1))
    line = line_of(rig)
    assert rig.call("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=1000").headers["X-MBX-USED-WEIGHT-1M"] == "52"
    answers = [ask(line, "exchangeInfo") for _ in range(4)]
    assert [answer["status"] for answer in answers] == [200, 200, 429, 418]
    assert rig.call("GET", "/api/v3/ping").status == 418
    assert answers[2]["error"]["code"] == answers[3]["error"]["code"] == -1003
    assert answers[3]["error"]["data"] == {"serverTime": rig.now_ms, "retryAfter": rig.now_ms + 120_000}


def test_order_counts_can_be_asked_for() -> None:
    rig = SurfaceRig()
    answer = call(rig, line_of(rig), "account.rateLimits.orders")
    assert [(row["intervalNum"], row["count"]) for row in answer["result"]] == [(10, 0), (1, 0)]
