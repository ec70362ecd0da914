"""A tiny TWS whose orders do as the test says: it keeps them, tells lists of them, and stays silent or refuses where it is told to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.ib_raw_server import IbRawServer, RawClient

ACCOUNT = "DU1000001"
CON_ID = 265598
PLACE, CANCEL, EXECUTIONS, OPEN_ORDERS, POSITIONS, VALUES, COMPLETED = "3", "4", "7", "16", "61", "76", "99"
UNSET = "1.7976931348623157e+308"


@dataclass
class Order:
    """One order as this TWS keeps it."""

    number: int
    client_id: int
    perm_id: int
    ref: str
    side: str = "BUY"
    quantity: str = "100"
    kind: str = "LMT"
    price: str = "189.5"
    aux: str = "0.0"
    trail_stop: str = UNSET
    tif: str = "GTC"
    status: str = "Submitted"
    filled: float = 0.0
    average: float = 0.0
    account: str = ACCOUNT
    reason: str = ""


@dataclass
class OrderTws:
    """Answers what an account asks; `on_place` and `on_cancel` say what becomes of an order, by default it is taken."""

    server: IbRawServer = field(default_factory=IbRawServer)
    orders: list[Order] = field(default_factory=list)
    completed: list[Order] = field(default_factory=list)
    fills: list[tuple[list[object], list[object]]] = field(default_factory=list)
    """Execution and commission of each, their fields after the request id."""
    positions: list[list[object]] = field(default_factory=list)
    values: list[tuple[str, str, str]] = field(default_factory=lambda: [("CashBalance", "100000.0", "USD")])
    placed: list[list[str]] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    silent: frozenset[str] = frozenset()
    """Ids of messages that are not answered."""
    tells_commissions: bool = True
    on_place: "Callable[[OrderTws, RawClient, Order], None] | None" = None
    on_cancel: "Callable[[OrderTws, RawClient, Order], None] | None" = None
    _perm: int = 900

    def start(self) -> "OrderTws":
        self.server.on_message = self._answer
        self.server.start()
        return self

    @property
    def client(self) -> RawClient:
        return self.server.client

    # --- telling ----------------------------------------------------------------------------------------------------

    def tell_order(self, order: Order, client: RawClient | None = None) -> None:
        """Tell openOrder and orderStatus."""
        (client or self.client).tell(*open_order(order))
        self.tell_status(order, client)

    def tell_status(self, order: Order, client: RawClient | None = None) -> None:
        left = float(order.quantity) - order.filled
        (client or self.client).tell(
            3,
            order.number,
            order.status,
            order.filled,
            left,
            order.average,
            order.perm_id,
            0,
            0,
            order.client_id,
            "",
            0,
        )

    def tell_error(self, number: int, code: int, text: str, client: RawClient | None = None) -> None:
        (client or self.client).tell(4, 2, number, code, text)

    def fill(
        self, order: Order, exec_id: str, quantity: float, price: float, fee: float = 1.0, *, told: bool = True,
        time: str = "20261128  02:37:00",
    ) -> None:  # fmt: skip
        """Fill a part of an order, told or not."""
        order.average = (order.average * order.filled + price * quantity) / (order.filled + quantity)
        order.filled += quantity
        execution: list[object] = [
            order.number, *contract_fields(), exec_id, time, order.account, "SMART", "BOT" if order.side == "BUY" else "SLD",
            quantity, price, order.perm_id, order.client_id, 0, order.filled, order.average, order.ref, "", "", "", 2,
        ]  # fmt: skip
        commission: list[object] = [1, exec_id, fee, "USD", UNSET, "", ""]
        self.fills.append((execution, commission))
        if order.filled >= float(order.quantity):
            order.status = "Filled"
            self.end(order)
        if told:
            self.client.tell(11, -1, *execution)
            self.tell_status(order)
            if self.tells_commissions:
                self.client.tell(59, *commission)

    def end(self, order: Order, status: str = "", reason: str = "") -> None:
        """Move an order to the completed ones."""
        order.status, order.reason = status or order.status, reason
        if order in self.orders:
            self.orders.remove(order)
        self.completed.append(order)

    def cancel(self, order: Order) -> None:
        """Cancel an order and tell it as IB does."""
        order.status = "PendingCancel"
        self.tell_status(order)
        self.end(order, "Cancelled")
        self.tell_status(order)
        self.tell_error(order.number, 202, "Order Canceled - reason:")

    def add(self, ref: str, number: int = 0, client_id: int = 3, **terms: object) -> Order:
        """Let an order be there that another client placed, or an earlier run."""
        self._perm += 1
        order = Order(number, client_id, self._perm, ref, **terms)  # type: ignore[arg-type]
        self.orders.append(order)
        return order

    # --- answering --------------------------------------------------------------------------------------------------

    def _answer(self, client: RawClient, fields: list[str]) -> None:
        answers = {
            PLACE: self._place, CANCEL: self._cancel, EXECUTIONS: self._executions, OPEN_ORDERS: self._open_orders,
            POSITIONS: self._positions, VALUES: self._values, COMPLETED: self._completed,
        }  # fmt: skip
        if fields[0] in answers and fields[0] not in self.silent:
            answers[fields[0]](client, fields)
        elif fields[0] == PLACE:
            self.placed.append(fields)

    def _place(self, client: RawClient, fields: list[str]) -> None:
        self.placed.append(fields)
        number, client_id = int(fields[1]), int(client.messages(71)[0][2])
        known = [one for one in self.orders if (one.number, one.client_id) == (number, client_id)]
        order = known[0] if known else self.add("", number, client_id)
        order.side, order.quantity, order.kind, order.price, order.aux = fields[16:21]
        order.tif, order.account, order.ref = fields[21], fields[23], fields[26]
        if self.on_place is not None:
            self.on_place(self, client, order)
        else:
            order.status = "PreSubmitted"
            self.tell_order(order, client)
            order.status = "Submitted"
            self.tell_order(order, client)

    def _cancel(self, client: RawClient, fields: list[str]) -> None:
        number = int(fields[2])
        self.cancelled.append(number)
        found = [one for one in self.orders if one.number == number]
        if not found:
            self.tell_error(number, 10147, f"OrderId {number} that needs to be cancelled is not found.", client)
        elif self.on_cancel is not None:
            self.on_cancel(self, client, found[0])
        else:
            self.cancel(found[0])

    def _open_orders(self, client: RawClient, _fields: list[str]) -> None:
        for order in self.orders:
            self.tell_order(order, client)
        client.tell(53, 1)

    def _completed(self, client: RawClient, _fields: list[str]) -> None:
        for order in self.completed:
            client.tell(*completed_order(order))
        client.tell(102)

    def _executions(self, client: RawClient, fields: list[str]) -> None:
        for execution, _ in self.fills:
            client.tell(11, fields[2], *execution)
        client.tell(55, 1, fields[2])
        for _, commission in self.fills:
            client.tell(59, *commission)

    def _positions(self, client: RawClient, _fields: list[str]) -> None:
        for row in self.positions:
            client.tell(61, 3, *row)
        client.tell(62, 1)

    def _values(self, client: RawClient, fields: list[str]) -> None:
        for key, value, currency in self.values:
            client.tell(73, 1, fields[2], ACCOUNT, "", key, value, currency)
        client.tell(74, 1, fields[2])


def contract_fields(con_id: int = CON_ID) -> list[object]:
    """Return the eleven fields by which a contract is told with an order."""
    return [con_id, "AAPL", "STK", "", 0, "", "", "SMART", "USD", "AAPL", "NMS"]


_CONTRACT = "conId symbol secType expiry strike right multiplier exchange currency localSymbol tradingClass"
_BEGIN = "action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef"
_VOLATILITY = "volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice"
_DELTA = " ".join(f"deltaNeutral{n}" for n in range(8))
_TRAILING = "continuousUpdate referencePriceType trailStopPrice trailingPercent"
_COMBO = "comboLegsDescrip comboLegCount orderComboLegCount smartParamCount"
_CLEARING = "scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement hedgeType"
OPEN_FIELDS = f"""id orderId {_CONTRACT} {_BEGIN} clientId permId outsideRth hidden discretionaryAmt goodAfterTime sharesAllocation
    faGroup faMethod faPercentage faProfile modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot
    designatedLocation exemptCode auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize
    blockOrder sweepToFill allOrNone minQty ocaType eTradeOnly firmQuoteOnly nbboPriceCap parentId triggerMethod {_VOLATILITY}
    {_DELTA} {_TRAILING} basisPoints basisPointsType {_COMBO} {_CLEARING} optOutSmartRouting clearingAccount clearingIntent notHeld
    deltaNeutralContract algoStrategy solicited whatIf status m0 m1 m2 m3 m4 m5 m6 m7 m8 commission minCommission maxCommission
    commissionCurrency warningText randomizeSize randomizePrice conditionCount adjustedOrderType triggerPrice trailStopPrice2
    lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount adjustableTrailingUnit softName softValue
    softDisplayName cashQty dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo""".split()
"""The fields of an openOrder at version 157, in their order."""
COMPLETED_FIELDS = f"""id {_CONTRACT} {_BEGIN} permId outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage
    faProfile modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation exemptCode startingPrice
    stockRefPrice delta stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty ocaType triggerMethod {_VOLATILITY}
    {" ".join(_DELTA.split()[:4])} {_TRAILING} {_COMBO} {_CLEARING} clearingAccount clearingIntent notHeld deltaNeutralContract algoStrategy solicited
    status randomizeSize randomizePrice conditionCount trailStopPrice2 lmtPriceOffset cashQty dontUseAutoPriceForHedge
    isOmsContainer autoCancelDate filledQuantity refFuturesConId autoCancelParent shareholder imbalanceOnly routeMarketableToBbo
    parentPermId completedTime completedStatus""".split()
"""The fields of a completedOrder at version 157, in their order."""
_ZERO = frozenset({
    "origin", "outsideRth", "hidden", "comboLegCount", "orderComboLegCount", "smartParamCount", "deltaNeutralContract", "whatIf",
    "conditionCount", "clientId", "strike", "ocaType", "parentId", "solicited", "notHeld",
})  # fmt: skip


def _message(names: list[str], values: dict[str, object]) -> list[object]:
    usual: dict[str, object] = {
        "deltaNeutralOrderType": "None",
        "clearingIntent": "IB",
        "adjustedOrderType": "None",
        "exemptCode": -1,
    }
    return [values.get(name, usual.get(name, 0 if name in _ZERO else "")) for name in names]


def _values(order: Order) -> dict[str, object]:
    contract = dict(zip(_CONTRACT.split(), contract_fields(), strict=True))
    return contract | {
        "action": order.side, "totalQuantity": order.quantity, "orderType": order.kind, "lmtPrice": order.price, "auxPrice": order.aux or UNSET,
        "tif": order.tif, "account": order.account, "orderRef": order.ref, "permId": order.perm_id, "status": order.status,
        "trailStopPrice": order.trail_stop, "trailStopPrice2": UNSET,
    }  # fmt: skip


def open_order(order: Order) -> list[object]:
    """Return an openOrder at version 157."""
    more = {f"m{n}": UNSET for n in range(9)} | {"id": 5, "orderId": order.number, "clientId": order.client_id}
    return _message(OPEN_FIELDS, _values(order) | more)


def completed_order(order: Order) -> list[object]:
    """Return a completedOrder at version 157, which has no total quantity any more."""
    more = {"id": 101, "totalQuantity": 0, "filledQuantity": order.filled, "completedStatus": order.reason}
    return _message(COMPLETED_FIELDS, _values(order) | more)
