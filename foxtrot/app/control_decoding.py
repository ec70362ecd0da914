"""Every request that the control port takes, and the one that a body holds."""

import msgspec

from foxtrot.app.control_requests import (
    Cancel,
    FollowKill,
    Kill,
    ListBlocks,
    ListOrders,
    ListPositions,
    ListStrategies,
    ListTrades,
    Reconcile,
    Resolve,
    Resume,
    Settle,
    SetValues,
    Step,
)
from foxtrot.app.control_roll_requests import BeginRoll, FollowRoll, PlanRoll

AnyRequest = (
    ListOrders | ListPositions | ListTrades | ListStrategies | ListBlocks | Kill | FollowKill | Resume | Resolve | Settle | Step
    | SetValues | Reconcile | Cancel | PlanRoll | BeginRoll | FollowRoll
)  # fmt: skip
_REQUESTS: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


def decode_request(body: bytes) -> AnyRequest:
    """Return the request that a body holds.

    Raises:
        msgspec.MsgspecError: it holds none, or one with a field that does not belong there.
    """
    return _REQUESTS.decode(body)
