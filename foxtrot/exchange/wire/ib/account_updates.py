"""Values and portfolio of accounts: on request, when a position changes, and every three minutes."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from foxtrot.exchange.wire.ib.account_figures import AccountBooks, HeldPosition
from foxtrot.exchange.wire.ib.account_layouts import (
    ACCOUNT_DOWNLOAD_END,
    ACCOUNT_SUMMARY,
    ACCOUNT_SUMMARY_END,
    ACCOUNT_TIME,
    ACCOUNT_UPDATES,
    ACCOUNT_VALUE,
    PORTFOLIO,
    SUMMARY,
    UPDATE_MULTI,
    UPDATE_MULTI_END,
    UPDATES_MULTI,
)
from foxtrot.exchange.wire.ib.account_requests import EVERY, accounts_of, request_id_of
from foxtrot.exchange.wire.ib.account_values import ALL_CURRENCIES, LEDGER, AccountValues, ValueRow, money
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Send
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.order_dates import UTC
from foxtrot.exchange.wire.ib.order_echo import Values, contract_values, rounded
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.refusal import NO_REQUEST, PROCESSING, IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbSide

PERIOD_NS: Final = 180 * 1_000_000_000
"""So often everything that has changed is told. Source: TWS API documentation, reqAccountUpdates."""
MOST_SUMMARIES: Final = 2
"""Source: TWS API documentation, reqAccountSummary: two active at a time."""
_Key = tuple[int, int]
"""A connection and the id of its request; 0 stands for reqAccountUpdates, which has none."""


class AccountUpdates:
    """Tells values.

    Thread: exchange-io.
    """

    def __init__(
        self, side: IbSide, books: AccountBooks, send: Send, clients: Callable[[], tuple[IbClient, ...]]
    ) -> None:
        self._side = side
        self._books = books
        self._values = AccountValues(books)
        self._send = send
        self._clients = clients
        self._watched: dict[int, IbAccount] = {}
        self._summaries: dict[_Key, tuple[str, ...]] = {}
        self._multi: dict[_Key, tuple[tuple[IbAccount, ...], str, bool]] = {}
        self._told: dict[tuple[str, _Key, str], dict[tuple[str, str], str]] = {}
        """What was told last, by kind of message, request and account."""
        self._touched: set[str] = set()
        self._next_ns = 0

    # --- requests ---------------------------------------------------------------------------------------------------

    def subscribe(self, client: IbClient, reader: FieldReader) -> None:
        """Tell an account and go on telling it, or stop; a client watches one at a time.

        Source: TWS API documentation, reqAccountUpdates.

        Raises:
            IbRefused: there is no such account.
        """
        raw = reader.read(ACCOUNT_UPDATES, client.version)
        if raw["subscribe"] in ("", "0"):
            self._watched.pop(client.number, None)
            return
        account = accounts_of(self._side, NO_REQUEST, raw["account"], several=False)[0]
        self._watched[client.number] = account
        self._forget((client.number, 0))
        self._tell_watched(client, account)
        self._send(client, ACCOUNT_DOWNLOAD_END, {"account": account.account_id})

    def summarise(self, client: IbClient, reader: FieldReader) -> None:
        """Tell the tags that are asked for of all accounts, and go on.

        Source: TWS API documentation, reqAccountSummary.

        Raises:
            IbRefused: a tag is none, the group is none, or two summaries run already.
        """
        raw = reader.read(SUMMARY, client.version)
        request_id = request_id_of(raw["reqId"])
        key = (client.number, request_id)
        if raw["group"].strip() not in ("", EVERY, *self._side.accounts):
            raise refused(request_id, "field", name="group", text=raw["group"][:40])
        tags = tuple(tag.strip() for tag in raw["tags"].split(",") if tag.strip())
        self._check_tags(request_id, tags)
        running = sum(number == client.number for number, _ in self._summaries if (number, _) != key)
        if running >= MOST_SUMMARIES:
            text = "Error processing request.-'bS' : cause - Maximum number of account summary requests exceeded"
            raise IbRefused(PROCESSING, text, request_id)
        self._summaries[key] = tags
        self._forget(key)
        self._tell_summary(client, request_id, tags, self._side.accounts.values())
        self._send(client, ACCOUNT_SUMMARY_END, {"reqId": request_id})

    def end_summary(self, client: IbClient, reader: FieldReader) -> None:
        """Stop telling a summary.

        Source: TWS API documentation, cancelAccountSummary.
        """
        reader.whole()
        self._summaries.pop((client.number, reader.whole()), None)

    def subscribe_multi(self, client: IbClient, reader: FieldReader) -> None:
        """Tell the values of an account under a request's id, and go on; of several accounts where none is named.

        Source: TWS API documentation, reqAccountUpdatesMulti.

        Raises:
            IbRefused: there is no such account.
        """
        raw = reader.read(UPDATES_MULTI, client.version)
        request_id = request_id_of(raw["reqId"])
        accounts = accounts_of(self._side, request_id, raw["account"], several=True)
        wanted = (accounts, raw["modelCode"], raw["ledgerAndNLV"] not in ("", "0"))
        self._multi[client.number, request_id] = wanted
        self._forget((client.number, request_id))
        self._tell_multi(client, request_id, wanted)
        self._send(client, UPDATE_MULTI_END, {"reqId": request_id})

    def end_multi(self, client: IbClient, reader: FieldReader) -> None:
        """Stop telling the values of a request.

        Source: TWS API documentation, cancelAccountUpdatesMulti.
        """
        reader.whole()
        self._multi.pop((client.number, reader.whole()), None)

    # --- changes ----------------------------------------------------------------------------------------------------

    def touch(self, account: IbAccount) -> None:
        """Note that an account has changed.

        Source: TWS API documentation, reqAccountUpdates.
        """
        self._touched.add(account.account_id)

    def tick(self, now_ns: int) -> None:
        """Tell what has changed of the accounts that were touched; every three minutes of all.

        Source: TWS API documentation, reqAccountUpdates, reqAccountSummary.
        """
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + PERIOD_NS
            self._touched.update(self._side.accounts)
        if not self._touched or self._side.upstream == "lost":
            return
        touched, self._touched = self._touched, set()
        for client in self._clients():
            self._tell_changes(client, touched)

    def closed(self, client: IbClient) -> None:
        """Forget a connection.

        Source: none; Foxtrot's own clean-up.
        """
        self._watched.pop(client.number, None)
        self._summaries = {key: tags for key, tags in self._summaries.items() if key[0] != client.number}
        self._multi = {key: wanted for key, wanted in self._multi.items() if key[0] != client.number}
        self._told = {key: told for key, told in self._told.items() if key[1][0] != client.number}

    # --- inside -----------------------------------------------------------------------------------------------------

    def _tell_changes(self, client: IbClient, touched: set[str]) -> None:
        watched = self._watched.get(client.number)
        if watched is not None and watched.account_id in touched:
            self._tell_watched(client, watched)
        for (number, request_id), tags in self._summaries.items():
            if number == client.number:
                accounts = [one for name, one in self._side.accounts.items() if name in touched]
                self._tell_summary(client, request_id, tags, accounts)
        for (number, request_id), (accounts_wanted, model, is_short) in self._multi.items():
            if number == client.number:
                wanted = tuple(one for one in accounts_wanted if one.account_id in touched)
                self._tell_multi(client, request_id, (wanted, model, is_short))

    def _tell_watched(self, client: IbClient, account: IbAccount) -> None:
        rows = self._values.totals(account) + self._values.ledger(account)
        for row in self._news("values", (client.number, 0), account, rows):
            values = {"key": row.key, "value": row.value, "currency": row.currency, "account": account.account_id}
            self._send(client, ACCOUNT_VALUE, values)
        self._tell_portfolio(client, account)
        time = datetime.fromtimestamp(self._side.now_ns() // 1_000_000_000, UTC)
        self._send(client, ACCOUNT_TIME, {"time": f"{time:%H:%M}"})

    def _tell_portfolio(self, client: IbClient, account: IbAccount) -> None:
        held = {row.contract.instrument_id: row for row in self._books.positions(account)}
        rows = [
            ValueRow(name, f"{row.quantity} {row.price} {row.average} {row.realised}") for name, row in held.items()
        ]
        for changed in self._news("portfolio", (client.number, 0), account, rows):
            self._tell_position(client, account, held[changed.key])

    def _tell_position(self, client: IbClient, account: IbAccount, row: HeldPosition) -> None:
        values = contract_values(row.contract)
        del values["exchange"]
        values |= {
            "primaryExchange": row.contract.primary_exchange or row.contract.exchange,
            "position": row.quantity,
            "marketPrice": rounded(row.price),
            "marketValue": money(row.value),
            "averageCost": rounded(row.average),
            "unrealizedPNL": money(row.unrealised),
            "realizedPNL": money(row.realised),
            "account": account.account_id,
        }
        self._send(client, PORTFOLIO, values)

    def _tell_summary(
        self, client: IbClient, request_id: int, tags: tuple[str, ...], accounts: Iterable[IbAccount]
    ) -> None:
        for account in accounts:
            rows = [row for row in self._values.totals(account) if row.key in tags]
            for tag in tags:
                rows += self._ledger_rows(account, tag) if tag.startswith(LEDGER) else []
            for row in self._news("summary", (client.number, request_id), account, rows):
                values: Values = {"reqId": request_id, "account": account.account_id, "currency": row.currency}
                self._send(client, ACCOUNT_SUMMARY, values | {"tag": row.key, "value": row.value})

    def _ledger_rows(self, account: IbAccount, tag: str) -> list[ValueRow]:
        """Return the rows of `$LEDGER` (the base currency), `$LEDGER:USD` (one) or `$LEDGER:ALL`."""
        currency = tag.partition(":")[2] or ALL_CURRENCIES
        return [row for row in self._values.ledger(account) if currency in (row.currency, EVERY.upper())]

    def _tell_multi(self, client: IbClient, request_id: int, wanted: tuple[tuple[IbAccount, ...], str, bool]) -> None:
        accounts, model, is_short = wanted
        for account in accounts:
            totals = self._values.totals(account)
            rows = [row for row in totals if row.key == "NetLiquidation" or not is_short] + self._values.ledger(account)
            for row in self._news("multi", (client.number, request_id), account, rows):
                values: Values = {"reqId": request_id, "account": account.account_id, "modelCode": model}
                values |= {"key": row.key, "value": row.value, "currency": row.currency}
                self._send(client, UPDATE_MULTI, values)

    def _news(self, kind: str, key: _Key, account: IbAccount, rows: list[ValueRow]) -> list[ValueRow]:
        """Return the rows that are other than they were told last, and note them as told."""
        told = self._told.setdefault((kind, key, account.account_id), {})
        news = [row for row in rows if told.get((row.key, row.currency)) != row.value]
        told |= {(row.key, row.currency): row.value for row in news}
        return news

    def _forget(self, key: _Key) -> None:
        self._told = {one: told for one, told in self._told.items() if one[1] != key}

    def _check_tags(self, request_id: int, tags: tuple[str, ...]) -> None:
        account = next(iter(self._side.accounts.values()), None)
        known = {row.key for row in self._values.totals(account)} if account is not None else set()
        for tag in tags:
            if account is not None and tag not in known and tag.partition(":")[0] != LEDGER:
                raise refused(request_id, "ledger", tag=tag[:40])
