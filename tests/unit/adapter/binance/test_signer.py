"""The signer signs as ccxt itself does, and shows no secret."""

import ccxt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from foxtrot.adapter.binance.signer import Signer
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import LoginFailed


def pem(key: object) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[attr-defined,no-any-return]


SECRETS = {
    "hmac": "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
    "ed25519": pem(Ed25519PrivateKey.generate()),
    "rsa": pem(generate_private_key(65_537, 2048)),
}


def client(secret: str) -> ccxt.binance:
    made = ccxt.binance({"apiKey": "a-key", "secret": secret})
    made.nonce = lambda: 1_499_827_319_559
    return made


@pytest.mark.parametrize("kind", SECRETS)
def test_a_request_is_signed_as_by_the_secret_itself(kind: str) -> None:
    signer = Signer(Secret(SECRETS[kind]))
    ours = client(signer.placeholder)
    signer.install(ours)
    asked = ("order", ["private"], "POST", {"symbol": "BTCUSDT", "side": "BUY", "note": "ä&="})
    assert ours.sign(*asked)["body"] == client(SECRETS[kind]).sign(*asked)["body"]
    assert "signature=" in str(ours.sign(*asked)["body"])


def test_binance_s_own_example_comes_out() -> None:
    """Source: Binance spot API, rest-api, Request Security, SIGNED Endpoint Examples: HMAC Keys."""
    ours = client("")
    Signer(Secret(SECRETS["hmac"])).install(ours)
    text = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    )
    assert ours.hmac(text.encode(), b"") == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def test_a_key_that_cannot_sign_so_is_told() -> None:
    ours = client("")
    Signer(Secret(pem(generate_ec(SECP256R1())))).install(ours)
    for sign in (ours.hmac, ours.eddsa, ours.rsa):
        with pytest.raises(LoginFailed, match="no_signature"):
            sign("text", "")
