"""The protobuf messages of FutuOpenD, found in the SDK's package without importing the SDK.

The modules stand in the package's `common/pb` folder and import each other by their bare names.
"""

import importlib
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.wire.futu.refusal import INVALID, FutuRefused

PROTOCOLS: Final[dict[int, str]] = {
    1001: "InitConnect", 1002: "GetGlobalState", 1003: "Notify", 1004: "KeepAlive", 1005: "GetUserInfo",
    2001: "Trd_GetAccList", 2005: "Trd_UnlockTrade", 2008: "Trd_SubAccPush", 2101: "Trd_GetFunds", 2102: "Trd_GetPositionList",
    2111: "Trd_GetMaxTrdQtys", 2201: "Trd_GetOrderList", 2202: "Trd_PlaceOrder", 2205: "Trd_ModifyOrder", 2208: "Trd_UpdateOrder",
    2211: "Trd_GetOrderFillList", 2218: "Trd_UpdateOrderFill", 2221: "Trd_GetHistoryOrderList", 2222: "Trd_GetHistoryOrderFillList",
    2225: "Trd_GetOrderFee", 3001: "Qot_Sub", 3002: "Qot_RegQotPush", 3003: "Qot_GetSubInfo", 3004: "Qot_GetBasicQot",
    3005: "Qot_UpdateBasicQot", 3006: "Qot_GetKL", 3007: "Qot_UpdateKL", 3010: "Qot_GetTicker", 3011: "Qot_UpdateTicker",
    3012: "Qot_GetOrderBook", 3013: "Qot_UpdateOrderBook", 3103: "Qot_RequestHistoryKL", 3202: "Qot_GetStaticInfo",
    3203: "Qot_GetSecuritySnapshot", 3219: "Qot_RequestTradeDate",
}  # fmt: skip
"""Protocol id → its module, which has Request, Response, C2S and S2C.

Source: Futu OpenAPI documentation, Protocol ID Introduction.
"""


PUSHES: Final = frozenset((1003, 2208, 2218, 3005, 3007, 3011, 3013))
"""Protocol ids that are pushed, never asked for."""


@cache
def messages(name: str) -> ModuleType:
    """Return the module of a protocol, such as "Trd_PlaceOrder", or of shared types, such as "Qot_Common".

    Raises:
        ConfigError: the SDK is not installed.
    """
    spec = find_spec("futu")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("futu-api is not installed; try: pip install 'foxtrot[futu]'")
    folder = str(Path(next(iter(spec.submodule_search_locations))) / "common" / "pb")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(f"{name}_pb2")


def _decode_error() -> type[Exception]:
    """Return what protobuf raises; it comes with the SDK, so it is not imported before it is needed."""
    error = importlib.import_module("google.protobuf.message").DecodeError
    return error if isinstance(error, type) else ValueError


def request_of(proto_id: int, plain: bytes) -> Any:
    """Return the C2S of a request.

    Raises:
        FutuRefused: the body is none, or a field that it must have is missing.
    """
    request = messages(PROTOCOLS[proto_id]).Request()
    try:
        request.ParseFromString(plain)
    except _decode_error():
        raise FutuRefused(f"the body is no {PROTOCOLS[proto_id]} request", INVALID) from None
    if not request.IsInitialized():  # parsing alone does not say so
        missing = ", ".join(request.FindInitializationErrors())
        raise FutuRefused(f"{PROTOCOLS[proto_id]} lacks {missing}", INVALID)
    return request.c2s


def new_answer(proto_id: int) -> Any:
    """Return an empty S2C of a protocol, to be filled."""
    return messages(PROTOCOLS[proto_id]).S2C()


def answer_bytes(proto_id: int, s2c: Any | None) -> bytes:
    """Return a good response as bytes; some have nothing in them."""
    response = messages(PROTOCOLS[proto_id]).Response(retType=0, retMsg="", errCode=0)
    if s2c is not None:
        response.s2c.CopyFrom(s2c)
    return bytes(response.SerializeToString())


def refusal_bytes(ret_type: int, message: str, code: int = 0) -> bytes:
    """Return a bad response as bytes; its shape is the same for every protocol."""
    response = messages("KeepAlive").Response(retType=ret_type, retMsg=message, errCode=code)
    return bytes(response.SerializePartialToString())
