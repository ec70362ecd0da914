"""What a backtest assumes about fills."""

import enum

import msgspec

from foxtrot.backtest.queue_model import PessimisticQueue, QueueModel


class FillOn(enum.StrEnum):
    """What a resting limit needs to be filled, where no queue is estimated."""

    THROUGH = "through"
    TOUCH = "touch"


class FillSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Assumptions of the fill models.

    `slippage` is money per unit on market and stop orders, always against us. `max_volume_share` is the largest share of a
    bar's volume that one order gets, 0.0 for no limit. `queue` estimates the place of resting limits in recorded depth.
    """

    slippage: float = 0.0
    fill_on: FillOn = FillOn.THROUGH
    max_volume_share: float = 0.0
    queue: QueueModel = PessimisticQueue()
