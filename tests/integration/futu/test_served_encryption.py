"""Encrypted connections of the unmodified SDK: RSA for the handshake, AES for what follows."""

import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from foxtrot.exchange.wire.futu.frame import Frame
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_keys import rsa_pem
from tests.support.futu_raw import RawFutu
from tests.support.futu_rig import futu_port, served_futu
from tests.support.futu_sdk import FutuContexts, hear_pushes
from tests.support.waiting import wait_until


@pytest.fixture
def key_file(tmp_path: Path, futu_sdk: ModuleType) -> Iterator[Path]:
    """The key of the SDK, which has one for the whole process."""
    path = tmp_path / "futu.key"
    path.write_text(rsa_pem())
    before = futu_sdk.SysConfig.INIT_RSA_FILE
    futu_sdk.SysConfig.set_init_rsa_file(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK never closes the file
        futu_sdk.SysConfig.get_init_rsa_obj()
    yield path
    futu_sdk.SysConfig.set_init_rsa_file(before)


@pytest.mark.usefixtures("key_file")
def test_an_encrypted_client_asks_and_is_pushed(futu_contexts: FutuContexts) -> None:
    with served_futu(futu=FutuSettings(rsa_key=rsa_pem())) as server:
        quote = futu_contexts.quote(futu_port(server), is_encrypt=True)
        heard = hear_pushes(quote, futu_contexts.futu.OrderBookHandlerBase)
        assert quote.get_global_state()[1]["market_hk"] == "MORNING"
        assert quote.subscribe(["HK.00700"], ["ORDER_BOOK"])[0] == 0
        wait_until(lambda: len(heard) > 0)
        trade = futu_contexts.trade(futu_port(server), is_encrypt=True)
        assert trade.unlock_trade("foxtrot")[0] == 0


@pytest.mark.usefixtures("key_file")
def test_a_client_with_a_key_that_does_not_encrypt_seals_its_request_alone(futu_contexts: FutuContexts) -> None:
    with served_futu(futu=FutuSettings(rsa_key=rsa_pem())) as server:
        quote = futu_contexts.quote(futu_port(server), is_encrypt=False)
        assert quote.get_global_state()[0] == 0


def test_a_plain_client_is_served_beside_encrypted_ones(futu_contexts: FutuContexts) -> None:
    with served_futu(futu=FutuSettings(rsa_key=rsa_pem())) as server:
        assert futu_contexts.quote(futu_port(server)).get_global_state()[0] == 0


@pytest.mark.usefixtures("futu_sdk")
def test_without_a_key_nothing_can_be_encrypted() -> None:
    with served_futu() as server, closing(RawFutu(futu_port(server))) as client:
        answer = client.init(packetEncAlgo=2)
        assert (answer.retType, answer.retMsg.split(",")[0]) == (-500, "this server has no RSA key")
        client.send_bytes(1001, b"plain", b"something else" * 10)
        frame: Frame = client.read()
        assert b"no RSA key" in frame.body


@pytest.mark.usefixtures("futu_sdk")
def test_other_ciphers_are_refused_by_their_number() -> None:
    with served_futu() as server, closing(RawFutu(futu_port(server))) as client:
        assert client.init(packetEncAlgo=1).retMsg == "packetEncAlgo 1 is not served; use -1 (none) or 2 (AES-CBC)"
