"""The hours before an exchange opened: real matches at their own times, so that candles, tickers and the tape have a past."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.agents.fair_value import FairValue
from foxtrot.exchange.agents.terms import Terms
from foxtrot.exchange.commands import Deposit, OpenAccount, PlaceOrder, VenueCommand
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.tape import MINUTE_NS

QUOTING, TAKING = "past-maker", "past-taker"
HOUR_NS = 60 * MINUTE_NS
FINE_HOURS = 3
PAUSE_NS, COARSE_PAUSE_NS = MINUTE_NS // 4, MINUTE_NS // 2
"""Between two trades of an instrument, in the last hours and before; shorter ones would make the start slow."""
_PURSE_CLIPS = 10_000_000
_BATCH_CLIPS = 180


class Past:
    """Two accounts that trade with each other around the fair values: one quotes, the other takes all of it.

    They leave no order behind. It is coarser than the living market, and goes on where that begins.

    Thread: belongs to the owner of the venue; used before anybody else trades there.

    Args:
        instruments: what is traded; each is listed at the venue before `begin_ns`.
        values: what each is worth, opened at the beginning.
        execute: gives the venue a command.
        seed: of sizes.
        shares: which part of what is traded each instrument gets; () for equal ones.
    """

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        values: Mapping[str, FairValue],
        execute: Callable[[VenueCommand], CommandResult],
        seed: int,
        shares: Sequence[Decimal] = (),
    ) -> None:
        self._terms = tuple(Terms(one) for one in instruments)
        self._clips = [float(share) * len(instruments) * _BATCH_CLIPS for share in shares] or [
            float(_BATCH_CLIPS) for _ in instruments
        ]
        self._values = values
        self._execute = execute
        self._random = Random(f"{seed}:past")
        self._names = 0

    def play(self, begin_ns: int, end_ns: int) -> int:
        """Trade from a moment to another; returns how many trades that made."""
        for terms in self._terms:
            self._values[terms.instrument_id].open(begin_ns)
        self._open(begin_ns)
        trades, fine_ns = 0, max(begin_ns, end_ns - FINE_HOURS * HOUR_NS)
        for now_ns in (*range(begin_ns, fine_ns, COARSE_PAUSE_NS), *range(fine_ns, end_ns - PAUSE_NS, PAUSE_NS)):
            for terms, clips in zip(self._terms, self._clips, strict=True):
                trades += self._trade(terms, clips, now_ns)
        return trades

    def _open(self, now_ns: int) -> None:
        for account in (QUOTING, TAKING):
            self._execute(OpenAccount(now_ns, account))
        for terms in self._terms:
            price = self._values[terms.instrument_id].opening
            quantity = _PURSE_CLIPS * terms.clip(price)
            for account in (QUOTING, TAKING):
                self._pay(now_ns, account, terms.money_asset, quantity * price * terms.unit_value)
                if not terms.derivative:
                    self._pay(now_ns, account, terms.base_asset, quantity * terms.quantity_value)

    def _pay(self, now_ns: int, account: str, asset: str, money: int) -> None:
        self._execute(Deposit(now_ns, account, asset, to_decimal(money)))

    def _trade(self, terms: Terms, clips: float, now_ns: int) -> bool:
        """Match once; who takes, takes all that is quoted."""
        fair = self._values[terms.instrument_id].at(now_ns)
        side = Side.BUY if self._random.randrange(2) else Side.SELL
        price = terms.above(fair) if side is Side.BUY else terms.below(fair)
        wanted = int(terms.clip(price) * clips * self._random.lognormvariate(-0.3, 0.8))
        quantity = terms.quantity(wanted, price)
        self._names += 1
        quote = PlaceOrder(
            now_ns,
            QUOTING,
            terms.instrument_id,
            f"past-q-{self._names}",
            side.opposite,
            OrderType.LIMIT,
            quantity,
            price,
        )
        take = PlaceOrder(
            now_ns, TAKING, terms.instrument_id, f"past-t-{self._names}", side, OrderType.LIMIT, quantity, price, 0,
            TimeInForce.IOC,
        )  # fmt: skip
        return self._execute(quote).ok and self._execute(take).ok
