"""Where Binance is: the addresses of each environment, as ccxt names them."""

from typing import Final

Urls = dict[str, object]
"""What ccxt keeps under urls["api"]."""

LIVE: Final = "live"
TESTNET: Final = "testnet"
DEMO: Final = "demo"
LOOPBACK: Final = "loopback"
SAFEST: Final = TESTNET


def _rest(spot: str, sapi: str, futures: str) -> Urls:
    """Return the REST addresses of the products that are used; an empty one is not served in that environment."""
    return {
        "public": f"{spot}/api/v3",
        "private": f"{spot}/api/v3",
        "v1": f"{spot}/api/v1",
        "sapi": f"{sapi}/sapi/v1",
        "sapiV2": f"{sapi}/sapi/v2",
        "sapiV3": f"{sapi}/sapi/v3",
        "sapiV4": f"{sapi}/sapi/v4",
        **{f"fapi{kind}": f"{futures}/fapi/v1" for kind in ("Public", "Private")},
        **{f"fapi{kind}V{n}": f"{futures}/fapi/v{n}" for kind in ("Public", "Private") for n in (2, 3)},
        "fapiData": f"{futures}/futures/data",
    }


def _unused(base: str) -> Urls:
    """Return addresses for the products that are not used, so that none of ccxt's own is left."""
    return {
        "dapiPublic": f"{base}/dapi/v1",
        "dapiPrivate": f"{base}/dapi/v1",
        "dapiPrivateV2": f"{base}/dapi/v2",
        "dapiData": f"{base}/futures/data",
        "eapiPublic": f"{base}/eapi/v1",
        "eapiPrivate": f"{base}/eapi/v1",
        "papi": f"{base}/papi/v1",
        "papiV2": f"{base}/papi/v2",
    }


def _streams(spot: str, spot_api: str, linear: str, linear_api: str) -> Urls:
    return {
        "spot": spot,
        "margin": spot,
        "linear": linear,
        "inverse": linear,
        "option": linear,
        "optionMarket": linear,
        "optionPrivate": linear,
        "stock": linear,
        "papi": linear,
        "ws-api": {"spot": spot_api, "linear": linear_api, "inverse": linear_api},
    }


def loopback_urls(port: int) -> Urls:
    """Return the addresses of an exchange on this machine; one port serves one product.

    The spot streams' address must contain "/stream", by which ccxt tells spot from futures, and the futures' must end in
    "/ws", after which it puts the category.
    """
    base, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    streams = _streams(f"{ws}/stream.sim/ws", f"{ws}/ws-api/v3", f"{ws}/ws", f"{ws}/ws-fapi/v1")
    return {**_rest(base, base, base), **_unused(base), "ws": streams}


ENVIRONMENTS: Final[dict[str, Urls]] = {
    LIVE: {
        **_rest("https://api.binance.com", "https://api.binance.com", "https://fapi.binance.com"),
        **_unused("https://unused.invalid"),
        "ws": _streams(
            "wss://stream.binance.com:9443/ws",
            "wss://ws-api.binance.com:443/ws-api/v3",
            "wss://fstream.binance.com/ws",
            "wss://ws-fapi.binance.com/ws-fapi/v1",
        ),
    },
    TESTNET: {
        **_rest("https://testnet.binance.vision", "https://unused.invalid", "https://testnet.binancefuture.com"),
        **_unused("https://unused.invalid"),
        "ws": _streams(
            "wss://stream.testnet.binance.vision/ws",
            "wss://ws-api.testnet.binance.vision/ws-api/v3",
            "wss://fstream.binancefuture.com/ws",
            "wss://testnet.binancefuture.com/ws-fapi/v1",
        ),
    },
    DEMO: {
        **_rest("https://demo-api.binance.com", "https://unused.invalid", "https://demo-fapi.binance.com"),
        **_unused("https://unused.invalid"),
        "ws": _streams(
            "wss://demo-stream.binance.com/ws",
            "wss://demo-ws-api.binance.com/ws-api/v3",
            "wss://fstream.binancefuture.com/ws",
            "wss://testnet.binancefuture.com/ws-fapi/v1",
        ),
    },
}

NAMES: Final = (*ENVIRONMENTS, LOOPBACK)
"""Every environment that an account may name."""
