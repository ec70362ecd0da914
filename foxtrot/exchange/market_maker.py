"""A living market: seeded traders of several kinds who act at their own pace, whatever the pace at which they are asked."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from heapq import heapify, heapreplace
from random import Random

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.agents.batch import Batch, Scene
from foxtrot.exchange.agents.fair_value import FairValue, PricePath
from foxtrot.exchange.agents.maker import Maker
from foxtrot.exchange.agents.noise import NoiseTrader
from foxtrot.exchange.agents.purse import Endowment
from foxtrot.exchange.agents.taker import Taker
from foxtrot.exchange.agents.terms import Terms
from foxtrot.exchange.agents.trader import Trader
from foxtrot.exchange.agents.trend import TrendFollower
from foxtrot.exchange.commands import Deposit, OpenAccount, VenueCommand
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.queries import VenueQueries

DEFAULT_AGENTS = 8
LONGEST_ABSENCE_NS = 1_000_000_000
"""Who was not asked for longer than this has missed what came before; the book could not take more in one go."""

_SECOND_NS = 1_000_000_000
_FIRST: tuple[Callable[[str, Random], Trader], ...] = (
    Maker,
    Taker,
    TrendFollower,
    NoiseTrader,
    partial(Maker, edge=2),
    Taker,
    Taker,
)
_FURTHER: tuple[Callable[[str, Random], Trader], ...] = (NoiseTrader, Taker, TrendFollower)
"""Two makers are enough for any crowd; everybody after the first seven is of another kind."""


class Population:
    """Traders of all kinds around a reference price, or around a recorded path where there is one.

    The same seed, asked at the same times, gives the same commands. The first two instruments get most of the activity.
    More agents than eight each act less often, so that the whole does not grow with their number.

    Thread: belongs to the owner of the venue.

    Args:
        instruments: what to trade; each must be listed at the venue before `act`.
        prices: the price to begin with, by instrument id; not needed where there is a path.
        agents: how many traders there are; from four on, all kinds are present.
        seed: of everything random.
        path: recorded prices, by instrument id, for the fair value to follow; a path starts at `opening`.
        longest_absence_ns: how much of the time that passed unasked is made up for; on a machine that is too slow the
            market slows down by it instead of acting in ever larger lumps.
        shares: which part of the activity each instrument gets; by default the first two get most.
        values: what instruments are worth, by id, for those that do not wander around a price or follow a path; they are open.

    Raises:
        ConfigError: no instrument, no agent, or an instrument without a usable price.
    """

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        prices: Mapping[str, Decimal],
        *,
        agents: int = DEFAULT_AGENTS,
        seed: int = 1,
        path: Mapping[str, PricePath] | None = None,
        longest_absence_ns: int = LONGEST_ABSENCE_NS,
        shares: tuple[Decimal, ...] = (),
        values: Mapping[str, FairValue] | None = None,
    ) -> None:
        if not instruments or agents < 1:
            raise ConfigError(
                f"a population of {agents} agents on {len(instruments)} instruments; each must be above 0"
            )
        self._terms = tuple(Terms(instrument) for instrument in instruments)
        given = self._given = values or {}
        self._fair = tuple(
            given.get(one.instrument_id) or _fair_value(one, prices, seed, path or {}) for one in instruments
        )
        self._traders = tuple(_trader(number, seed) for number in range(agents))
        self._endowment = Endowment(tuple(zip(self._terms, (fair.opening for fair in self._fair), strict=True)))
        self._waits = tuple(self._mean_waits(share) for share in shares or _shares(len(instruments)))
        self._due: list[tuple[int, int, int]] = []
        self._last_ns = 0
        self._longest_absence_ns = longest_absence_ns

    @property
    def account_kinds(self) -> dict[str, str]:
        """Return the kind of each trader by the name of its account."""
        return {trader.account: trader.kind for trader in self._traders}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the names of the kinds present, each once."""
        return tuple(dict.fromkeys(trader.kind for trader in self._traders))

    def opening(self, now_ns: int) -> tuple[VenueCommand, ...]:
        """Return the commands that open the traders' accounts and fill their purses; recorded paths start now."""
        self._start(now_ns)
        commands: list[VenueCommand] = []
        for trader in self._traders:
            commands.append(OpenAccount(now_ns, trader.account))
            for asset, money in self._endowment.assets.items():
                commands.append(Deposit(now_ns, trader.account, asset, to_decimal(money)))
        return tuple(commands)

    def act(self, venue: VenueQueries, now_ns: int) -> tuple[VenueCommand, ...]:
        """Return what everybody does between the last call and now, to be executed at once and in this order.

        How much that is depends on the time that has passed (`longest_absence_ns` at most counts), not on the number of calls.
        """
        if not self._due:
            self._start(now_ns)
        self._skip_absence(now_ns)
        batch = Batch(venue, self._endowment, now_ns)
        scenes: dict[int, Scene] = {}
        while self._due[0][0] <= now_ns:
            due_ns, who, where = self._due[0]
            trader, terms = self._traders[who], self._terms[where]
            if where not in scenes:
                scenes[where] = batch.scene(terms, self._fair[where].at(now_ns))
            if not 0 < terms.expiry_ns <= now_ns:
                trader.act(scenes[where], batch)
            following_ns = trader.next_due_ns(due_ns, now_ns, self._waits[where][who])
            heapreplace(self._due, (following_ns, who, where))
        self._last_ns = max(self._last_ns, now_ns)
        return batch.commands()

    def _start(self, now_ns: int) -> None:
        for terms, fair in zip(self._terms, self._fair, strict=True):
            if terms.instrument_id not in self._given:
                fair.open(now_ns)
        self._last_ns = now_ns
        self._due = [
            (trader.first_due_ns(now_ns, self._waits[where][who]), who, where)
            for who, trader in enumerate(self._traders)
            for where in range(len(self._terms))
        ]
        heapify(self._due)

    def _skip_absence(self, now_ns: int) -> None:
        missed_ns = now_ns - self._longest_absence_ns - self._last_ns
        if missed_ns > 0:
            self._due = [(due_ns + missed_ns, who, where) for due_ns, who, where in self._due]

    def _mean_waits(self, share: Decimal) -> tuple[int, ...]:
        crowd = max(Decimal(1), Decimal(len(self._traders)) / DEFAULT_AGENTS)
        return tuple(
            int(_SECOND_NS / (trader.rate_per_s * share / (1 if trader.kind == "maker" else crowd)))
            for trader in self._traders
        )


def _trader(number: int, seed: int) -> Trader:
    kind = _FIRST[number] if number < len(_FIRST) else _FURTHER[(number - len(_FIRST)) % len(_FURTHER)]
    name = f"agent-{number + 1}"
    return kind(name, Random(f"{seed}:{name}"))


def _fair_value(
    instrument: Instrument, prices: Mapping[str, Decimal], seed: int, path: Mapping[str, PricePath]
) -> FairValue:
    name = instrument.instrument_id
    recorded = path.get(name, ())
    if name not in prices and not recorded:
        raise ConfigError(f"{name} has neither a reference price nor a path; give one of them")
    return FairValue(instrument, prices.get(name, Decimal(0)), Random(f"{seed}:{name}"), recorded)


def _shares(instruments: int) -> tuple[Decimal, ...]:
    """Return which part of the activity each instrument gets: the first two eight tenths when there are more."""
    if instruments <= 2:
        return (Decimal(1) / instruments,) * instruments
    rest = Decimal(2) / 10 / (instruments - 2)
    return (Decimal(4) / 10,) * 2 + (rest,) * (instruments - 2)
