"""Messages of Futu's trading side as OpenD sends them, built field by field with the SDK's own classes."""

from types import ModuleType
from typing import Any

from tests.support.futu_sdk import import_futu

SUBMITTING, SUBMITTED, PART, ALL, CANCELLED_PART, CANCELLED, FAILED = 2, 5, 10, 11, 14, 15, 21
ACCOUNT = 1_000_001
REAL_ACCOUNT = 281_756_000_000_000_001


def _trd() -> ModuleType:
    import_futu()
    from futu.common.pb import Trd_Common_pb2

    found: ModuleType = Trd_Common_pb2
    return found


def order_message(**fields: Any) -> Any:
    """Return an order: 300 of 00700 at 400, resting, unless told otherwise."""
    given = {
        "trdSide": 1, "orderType": 1, "orderStatus": SUBMITTED, "orderID": 7, "orderIDEx": "FT7", "code": "00700",
        "name": "TENCENT", "qty": 300.0, "price": 400.0, "createTime": "2026-03-10 10:00:00.250",
        "updateTime": "2026-03-10 10:00:01", "fillQty": 0.0, "fillAvgPrice": 0.0, "secMarket": 1, "remark": "t-1-1",
        "timeInForce": 0, **fields,
    }  # fmt: skip
    return _trd().Order(**given)


def deal_message(**fields: Any) -> Any:
    """Return a fill: 100 of 00700 at 400, of the order FT7, unless told otherwise."""
    given = {
        "trdSide": 1, "fillID": 11, "fillIDEx": "F11", "orderID": 7, "orderIDEx": "FT7", "code": "00700", "name": "TENCENT",
        "qty": 100.0, "price": 400.0, "createTime": "2026-03-10 10:00:02", "secMarket": 1, "status": 0, **fields,
    }  # fmt: skip
    return _trd().OrderFill(**given)


def funds_message(*cash: tuple[int, float, float], **fields: Any) -> Any:
    """Return funds with cash of some currencies, each as number, total and what of it is free."""
    trd = _trd()
    given = {
        "power": 0.0, "totalAssets": 0.0, "cash": 0.0, "marketVal": 0.0, "frozenCash": 0.0, "debtCash": 0.0,
        "avlWithdrawalCash": 0.0, **fields,
    }  # fmt: skip
    rows = [trd.AccCashInfo(currency=number, cash=total, availableBalance=free) for number, total, free in cash]
    return trd.Funds(cashInfoList=rows, **given)


def position_message(**fields: Any) -> Any:
    """Return a holding: 300 of 00700, long."""
    given = {
        "positionID": 1, "positionSide": 0, "code": "00700", "name": "TENCENT", "qty": 300.0, "canSellQty": 300.0, "price": 401.0,
        "val": 120_300.0, "plVal": 300.0, "secMarket": 1, **fields,
    }  # fmt: skip
    return _trd().Position(**given)


def order_push(order: Any, account: int = ACCOUNT) -> Any:
    """Return the s2c of an order push."""
    import_futu()
    from futu.common.pb import Trd_UpdateOrder_pb2

    header = _trd().TrdHeader(trdEnv=0 if account == ACCOUNT else 1, accID=account, trdMarket=1)
    return Trd_UpdateOrder_pb2.S2C(header=header, order=order)


def deal_push(deal: Any, account: int = REAL_ACCOUNT) -> Any:
    """Return the s2c of a fill push."""
    import_futu()
    from futu.common.pb import Trd_UpdateOrderFill_pb2

    header = _trd().TrdHeader(trdEnv=1, accID=account, trdMarket=1)
    return Trd_UpdateOrderFill_pb2.S2C(header=header, orderFill=deal)
