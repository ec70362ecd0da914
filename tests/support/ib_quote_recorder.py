"""Records requests for market data as each client of TWS's protocol writes them.

Run by hand when a client changes: `python -m tests.support.ib_quote_recorder NAME [VERSION]` with NAME ibapi or ib_async, and the highest server
version; another ibapi than the installed one is put before it by PYTHONPATH. The tests only read what it wrote.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.ib_raw_server import IbRawServer
from tests.support.waiting import wait_until

FILE = Path(__file__).parents[1] / "unit" / "exchange" / "wire_ib" / "frames" / "quote_requests.txt"
_OWN = ("71", "49")


def read() -> dict[str, bytes]:
    """The recorded bodies: client, version and request → body."""
    lines = (line.split() for line in FILE.read_text().splitlines())
    return {name: bytes.fromhex(text) for name, text in lines}


def requests(client: Any, contract: Callable[..., Any]) -> list[Callable[[], None]]:
    """Every request of market data, by the names and in the order of EClient."""
    share = contract(symbol="AAPL", secType="STK", exchange="SMART", currency="USD")
    pair = contract(symbol="EUR", secType="CASH", exchange="IDEALPRO", currency="USD")
    return [
        lambda: client.reqMarketDataType(1),
        lambda: client.reqMktData(5, share, "233,236", False, False, []),
        lambda: client.reqMktData(15, pair, "", True, False, []),
        lambda: client.reqMktDepth(6, share, 5, True, []),
        lambda: client.reqMktDepth(16, pair, 5, False, []),
        client.reqMktDepthExchanges,
        lambda: client.reqTickByTickData(7, share, "AllLast", 5, True),
        lambda: client.reqHistoricalData(9, share, "", "3600 S", "1 min", "TRADES", 0, 2, True, []),
        lambda: client.reqRealTimeBars(8, share, 5, "TRADES", False, []),
        lambda: client.cancelMktData(5),
        lambda: client.cancelMktDepth(6, True),
        lambda: client.cancelTickByTickData(7),
        lambda: client.cancelHistoricalData(9),
        lambda: client.cancelRealTimeBars(8),
    ]


def _by_ibapi(server: IbRawServer) -> None:
    from ibapi.client import EClient
    from ibapi.contract import Contract
    from ibapi.wrapper import EWrapper

    def contract(**fields: str) -> Any:
        made = Contract()
        for name, value in fields.items():
            setattr(made, name, value)
        return made

    client = EClient(EWrapper())
    client.connect("127.0.0.1", server.port, 1)
    runner = threading.Thread(target=client.run)
    runner.start()
    calls = requests(client, contract)
    for call in calls:
        call()
    wait_until(lambda: len(_told(server)) == len(calls))
    client.disconnect()
    runner.join()


def _by_ib_async(server: IbRawServer) -> None:
    import ib_async

    async def run() -> None:
        ib = ib_async.IB()
        ib.client.MaxClientVersion = server.version
        await ib.client.connectAsync("127.0.0.1", server.port, 1, 5)
        calls = requests(ib.client, ib_async.Contract)
        for call in calls:
            call()
        await asyncio.to_thread(wait_until, lambda: len(_told(server)) == len(calls))
        ib.disconnect()

    asyncio.run(run())


def _told(server: IbRawServer) -> list[list[str]]:
    return [fields for fields in server.client.received if fields[0] not in _OWN]


def main(name: str, version: str = "157") -> None:
    """Add what a client says at a server version to the file, in place of what it said before."""
    server = IbRawServer().start()
    server.version = int(version)
    try:
        (_by_ibapi if name == "ibapi" else _by_ib_async)(server)
        told = _told(server)
    finally:
        server.stop()
    label = name
    if name == "ibapi":
        import ibapi

        label = f"ibapi_{ibapi.get_version_string()}"
    kept = {
        one: body
        for one, body in (read() if FILE.exists() else {}).items()
        if not one.startswith(f"{label}:{version}:")
    }
    for number, fields in enumerate(told):
        kept[f"{label}:{version}:{number}"] = "".join(f"{field}\0" for field in fields).encode()
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("".join(f"{one} {body.hex()}\n" for one, body in kept.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
