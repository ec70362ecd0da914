"""One connection to OpenD, which is two sockets: the contexts for quotes and for trading, and the threads that call them."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from foxtrot.adapter.futu.accounts import FutuAccount, choose_accounts, read_account
from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.contexts import Hear, make_quote_context, make_trade_context
from foxtrot.adapter.futu.errors import RET_OK, failure_of
from foxtrot.adapter.futu.ledger import LANES
from foxtrot.adapter.futu.sdk import Sdk
from foxtrot.adapter.futu.worker import Worker

Call = Callable[[Any], Any]
QUOTE: Final = "quote"
TRADE: Final = "trade"
BEAT: Final = "beat"
QUOTE_PUSHES: Final = ("ticker", "order_book", "quote", "kline", "notice")
TRADE_PUSHES: Final = ("order", "deal", "notice")


class FutuLink:
    """The contexts and their threads: `futu-quote`, `futu-trade`, `futu-order`, `futu-cancel` and `futu-beat`, each of which calls one at a time.

    An order does not wait behind a question that is not answered, a cancel not behind an order, and a beat behind nothing.

    Thread: futu-io.

    Args:
        sdk: the SDK.
        address: where OpenD is, as a dotted address, and its port.
        settings: what the account is set to.
        on_push: by kind who hears a push.
        on_end: hears once for each socket why it is gone, on the SDK's network thread.
    """

    def __init__(
        self,
        sdk: Sdk,
        address: tuple[str, int],
        settings: FutuSettings,
        on_push: Mapping[str, Hear],
        on_end: Callable[[str], None],
    ) -> None:
        self.sdk = sdk
        self.accounts: dict[str, FutuAccount] = {}
        self._settings = settings
        self._where = {"host": address[0], "port": address[1], "is_encrypt": settings.encrypt}
        self._on_push = on_push
        self._on_end = on_end
        self._workers = {name: Worker(f"futu-{name}") for name in (QUOTE, TRADE, "order", "cancel", BEAT)}
        self._quote: Any = None
        self._trade: Any = None
        self._ended = False

    async def open(self) -> None:
        """Make both contexts, connect them, find the accounts and ask for their pushes.

        Raises:
            AdapterError: OpenD refused, or went away.
            NotSetUp: the accounts of the settings are not there.
        """
        await asyncio.gather(self._workers[QUOTE].run(self._open_quote), self._workers[TRADE].run(self._open_trade))

    async def state(self, context: str) -> Any:
        """Ask a context's OpenD how it does; its answer is GetGlobalState's s2c."""
        asked = self._quote if context == QUOTE else self._trade
        pack = self._requests("GlobalStateQuery")
        return await self._workers[BEAT].run(lambda: asked.ask(pack, user_id=asked.get_login_user_id()))

    async def call(self, context: str, kind: str, call: Call) -> Any:
        """Make a call with a context, on the thread of its kind.

        Returns:
            What the call returned; of the SDK's pair (RET_OK, data) the data, of (RET_OK, data, key) data and key.
        """
        used, name = (self._quote, QUOTE) if context == QUOTE else (self._trade, LANES.get(kind, TRADE))
        return _data_of(kind, await self._workers[name].run(lambda: call(used)))

    def end(self) -> None:
        """Begin no call any more and end those in progress; returns at once."""
        self._ended = True
        for worker in self._workers.values():
            worker.end()
        for context in (self._quote, self._trade):
            if context is not None:
                context.discard()

    def join(self, deadline_s: float) -> str:
        """Wait for threads and sockets to go after `end`; returns what overran, or "".

        Blocks: at most `deadline_s` for each of them, and they go at once unless one is stuck.
        """
        stuck = [worker.name for worker in self._workers.values() if not worker.join(deadline_s)]
        contexts = [context for context in (self._quote, self._trade) if context is not None]
        stuck += [type(context).__name__ for context in contexts if not context.join(deadline_s)]
        return ", ".join(stuck)

    # --- on the workers ---------------------------------------------------------------------------------------------

    def _open_quote(self) -> None:
        self._quote = make_quote_context(self.sdk, self._on_end, self._pushes(QUOTE_PUSHES), **self._where)
        self._dial(self._quote)

    def _open_trade(self) -> None:
        firm = self._settings.security_firm or "N/A"
        where = {**self._where, "security_firm": firm}
        self._trade = make_trade_context(self.sdk, self._on_end, self._pushes(TRADE_PUSHES), **where)
        self._dial(self._trade)
        self.accounts = choose_accounts(map(read_account, self._listed()), self._settings)
        ids = sorted({account.account_id for account in self.accounts.values()})
        self._trade.ask(self._requests("SubAccPush"), acc_id_list=ids)

    def _dial(self, context: Any) -> None:
        if self._ended:  # while it was made, when nobody could have told it
            context.discard()
            return
        context.dial()

    def _listed(self) -> Any:
        category = self.sdk.futu.TrdCategory.SECURITY
        user = self._trade.get_login_user_id()
        pack = self._requests("GetAccountList")
        return self._trade.ask(pack, user_id=user, trd_category=category, need_general_sec_acc=True).accList

    def _requests(self, name: str) -> Any:
        return self.sdk.request(name)

    def _pushes(self, kinds: tuple[str, ...]) -> dict[str, Hear]:
        return {kind: self._on_push[kind] for kind in kinds}


def _data_of(kind: str, answer: Any) -> Any:
    """Return the data of what the SDK's methods return; anything else as it is."""
    if not (isinstance(answer, tuple) and len(answer) > 1 and type(answer[0]) is int):
        return answer
    if answer[0] != RET_OK:
        raise failure_of(kind, answer[1])
    return answer[1] if len(answer) == 2 else answer[1:]


def look_up(host: str) -> str:
    """Return the dotted address of a host; the SDK takes no other.

    Blocks: for as long as the system looks.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return str(found[0][4][0])
