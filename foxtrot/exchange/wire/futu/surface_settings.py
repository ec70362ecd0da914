"""What can be set about FutuOpenD's surface."""

import msgspec

from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings

DEMO_PASSWORD = "foxtrot"  # noqa: S105  # of accounts that exist nowhere else


class FutuSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Switches of the surface.

    `always_open` trades at any hour; without it, markets keep their sessions. `password` unlocks trading on the REAL accounts.
    `rsa_key` is the PEM text of the private key that clients have too; without it, encrypted clients are refused.
    `limits` off counts call frequencies and quotas but refuses nothing. `keep_alive_s` is how often clients are told to speak.
    `quotes` says what the customer may see and how much of it.
    """

    always_open: bool = True
    password: str = DEMO_PASSWORD
    rsa_key: str = ""
    limits: bool = True
    keep_alive_s: int = 10
    quotes: QuoteSettings = QuoteSettings()

    def __repr__(self) -> str:
        return f"FutuSettings(always_open={self.always_open}, limits={self.limits}, keep_alive_s={self.keep_alive_s})"
