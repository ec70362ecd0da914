"""Every order and fill that the desk holds, and how they are looked up."""

from collections.abc import Iterable, Iterator

from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading.early_fills import EarlyFills
from foxtrot.trading.order_index import OrderIndex
from foxtrot.trading.order_record import OrderRecord


class OrderRecords:
    """The records of orders, fills that came before their order, and the orders that were refused before they left (`denied`, by id).

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self.index = OrderIndex()
        self.early = EarlyFills()
        self.denied: dict[str, OrderData] = {}

    def order(self, order_id: str) -> OrderData | None:
        """Return an order as it stands, or None if the id was never seen."""
        record = self.index.all.get(order_id)
        return record.to_order() if record is not None else self.denied.get(order_id)

    def records(self) -> Iterable[OrderRecord]:
        """Return every record, oldest first."""
        return self.index.all.values()

    def fills(self, account: str) -> list[TradeData]:
        """Return every fill of an account that was counted, in no particular order."""
        records = [record for record in self.index.all.values() if record.terms.account == account]
        return [trade for record in records for trade in record.fills.values()] + self.early.all(account)

    def open_records(self, owner: str = "", account: str = "", instrument_id: str = "") -> Iterator[OrderRecord]:
        """Yield the records of open orders, narrowed by whatever is given."""
        return self.index.open_records(owner, account, instrument_id)

    def ours(self, owner: str = "", account: str = "") -> list[OrderRecord]:
        """Return the open orders of an owner, or for "" of every one but EXTERNAL, in one account or all."""
        records = self.index.open.values()
        mine = [one for one in records if one.owner == owner or (not owner and one.owner != EXTERNAL)]
        return [one for one in mine if account in ("", one.terms.account)]

    def pending_records(self, owner: str = "", account: str = "", instrument_id: str = "") -> Iterator[OrderRecord]:
        """Yield the records of orders that may still change a position: open, or filled with fills yet to come."""
        return self.index.pending_records(owner, account, instrument_id)

    @property
    def has_pending(self) -> bool:
        """Tell whether any order may still change a position."""
        return bool(self.index.open or self.index.lacking)

    @property
    def open_count(self) -> int:
        """Return how many orders are open."""
        return len(self.index.open)
