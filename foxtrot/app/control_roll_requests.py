"""What a running platform is asked about rolling a position from one future into another, and what it answers: frozen structs."""

from decimal import Decimal

import msgspec

from foxtrot.app.control_requests import Name, Request, Text


class _RollAsked(Request, frozen=True, kw_only=True):
    """Which position is meant: `quantity` 0 is all of it, an empty account or strategy whoever holds it alone."""

    old: Name
    new: Name
    quantity: Decimal = Decimal(0)
    account: Name = ""
    strategy: Name = ""


class PlanRoll(_RollAsked, frozen=True, kw_only=True, tag="plan_roll"):
    """What a roll would do; nothing is done."""


class BeginRoll(_RollAsked, frozen=True, kw_only=True, tag="roll"):
    """Roll, or go on with a roll that was cut; with `forget` give that up."""

    who: Text
    why: Text = ""
    forget: bool = False


class FollowRoll(Request, frozen=True, kw_only=True, tag="follow_roll"):
    """How far a roll has come."""

    roll_id: Name


class LegRow(msgspec.Struct, frozen=True):
    """One leg of a roll: what it is to trade at the market, what it has traded at what average, and by which orders."""

    instrument_id: str
    side: str
    reduces: bool
    quantity: float
    filled: float
    average_price: float
    orders: tuple[str, ...]


class RollRow(msgspec.Struct, frozen=True):
    """A roll as it stands: both legs, whether it is over, why it went no further, and all of that in words."""

    roll_id: str
    owner: str
    account: str
    legs: tuple[LegRow, LegRow]
    over: bool
    stopped: str
    said: str
