"""What Binance says of orders and fills, as typed structures: in answers, in lists and in the user stream."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from foxtrot.adapter.binance.exact import Exact
from foxtrot.adapter.binance.frames import Id, Symbol, Time

ZERO = Decimal(0)
ClientId = Annotated[str, Meta(max_length=64)]


class FillRow(Exact, frozen=True):
    """One fill inside the full answer to a new spot order.

    Source: Binance spot API, rest-api, New order, FULL response.
    """

    price: Decimal
    qty: Decimal
    commission: Decimal
    commissionAsset: str  # noqa: N815  (the venue's name)
    tradeId: Id  # noqa: N815


class OrderRow(Exact, frozen=True):
    """An ordinary order as an answer or a list tells it; spot and USD-M name the traded value differently.

    Source: Binance spot API, rest-api, New order, Query order, Current open orders, Cancel order; USDⓈ-M Futures, Trade,
        likewise named.
    """

    symbol: Symbol
    orderId: Id  # noqa: N815  (the venue's name)
    clientOrderId: ClientId  # noqa: N815
    price: Decimal
    origQty: Decimal  # noqa: N815
    executedQty: Decimal  # noqa: N815
    status: str
    timeInForce: str  # noqa: N815
    type: str
    side: str
    origClientOrderId: ClientId = ""  # noqa: N815
    cummulativeQuoteQty: Decimal = ZERO  # noqa: N815
    cumQuote: Decimal = ZERO  # noqa: N815
    avgPrice: Decimal = ZERO  # noqa: N815
    stopPrice: Decimal = ZERO  # noqa: N815
    trailingDelta: int = 0  # noqa: N815
    origType: str = ""  # noqa: N815
    positionSide: str = "BOTH"  # noqa: N815
    reduceOnly: bool = False  # noqa: N815
    transactTime: Time = 0  # noqa: N815
    updateTime: Time = 0  # noqa: N815
    time: Time = 0
    expiryReason: str | int = ""  # noqa: N815
    fills: tuple[FillRow, ...] = ()


class AlgoRow(Exact, frozen=True):
    """A conditional order as an answer or a list tells it; `actualOrderId` is the order it became.

    `activatePrice`, `actualQty` and `actualPrice` are empty text until there is something to tell.

    Source: USDⓈ-M Futures, Trade, New Algo Order, Query Algo Order, Current All Algo Open Orders.
    """

    symbol: Symbol
    algoId: Id  # noqa: N815  (the venue's name)
    clientAlgoId: ClientId  # noqa: N815
    orderType: str  # noqa: N815
    side: str
    quantity: Decimal = ZERO
    algoStatus: str = "NEW"  # noqa: N815
    timeInForce: str = "GTC"  # noqa: N815
    price: Decimal = ZERO
    triggerPrice: Decimal = ZERO  # noqa: N815
    activatePrice: str = ""  # noqa: N815
    positionSide: str = "BOTH"  # noqa: N815
    reduceOnly: bool = False  # noqa: N815
    actualOrderId: str = ""  # noqa: N815
    actualQty: str = ""  # noqa: N815
    actualPrice: str = ""  # noqa: N815
    createTime: Time = 0  # noqa: N815
    updateTime: Time = 0  # noqa: N815


class TradeRow(Exact, frozen=True):
    """One of our fills as a list tells it; spot says who we were by `isBuyer` and `isMaker`, USD-M by `side` and `maker`.

    Source: Binance spot API, rest-api, Account trade list; USDⓈ-M Futures, Trade, Account Trade List.
    """

    symbol: Symbol
    id: Id
    orderId: Id  # noqa: N815  (the venue's name)
    price: Decimal
    qty: Decimal
    commission: Decimal
    commissionAsset: str  # noqa: N815
    time: Time
    isBuyer: bool | None = None  # noqa: N815
    isMaker: bool | None = None  # noqa: N815
    buyer: bool | None = None
    maker: bool | None = None
    positionSide: str = "BOTH"  # noqa: N815


class ExecutionReport(Exact, frozen=True):
    """A change of a spot order; the fill's fields count only on TRADE. On a cancel `C` is the order's id and `c` the cancel's.

    Source: Binance spot API, user-data-stream, Order Update.
    """

    E: Time
    s: Symbol
    c: ClientId
    S: str
    o: str
    f: str
    q: Decimal
    p: Decimal
    x: str
    X: str
    i: Id
    z: Decimal
    T: Time
    t: int
    l: Decimal = ZERO  # noqa: E741  (the venue's name)
    L: Decimal = ZERO
    P: Decimal = ZERO
    C: ClientId | None = ""
    r: str = "NONE"
    n: Decimal | None = None
    N: str | None = None
    m: bool = False
    Z: Decimal = ZERO
    d: int = 0
    eR: str | int = ""  # noqa: N815


class OrderUpdate(Exact, frozen=True):
    """The order inside an ORDER_TRADE_UPDATE; `t` is above 0 on a fill only.

    Source: USDⓈ-M Futures, User Data Streams, Event: Order Update.
    """

    s: Symbol
    c: ClientId
    S: str
    o: str
    f: str
    q: Decimal
    p: Decimal
    x: str
    X: str
    i: Id
    l: Decimal  # noqa: E741  (the venue's name)
    z: Decimal
    L: Decimal
    T: Time
    t: int
    ap: Decimal = ZERO
    sp: Decimal = ZERO
    n: Decimal | None = None
    N: str | None = None
    m: bool = False
    R: bool = False
    ot: str = ""
    ps: str = "BOTH"
    er: str | int = ""


class OrderTradeUpdate(msgspec.Struct, frozen=True):
    """A change of a USD-M order.

    Source: USDⓈ-M Futures, User Data Streams, Event: Order Update.
    """

    E: Time
    T: Time
    o: OrderUpdate


class AlgoBody(Exact, frozen=True):
    """The order inside an ALGO_UPDATE; `ai` is the order it became, `rm` why it failed.

    Source: USDⓈ-M Futures, User Data Streams, Event: Algo Order Update.
    """

    caid: ClientId
    aid: Id
    o: str
    s: Symbol
    S: str
    X: str
    q: Decimal = ZERO
    f: str = "GTC"
    ps: str = "BOTH"
    ai: str | int = ""
    ap: Decimal = ZERO
    aq: Decimal = ZERO
    tp: Decimal = ZERO
    p: Decimal = ZERO
    R: bool = False
    rm: str = ""


class AlgoUpdate(msgspec.Struct, frozen=True):
    """A change of a USD-M conditional order.

    Source: USDⓈ-M Futures, User Data Streams, Event: Algo Order Update.
    """

    E: Time
    T: Time
    o: AlgoBody
