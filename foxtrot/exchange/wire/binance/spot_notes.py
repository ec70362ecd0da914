"""What the spot wire knows of an order beside what the venue keeps: names, times and the customer's own words."""

import msgspec

_KEPT = 20_000


class OrderNote(msgspec.Struct):
    """One order. `requested` is the quantity the customer last asked for, in units; times are 0 where not known.

    `client_id` is a name given by an amendment ("" when it was not renamed), `former_id` the name before it; `cancel_id` is the
    name of the cancel that ended it.

    Thread: exchange-io.
    """

    stp: str = "NONE"
    quote_quantity: str = "0.00000000"
    requested: int = 0
    trailing_bips: int = 0
    update_ns: int = 0
    working_ns: int = 0
    client_id: str = ""
    former_id: str = ""
    cancel_id: str = ""


class OrderNotes:
    """Notes by order id, the newest only, and orders by the names that amendments gave them.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self._notes: dict[int, OrderNote] = {}
        self._renamed: dict[tuple[str, str], int] = {}
        self._generated = 0

    def of(self, order_id: int) -> OrderNote:
        """Return the note of an order, made when it is first asked for.

        Source: Binance spot API, REST, Query order: fields beside those of matching.
        """
        found = self._notes.get(order_id)
        if found is None:
            found = OrderNote()
            self.put(order_id, found)
        return found

    def seen(self, order_id: int) -> OrderNote:
        """Return the note of an order, or an empty one that is not kept.

        Source: Binance spot API, REST, Query order: fields beside those of matching.
        """
        return self._notes.get(order_id) or OrderNote()

    def put(self, order_id: int, note: OrderNote) -> None:
        """Keep the note of an order, and forget the oldest one when there are too many.

        Source: Binance spot API, REST, Query order: old orders are archived.
        """
        self._notes[order_id] = note
        if len(self._notes) > _KEPT:
            del self._notes[next(iter(self._notes))]

    def rename(self, account: str, order_id: int, former: str, name: str) -> None:
        """Note the name that an amendment gives to an order; the former one no longer finds it.

        Source: Binance spot API, REST, Order Amend Keep Priority: newClientOrderId.
        """
        self._renamed.pop((account, former), None)
        self._renamed[account, name] = order_id
        if len(self._renamed) > _KEPT:
            del self._renamed[next(iter(self._renamed))]
        note = self.of(order_id)
        note.former_id, note.client_id = former, name

    def forget_name(self, account: str, name: str) -> None:
        """Let a name that an amendment gave find its order no more: another order bears it now.

        Source: Binance spot API, REST, New order: newClientOrderId is unique among open orders.
        """
        self._renamed.pop((account, name), None)

    def renamed(self, account: str, name: str) -> int:
        """Return the order that an amendment gave a name to, 0 when there is none.

        Source: Binance spot API, REST, Order Amend Keep Priority: newClientOrderId.
        """
        return self._renamed.get((account, name), 0)

    def new_name(self, time_ns: int) -> str:
        """Return an id for a customer who sent none: 22 characters, different each time.

        Source: Binance spot API, REST, New order: newClientOrderId is generated if not sent.
        """
        self._generated += 1
        return f"{time_ns:016x}{self._generated:06x}"[-22:]
