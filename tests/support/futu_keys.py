"""An RSA key as Futu's clients and server share it, made once for a run of the tests."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@cache
def rsa_pem(bits: int = 1024) -> str:
    """Return a private key in PEM; 1024 bits are what the protocol is made for."""
    key = generate_private_key(65_537, bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
