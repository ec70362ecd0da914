"""The trading password: accounts with real money take orders while OpenD is unlocked, which is a state of OpenD and may end unasked."""

from typing import Final

from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.trade_requests import TradeRequests
from foxtrot.domain.errors import AdapterError, RateLimited, VenueRejected

RULE: Final = "locked"
WORDS: Final = ("unlock", "解锁", "解鎖")
"""Parts of what OpenD says of a request that trades while it is locked, in its three languages.

Source: Futu OpenAPI, FAQ, trade ("unlock trade first"); to be seen with a real OpenD.
"""
WRONG: Final = ("password", "密码", "密碼")
"""Parts of what OpenD says of a password that is wrong; to be seen with a real OpenD."""
MOST_WRONG: Final = 3
"""So often a wrong password is tried in a run: Futu locks an account whose password is tried wrongly too often."""
TRIED_NO_MORE: Final = (
    f"OpenD refused the password {MOST_WRONG} times, it is tried no more: mend unlock_password and start again"
)
FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0


def says_locked(error: AdapterError) -> bool:
    """Tell whether a refusal says that OpenD is locked."""
    return isinstance(error, VenueRejected) and any(word in error.text.lower() for word in WORDS)


class Unlocking:
    """Unlocks OpenD over each new link, and again when an order is refused because it is locked; meanwhile no order leaves.

    Without a password it does nothing: OpenD is then unlocked by hand, in its own window.

    Thread: futu-io.
    """

    def __init__(self, adapter: BaseAdapter, session: FutuSession, requests: TradeRequests) -> None:
        self._adapter = adapter
        self._session = session
        self._requests = requests
        self._trying = False
        self._wrong = 0
        self.locked = ""
        """Why no order leaves, "" while they do."""

    @property
    def has_password(self) -> bool:
        """Tell whether the account is one that is unlocked here."""
        settings = self._session.settings
        return settings.is_real and bool(settings.unlock_password)

    async def open(self) -> None:
        """Unlock; where that is refused the link stands all the same, orders are denied and it is tried again."""
        if self.has_password:
            self.locked = "trading is being unlocked"
            await self._try_once()
            if self.locked:
                self._try_soon()

    def hear_refusal(self, error: AdapterError) -> None:
        """Hear why a request that trades was refused."""
        if not says_locked(error):
            return
        if not self.has_password:
            self._tell("OpenD is locked: set unlock_password, or unlock it in its own window")
            return
        if not self.locked:
            self.locked = "OpenD was locked again; it is being unlocked"
            self._tell(self.locked)
        self._try_soon()

    def _try_soon(self) -> None:
        if not self._trying:
            self._trying = True
            self._session.spawn(self._try_until_unlocked(), "unlock")

    async def _try_until_unlocked(self) -> None:
        delay_s = FIRST_S
        try:
            while self._wrong < MOST_WRONG and (self._session.linked or self._session.life.opening):
                await self._try_once()
                if not self.locked:
                    logger.bind(account=self._adapter.account).info("trading is unlocked")
                    return
                await self._session.wait_s(delay_s)
                delay_s = min(2 * delay_s, LONGEST_S)
        finally:
            self._trying = False

    async def _try_once(self) -> None:
        settings = self._session.settings
        if self._wrong >= MOST_WRONG:
            self.locked = TRIED_NO_MORE
            return
        try:
            await self._requests.unlock(settings.unlock_password, settings.security_firm)
        except (VenueRejected, RateLimited) as error:
            self._wrong += any(word in error.text.lower() for word in WRONG)
            told, self.locked = self.locked, f"OpenD does not unlock: {error.text}; mend unlock_password"
            if self._wrong >= MOST_WRONG:
                self.locked = TRIED_NO_MORE
            if told != self.locked:
                self._tell(self.locked)
        except AdapterError as error:
            self.locked = f"OpenD did not answer whether it unlocks: {error.text}"
        else:
            self.locked, self._wrong = "", 0

    def _tell(self, words: str) -> None:
        self._adapter.on_request_failed("unlocking of trading", words)
