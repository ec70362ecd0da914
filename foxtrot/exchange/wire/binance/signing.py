"""Signatures of requests: what exactly was signed, and whether the key's owner signed it."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from foxtrot.exchange.wire.binance.venue_side import ApiKey

_SIGNATURE = "signature="


def signed_text(query: str, body: str) -> tuple[str, str]:
    """Return what a REST call signed, query and body as sent and joined by nothing, and the signature taken out of them.

    Source: Binance spot API, SIGNED Endpoint Examples for POST /api/v3/order, mixed query string and request body.
    """
    signature = ""
    parts: list[str] = []
    for part in (query, body):
        kept = part.split("&")
        for pair in [one for one in kept if one.startswith(_SIGNATURE)]:
            signature = unquote(pair.removeprefix(_SIGNATURE))
            kept.remove(pair)
        parts.append("&".join(kept))
    return "".join(parts), signature


def signed_params(params: Mapping[str, str]) -> tuple[str, str]:
    """Return what a ws-api call signed, its parameters sorted by name, and the signature.

    Source: Binance spot API, WebSocket API, SIGNED request security.
    """
    names = sorted(name for name in params if name != "signature")
    return "&".join(f"{name}={params[name]}" for name in names), params.get("signature", "")


def is_signed_by(key: ApiKey, text: str, signature: str) -> bool:
    """Tell whether a signature is that of the key: HMAC-SHA256 in hex, or Ed25519 or RSA in base64.

    Source: Binance spot API, Endpoint security type, SIGNED endpoint security; API key types.
    """
    if key.public_key:
        return _is_signed_publicly(key.public_key, text.encode(), signature)
    if not key.secret:
        return False
    expected = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def is_ed25519(key: ApiKey) -> bool:
    """Tell whether a key is an Ed25519 key, the only kind that may log a ws-api session on.

    Source: Binance spot API, WebSocket API, session.logon: only Ed25519 keys are supported.
    """
    return bool(key.public_key) and isinstance(load_pem_public_key(key.public_key.encode()), Ed25519PublicKey)


def _is_signed_publicly(pem: str, message: bytes, signature: str) -> bool:
    public = load_pem_public_key(pem.encode())
    try:
        given = base64.b64decode(signature, validate=True)
        if isinstance(public, Ed25519PublicKey):
            public.verify(given, message)
            return True
        if isinstance(public, RSAPublicKey):
            public.verify(given, message, PKCS1v15(), SHA256())
            return True
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return False
