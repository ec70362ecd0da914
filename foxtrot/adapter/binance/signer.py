"""Signs requests with an account's secret without keeping it as a text: ccxt's client gets this in place of the secret.

What is kept is the state of a hash, or a private key of the cryptography package; neither shows the secret by its attributes. The
secret that ccxt has instead is a word that makes it choose the right way to sign.
"""

import base64
import hmac
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from foxtrot.adapter.binance.errors import VENUE
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import LoginFailed

_PEM_MARK: Final = "PRIVATE KEY"
_RSA_FROM: Final = 121
"""How long a PEM is at least that ccxt takes for RSA's rather than Ed25519's."""


class Signer:
    """Signs for one account by HMAC-SHA256, Ed25519 or RSA, whichever its secret is for.

    Thread: the loop's.

    Source: Binance spot API, rest-api, Request Security.
    """

    __slots__ = ("_hash", "_key", "placeholder")

    def __init__(self, secret: Secret) -> None:
        self._hash: hmac.HMAC | None = None
        self._key: object = None
        if _PEM_MARK in secret.reveal():
            self._key = load_pem_private_key(secret.reveal().encode(), None)
            self.placeholder = _PEM_MARK.ljust(_RSA_FROM if isinstance(self._key, RSAPrivateKey) else 0, "-")
        else:
            self._hash = hmac.new(secret.reveal().encode(), digestmod="sha256")
            self.placeholder = "kept by the signer"

    def install(self, exchange: Any) -> None:
        """Let a client of ccxt sign by this."""
        exchange.hmac, exchange.eddsa, exchange.rsa = self._sign_by_hash, self._sign_by_curve, self._sign_by_rsa

    def _sign_by_hash(self, request: bytes, *_: object) -> str:
        if self._hash is None:
            raise LoginFailed(VENUE, "no_signature", "the account signs by a private key, not by HMAC")
        turn = self._hash.copy()
        turn.update(request)
        return turn.hexdigest()

    def _sign_by_curve(self, request: bytes, *_: object) -> str:
        if not isinstance(self._key, Ed25519PrivateKey):
            raise LoginFailed(VENUE, "no_signature", "the private key is neither for Ed25519 nor for RSA")
        return base64.b64encode(self._key.sign(request)).decode()

    def _sign_by_rsa(self, request: str, *_: object) -> str:
        if not isinstance(self._key, RSAPrivateKey):
            raise LoginFailed(VENUE, "no_signature", "the private key is not for RSA")
        return base64.b64encode(self._key.sign(request.encode(), PKCS1v15(), SHA256())).decode()
