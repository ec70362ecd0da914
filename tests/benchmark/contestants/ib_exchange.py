"""The embedded exchange with TWS's protocol in a process of its own: prints its port and ends with its input."""

import sys
from decimal import Decimal

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.ib.surface_settings import IbSettings


def main() -> None:
    """Serve until the input ends."""
    settings = ServerSettings(
        ports=ServerPorts(ib=0),
        accounts=(AccountSetup("main", balances={"USD": Decimal(10**12)}),),
        agents=0,
        ib=IbSettings(limits=False, refuses_old_attributes=False),
    )
    server = ExchangeServer(settings)
    server.start()
    print(server.ports["ib"], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
