"""One order as the surface keeps it beside what the venue has: who entered it, all that the client wrote, and how far it is."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from foxtrot.domain.enums import Side

PENDING_CANCEL, PRE_SUBMITTED, SUBMITTED = "PendingCancel", "PreSubmitted", "Submitted"
CANCELLED, FILLED, INACTIVE = "Cancelled", "Filled", "Inactive"
"""Texts of orderStatus."""
NO_CLIENT: Final = 0
"""The client id of orders that were entered in TWS itself."""

Stage = Literal["kept", "child", "waiting", "working", "ended"]
"""Kept back until it is transmitted, waiting for its parent's fill, waiting for the opening, at the venue, or over."""


class IbOrder(msgspec.Struct, omit_defaults=True):
    """An order. `asked` is what the client wrote, by field; quantities and prices beside it are units of the instrument.

    `venue_id` is the order of the venue that bears it, 0 where none does; `former_ids` are those whose place it has taken.
    `filled` and `cost` (price times quantity) are of all of them, `carried_filled` and `carried_cost` of the former ones.

    Thread: exchange-io.
    """

    perm_id: int
    client_id: int
    order_id: int
    account_id: str
    account: str
    instrument_id: str
    con_id: int
    asked: dict[str, str]
    stage: Stage = "kept"
    venue_id: int = 0
    former_ids: list[int] = []
    filled: int = 0
    cost: int = 0
    carried_filled: int = 0
    carried_cost: int = 0
    last_price: int = 0
    is_pending: bool = False
    """Whether it waits for its trigger at the venue."""
    trigger: int = 0
    quantity: int = 0
    created_ns: int = 0
    updated_ns: int = 0
    end_status: str = ""
    end_reason: str = ""
    parent_perm_id: int = 0
    day_end_ns: int = 0
    """When an order ends that waits here; 0 where it does not by itself."""

    @property
    def is_open(self) -> bool:
        """Tell whether it may still trade.

        Source: TWS API documentation, Order Status.
        """
        return self.stage != "ended"

    @property
    def is_told(self) -> bool:
        """Tell whether clients hear of it: an order that is kept back is TWS's own affair.

        Source: TWS API documentation, Order: transmit.
        """
        return self.stage != "kept"

    @property
    def side(self) -> Side:
        """Return its direction.

        Source: TWS API documentation, Order: action.
        """
        return Side.BUY if self.asked["action"] == "BUY" else Side.SELL

    @property
    def remaining(self) -> int:
        """Return what is not filled yet.

        Source: TWS API documentation, orderStatus.
        """
        return self.quantity - self.filled

    @property
    def status(self) -> str:
        """Return the text of its status.

        Source: TWS API documentation, Order Status.
        """
        if self.stage == "ended":
            return self.end_status
        return SUBMITTED if self.stage == "working" and not self.is_pending else PRE_SUBMITTED

    @property
    def why_held(self) -> str:
        """Return what it waits for.

        Source: TWS API documentation, orderStatus: whyHeld.
        """
        if self.stage == "child":
            return "child"
        return "trigger" if self.stage == "working" and self.is_pending else ""

    def text(self, name: str) -> str:
        """Return what the client wrote in a field, "" for nothing.

        Source: EClient.placeOrder of ibapi 9.81.
        """
        return self.asked.get(name, "")

    @property
    def order_ref(self) -> str:
        """Return the customer's own mark.

        Source: TWS API documentation, Order: orderRef.
        """
        return self.asked.get("orderRef", "")

    def average(self, price_step: Decimal) -> Decimal:
        """Return the average price of its fills, 0 without any.

        Source: TWS API documentation, orderStatus: avgFillPrice.
        """
        return Decimal(self.cost) * price_step / self.filled if self.filled else Decimal(0)
