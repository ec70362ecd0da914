"""Profit and loss of accounts, told once a second while it changes; the day's is counted from midnight UTC."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from foxtrot.exchange.events import ChargeBooked
from foxtrot.exchange.wire.ib.account_figures import AccountBooks
from foxtrot.exchange.wire.ib.account_layouts import PNL, PNL_REQUEST
from foxtrot.exchange.wire.ib.account_requests import accounts_of, request_id_of
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Send
from foxtrot.exchange.wire.ib.layout import FieldReader, Value
from foxtrot.exchange.wire.ib.order_echo import rounded
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbSide

OWNER: Final = "ib.days"
"""Whose notes hold what accounts were worth when the day began."""
PERIOD_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * PERIOD_NS


class ProfitAndLoss:
    """Tells profit and loss.

    Thread: exchange-io.
    """

    def __init__(
        self, side: IbSide, books: AccountBooks, send: Send, clients: Callable[[], tuple[IbClient, ...]]
    ) -> None:
        self._side = side
        self._books = books
        self._send = send
        self._clients = clients
        self._wanted: dict[tuple[int, int], tuple[IbAccount, dict[str, Value]]] = {}
        self._next_ns = 0

    def subscribe(self, client: IbClient, reader: FieldReader) -> None:
        """Tell profit and loss of an account, and go on.

        Source: TWS API documentation, reqPnL.

        Raises:
            IbRefused: there is no such account.
        """
        raw = reader.read(PNL_REQUEST, client.version)
        request_id = request_id_of(raw["reqId"])
        account = accounts_of(self._side, request_id, raw["account"], several=False)[0]
        values = self._values(account)
        self._wanted[client.number, request_id] = account, values
        self._send(client, PNL, {"reqId": request_id, **values})

    def end(self, client: IbClient, reader: FieldReader) -> None:
        """Stop telling it.

        Source: TWS API documentation, cancelPnL.
        """
        self._wanted.pop((client.number, reader.whole()), None)

    def paid_in(self, account: IbAccount, event: ChargeBooked) -> None:
        """Take money that came in or went out as no profit of the day.

        Source: TWS API documentation, reqPnL: daily PnL leaves transfers out.
        """
        days = self._side.venue.notes(OWNER)
        told = days.get(account.account_id)
        if told is not None:
            day, worth = told.split()
            days[account.account_id] = f"{day} {Decimal(worth) + event.amount * self._books.rate(event.asset)}"

    def tick(self, now_ns: int) -> None:
        """Note what accounts are worth when a day begins, and tell what has changed.

        Source: TWS API documentation, reqPnL: once a second.
        """
        if now_ns < self._next_ns and now_ns >= self._next_ns - PERIOD_NS:
            return
        self._next_ns = now_ns + PERIOD_NS
        for account in self._side.accounts.values():
            self._begin_day(account, now_ns)
        for client in self._clients():
            for (number, request_id), (account, told) in tuple(self._wanted.items()):
                if number == client.number:
                    self._tell(client, request_id, account, told)

    def closed(self, client: IbClient) -> None:
        """Forget a connection.

        Source: none; Foxtrot's own clean-up.
        """
        self._wanted = {key: wanted for key, wanted in self._wanted.items() if key[0] != client.number}

    def _tell(self, client: IbClient, request_id: int, account: IbAccount, told: dict[str, Value]) -> None:
        values = self._values(account)
        if values != told and self._side.upstream == "up":
            self._wanted[client.number, request_id] = account, values
            self._send(client, PNL, {"reqId": request_id, **values})

    def _begin_day(self, account: IbAccount, now_ns: int) -> None:
        days, day = self._side.venue.notes(OWNER), str(now_ns // _DAY_NS)
        if days.get(account.account_id, "").partition(" ")[0] != day:
            days[account.account_id] = f"{day} {self._books.figures(account).net_liquidation}"

    def _values(self, account: IbAccount) -> dict[str, Value]:
        self._begin_day(account, self._side.now_ns())
        figures = self._books.figures(account)
        began = Decimal(self._side.venue.notes(OWNER)[account.account_id].split()[1])
        return {
            "dailyPnL": rounded(figures.net_liquidation - began),
            "unrealizedPnL": rounded(figures.unrealised),
            "realizedPnL": rounded(figures.realised),
        }
