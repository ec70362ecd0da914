"""The lease on which orders leave: renewed at each look, and after a lapse only revived when every account is known again.

It lapses when the main thread has not looked for too long, whatever kept it: a process that was frozen, a machine that slept, or a
main thread that was late while everything else ran. Only the first two make a link untrustworthy.
"""

from collections import deque
from collections.abc import Callable, Mapping

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.clock import Clock, suspend_aware_ns
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, PartFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState

PROCESS = "this process"
"""The part that a PartFailed names when the lease has lapsed."""
LEASE_S = 2.0
"""How long after a look orders may still leave."""
STILL_SHARE = 0.75
"""A pause of every thread of so much of the lease is a standstill; a freeze that lets it lapse by itself is longer."""
STOP_LEASE_S = 90.0
"""How long they may leave while a platform is being stopped, when nobody looks."""
ASK_FIRST_S = 0.5
"""How long after a standstill the accounts are asked for: by then a link that is made anew is known to be lost."""
ASK_AGAIN_S = 5.0
HOPELESS_ATTEMPT = 3
"""An account that could not be connected so often is not waited for: it is blocked by itself until it is reconciled."""
HOPELESS_S = 60.0
"""Nor is one that loses its link again after so long."""
GIVEN_UP = frozenset({AdapterState.FAILED, AdapterState.CLOSED})
LOGGED_IN = frozenset({AdapterState.CONNECTED, AdapterState.READY})
DOWN = frozenset({AdapterState.LOST, AdapterState.BACKING_OFF})


class Lapse(msgspec.Struct, frozen=True):
    """One lapse of the lease: its number, why in words, whether the whole process stood still, when, and which accounts stood by a link.

    `cause` has the number in it: a reconciliation that was asked for after an earlier lapse says nothing of this one.
    """

    number: int
    words: str
    still: bool
    began_ns: int
    accounts: frozenset[str]

    @property
    def cause(self) -> str:
        """Return the cause of the reconciliations that are asked for."""
        return f"{self.words} (lapse {self.number})"


NO_LAPSE = Lapse(0, "", False, 0, frozenset())


def whole_time(since_ns: int, now_ns: int) -> int:
    """Return that nothing is known to have moved in between."""
    return now_ns - since_ns


class Standstill:
    """Renews the lease; when it has lapsed, lets every account be reconciled, over a new link if the process stood still, and revives it.

    Thread: `renew` and `extend`, main; what is subscribed, foxtrot-engine.

    Args:
        permit: whose lease it is.
        adapters: by account.
        put: where notices and commands go.
        clock: the time of notices.
        now_ns: the permit's clock.
        pause_ns: for how long at a stretch no thread at all moved between two times of `now_ns`.
    """

    def __init__(
        self,
        permit: SendPermit,
        adapters: Mapping[str, BaseAdapter],
        put: Callable[[object], None],
        clock: Clock,
        now_ns: Callable[[], int] = suspend_aware_ns,
        pause_ns: Callable[[int, int], int] = whole_time,
    ) -> None:
        self._permit = permit
        self._adapters = adapters
        self._put = put
        self._clock = clock
        self._now_ns = now_ns
        self._pause_ns = pause_ns
        self._looked_ns = now_ns()
        self._last = NO_LAPSE
        self._standing: frozenset[str] = frozenset()
        self._ask_at_ns = 0
        self._said = ""
        self._told: deque[Lapse] = deque()
        self._heard = NO_LAPSE
        self._linked: set[str] = set()
        self._waiting: dict[str, str] = {}

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Hear of accounts, and of the lapse itself."""
        dispatcher.subscribe(PartFailed, self._on_part_failed, owner="standstill", core=True)
        dispatcher.subscribe(AccountReconciled, self._on_reconciled, owner="standstill", core=True)
        dispatcher.subscribe(AdapterStatus, self._on_status, owner="standstill", core=True)

    # --- main -------------------------------------------------------------------------------------------------------

    def renew(self) -> str:
        """Renew the lease; returns in words that it had lapsed, once for each time, else "".

        When the process stood still, every adapter is told, so that no book and no stream of before is believed.
        """
        now_ns = self._now_ns()
        lapses = self._permit.allow_until(now_ns + int(LEASE_S * 1e9))
        since_ns, self._looked_ns = self._looked_ns, now_ns
        if lapses != self._last.number:
            self._begin(lapses, since_ns, now_ns)
            return self._last.words
        if self._permit.lapsed:
            self._go_on_waiting(now_ns)
        else:
            self._standing = self._standing_now()
        return ""

    def extend(self) -> None:
        """Let the lease hold for as long as the stop of a platform may take; what has lapsed before stays so, which is said."""
        self._permit.allow_until(self._now_ns() + int(STOP_LEASE_S * 1e9))
        if lapsed := self._permit.lapsed:
            logger.warning("orders that the stop of the platform needs may not leave: {}", lapsed)

    def _begin(self, number: int, since_ns: int, now_ns: int) -> None:
        still = self._pause_ns(since_ns, now_ns) >= STILL_SHARE * LEASE_S * 1e9
        late = f"{(now_ns - since_ns) / 1e9:.1f} s"
        words = f"{PROCESS} stood still for {late}" if still else f"the main thread was late by {late} while others ran"
        self._standing |= self._standing_now()  # some may have logged in since the last look, or been lost since
        self._last = Lapse(number, words, still, now_ns, self._standing)
        self._ask_at_ns = now_ns + int(ASK_FIRST_S * 1e9) * still
        self._say(f"{words}; nothing leaves until every account is reconciled")
        self._told.append(self._last)
        self._put(PartFailed(PROCESS, "", words, "", self._clock.now_ns()))
        if still:
            for adapter in self._adapters.values():
                adapter.renew_link(words)

    def _go_on_waiting(self, now_ns: int) -> None:
        """Ask for the accounts again and again, and say which of them are waited for."""
        if now_ns < self._ask_at_ns:
            return
        asked = now_ns - self._last.began_ns >= int(ASK_AGAIN_S * 1e9)
        self._ask_at_ns = now_ns + int(ASK_AGAIN_S * 1e9)
        self._put(ReconcileNow("", self._last.cause, asked))
        if self._heard is not self._last:
            left = "the engine has not heard of it yet"
        else:
            left = ", ".join(f"{name} ({why})" for name, why in tuple(self._waiting.items()))
        self._say(f"{self._last.words}; nothing leaves until every account is reconciled: {left}", logs=asked)

    def _say(self, text: str, *, logs: bool = True) -> None:
        self._permit.explain(self._last.number, text)
        if logs and text != self._said:
            self._said = text
            logger.error("{}", text)

    def _standing_now(self) -> frozenset[str]:
        return frozenset(name for name, one in self._adapters.items() if one.trades and one.state in LOGGED_IN)

    # --- on the engine's thread -------------------------------------------------------------------------------------

    def _on_part_failed(self, failed: PartFailed) -> None:
        """Wait for every account that stood by a link; one that gave up since says nothing more."""
        if failed.part != PROCESS or not self._told:
            return
        heard = self._told.popleft()
        self._linked = set()
        self._waiting = {
            name: "not reconciled since"
            for name in sorted(heard.accounts)
            if self._adapters[name].state not in GIVEN_UP
        }
        self._heard = heard
        self._look()

    def _on_status(self, status: AdapterStatus) -> None:
        account, state = status.account, status.state
        if account not in self._waiting:
            return
        if state is AdapterState.CONNECTED:
            self._linked.add(account)
        if state in GIVEN_UP or status.attempt >= HOPELESS_ATTEMPT or (state in DOWN and self._is_late()):
            logger.warning("account {} is not waited for: {} {}", account, state, status.cause)
            self._let_go(account)
        else:
            self._waiting[account] = f"{state}: {status.cause}" if status.cause else str(state)

    def _on_reconciled(self, reconciled: AccountReconciled) -> None:
        """Count an account as known when all that was compared is of after the lapse."""
        account = reconciled.account
        if account not in self._waiting:
            return
        if reconciled.error:
            self._waiting[account] = reconciled.error
        elif reconciled.cause == self._heard.cause or account in self._linked:
            self._let_go(account)

    def _is_late(self) -> bool:
        return self._now_ns() - self._heard.began_ns > int(HOPELESS_S * 1e9)

    def _let_go(self, account: str) -> None:
        self._waiting = {name: why for name, why in self._waiting.items() if name != account}
        self._look()

    def _look(self) -> None:
        if not self._waiting and self._permit.revive(self._heard.number):
            logger.warning("orders may leave again: every account has been reconciled since {}", self._heard.words)
