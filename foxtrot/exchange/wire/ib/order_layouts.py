"""Layouts of the messages about orders and executions, those of clients and those of the server.

A message whose middle depends on its content (legs, conditions, algo parameters) is cut at those places into several layouts.

Source: EClient.placeOrder, OrderDecoder and EDecoder of ibapi 9.81 and 10.46, read as documentation of the protocol.
"""

from typing import Final

from foxtrot.exchange.wire.ib.layout import UNSET_FLOAT, Field, Layout, layout

PLACE_ORDER_ID, CANCEL_ORDER_ID, GLOBAL_CANCEL_ID = 3, 4, 58
OPEN_ORDERS_ID, ALL_OPEN_ORDERS_ID, AUTO_OPEN_ORDERS_ID, COMPLETED_ORDERS_ID, EXECUTIONS_ID = 5, 16, 15, 99, 7
"""Ids of the requests."""

CONTRACT_NAMES: Final = "conId symbol secType lastTradeDateOrContractMonth strike right multiplier exchange currency localSymbol tradingClass"
"""A contract as the server tells it; see `contract_fields.contract_values`."""


def _fields(text: str) -> tuple[Field, ...]:
    """Return fields of one text: `name`, or `name=default`."""
    pairs = (part.partition("=") for part in text.split())
    return tuple(Field(name, default) for name, _, default in pairs)


PLACE_HEAD: Final = layout(
    PLACE_ORDER_ID,
    "secIdType secId action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef transmit "
    "parentId blockOrder sweepToFill displaySize triggerMethod outsideRth hidden",
)
"""Behind order id and contract; legs of a combination follow."""
PLACE_TERMS: Final = layout(
    PLACE_ORDER_ID,
    "sharesAllocation discretionaryAmt goodAfterTime goodTillDate faGroup faMethod faPercentage",
    Field("faProfile", until=176),
    *_fields(
        "modelCode shortSaleSlot designatedLocation exemptCode ocaType rule80A settlingFirm allOrNone minQty percentOffset "
        "eTradeOnly firmQuoteOnly nbboPriceCap auctionStrategy startingPrice stockRefPrice delta stockRangeLower "
        "stockRangeUpper overridePercentageConstraints volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice"
    ),
)
"""Eight fields of a delta-neutral order follow where it has a type; a client may send back the "None" of TWS."""
PLACE_NEUTRAL: Final = layout(
    PLACE_ORDER_ID,
    "deltaNeutralConId deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent "
    "deltaNeutralOpenClose deltaNeutralShortSale deltaNeutralShortSaleSlot deltaNeutralDesignatedLocation",
)
PLACE_SCALE: Final = layout(
    PLACE_ORDER_ID,
    "continuousUpdate referencePriceType trailStopPrice trailingPercent scaleInitLevelSize scaleSubsLevelSize "
    "scalePriceIncrement",
)
"""Seven fields of a scale order follow where there is an increment."""
PLACE_HEDGE: Final = layout(PLACE_ORDER_ID, "scaleTable activeStartTime activeStopTime hedgeType")
"""A parameter of the hedge follows where there is one."""
PLACE_CLEARING: Final = layout(
    PLACE_ORDER_ID, "optOutSmartRouting clearingAccount clearingIntent notHeld deltaNeutralContract"
)
"""Three fields of a delta-neutral contract follow where there is one, then the algo."""
PLACE_FLAGS: Final = layout(
    PLACE_ORDER_ID, "algoId whatIf miscOptions solicited randomizeSize randomizePrice conditionsCount"
)
"""Conditions follow where there are any."""
PLACE_TAIL: Final = layout(
    PLACE_ORDER_ID,
    "adjustedOrderType triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount "
    "adjustableTrailingUnit extOperator softDollarName softDollarValue cashQty mifid2DecisionMaker mifid2DecisionAlgo "
    "mifid2ExecutionTrader mifid2ExecutionAlgo dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice "
    "usePriceMgmtAlgo",
    Field("duration", since=158),
    Field("postToAts", since=160),
    Field("autoCancelParent", since=162),
    Field("advancedErrorOverride", since=166),
    Field("manualOrderTime", since=169),
)
CANCEL_ORDER: Final = layout(CANCEL_ORDER_ID, "version orderId", Field("manualCancelOrderTime", since=169))
EXECUTION_FILTER: Final = layout(EXECUTIONS_ID, "version reqId clientId account time symbol secType exchange side")

_PEG_BEST: Final = tuple(
    Field(name, since=170)
    for name in ("minTradeQty", "minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf")
)
_NEUTRAL_ORDER: Final = "deltaNeutralOrderType=None deltaNeutralAuxPrice deltaNeutralConId=0"
"""TWS says "None" there, behind which the fields of a delta-neutral order follow."""

OPEN_ORDER: Final = Layout(
    5,
    (
        *_fields(f"orderId {CONTRACT_NAMES} action totalQuantity orderType lmtPrice=0.0 auxPrice=0.0 tif=DAY ocaGroup"),
        *_fields("account openClose origin=0 orderRef clientId permId outsideRth=0 hidden=0 discretionaryAmt=0.0"),
        *_fields("goodAfterTime sharesAllocation faGroup faMethod faPercentage"),
        Field("faProfile", until=176),
        *_fields("modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot=0 designatedLocation"),
        *_fields("exemptCode=-1 auctionStrategy=0 startingPrice stockRefPrice delta stockRangeLower stockRangeUpper"),
        *_fields("displaySize=0 blockOrder=0 sweepToFill=0 allOrNone=0 minQty ocaType=3 eTradeOnly=0 firmQuoteOnly=0"),
        *_fields(f"nbboPriceCap parentId=0 triggerMethod=0 volatility volatilityType=0 {_NEUTRAL_ORDER}"),
        *_fields(
            "deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent deltaNeutralOpenClose=?"
        ),
        *_fields(
            "deltaNeutralShortSale=0 deltaNeutralShortSaleSlot=0 deltaNeutralDesignatedLocation continuousUpdate=0"
        ),
        *_fields("referencePriceType=0 trailStopPrice trailingPercent basisPoints basisPointsType comboLegsDescrip"),
        *_fields("comboLegCount=0 orderComboLegCount=0 smartParamCount=0 scaleInitLevelSize scaleSubsLevelSize"),
        *_fields("scalePriceIncrement hedgeType optOutSmartRouting=0 clearingAccount clearingIntent=IB notHeld=0"),
        *_fields("deltaNeutralContract=0 algoStrategy solicited=0 whatIf=0 status"),
        *(
            Field(name + when, UNSET_FLOAT)
            for when in ("Before", "Change", "After")
            for name in ("initMargin", "maintMargin", "equityWithLoan")
        ),
        *_fields(
            "commission minCommission maxCommission commissionCurrency warningText randomizeSize=0 randomizePrice=0"
        ),
        *_fields("conditionCount=0 adjustedOrderType=None triggerPrice"),
        Field("adjustedTrailStopPrice"),
        *_fields(
            "lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount adjustableTrailingUnit=0"
        ),
        *_fields("softDollarName softDollarValue softDollarDisplayName cashQty=0 dontUseAutoPriceForHedge=0"),
        *_fields("isOmsContainer=0 discretionaryUpToLimitPrice=0 usePriceMgmtAlgo=0"),
        Field("duration", since=159),
        Field("postToAts", since=160),
        Field("autoCancelParent", 0, since=162),
        *_PEG_BEST,
    ),
)
"""An order as it stands; `algoStrategy` may hold several texts, see `algo_text`."""
COMPLETED_ORDER: Final = Layout(
    101,
    (
        *_fields(f"{CONTRACT_NAMES} action totalQuantity orderType lmtPrice=0.0 auxPrice=0.0 tif=DAY ocaGroup account"),
        *_fields("openClose origin=0 orderRef permId outsideRth=0 hidden=0 discretionaryAmt=0.0 goodAfterTime"),
        *_fields("faGroup faMethod faPercentage"),
        Field("faProfile", until=176),
        *_fields("modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot=0 designatedLocation"),
        *_fields("exemptCode=-1 startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize=0"),
        *_fields("sweepToFill=0 allOrNone=0 minQty ocaType=3 triggerMethod=0 volatility volatilityType=0"),
        *_fields(f"{_NEUTRAL_ORDER} deltaNeutralShortSale=0 deltaNeutralShortSaleSlot=0"),
        *_fields(
            "deltaNeutralDesignatedLocation continuousUpdate=0 referencePriceType=0 trailStopPrice trailingPercent"
        ),
        *_fields("comboLegsDescrip comboLegCount=0 orderComboLegCount=0 smartParamCount=0 scaleInitLevelSize"),
        *_fields("scaleSubsLevelSize scalePriceIncrement hedgeType clearingAccount clearingIntent=IB notHeld=0"),
        *_fields("deltaNeutralContract=0 algoStrategy solicited=0 status randomizeSize=0 randomizePrice=0"),
        *_fields("conditionCount=0 limitTrailStopPrice lmtPriceOffset cashQty=0 dontUseAutoPriceForHedge=0"),
        *_fields("isOmsContainer=0 autoCancelDate filledQuantity refFuturesConId=0 autoCancelParent=0 shareholder"),
        *_fields("imbalanceOnly=0 routeMarketableToBbo=0 parentPermId completedTime completedStatus"),
        *_PEG_BEST,
    ),
)
ORDER_STATUS: Final = layout(
    3,
    "orderId status filled remaining avgFillPrice permId parentId lastFillPrice clientId whyHeld",
    Field("mktCapPrice", "0"),
)
EXEC_DETAILS: Final = layout(
    11,
    f"reqId orderId {CONTRACT_NAMES} execId time account venue side shares price permId clientId liquidation cumQty avgPrice "
    "orderRef evRule evMultiplier modelCode lastLiquidity",
    Field("pendingPriceRevision", 0, since=178),
)
COMMISSION_REPORT: Final = layout(
    59,
    "execId commission currency",
    Field("realizedPNL", UNSET_FLOAT),
    Field("yield", UNSET_FLOAT),
    Field("yieldRedemptionDate"),
    version=1,
)
OPEN_ORDER_END: Final = layout(53, "", version=1)
EXEC_DETAILS_END: Final = layout(55, "reqId", version=1)
COMPLETED_ORDERS_END: Final = layout(102, "")


def algo_text(strategy: str, pairs: tuple[str, ...]) -> str:
    """Return an algo as the one field that it is in the layouts: its name, and behind it a count and tags with their values.

    Source: OrderDecoder of ibapi 9.81: nothing follows where there is no name.
    """
    return "\0".join((strategy, str(len(pairs) // 2), *pairs)) if strategy else ""
