"""Fills that a client asks for, by a filter."""

from collections.abc import Iterator
from typing import Final

import msgspec

from foxtrot.domain.enums import Side
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Send
from foxtrot.exchange.wire.ib.ib_order import IbOrder
from foxtrot.exchange.wire.ib.layout import FieldReader, is_unset
from foxtrot.exchange.wire.ib.order_book_of_client import IbOrders
from foxtrot.exchange.wire.ib.order_dates import UTC, moment_ns
from foxtrot.exchange.wire.ib.order_layouts import EXEC_DETAILS_END, EXECUTION_FILTER
from foxtrot.exchange.wire.ib.order_telling import OrderTelling
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.venue_side import IbContract, IbSide

_SIDES: Final = {"": None, "BUY": Side.BUY, "SELL": Side.SELL, "BOT": Side.BUY, "SLD": Side.SELL}
KEPT_NS: Final = 7 * 86_400 * 1_000_000_000
"""So far back TWS tells executions where its trade log is set to a week; without that, since midnight.

Source: TWS API documentation, Executions and Commissions.
"""
Row = tuple[IbOrder, OrderFilled, tuple[int, int]]


class ExecutionFilter(msgspec.Struct, frozen=True):
    """Which fills are wanted; 0, "" and None let all pass."""

    client_id: int
    account: str
    since_ns: int
    symbol: str
    sec_type: str
    exchange: str
    side: Side | None

    @classmethod
    def read(cls, reader: FieldReader, version: int) -> "tuple[int, ExecutionFilter]":
        """Return the request's id and its filter.

        Raises:
            IbRefused: the time or the side is none.

        Source: EClient.reqExecutions of ibapi 9.81; TWS API documentation, ExecutionFilter.
        """
        raw = reader.read(EXECUTION_FILTER, version)
        reader.end()
        request_id = _whole(raw["reqId"])
        side = raw["side"].strip().upper()
        if side not in _SIDES:
            raise refused(request_id, "field", name="side", text=side[:40])
        since_ns = moment_ns(request_id, raw["time"], UTC) if raw["time"].strip() else 0
        wanted = cls(
            _whole(raw["clientId"]),
            raw["account"].strip(),
            since_ns,
            raw["symbol"].strip().upper(),
            raw["secType"].strip().upper(),
            raw["exchange"].strip().upper(),
            _SIDES[side],
        )
        return request_id, wanted

    def fits(self, order: IbOrder, contract: IbContract, fill: OrderFilled) -> bool:
        """Tell whether a fill is wanted.

        Source: TWS API documentation, ExecutionFilter.
        """
        return (
            self.client_id in (0, order.client_id)
            and self.account in ("", order.account_id)
            and fill.time_ns >= self.since_ns
            and self.symbol in ("", contract.symbol, contract.local_symbol)
            and self.sec_type in ("", contract.sec_type)
            and self.exchange in ("", contract.exchange, *contract.valid_exchanges)
            and self.side in (None, fill.side)
        )


class Executions:
    """Answers reqExecutions.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide, orders: IbOrders, telling: OrderTelling, send: Send) -> None:
        self._side = side
        self._orders = orders
        self._telling = telling
        self._send = send

    def answer(self, client: IbClient, reader: FieldReader) -> None:
        """Tell the fills that pass the filter, oldest first, each with its commission; then the end.

        Source: TWS API documentation, reqExecutions.

        Raises:
            IbRefused: the filter says nothing that can be.
        """
        request_id, wanted = ExecutionFilter.read(reader, client.version)
        for row in sorted(self._rows(), key=lambda one: one[1].sequence):
            order, fill, _ = row
            if wanted.fits(order, self._telling.contract(order), fill):
                self._telling.execution_to(client, request_id, row)
        self._send(client, EXEC_DETAILS_END, {"reqId": request_id})

    def _rows(self) -> Iterator[Row]:
        """Return the fills with their orders, and what was done of each order up to it."""
        oldest_ns = self._side.now_ns() - KEPT_NS
        done: dict[int, tuple[int, int]] = {}
        for account in self._side.accounts.values():
            for fill in self._side.venue.fills(account.account):
                order = self._orders.of_venue(account, fill.instrument_id, fill.order_id)
                if order is None:
                    continue
                quantity, cost = done.get(order.perm_id, (0, 0))
                quantity, cost = quantity + fill.fill_quantity, cost + fill.fill_price * fill.fill_quantity
                done[order.perm_id] = quantity, cost
                if fill.time_ns >= oldest_ns:
                    yield order, fill, (quantity, cost)


def _whole(text: str) -> int:
    """Return a whole number of a request, 0 for what is none."""
    digits = text.removeprefix("-")
    return int(text) if not is_unset(text) and digits.isascii() and digits.isdecimal() and len(digits) <= 18 else 0
