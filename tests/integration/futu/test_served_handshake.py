"""Connections of the unmodified SDK: handshake, keep-alive, global state, user info, what is not served."""

from contextlib import closing
from types import ModuleType

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.futu.quote_limits import FIGURES
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_raw import RawFutu
from tests.support.futu_rig import futu_port, served_futu
from tests.support.futu_sdk import FutuContexts
from tests.support.waiting import wait_until


def requests(server: ExchangeServer) -> dict[str, int]:
    """What the server counted, by protocol."""
    counted = server.call(lambda one: dict(one.traffic.requests))
    return {name.removeprefix("futu "): count for name, count in counted.items()}


def test_a_quote_context_is_ready_after_init_connect_alone(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        context = futu_contexts.quote(futu_port(server))
        assert context.status == futu_contexts.futu.ContextStatus.READY
        assert requests(server) == {"InitConnect": 1}


def test_global_state_and_user_info_are_what_the_sdk_can_read(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        context = futu_contexts.quote(futu_port(server))
        result, state = context.get_global_state()
        assert result == 0
        assert (state["market_hk"], state["market_us"], state["market_sh"]) == ("MORNING", "MORNING", "MORNING")
        assert (state["qot_logined"], state["trd_logined"], state["program_status_type"]) == (True, True, "READY")
        result, info = context.get_user_info()
        assert (result, info["hk_qot_right"], info["sub_quota"]) == (0, "LV2", FIGURES["subscription_quota"].value)


def test_each_connection_has_an_id_of_its_own(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        contexts = [futu_contexts.quote(futu_port(server)) for _ in range(3)]
        assert len({context.get_sync_conn_id() for context in contexts}) == 3


def test_an_unknown_protocol_is_refused_at_once(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        context = futu_contexts.quote(futu_port(server))
        assert context.get_option_expiration_date("HK.00700") == (-1, "Unknown protocol ID 3224")


def test_the_client_keeps_the_connection_alive(futu_contexts: FutuContexts) -> None:
    with served_futu(futu=FutuSettings(keep_alive_s=1)) as server:
        context = futu_contexts.quote(futu_port(server))
        wait_until(lambda: requests(server).get("KeepAlive", 0) >= 2)
        assert context.status == futu_contexts.futu.ContextStatus.READY


def test_the_server_comes_back_on_its_port_and_the_client_with_it(
    futu_contexts: FutuContexts,
    futu_sdk: ModuleType,
) -> None:
    with served_futu() as server:
        context = futu_contexts.quote(futu_port(server))
        before = context.get_sync_conn_id()
        server.restart()
        wait_until(lambda: context.status == futu_sdk.ContextStatus.READY and context.get_sync_conn_id() != before)
        assert context.get_global_state()[0] == 0


def test_a_hundred_connections_that_come_and_go_leave_nothing_behind(futu_contexts: FutuContexts) -> None:
    with served_futu() as server:
        for number in range(100):
            with closing(RawFutu(futu_port(server))) as client:
                if number % 4:
                    assert client.init().retType == 0
                if number % 3:
                    client.socket.sendall(b"FT\x01")  # and is gone in the middle of a frame
        context = futu_contexts.quote(futu_port(server))
        context.close()
        wait_until(lambda: server.call(lambda one: one._doors.futu_sockets()) == ())

        def held(one: ExchangeServer) -> tuple[int, int]:
            listener = one._doors._futu
            assert listener is not None
            return len(listener.gateway.clients), len(listener.gateway._handshake._clients)

        assert server.call(held) == (0, 0)
