"""Records golden frames of the trading side: requests packed by the SDK itself, answers and pushes by its message classes.

Run by hand when the SDK changes: `python -m tests.support.futu_trade_recorder`; the tests only read what it wrote. What the
answers say stands in frames/trade_answers.json, which was read through by hand.
"""

import itertools
import json
from typing import Any
from unittest import mock

from google.protobuf.json_format import ParseDict

from tests.support.futu_frame_recorder import FOLDER, frame, write
from tests.support.futu_trade_rig import REAL

CONNECTION = 7001
_NONE = "N/A"


def requests(trade: Any) -> dict[str, bytes]:
    """Requests as the SDK packs them, on the first connection of a TradeRig."""
    real, hk = ("REAL", REAL, "HK", CONNECTION), ("REAL", REAL, "HK")
    terms = (None, None, None, None)
    packed = {
        "accounts": trade.GetAccountList.pack_req(0, CONNECTION, "SECURITY", True),
        "unlock": trade.UnlockTrade.pack_req(True, "bb52aeb112dec1f523b47e0b1be60aed", CONNECTION, "FUTUSECURITIES"),
        "listen": trade.SubAccPush.pack_req([REAL], CONNECTION),
        "place": trade.PlaceOrder.pack_req(
            "BUY", "NORMAL", 400.0, 200, "00700", 0, "REAL", "HK", REAL, "HK", CONNECTION, "golden", "DAY", False, _NONE,
            *terms, _NONE, None, None, None, None,
        ),
        "modify": trade.ModifyOrder.pack_req("NORMAL", "FT0000000002", 401.0, 300, 0, *real, *terms),
        "cancel": trade.ModifyOrder.pack_req("CANCEL", "FT0000000002", 0, 0, 0, *real, *terms),
        "cancel_all": trade.CancelOrder.pack_req(*real, _NONE),
        "funds": trade.AccInfoQuery.pack_req(REAL, "HK", "REAL", CONNECTION, False, "HKD", None),
        "positions": trade.PositionListQuery.pack_req(
            "", None, None, "REAL", REAL, "HK", CONNECTION, False, _NONE, None, None, False
        ),
        "most": trade.AccTradingInfoQuery.pack_req(
            "NORMAL", "00700", 400.0, None, 0, "HK", *hk, _NONE, _NONE, None, CONNECTION
        ),
        "orders": trade.OrderListQuery.pack_req("", [], "", "", "", *real, False, _NONE),
        "deals": trade.DealListQuery.pack_req("", *real, False, _NONE),
        "past_orders": trade.HistoryOrderListQuery.pack_req(
            [], "", "2026-03-01 00:00:00", "2026-03-31 23:59:59", *real, _NONE
        ),
        "past_deals": trade.HistoryDealListQuery.pack_req("", "2026-03-01 00:00:00", "2026-03-31 23:59:59", *real, _NONE),
        "fees": trade.OrderFeeQuery.pack_req(["FT0000000002"], *real),
    }  # fmt: skip
    assert all(ret == 0 for ret, *_ in packed.values()), packed
    return {name: bytes(data) for name, (_, _, data, *_) in packed.items()}


def answers() -> dict[str, bytes]:
    """Answers and pushes of what trade_answers.json says, packed by the SDK's message classes."""
    from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages

    packed = {}
    for name, (proto_id, response) in json.loads((FOLDER / "trade_answers.json").read_text("utf-8")).items():
        message = ParseDict(
            {"retType": 0, "retMsg": "", "errCode": 0} | response, messages(PROTOCOLS[proto_id]).Response()
        )
        packed[name] = frame(proto_id, message.SerializeToString(deterministic=True))
    return packed


def main() -> None:
    """Record both files."""
    from tests.support.futu_sdk import import_futu

    import_futu()
    from futu.common import utils
    from futu.trade import trade_query

    numbers = itertools.count(7).__next__
    with (
        mock.patch.object(utils, "get_unique_id32", numbers),
        mock.patch.object(trade_query, "get_unique_id32", numbers),
    ):
        write("trade_requests", requests(trade_query))
    write("trade_answers", answers())


if __name__ == "__main__":
    main()
