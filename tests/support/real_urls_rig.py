"""The rig of the Binance adapter in environment "live": Binance's own addresses, none overridden, resolved to TLS on loopback."""

import ssl
from typing import Any

import aiohttp
import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import PositionMode, Product
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings
from tests.support.binance_rig import BinanceRig, Longest, key_of
from tests.support.real_names import Here
from tests.support.recorder import Recorder


class RealUrlsRig(BinanceRig):
    """A BinanceRig whose adapter believes that it talks to Binance; ccxt's limiter is off, for it counts real time."""

    def sibling(self, mode: PositionMode) -> "RealUrlsRig":
        return RealUrlsRig(self.product, adapter_class=self._adapter_class, mode=mode, hot_path=self._hot_path)

    def _server_settings(self) -> ServerSettings:
        tls = ServerPorts(binance_spot_tls=0) if self.product is Product.SPOT else ServerPorts(binance_usdm_tls=0)
        return msgspec.structs.replace(super()._server_settings(), ports=tls)

    def _make(self, account: str, heard: Recorder) -> BinanceAdapter:
        spot = self.product is Product.SPOT
        settings: dict[str, Any] = {
            "product": "spot" if spot else "usdm",
            "hot_path": self._hot_path,
            "rate_limit": False,
            "subscriptions_per_s": self.subscriptions_per_s,
            **({} if spot else {"max_leverage": 20}),
        }
        key = key_of(account)
        secrets = {"api_key": Secret(key.api_key), "api_secret": Secret(key.secret)}
        mode = self._mode if account == self.account else PositionMode.NETTING
        context = AdapterContext(account, heard, self.permit, self.clock, settings, {}, "live", mode, secrets)
        trusted = ssl.create_default_context(cafile=str(self.server.ca_file))
        adapter = self._adapter_class(
            context, make_connector=lambda: aiohttp.TCPConnector(resolver=Here(self.server), ssl=trusted)
        )
        adapter.session.backoff = Backoff(Longest(), base_s=5.0, cap_s=5.0)
        self._adapters.append((adapter, heard))
        return adapter
