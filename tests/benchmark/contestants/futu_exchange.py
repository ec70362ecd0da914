"""The embedded exchange with FutuOpenD's protocol in a process of its own: prints its port and ends with its input."""

import sys
from decimal import Decimal

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings


def main() -> None:
    """Serve until the input ends."""
    settings = ServerSettings(
        ports=ServerPorts(futu=0),
        accounts=(AccountSetup("main", balances={"HKD": Decimal(10**10)}),),
        agents=0,
        futu=FutuSettings(limits=False),
    )
    server = ExchangeServer(settings)
    server.start()
    print(server.ports["futu"], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
