"""Binance's real addresses on this machine: a resolver that answers every name with the exchange's TLS ports."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from foxtrot.exchange.server import ExchangeServer


class Here(AbstractResolver):
    """Answers every name with this machine and the TLS port of its product."""

    def __init__(self, server: ExchangeServer) -> None:
        self.asked: set[str] = set()
        self._ports = server.ports

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        self.asked.add(host)
        usdm = host.startswith(("fapi", "fstream", "ws-fapi"))
        here = self._ports["binance_usdm_tls"] if usdm else self._ports["binance_spot_tls"]
        here = here or self._ports["binance_usdm_tls"]  # what a key may do is asked of spot's host
        assert here is not None
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=here, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]  # fmt: skip

    async def close(self) -> None:
        """Have nothing to close."""
