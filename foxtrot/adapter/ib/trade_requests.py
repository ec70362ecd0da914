"""What an account of IB is asked: lists of orders, executions, positions and values. Only its own rows are given on."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.ib.account_codec import AccountValue
from foxtrot.adapter.ib.session import IbSession
from foxtrot.domain.errors import AdapterError, BadMessage

DEADLINE_S: Final = 10.0
OPEN_NAMES: Final = ("openOrder", "orderStatus")


class TradeRequests:
    """Asks; answers that come as callbacks of orders are heard by whoever listens to those as well.

    Thread: ib-io.
    """

    def __init__(self, session: IbSession) -> None:
        self._session = session

    async def open_orders(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the openOrder and orderStatus of all open orders of all clients, as they came.

        Raises:
            AdapterError: they could not be had.
        """
        return await self._session.ask_all(
            "open orders", lambda client: client.reqAllOpenOrders(), OPEN_NAMES, "openOrderEnd", deadline_s=DEADLINE_S
        )

    async def completed_orders(self) -> list[tuple[Any, ...]]:
        """Return contract, order and state of the orders that ended today.

        Raises:
            AdapterError: they could not be had.
        """
        found = await self._session.ask_all(
            "completed orders", lambda client: client.reqCompletedOrders(False), ("completedOrder",), "completedOrdersEnd",
            deadline_s=DEADLINE_S,
        )  # fmt: skip
        return [arguments for _, arguments in found]

    async def executions(self) -> list[tuple[Any, ...]]:
        """Return contract and execution of the account's fills, those since midnight as IB has them unless its log shows more.

        Raises:
            AdapterError: they could not be had.
        """
        wanted = self._session.sdk.ExecutionFilter()
        wanted.acctCode = self._session.account_id
        return await self._session.ask(
            "executions", lambda client, request_id: client.reqExecutions(request_id, wanted), DEADLINE_S
        )

    async def positions(self) -> list[tuple[Any, Any, Any]]:
        """Return contract, quantity and average cost of what the account holds.

        Raises:
            AdapterError: they could not be had.
        """
        found = await self._session.ask_all(
            "positions", lambda client: client.reqPositions(), ("position",), "positionEnd", deadline_s=DEADLINE_S
        )
        with suppress(AdapterError):  # what is lost with the link needs no end
            await self._session.tell("positions", lambda client: client.cancelPositions())
        return [(one[1], one[2], one[3]) for _, one in found if one[0] == self._session.account_id]

    async def values(self) -> list[AccountValue]:
        """Return all values of the account.

        Raises:
            AdapterError: they could not be had.
        """
        account, asked = self._session.account_id, [0]

        def send(client: Any, request_id: int) -> None:
            asked[0] = request_id
            client.reqAccountUpdatesMulti(request_id, account, "", False)

        found = await self._session.ask("account", send, DEADLINE_S)
        with suppress(AdapterError):
            await self._session.tell("account", lambda client: client.cancelAccountUpdatesMulti(asked[0]))
        return [AccountValue(one[0], str(one[2]), str(one[3]), str(one[4])) for one in found if one[0] == account]


def each(rows: list[Any], read: Callable[[Any], Any], what: str) -> list[Any]:
    """Return what could be read of a list; what could not is logged, for it must not hide the others."""
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except BadMessage as error:
            logger.warning("a listed {} cannot be used: {}", what, error)
    return found
