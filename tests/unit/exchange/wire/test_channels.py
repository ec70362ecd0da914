"""How an account hears of itself: listenKeys and ws-api subscriptions, and their ends."""

import json
from typing import Any

import pytest

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.surface import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.binance_surface import KEY, MS_NS, SurfaceRig, signed

SPOT, USDM = Product.SPOT, Product.PERPETUAL
PATHS = {SPOT: "/api/v3/userDataStream", USDM: "/fapi/v1/listenKey"}
EVENT: dict[str, object] = {"e": "ACCOUNT_UPDATE", "E": 1}


def key_of(rig: SurfaceRig, method: str = "POST", query: str = "") -> Any:
    return json.loads(rig.call(method, PATHS[rig.product], query, key=KEY).body)


def subscribe(rig: SurfaceRig, line: Any, number: int = 1) -> Any:
    stamp = rig.now_ms
    line.ask(
        {
            "id": number,
            "method": "userDataStream.subscribe.signature",
            "params": {"apiKey": KEY, "timestamp": stamp, "signature": signed(f"apiKey={KEY}&timestamp={stamp}")},
        }
    )
    return line.take()[-1]


def deliver(rig: SurfaceRig, account: str = "alice") -> None:
    rig.surface.channels.deliver(account, EVENT)


def test_the_listen_key_is_the_same_while_it_lives() -> None:
    rig = SurfaceRig(USDM)
    key = key_of(rig)["listenKey"]
    assert len(key) == 64
    rig.wait(3_000_000, 1_000_000)
    assert key_of(rig)["listenKey"] == key
    rig.wait(3_000_000, 1_000_000)
    assert key_of(rig, "PUT") == {"listenKey": key}
    rig.wait(3_700_000, 100_000)
    assert key_of(rig, "PUT") == {"code": -1125, "msg": "This listenKey does not exist."}
    again = key_of(rig)["listenKey"]
    assert again != key
    assert key_of(rig, "DELETE") == {}
    assert key_of(rig, "PUT")["code"] == -1125


def test_a_listen_key_needs_an_api_key_and_no_signature() -> None:
    rig = SurfaceRig(USDM)
    assert rig.call("POST", PATHS[USDM]).status == 401
    assert rig.call("POST", PATHS[USDM], "timestamp=1&signature=x", key=KEY).status == 200


@pytest.mark.parametrize(
    ("path", "query", "wrapped"),
    [
        ("/private/ws", "listenKey={key}", False),
        ("/ws/{key}", "", False),
        ("/stream", "streams={key}", True),
        ("/private/stream", "listenKey={key}", True),
    ],
)
def test_every_way_to_hear_by_listen_key(path: str, query: str, wrapped: bool) -> None:
    rig = SurfaceRig(USDM)
    key = key_of(rig)["listenKey"]
    line = rig.open(path.format(key=key), query.format(key=key))
    rig.wait(60)
    deliver(rig)
    deliver(rig, "bob")
    assert line.take() == [{"stream": key, "data": EVENT} if wrapped else EVENT]


def test_a_listen_key_can_be_subscribed_like_a_stream() -> None:
    rig = SurfaceRig(USDM)
    key, line = key_of(rig)["listenKey"], rig.open("/ws")
    line.ask({"method": "SUBSCRIBE", "params": [key], "id": 1})
    rig.wait(60)
    deliver(rig)
    assert line.take() == [{"result": None, "id": 1}, EVENT]
    line.ask({"method": "LIST_SUBSCRIPTIONS", "id": 2})
    line.ask({"method": "UNSUBSCRIBE", "params": [key], "id": 3})
    deliver(rig)
    assert line.take() == [{"result": [key], "id": 2}, {"result": None, "id": 3}]


def test_only_the_events_asked_for_are_told() -> None:
    rig = SurfaceRig(USDM)
    key = key_of(rig)["listenKey"]
    line = rig.open("/private/ws", f"listenKey={key}&events=ORDER_TRADE_UPDATE/ALGO_UPDATE")
    rig.wait(60)
    deliver(rig)
    rig.surface.channels.deliver("alice", {"e": "ALGO_UPDATE"})
    assert line.take() == [{"e": "ALGO_UPDATE"}]


def test_an_unknown_key_hears_nothing() -> None:
    rig = SurfaceRig(USDM)
    line = rig.open("/private/ws", "listenKey=nonsense")
    deliver(rig)
    rig.wait(100)
    assert line.take() == []


@pytest.mark.parametrize("closes", [False, True])
def test_an_expired_key_says_so_and_falls_silent(closes: bool) -> None:
    rig = SurfaceRig(USDM, SurfaceSettings(limits=False, close_expired_listen_key=closes))
    key = key_of(rig)["listenKey"]
    line = rig.open("/private/ws", f"listenKey={key}&events=ORDER_TRADE_UPDATE")
    rig.wait(60)
    assert rig.surface.expire_listen_key("bob") is False
    assert rig.surface.expire_listen_key("alice") is True
    deliver(rig)
    assert line.take() == [{"e": "listenKeyExpired", "E": rig.now_ms, "listenKey": key}]
    assert bool(line.closes) is closes
    assert key_of(rig)["listenKey"] != key


def test_a_key_expires_by_the_clock_however_often_the_server_ticks() -> None:
    rig = SurfaceRig(USDM, SurfaceSettings(limits=False, listen_key_life_s=2))
    key = key_of(rig)["listenKey"]
    line = rig.open("/private/ws", f"listenKey={key}")
    rig.wait(1_990)
    assert line.take() == []
    rig.wait(10)
    assert [frame["e"] for frame in line.take()] == ["listenKeyExpired"]


def test_the_first_events_wait_until_the_answer_was_read() -> None:
    rig = SurfaceRig()
    line = rig.open("/ws-api/v3")
    answer = subscribe(rig, line)
    assert (answer["id"], answer["status"], answer["result"]) == (1, 200, {"subscriptionId": 0})
    deliver(rig)
    rig.wait(40)
    assert line.take() == []
    rig.wait(10)
    deliver(rig)
    assert line.take() == [{"subscriptionId": 0, "event": EVENT}] * 2


def test_subscriptions_are_listed_and_ended() -> None:
    rig = SurfaceRig()
    line, other = rig.open("/ws-api/v3"), rig.open("/ws-api/v3")
    assert subscribe(rig, line)["result"] == subscribe(rig, line)["result"] == {"subscriptionId": 0}
    assert subscribe(rig, other)["result"] == {"subscriptionId": 1}
    rig.wait(60)
    line.ask({"id": 2, "method": "session.subscriptions"})
    line.ask({"id": 3, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 0}})
    listed, ended = line.take()
    assert (listed["result"], ended["result"]) == ([{"subscriptionId": 0}], {})
    deliver(rig)
    assert line.take() == []
    assert len(other.take()) == 1


def test_the_venue_can_end_a_subscription() -> None:
    rig = SurfaceRig()
    line = rig.open("/ws-api/v3")
    subscribe(rig, line)
    assert rig.surface.terminate_user_stream("bob") == 0
    assert rig.surface.terminate_user_stream("alice") == 1
    deliver(rig)
    rig.wait(60)
    assert line.take() == [{"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": rig.now_ms - 60}}]


def test_spots_retired_listen_keys_can_be_switched_off() -> None:
    rig = SurfaceRig()
    key = key_of(rig)["listenKey"]
    assert key_of(rig, "PUT", f"listenKey={key}") == {}
    assert key_of(rig, "PUT")["code"] == -1102
    line = rig.open(f"/ws/{key}")
    rig.wait(60)
    deliver(rig)
    assert line.take() == [EVENT]
    modern = SurfaceRig(settings=SurfaceSettings(legacy_listen_key=False))
    assert modern.call("POST", PATHS[SPOT], key=KEY).status == 410


def test_two_accounts_do_not_hear_each_other_and_a_gone_connection_is_forgotten() -> None:
    rig = SurfaceRig()
    rig.side.add_key(ApiKey("key-of-bob", "bob", "s"))
    line = rig.open("/ws-api/v3")
    subscribe(rig, line)
    rig.wait(60)
    deliver(rig, "bob")
    assert line.take() == []
    assert rig.surface.channels._by_account.get("alice")
    rig.surface.closed(line.connection)
    assert not rig.surface.channels._by_account.get("alice")
    deliver(rig)
    assert line.take() == []
    rig.now_ns += 100 * MS_NS
