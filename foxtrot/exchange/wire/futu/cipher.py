"""Encryption of bodies: AES for everything after the handshake, each frame by itself.

Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
"""

from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

BLOCK_BITS = 128


class Cipher:
    """AES-CBC with the key and the initial vector that InitConnect gave; both begin anew with each frame.

    Thread: exchange-io.

    Args:
        key: 16 ASCII characters.
        iv: 16 ASCII characters.
    """

    def __init__(self, key: str, iv: str) -> None:
        self._cipher = BlockCipher(AES(key.encode("ascii")), CBC(iv.encode("ascii")))

    def __repr__(self) -> str:
        return "Cipher(***)"

    def encrypt(self, plain: bytes) -> bytes:
        """Return a body as it is sent.

        Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
        """
        padder = PKCS7(BLOCK_BITS).padder()
        padded = padder.update(plain) + padder.finalize()
        encryptor = self._cipher.encryptor()
        return encryptor.update(padded) + encryptor.finalize()

    def decrypt(self, wire: bytes) -> bytes:
        """Return the plain body.

        Raises:
            ValueError: it was encrypted with something else, or not at all.

        Source: Futu OpenAPI documentation, Protocol Introduction (encrypted communication process).
        """
        decryptor = self._cipher.decryptor()
        padded = decryptor.update(wire) + decryptor.finalize()
        unpadder = PKCS7(BLOCK_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
