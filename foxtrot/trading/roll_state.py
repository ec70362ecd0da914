"""A roll of one position from a future into another: frozen facts that are written down at each change and read back by the next run."""

import msgspec

from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.trading.portfolio import PositionKey


class Roll(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far a roll has come; quantities are units of the two instruments' common grid.

    `units` are to be closed in `old` and opened in `new`. `closing` and `opening` are the orders of the two legs with what each had
    filled when that was last written; `sign` is that of the position. `over` says that nothing is left to do, `stopped` why it went no
    further, or what it waits for.
    """

    roll_id: str
    owner: str
    account: str
    position_side: PositionSide
    old: str
    new: str
    sign: int
    units: int
    begun_ns: int
    who: str
    why: str = ""
    closing: dict[str, int] = {}
    opening: dict[str, int] = {}
    over: bool = False
    stopped: str = ""

    @property
    def closed_units(self) -> int:
        """Return what the first leg has closed."""
        return sum(self.closing.values())

    @property
    def opened_units(self) -> int:
        """Return what the second leg has opened."""
        return sum(self.opening.values())

    @property
    def key(self) -> PositionKey:
        """Return the position that is closed."""
        return self.owner, self.account, self.old, self.position_side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Return the side of the leg that closes, and that of the leg that opens."""
        return (Side.SELL, Side.BUY) if self.sign > 0 else (Side.BUY, Side.SELL)


def decode_roll(text: str) -> Roll:
    """Return the roll that JSON stands for.

    Raises:
        ConfigError: it is none.
    """
    try:
        return msgspec.json.decode(text, type=Roll)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"a roll in the journal cannot be read ({error}): {text[:200]}") from error
