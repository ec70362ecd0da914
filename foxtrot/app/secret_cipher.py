"""How a secret is sealed in a file: a key by scrypt from a passphrase, AES-256-GCM per secret, its place bound to it.

Each secret has a salt and a nonce of its own; its key is derived from the passphrase's, which costs scrypt once.
"""

import os
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

COST: Final = 2**17
"""scrypt's n: 128 MB of memory and some tenths of a second for each guess at the passphrase."""
_BLOCK, _LANES, _KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 8, 1, 32, 16, 12
_PURPOSE: Final = b"foxtrot secret 1"
_CHECK: Final = b"foxtrot passphrase 1"


class Sealed(msgspec.Struct, frozen=True):
    """A sealed text: its salt, its nonce and what they and the passphrase make of it."""

    salt: bytes
    nonce: bytes
    data: bytes


class KeyFacts(msgspec.Struct, frozen=True):
    """How the key of a file is made of its passphrase, and a sealed word by which a wrong one is known."""

    salt: bytes
    check: Sealed
    n: int
    r: int
    p: int


class Cipher:
    """Seals and opens texts with the key of one file.

    Thread: the caller's.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key  # in hexadecimal digits

    @classmethod
    def make(cls, passphrase: Secret) -> tuple["Cipher", KeyFacts]:
        """Return a cipher for a new file, and what its file says of it.

        Blocks: for scrypt.
        """
        salt = os.urandom(_SALT_BYTES)
        cipher = cls(_derived(passphrase, salt))
        return cipher, KeyFacts(salt, cipher.seal(Secret(_CHECK.decode()), _CHECK), COST, _BLOCK, _LANES)

    @classmethod
    def open(cls, passphrase: Secret, facts: KeyFacts) -> "Cipher":
        """Return the cipher of a file.

        Blocks: for scrypt.

        Raises:
            ConfigError: the passphrase is wrong, or the file says that its key is made in another way.
        """
        if (facts.n, facts.r, facts.p) != (COST, _BLOCK, _LANES):
            raise ConfigError(
                f"the key is made by scrypt with n = {facts.n}, r = {facts.r}, p = {facts.p}, not {COST}, {_BLOCK}, {_LANES}: "
                "the file was changed; restore it from a copy"
            )
        cipher = cls(_derived(passphrase, facts.salt))
        if cipher.unseal(facts.check, _CHECK) is None:
            raise ConfigError("the passphrase is wrong, or the head of the file was changed; give the right one")
        return cipher

    def seal(self, text: Secret, bound: bytes) -> Sealed:
        """Return a text sealed together with what it is bound to, which is not kept in it."""
        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        return Sealed(salt, nonce, self._aes(salt).encrypt(nonce, text.reveal().encode(), bound))

    def unseal(self, sealed: Sealed, bound: bytes) -> Secret | None:
        """Return the text, None when a bit of it has changed or it is bound to something else."""
        try:
            return Secret(self._aes(sealed.salt).decrypt(sealed.nonce, sealed.data, bound).decode())
        except (InvalidTag, ValueError):
            return None

    def _aes(self, salt: bytes) -> AESGCM:
        master = bytes.fromhex(self._key.reveal())
        return AESGCM(HKDF(SHA256(), _KEY_BYTES, salt, _PURPOSE).derive(master))


def _derived(passphrase: Secret, salt: bytes) -> Secret:
    """Return the key of a passphrase.

    Source: RFC 7914, The scrypt Password-Based Key Derivation Function.
    """
    made = Scrypt(salt, _KEY_BYTES, COST, _BLOCK, _LANES).derive(passphrase.reveal().encode())
    return Secret(made.hex())
