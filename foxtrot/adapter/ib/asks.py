"""The open questions of a link: what was heard in answer to each, until its end. Pure.

Source: TWS API, the callbacks of each request; TWS ends a list by a message of its own.
"""

import asyncio
from typing import Any, Final

from foxtrot.adapter.ib.errors import IbError, failure_of
from foxtrot.domain.errors import AdapterError

Answer = tuple[str, tuple[Any, ...]]
"""A callback's name and its arguments."""
PARTS: Final = frozenset({
    "contractDetails", "bondContractDetails", "execDetails", "historicalData", "accountSummary", "positionMulti", "accountUpdateMulti",
    "securityDefinitionOptionParameter", "historicalTicks", "historicalTicksBidAsk", "historicalTicksLast",
})  # fmt: skip
"""Callbacks that begin with a request's id and bring a part of its answer."""
ENDS: Final = frozenset({
    "contractDetailsEnd", "execDetailsEnd", "historicalDataEnd", "accountSummaryEnd", "positionMultiEnd", "accountUpdateMultiEnd",
    "securityDefinitionOptionParameterEnd", "tickSnapshotEnd",
})  # fmt: skip
"""Callbacks that begin with a request's id and end its answer."""
WHOLE: Final = frozenset({"symbolSamples", "headTimestamp", "histogramData"})
"""Callbacks that begin with a request's id and are its answer."""
WITH_ID: Final = PARTS | ENDS | WHOLE


RENEW_AFTER: Final = 3
"""After how many lists of a kind without their end, one after another, a link on which other things are answered is renewed."""


class _Ask:
    def __init__(self) -> None:
        self.found: list[Any] = []
        self.ended = False
        self.done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        self.ended = True
        if not self.done.done():
            self.done.set_result(self.found)

    def fail(self, error: AdapterError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # whoever asked may be gone


class Asks:
    """Questions with an id, and lists without one, of which one of a kind is open at a time.

    TWS answers in the order in which it was asked, and the end of a list does not say of which. So an end that comes after a list was given up
    is that list's, with all that was told before it; a later list without an end of its own is never taken for whole.

    Thread: ib-io.
    """

    def __init__(self) -> None:
        self._by_id: dict[int, _Ask] = {}
        self._by_end: dict[str, tuple[_Ask, frozenset[str]]] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._owed: dict[str, int] = {}
        """By the callback that ends them how many lists were given up over this link whose end has not come."""
        self._given_up: dict[str, int] = {}

    def begin_link(self) -> None:
        """Begin with a new link, over which nothing of an older one can come."""
        self._owed.clear()
        self._given_up.clear()

    def open(self, request_id: int) -> "asyncio.Future[list[Any]]":
        """Begin to gather what is told of a request id: of each callback its arguments after the id."""
        ask = self._by_id[request_id] = _Ask()
        return ask.done

    def close(self, request_id: int) -> None:
        """Gather for a request id no more."""
        self._by_id.pop(request_id, None)

    def turn(self, end: str) -> asyncio.Lock:
        """Return what is to be held while a list that ends by a callback is open."""
        return self._turns.setdefault(end, asyncio.Lock())

    def open_list(self, end: str, names: frozenset[str]) -> "asyncio.Future[list[Any]]":
        """Begin to gather a list without an id: name and arguments of each callback, until the one that ends it."""
        ask = _Ask()
        self._by_end[end] = (ask, names)
        return ask.done

    def close_list(self, end: str, *, asked: bool = False) -> None:
        """Gather a list no more; the end of one that was asked for may still come, and must not be the next one's."""
        found = self._by_end.pop(end, None)
        if found is None:
            return
        if found[0].ended:
            self._given_up.pop(end, None)
        elif asked:
            self._owed[end] = self._owed.get(end, 0) + 1

    def give_up(self, end: str) -> bool:
        """Note that a list was not ended in time though other things were answered; tells whether the link is to be renewed."""
        self._given_up[end] = self._given_up.get(end, 0) + 1
        return self._given_up[end] >= RENEW_AFTER

    def hear(self, name: str, arguments: tuple[Any, ...]) -> bool:
        """Take a callback; tells whether it was the answer to a question, so that nobody else needs it."""
        if name in WITH_ID and arguments:
            ask = self._by_id.get(arguments[0])
            if ask is not None:
                self._take(ask, name, arguments)
                return True
        is_owed = self._owed.get(name, 0) > 0
        if is_owed:
            self._owed[name] -= 1
        for end, (ask, names) in tuple(self._by_end.items()):
            if name in names:
                ask.found.append((name, arguments))
            if name == end and is_owed:
                ask.found.clear()  # what was told until now is the list's that was given up
            elif name == end:
                ask.end()
        return False

    def hear_error(self, error: IbError) -> bool:
        """Take an error; tells whether it is a question's."""
        ask = self._by_id.get(error.request_id)
        if ask is None:
            return False
        if error.kind not in ("notice", "warning"):
            ask.fail(failure_of(error))
        return True

    def fail(self, error: AdapterError) -> None:
        """Fail whatever is open: nothing will be answered any more."""
        for ask in (*self._by_id.values(), *(ask for ask, _ in self._by_end.values())):
            ask.fail(error)

    def _take(self, ask: _Ask, name: str, arguments: tuple[Any, ...]) -> None:
        if name not in ENDS:
            ask.found.append(arguments[1:])
        if name not in PARTS:
            ask.end()
