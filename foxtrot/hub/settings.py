"""What a hub is told before it starts: where it listens, who may read it, what it offers."""

import ipaddress
from urllib.parse import urlsplit

import msgspec

from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError
from foxtrot.hub.wire import HubLimits

LOOPBACK = "127.0.0.1"
MOST_LEVELS = 1_000


class OfferSettings(msgspec.Struct, frozen=True):
    """An instrument that the hub offers, the account it comes from, and the deepest book a client may ask for."""

    instrument_id: str
    account: str
    levels: int = 100


class HubSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that a HubServer is told.

    `origins` are the web pages, beside the hub's own, whose scripts may read it, such as "http://localhost:3000".
    """

    offers: tuple[OfferSettings, ...]
    host: str = LOOPBACK
    port: int = 0
    token: Secret = Secret("")
    origins: tuple[str, ...] = ()
    heartbeat_s: float = 5.0
    limits: HubLimits = HubLimits()

    def __post_init__(self) -> None:
        """Refuse what would let strangers read, or nobody.

        Raises:
            ConfigError: the host is none, is not loopback while there is no token, or an origin is no origin.
        """
        check_host(self.host, has_token=bool(self.token))
        for origin in self.origins:
            check_origin(origin)


def check_host(host: str, *, has_token: bool) -> None:
    """Refuse an address that is none, and one that others can reach while no token is needed.

    Raises:
        ConfigError: it is one of these.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ConfigError(f"host {host!r} must be an IP address such as '127.0.0.1'") from None
    if not address.is_loopback and not has_token:
        raise ConfigError(
            f"host {host!r} can be reached from other machines, so a token is needed: set token_env to the name of an "
            "environment variable that holds one, or host to '127.0.0.1'"
        )


def check_origin(origin: str) -> None:
    """Refuse what no browser would send as an origin.

    Raises:
        ConfigError: it is not scheme and host, or is a wildcard.
    """
    parts = urlsplit(origin)
    plain = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or not parts.netloc or origin != plain or "*" in origin:
        raise ConfigError(
            f"origin {origin!r} must be scheme, host and port of a page without a path, such as 'http://localhost:3000'"
        )
