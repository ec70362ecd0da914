"""One protected position in memory: what is written down of it, and what only this run needs to know."""

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.protection_cover import Cover
from foxtrot.trading.protection_state import Cause, Protection, VenueLeg, venue_leg
from foxtrot.trading.protection_watch import watched


class Ward:
    """A protection with its instrument, the venue leg and the watched legs that follow from it.

    `entered` are all the entries it ever waited for. `paused` says that nothing new is sent before the timer `timer_id` fires; `said` is what was last told of it, `kept` what was
    last written down, at `kept_ns`. No take-profit is tried before `take_after_ns`; `tape` is the last trade that a tick told of,
    `since_ns` since when each of its orders is known to stand at the venue, and
    `awaited` the take-profits whose stop is gone, so that news of their trades must be on its way.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "awaited", "capabilities", "entered", "instrument", "kept", "kept_ns", "leg", "paused", "said", "since_ns", "state", "take_after_ns",
        "tape", "timer_id", "watches",
    )  # fmt: skip

    def __init__(self, state: Protection, instrument: Instrument, capabilities: Capabilities) -> None:
        self.instrument = instrument
        self.capabilities = capabilities
        self.entered = set(state.entries)
        self.kept: Protection | None = None
        self.kept_ns = 0
        self.paused = False
        self.timer_id = 0
        self.take_after_ns = 0
        self.since_ns: dict[str, int] = {}
        self.awaited: set[str] = set()
        self.tape = (0.0, 0.0)
        self.said = Cover("")
        self.state = state
        self.leg: VenueLeg = VenueLeg.NONE
        self.watches: frozenset[Cause] = frozenset()
        self.take(state)

    def take(self, state: Protection) -> None:
        """Hold another state."""
        self.state = state
        self.entered.update(state.entries)
        self.leg = venue_leg(state, self.capabilities, self.instrument)
        self.watches = watched(state, self.leg)
