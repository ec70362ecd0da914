"""A process that stood still, frozen or on a machine that slept: nothing is sent before the accounts are known again."""

from collections.abc import Callable, Mapping

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.clock import Clock, suspend_aware_ns
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, PartFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState

PROCESS = "this process"
"""The part that a PartFailed names when everything stood still."""
LEASE_S = 2.0
"""How long after a look orders may still leave."""
STOP_LEASE_S = 90.0
"""How long they may leave while a platform is being stopped, when nobody looks."""
ASK_FIRST_S = 0.5
"""How long after a standstill the accounts are asked for: by then a link that is made anew is known to be lost."""
ASK_AGAIN_S = 5.0
GIVEN_UP = frozenset({AdapterState.FAILED, AdapterState.CLOSED})
HOPELESS_ATTEMPT = 3
"""An account that could not be connected so often is not waited for: it is blocked by itself until it is reconciled."""


class Standstill:
    """Renews the lease; when it has lapsed, lets every account connect anew and reconcile, and then revives it.

    Thread: `renew` and `extend`, main; what is subscribed, foxtrot-engine.

    Args:
        permit: whose lease it is.
        adapters: by account.
        put: where notices and commands go.
        clock: the time of notices.
        now_ns: the permit's clock.
    """

    def __init__(
        self,
        permit: SendPermit,
        adapters: Mapping[str, BaseAdapter],
        put: Callable[[object], None],
        clock: Clock,
        now_ns: Callable[[], int] = suspend_aware_ns,
    ) -> None:
        self._permit = permit
        self._adapters = adapters
        self._put = put
        self._clock = clock
        self._now_ns = now_ns
        self._known = 0
        self._cause = ""
        self._ready: frozenset[str] = frozenset()
        self._ask_at_ns = 0
        self._waiting: set[str] = set()
        self._back: set[str] = set()
        self._lapse = 0

    def subscribe(self, dispatcher: Dispatcher) -> None:
        """Hear of accounts, and of the standstill itself."""
        dispatcher.subscribe(PartFailed, self._on_part_failed, owner="standstill", core=True)
        dispatcher.subscribe(AccountReconciled, self._on_reconciled, owner="standstill", core=True)
        dispatcher.subscribe(AdapterStatus, self._on_status, owner="standstill", core=True)

    # --- main -------------------------------------------------------------------------------------------------------

    def renew(self) -> str:
        """Renew the lease; returns in words that it had lapsed, once for each time, else "".

        When it had, every adapter is told, so that no book and no stream of before is believed.
        """
        now_ns = self._now_ns()
        self._permit.allow_until(now_ns + int(LEASE_S * 1e9))
        lapsed, lapses = self._permit.lapsed, self._permit.lapses
        if lapses != self._known:
            self._known, self._cause = lapses, lapsed.partition(";")[0]
            self._ask_at_ns = now_ns + int(ASK_FIRST_S * 1e9)
            self._ready |= self._ready_now()  # some may have become so since the last look, or been lost since
            logger.error("{}", lapsed)
            self._put(PartFailed(PROCESS, "", lapsed, "", self._clock.now_ns()))
            for adapter in self._adapters.values():
                adapter.renew_link(self._cause)
            return lapsed
        if lapsed and now_ns >= self._ask_at_ns:
            self._ask_at_ns = now_ns + int(ASK_AGAIN_S * 1e9)
            self._put(ReconcileNow("", self._cause))
        elif not lapsed:
            self._ready = self._ready_now()
        return ""

    def _ready_now(self) -> frozenset[str]:
        return frozenset(name for name, one in self._adapters.items() if one.trades and one.state is AdapterState.READY)

    def extend(self) -> None:
        """Let the lease hold for as long as the stop of a platform may take."""
        self._permit.allow_until(self._now_ns() + int(STOP_LEASE_S * 1e9))

    # --- on the engine's thread -------------------------------------------------------------------------------------

    def _on_part_failed(self, failed: PartFailed) -> None:
        """Wait for every account that was ready before."""
        if failed.part != PROCESS:
            return
        self._lapse = self._permit.lapses
        self._waiting, self._back = set(self._ready), set()
        self._look()

    def _on_status(self, status: AdapterStatus) -> None:
        if status.account not in self._waiting:
            return
        if status.state is AdapterState.READY:
            self._back.add(status.account)
        elif status.state in GIVEN_UP or status.attempt >= HOPELESS_ATTEMPT:
            self._waiting.discard(status.account)
            self._look()

    def _on_reconciled(self, reconciled: AccountReconciled) -> None:
        """Count an account as known when what was compared is of after the standstill."""
        account = reconciled.account
        if account in self._waiting and not reconciled.error:
            if reconciled.cause != self._cause and account not in self._back:
                return
            self._waiting.discard(account)
            self._look()

    def _look(self) -> None:
        if not self._waiting and self._permit.lapsed and self._permit.revive(self._lapse):
            logger.warning("orders may leave again: every account has been reconciled since {}", self._cause)
