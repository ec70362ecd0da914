"""Under which of our ids an order at IB is told: by permId and orderRef, which last; by the numbers of a client only within a link.

An order number is worth little at IB: it is another order's for another client, 0 or negative for orders of others, and after a gateway
was set back it may be given again. So a number is believed only where this link has given it itself or has heard it together with a
permId; and never against a permId or an orderRef that say otherwise.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from loguru import logger

REMEMBERED: Final = 50_000
"""How many orders at IB are remembered by their permId and by their orderRef."""


class OrderNames:
    """Names orders, always the same for the same order, and never two alike.

    Thread: ib-io.
    """

    def __init__(self, client_id: int) -> None:
        self._client_id = client_id
        self._of_perm: OrderedDict[int, str] = OrderedDict()
        self._perm_of: OrderedDict[str, int] = OrderedDict()
        self._of_number: dict[int, str] = {}
        self._number_of: dict[str, int] = {}
        self._owner_of: dict[str, int] = {}
        self.saw: Callable[[int], None] = _leave
        """Hears a number that an order of this client id has, which no other may get."""

    def begin(self, number: int, name: str) -> None:
        """Note that an order of ours leaves over this link under a number."""
        self._of_number[number] = name
        self._number_of[name] = number
        self._owner_of[name] = self._client_id

    def forget(self, name: str) -> None:
        """Drop an order that never left."""
        number = self._number_of.pop(name, None)
        if number is not None:
            self._of_number.pop(number, None)
        self._owner_of.pop(name, None)

    def lost(self) -> None:
        """Forget all numbers: they are worth nothing over another link."""
        self._of_number.clear()
        self._number_of.clear()

    def number_of(self, name: str) -> int:
        """Return the number under which this link can speak of an order, 0 without one."""
        return self._number_of.get(name, 0)

    def owner_of(self, name: str) -> int | None:
        """Return the client id whose order it is, None when nobody has told it."""
        return self._owner_of.get(name)

    def perm_of(self, name: str) -> int:
        """Return IB's permanent number of an order, 0 while it is not known."""
        return self._perm_of.get(name, 0)

    def of_number(self, number: int) -> str:
        """Return the order to which a number belongs that an error names, "" without one."""
        return self._of_number.get(number, "") if number > 0 else ""

    def hear(self, perm_id: int, client_id: int, number: int, ref: str) -> str:
        """Return the name of an order that is told with its orderRef, and remember what it is told under.

        "" for one that has no permId yet and is none of ours.
        """
        name = self._of_perm.get(perm_id, "") if perm_id else ""
        if not name:
            name = self._new_name(perm_id, client_id, number, ref)
            if not name:
                return ""
            self._bind(perm_id, name)
        if client_id == self._client_id and number > 0:
            self._note_number(number, name)
        if number or client_id:
            self._owner_of.setdefault(name, client_id)
        return name

    def find(self, perm_id: int, client_id: int, number: int) -> str:
        """Return the name of an order that is told by numbers alone, "" when they do not say which it is."""
        name = self._of_perm.get(perm_id, "") if perm_id else ""
        if name:
            return name
        name = self.of_number(number) if client_id == self._client_id else ""
        if not name or (perm_id and self._perm_of.get(name, perm_id) != perm_id):
            return ""
        self._bind(perm_id, name)
        return name

    def _new_name(self, perm_id: int, client_id: int, number: int, ref: str) -> str:
        if ref and self._perm_of.get(ref, perm_id) == perm_id:
            return ref
        if ref and not perm_id:
            return ref if self.of_number(number) == ref and client_id == self._client_id else ""
        if ref:
            logger.warning(
                "order {} at IB has the orderRef {} of another order; it is told as venue{}", perm_id, ref, perm_id
            )
        own = self.of_number(number) if client_id == self._client_id and not ref else ""
        if own and self._perm_of.get(own, perm_id) == perm_id:
            return own
        return f"venue{perm_id}" if perm_id else ""

    def _bind(self, perm_id: int, name: str) -> None:
        if not perm_id:
            return
        self._of_perm[perm_id] = name
        self._perm_of.setdefault(name, perm_id)
        for kept in (self._of_perm, self._perm_of):
            if len(kept) > REMEMBERED:
                kept.popitem(last=False)

    def _note_number(self, number: int, name: str) -> None:
        self.saw(number)
        known = self._of_number.get(number)
        if known not in (None, name):
            logger.warning(
                "IB tells number {} for order {}, which was given to {}; the permId decides", number, name, known
            )
            return
        self._of_number[number] = name
        self._number_of[name] = number


def _leave(_number: int) -> None:
    """Hear a number that nobody keeps."""
