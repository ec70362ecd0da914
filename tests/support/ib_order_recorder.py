"""Records messages about orders and accounts as the real clients write them, ibapi 9.81 at 157, ib_async at 157 and 178.

Run by hand when a client changes: `python -m tests.support.ib_order_recorder`; the tests only read what it wrote. Run with
ibapi 10.46 in place of 9.81 it writes that client's messages at 178 (`... ib10`).
"""

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "unit" / "exchange" / "wire_ib" / "frames"
_LENGTH_BYTES = 4


def frames_of(data: bytes) -> list[list[str]]:
    """Cut what a client wrote into messages of fields."""
    told = []
    while data:
        end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
        told.append(data[_LENGTH_BYTES : end - 1].decode().split("\0"))
        data = data[end:]
    return told


class _Wire:
    """Stands where ibapi has its socket."""

    def __init__(self) -> None:
        self.data = b""

    def isConnected(self) -> bool:  # noqa: N802  # ibapi's name
        return True

    def sendMsg(self, message: bytes) -> int:  # noqa: N802  # ibapi's name
        self.data += message
        return len(message)


def ibapi_messages(version: int) -> dict[str, list[list[str]]]:
    """What ibapi writes for each request."""
    from ibapi.client import EClient
    from ibapi.contract import Contract
    from ibapi.execution import ExecutionFilter
    from ibapi.order import Order
    from ibapi.tag_value import TagValue
    from ibapi.wrapper import EWrapper

    client = EClient(EWrapper())
    wire = _Wire()
    client.conn, client.serverVersion_ = wire, version
    client.setConnState(EClient.CONNECTED)
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    told: dict[str, list[list[str]]] = {}

    def keep(name: str, *arguments: Any, call: str = "placeOrder") -> None:
        wire.data = b""
        getattr(client, call)(*arguments)
        told[name] = frames_of(wire.data)

    def order(**more: Any) -> Any:
        made = Order()
        made.action, made.totalQuantity, made.orderType, made.lmtPrice = "BUY", 100, "LMT", 189.5
        made.orderRef, made.account, made.tif = "mine", "DU1000001", "GTC"
        if hasattr(made, "eTradeOnly"):
            made.eTradeOnly = made.firmQuoteOnly = False
        for key, value in more.items():
            setattr(made, key, value)
        return made

    keep("limit", 1, contract, order())
    keep("stop_limit", 2, contract, order(action="SELL", orderType="STP LMT", auxPrice=185.0, outsideRth=True))
    keep("trail", 3, contract, order(action="SELL", orderType="TRAIL", lmtPrice=0.0, trailingPercent=2.5))
    tags = [TagValue("adaptivePriority", "Normal")]
    keep("adaptive", 4, contract, order(algoStrategy="Adaptive", algoParams=tags))
    keep("defaults", 5, contract, _as_it_comes(Order()))
    keep("what_if", 6, contract, order(whatIf=True))
    keep("child", 7, contract, order(parentId=1, transmit=False, ocaGroup="g", ocaType=1))
    arguments = (1,) if version == 157 else (1, _order_cancel())
    keep("cancel", *arguments, call="cancelOrder")
    wanted = ExecutionFilter()
    wanted.acctCode, wanted.time, wanted.side = "DU1000001", "20260310-14:00:00", "BUY"
    keep("executions", 21, wanted, call="reqExecutions")
    keep("open", call="reqOpenOrders")
    keep("all_open", call="reqAllOpenOrders")
    keep("auto_open", True, call="reqAutoOpenOrders")
    keep("completed", False, call="reqCompletedOrders")
    keep("account", True, "DU1000001", call="reqAccountUpdates")
    keep("summary", 31, "All", "NetLiquidation,BuyingPower,$LEDGER:ALL", call="reqAccountSummary")
    keep("end_summary", 31, call="cancelAccountSummary")
    keep("positions", call="reqPositions")
    keep("end_positions", call="cancelPositions")
    keep("multi", 32, "DU1000001", "", True, call="reqAccountUpdatesMulti")
    keep("end_multi", 32, call="cancelAccountUpdatesMulti")
    keep("pnl", 33, "DU1000001", "", call="reqPnL")
    keep("end_pnl", 33, call="cancelPnL")
    return told


def ib_async_messages(version: int) -> dict[str, list[list[str]]]:
    """What ib_async writes for each request."""
    import ib_async

    client = ib_async.client.Client(None)
    client._serverVersion = version
    client.connState = client.CONNECTED
    told: dict[str, list[list[str]]] = {}
    contract = ib_async.Stock("AAPL", "SMART", "USD")

    def keep(name: str, order_id: int, order: Any) -> None:
        written = bytearray()
        client.conn.sendMsg = written.extend
        client.placeOrder(order_id, contract, order)
        told[name] = frames_of(bytes(written))

    more = {"orderRef": "mine", "account": "DU1000001", "tif": "GTC"}
    keep("limit", 1, ib_async.LimitOrder("BUY", 100, 189.5, **more))
    keep("market", 2, ib_async.MarketOrder("SELL", 5))
    echoed = ib_async.LimitOrder("BUY", 100, 189.5, deltaNeutralOrderType="None", adjustedOrderType="None", **more)
    keep("echoed", 3, echoed)
    return told


def _as_it_comes(order: Any) -> Any:
    order.action, order.totalQuantity, order.orderType, order.lmtPrice = "BUY", 1, "LMT", 100.0
    return order


def _order_cancel() -> Any:
    from ibapi.order_cancel import OrderCancel

    return OrderCancel()


def main() -> None:
    """Write the files."""
    if "ib10" in sys.argv:
        recorded = {"ibapi_178": ibapi_messages(178)}
    else:
        recorded = {"ibapi_157": ibapi_messages(157)}
        recorded |= {f"ib_async_{version}": ib_async_messages(version) for version in (157, 178)}
    for name, messages in recorded.items():
        text = json.dumps(messages, indent=0)
        (FOLDER / f"orders_{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
