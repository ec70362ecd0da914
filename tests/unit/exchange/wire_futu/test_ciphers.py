"""Encryption: AES for bodies, RSA in blocks for the handshake, keys that are none."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.wire.futu.cipher import Cipher
from foxtrot.exchange.wire.futu.rsa_blocks import RsaBlocks
from tests.support.futu_keys import rsa_pem


@given(plain=st.binary(max_size=200))
def test_what_is_encrypted_is_read_again_and_each_frame_begins_anew(plain: bytes) -> None:
    cipher = Cipher("0123456789ABCDEF", "FEDCBA9876543210")
    wire = cipher.encrypt(plain)
    assert len(wire) == len(plain) // 16 * 16 + 16
    assert cipher.decrypt(wire) == plain
    assert cipher.encrypt(plain) == wire


@pytest.mark.parametrize("wire", [b"", b"short", bytes(16), bytes(17)])
def test_a_body_of_another_key_is_a_value_error(wire: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # what it says is the library's
        Cipher("0123456789ABCDEF", "FEDCBA9876543210").decrypt(wire)


@pytest.mark.parametrize("size", [1, 99, 100, 101, 350])
def test_rsa_makes_a_block_of_128_bytes_of_each_hundred(size: int) -> None:
    blocks = RsaBlocks(rsa_pem())
    plain = bytes(range(256))[: size % 256] * (1 + size // 256)
    wire = blocks.encrypt(plain)
    assert len(wire) == -(-len(plain) // 100) * 128
    assert blocks.decrypt(wire) == plain


def test_keys_that_are_none_say_what_is_needed() -> None:
    with pytest.raises(ConfigError, match="no private key in PEM"):
        RsaBlocks("nonsense")
    with pytest.raises(ConfigError, match="has 2048 bits; Futu's protocol needs an RSA key of exactly 1024"):
        RsaBlocks(rsa_pem(2048))
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ConfigError, match="needs an RSA key"):
        RsaBlocks(curve.decode())


def test_keys_are_never_shown() -> None:
    assert repr(RsaBlocks(rsa_pem())) == "RsaBlocks(***)"
    assert repr(Cipher("0123456789ABCDEF", "FEDCBA9876543210")) == "Cipher(***)"
