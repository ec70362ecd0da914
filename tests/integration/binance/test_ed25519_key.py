"""An account whose key is an Ed25519 pair: the private key signs, the venue knows the public one."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from foxtrot.domain.enums import AdapterState, OrderStatus, Product
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support import binance_rig
from tests.support.binance_rig import BinanceRig

PRIVATE = Ed25519PrivateKey.generate()
SECRET = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_of(account: str) -> ApiKey:
    """Return a key that is known to the venue by its public half; the rig gives the other to the adapter."""
    return ApiKey(f"key-of-{account}", account, SECRET, PUBLIC)


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
def test_an_account_with_an_ed25519_key_connects_and_trades(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binance_rig, "key_of", key_of)
    with BinanceRig(product) as rig:
        rig.connect()
        order_id = rig.send()
        assert rig.heard.states()[-1] is AdapterState.READY
        assert rig.heard.reports(order_id)[-1].status is OrderStatus.ACCEPTED
        assert rig.open_orders() == {order_id}
        assert SECRET not in repr(rig.adapter.context)
