"""Protection stories as text: an owner, a venue that is played by hand, and what rests there after each step.

enter stop 95 [take 110]      an entry of ten lots with its protection
entry fills 4                 so does "stop fills 2"; messages are heard at once
late: entry fills 4           the same, unheard until "hear"
hear | hear again             what waits is told; what was told is told again
venue ends stop               it cancels, asked or not; "refuses stop" rejects it
quote 110.5 | wait 31 s
dies | dies torn              the process ends, the next one begins from the journal
rests stop 4, market 2        our closing orders at the venue, largest first; "rests nothing"
holds 4                       lots
says at the venue             how the position is protected
"""

import pytest

from foxtrot.domain.enums import OrderType
from tests.support.protection_world import KEY, AtVenue, ProtectionWorld

STORIES = {
    "protection grows with each partial fill, and is never placed twice": """
        enter stop 95
        rests nothing
        entry fills 4
        rests stop 4
        entry fills 6
        rests stop 6, stop 4
        hear again
        rests stop 6, stop 4
        says at the venue
    """,
    "a fill that comes after its order's end is protected too": """
        enter stop 95
        late: entry fills 4
        late: venue ends entry
        rests nothing
        hear backwards
        rests stop 4
        says at the venue
    """,
    "a stop that fills in part leaves the rest at the venue, and nothing in the end": """
        enter stop 95
        entry fills 10
        stop fills 3
        rests stop 7
        says at the venue
        stop fills 7
        rests nothing
        holds 0
        says
    """,
    "a take-profit waits until the stop is gone, and a stop that fills meanwhile wins": """
        enter stop 95 take 110
        entry fills 10
        quote 110.5
        rests stop 10
        says while this process lives
        late: stop fills 10
        hear
        rests nothing
        holds 0
    """,
    "the closing order is only for what the stop has left": """
        enter stop 95 take 110
        entry fills 10
        quote 110.5
        stop fills 4
        venue ends stop
        rests limit 6
        limit fills 6
        holds 0
        rests nothing
        says
    """,
    "a take-profit that finds too little is followed by a stop for the rest": """
        enter stop 95 take 110
        entry fills 10
        quote 110.5
        venue ends stop
        limit fills 4
        venue ends limit
        rests stop 6
        says at the venue
    """,
    "a stop the venue refuses is tried again, alarmed, and tried again later": """
        enter stop 95
        entry fills 10
        venue refuses stop
        wait 1 s
        venue refuses stop
        wait 1 s
        venue refuses stop
        wait 1 s
        venue refuses stop
        wait 1 s
        rests nothing
        says naked
        wait 31 s
        rests stop 10
        says at the venue
    """,
    "a process that dies leaves the stop, and the next one goes on with it": """
        enter stop 95 take 110
        entry fills 4
        dies torn
        rests stop 4
        says at the venue
        entry fills 6
        rests stop 6, stop 4
        quote 110.5
        dies
        rests stop 6, stop 4
        venue ends stop
        wait 1 s
        rests stop 6, stop 4
        says at the venue
    """,
    "fills that nobody heard before the process died are protected by the next one": """
        enter stop 95
        entry fills 2
        late: entry fills 3
        dies
        holds 5
        rests stop 3, stop 2
        says at the venue
    """,
}  # fmt: skip


class ProtectionStory:
    """Tells a story to a protection world."""

    def __init__(self) -> None:
        self.world = ProtectionWorld()

    def tell(self, text: str) -> None:
        for line in (line.strip() for line in text.strip().splitlines()):
            self.step(line)
            self.world.check_never_too_much()

    def step(self, line: str) -> None:
        late = line.startswith("late: ")
        words = line.removeprefix("late: ").split()
        known = {"enter", "hear", "venue", "quote", "wait", "dies", "rests", "holds", "says"}
        if words[0] in known:
            getattr(self, words[0])(words[1:])
        else:
            self.world.fill(self.order(words[0]), int(words[2]))
        if not late and words[0] != "hear":
            self.hear([])

    def order(self, name: str) -> AtVenue:
        """Return the open order of a kind, the largest first."""
        if name == "entry":
            return next(iter(self.world.orders.values()))
        return max(
            (one for one in self.world.closing if one.order.order_type is OrderType(name)), key=lambda one: one.left
        )

    def enter(self, words: list[str]) -> None:
        terms = dict(zip(words[::2], map(float, words[1::2]), strict=True))
        self.world.enter(**terms)

    def hear(self, words: list[str]) -> None:
        if words == ["again"]:
            for index in range(len(self.world.told)):
                self.world.repeat(index)
        while self.world.mail:
            self.world.deliver(-1 if words == ["backwards"] else 0)

    def venue(self, words: list[str]) -> None:
        if words[0] == "ends":
            self.world.end(self.order(words[1]))
        else:
            self.world.reject(self.order(words[1]))

    def quote(self, words: list[str]) -> None:
        self.world.quote(float(words[0]))

    def wait(self, words: list[str]) -> None:
        self.world.pass_s(float(words[0]))

    def dies(self, words: list[str]) -> None:
        self.world.crash(torn=bool(words))

    def rests(self, words: list[str]) -> None:
        found = sorted(((one.left, str(one.order.order_type)) for one in self.world.closing), reverse=True)
        assert ", ".join(f"{kind} {left}" for left, kind in found) == " ".join(words).replace("nothing", ""), (
            self.world.story()
        )

    def holds(self, words: list[str]) -> None:
        assert self.world.position == int(words[0])

    def says(self, words: list[str]) -> None:
        for one in self.world.closing:
            self.world.accept(one)
        self.hear([])
        assert self.world.protections.cover(KEY).protection == " ".join(words)


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    ProtectionStory().tell(STORIES[name])
