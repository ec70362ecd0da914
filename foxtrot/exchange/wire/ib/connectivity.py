"""The state of TWS's own links as its clients are told it: to IB's servers, and to the data farms."""

from collections.abc import Callable
from typing import Final

from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.venue_side import DEFINITION_FARM, HISTORY_FARM, MARKET_FARM, IbSide

LOST, DATA_LOST, DATA_KEPT, BROKEN_LINK = 1100, 1101, 1102, 2110
_OK: Final = {
    MARKET_FARM: (2104, "Market data farm connection is OK:{}"),
    HISTORY_FARM: (2106, "HMDS data farm connection is OK:{}"),
    DEFINITION_FARM: (2158, "Sec-def data farm connection is OK:{}"),
}
_BROKEN: Final = {
    MARKET_FARM: (2103, "Market data farm connection is broken:{}"),
    HISTORY_FARM: (2105, "HMDS data farm connection is broken:{}"),
    DEFINITION_FARM: (2157, "Sec-def data farm connection is broken:{}"),
}
_TEXTS: Final = {
    LOST: "Connectivity between IB and Trader Workstation has been lost.",
    DATA_LOST: "Connectivity between IB and Trader Workstation has been restored - data lost.",
    DATA_KEPT: "Connectivity between IB and Trader Workstation has been restored - data maintained.",
    BROKEN_LINK: "Connectivity between Trader Workstation and server is broken. It will be restored automatically.",
}


class Connectivity:
    """Moves the links and tells every client.

    Thread: exchange-io.

    Args:
        side: keeps the state of the links.
        clients: returns the connections that have started.
        notify: tells a client a code and its text.
        forget_data: ends every subscription to data, silently.
    """

    def __init__(
        self,
        side: IbSide,
        clients: Callable[[], tuple[IbClient, ...]],
        notify: Callable[[IbClient, int, str], None],
        forget_data: Callable[[], None],
    ) -> None:
        self._side = side
        self._clients = clients
        self._notify = notify
        self._forget_data = forget_data

    def welcome(self, client: IbClient) -> None:
        """Tell a client that has just started in what state the links are.

        Source: TWS API documentation, Initial Connection and System Messages; seen with ibapi 9.81.
        """
        if self._side.upstream == "lost":
            self._notify(client, BROKEN_LINK, _TEXTS[BROKEN_LINK])
            return
        for farm, is_up in self._side.farms.items():
            code, text = (_OK if is_up else _BROKEN)[farm]
            self._notify(client, code, text.format(farm))

    def set_upstream(self, *, is_up: bool, code: int = DATA_KEPT) -> None:
        """Lose the link to IB's servers, or have it restored by 1102, or by 1101: then all data subscriptions are gone.

        Source: TWS API documentation, System Messages (1100, 1101, 1102).
        """
        if (self._side.upstream == "up") == is_up:
            return
        self._side.upstream = "up" if is_up else "lost"
        told = code if is_up else LOST
        if told == DATA_LOST:
            self._forget_data()
        self._tell(told, _TEXTS[told])

    def set_farm(self, farm: str, *, is_up: bool) -> None:
        """Connect a data farm, or break it.

        Source: TWS API documentation, Message Codes (2103 to 2106, 2157, 2158).
        """
        if self._side.farms[farm] == is_up:
            return
        self._side.farms[farm] = is_up
        if self._side.upstream == "up":
            code, text = (_OK if is_up else _BROKEN)[farm]
            self._tell(code, text.format(farm))

    def _tell(self, code: int, text: str) -> None:
        for client in self._clients():
            self._notify(client, code, text)
