"""The desk's records by order id, with those that are open and those that lack fills at hand."""

from collections.abc import Iterator

from foxtrot.domain.order_state import OPEN
from foxtrot.trading.order_record import OrderRecord


class OrderIndex:
    """Records by key: the order id, or account, instrument and id where a foreign order's id is another's already.

    Thread: the dispatcher's.
    """

    __slots__ = ("all", "lacking", "open")

    def __init__(self) -> None:
        self.all: dict[str, OrderRecord] = {}
        self.open: dict[str, OrderRecord] = {}
        self.lacking: dict[str, OrderRecord] = {}

    def find(self, order_id: str, account: str, instrument_id: str) -> OrderRecord | None:
        """Return the record that a message speaks of, or None when the order was never seen."""
        record = self.all.get(order_id)
        if record is None or (record.terms.account == account and record.terms.instrument_id == instrument_id):
            return record
        return self.all.get(long_key(account, instrument_id, order_id))

    def add(self, record: OrderRecord) -> None:
        """File a new record."""
        terms = record.terms
        if terms.order_id in self.all:
            record.key = long_key(terms.account, terms.instrument_id, terms.order_id)
        self.all[record.key] = record
        if record.approved is not None and record.approved.pair_id:
            self._join(record, record.approved.pair_id)
        self.place(record)

    def place(self, record: OrderRecord) -> None:
        """Keep the lists of open orders and of those that lack fills true for a record."""
        if record.status in OPEN:
            self.open[record.key] = record
        else:
            self.open.pop(record.key, None)
            if record.reported > record.filled:
                self.lacking[record.key] = record
                return
        if self.lacking:
            self.lacking.pop(record.key, None)

    def _join(self, record: OrderRecord, pair_id: str) -> None:
        """Let the two records of a pair know each other, once both are filed."""
        other = self.all.get(pair_id)
        if other is not None and other.approved is not None and other.approved.pair_id == record.terms.order_id:
            record.partner, other.partner = other, record

    def open_records(self, owner: str, account: str, instrument_id: str) -> Iterator[OrderRecord]:
        """Yield the records of open orders, narrowed by whatever is given."""
        for record in self.open.values():
            if _fits(record, owner, account, instrument_id):
                yield record

    def pending_records(self, owner: str, account: str, instrument_id: str) -> Iterator[OrderRecord]:
        """Yield the records of orders that may still change a position: open ones and those that lack fills."""
        yield from self.open_records(owner, account, instrument_id)
        for record in self.lacking.values():
            if _fits(record, owner, account, instrument_id):
                yield record


def _fits(record: OrderRecord, owner: str, account: str, instrument_id: str) -> bool:
    terms = record.terms
    return owner in ("", record.owner) and account in ("", terms.account) and instrument_id in ("", terms.instrument_id)


def long_key(account: str, instrument_id: str, order_id: str) -> str:
    """Return the key of an order whose id is another order's already."""
    return f"{account}|{instrument_id}|{order_id}"
