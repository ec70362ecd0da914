"""Encryption of InitConnect: RSA in blocks, with the one key that client and server both have.

Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from foxtrot.domain.errors import ConfigError

KEY_BITS: Final = 1024
PLAIN_BLOCK: Final = 100
WIRE_BLOCK: Final = 128


class RsaBlocks:
    """Encrypts and decrypts with an RSA key of 1024 bits: 100 plain bytes make a block of 128.

    Thread: exchange-io.

    Args:
        pem: the private key, as clients have it in their key file.

    Raises:
        ConfigError: it is no such key.
    """

    def __init__(self, pem: str) -> None:
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError):
            raise ConfigError("the RSA key is no private key in PEM without a password") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size != KEY_BITS:
            bits = getattr(key, "key_size", 0)
            raise ConfigError(f"the RSA key has {bits} bits; Futu's protocol needs an RSA key of exactly {KEY_BITS}")
        self._key = key
        self._public = key.public_key()

    def __repr__(self) -> str:
        return "RsaBlocks(***)"

    def encrypt(self, plain: bytes) -> bytes:
        """Return a body as it is sent.

        Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
        """
        blocks = (plain[at : at + PLAIN_BLOCK] for at in range(0, len(plain), PLAIN_BLOCK))
        return b"".join(self._public.encrypt(block, PKCS1v15()) for block in blocks)

    def decrypt(self, wire: bytes) -> bytes:
        """Return the plain body.

        Raises:
            ValueError: it was encrypted with another key, or not at all.

        Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
        """
        blocks = (wire[at : at + WIRE_BLOCK] for at in range(0, len(wire), WIRE_BLOCK))
        return b"".join(self._key.decrypt(block, PKCS1v15()) for block in blocks)
