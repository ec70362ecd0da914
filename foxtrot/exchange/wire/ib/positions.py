"""The positions of all accounts: on request, and each as it changes."""

from collections.abc import Callable

from foxtrot.exchange.wire.ib.account_figures import AccountBooks, HeldPosition
from foxtrot.exchange.wire.ib.account_layouts import POSITION, POSITION_END
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Send
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.order_echo import contract_values, rounded
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbSide


class Positions:
    """Tells positions.

    Thread: exchange-io.
    """

    def __init__(
        self, side: IbSide, books: AccountBooks, send: Send, clients: Callable[[], tuple[IbClient, ...]]
    ) -> None:
        self._side = side
        self._books = books
        self._send = send
        self._clients = clients
        self._hearing: set[int] = set()
        self._touched: dict[tuple[str, str], None] = {}

    def subscribe(self, client: IbClient, _reader: FieldReader) -> None:
        """Tell every position that is not flat, and go on with changes.

        Source: TWS API documentation, reqPositions.
        """
        self._hearing.add(client.number)
        for account in self._side.accounts.values():
            for row in self._books.positions(account):
                if row.quantity:
                    self._tell(client, account, row)
        self._send(client, POSITION_END, {})

    def end(self, client: IbClient, _reader: FieldReader) -> None:
        """Stop telling changes.

        Source: TWS API documentation, cancelPositions.
        """
        self._hearing.discard(client.number)

    def touch(self, account: IbAccount, instrument_id: str) -> None:
        """Note that a position has changed.

        Source: TWS API documentation, reqPositions.
        """
        if self._hearing:
            self._touched[account.account_id, instrument_id] = None

    def tick(self) -> None:
        """Tell the positions that have changed, those that are flat now included.

        Source: TWS API documentation, reqPositions.
        """
        if not self._touched:
            return
        touched, self._touched = self._touched, {}
        for account_id in dict.fromkeys(name for name, _ in touched):
            account = self._side.accounts[account_id]
            for row in self._books.positions(account):
                if (account_id, row.contract.instrument_id) in touched:
                    self._tell_all(account, row)

    def closed(self, client: IbClient) -> None:
        """Forget a connection.

        Source: none; Foxtrot's own clean-up.
        """
        self._hearing.discard(client.number)

    def _tell_all(self, account: IbAccount, row: HeldPosition) -> None:
        for client in self._clients():
            if client.number in self._hearing:
                self._tell(client, account, row)

    def _tell(self, client: IbClient, account: IbAccount, row: HeldPosition) -> None:
        values = contract_values(row.contract, row.contract.primary_exchange)
        values |= {"account": account.account_id, "position": row.quantity, "avgCost": rounded(row.average)}
        self._send(client, POSITION, values)
