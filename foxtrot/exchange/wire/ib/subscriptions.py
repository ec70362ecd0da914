"""Subscriptions of all clients: by who asked under which id, and by contract."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.ib_contract import IbContract
from foxtrot.exchange.wire.ib.quote_requests import duplicate


class Subscription(msgspec.Struct, eq=False):
    """Who asked, under which id, for which contract.

    Thread: exchange-io.
    """

    client: IbClient
    request_id: int
    contract: IbContract


_One = TypeVar("_One", bound=Subscription)


class Subscriptions(Generic[_One]):
    """The subscriptions to one kind of data.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._by_request: dict[tuple[int, int], _One] = {}
        self._by_instrument: dict[str, dict[tuple[int, int], _One]] = {}

    def __len__(self) -> int:
        return len(self._by_request)

    def __iter__(self) -> Iterator[_One]:
        return iter(tuple(self._by_request.values()))

    def check_free(self, client: IbClient, request_id: int) -> None:
        """Refuse an id that is in use.

        Source: TWS API documentation, Error Codes (322).

        Raises:
            IbRefused: the client has something under it.
        """
        if (client.number, request_id) in self._by_request:
            raise duplicate()

    def add(self, one: _One) -> None:
        """Keep a subscription.

        Source: TWS API documentation, Streaming Market Data.
        """
        key = (one.client.number, one.request_id)
        self._by_request[key] = one
        self._by_instrument.setdefault(one.contract.instrument_id, {})[key] = one

    def pop(self, client: IbClient, request_id: int) -> _One | None:
        """Forget a subscription and return it, None where there is none.

        Source: TWS API documentation, Streaming Market Data, cancelling.
        """
        key = (client.number, request_id)
        found = self._by_request.pop(key, None)
        if found is not None:
            del self._by_instrument[found.contract.instrument_id][key]
        return found

    def of(self, contract: IbContract) -> tuple[_One, ...]:
        """Return who is to hear of a contract.

        Source: TWS API documentation, Streaming Market Data.
        """
        found = self._by_instrument.get(contract.instrument_id)
        return tuple(found.values()) if found else ()

    def drop(self, client: IbClient) -> None:
        """Forget everything of a connection.

        Source: none; the socket is gone.
        """
        for number, request_id in tuple(self._by_request):
            if number == client.number:
                self.pop(client, request_id)

    def clear(self) -> None:
        """Forget everything.

        Source: TWS API documentation, System Messages (1101).
        """
        self._by_request.clear()
        self._by_instrument.clear()
