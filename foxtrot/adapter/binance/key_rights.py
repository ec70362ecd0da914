"""What an account's key may do at Binance: asked at the first connect, and a key that may take money out is not used.

Spot and USD-M have one kind of key, whose rights the wallet tells. That /fapi/v2/account says canWithdraw is about the account, not
about the key, so that it is not looked at.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from foxtrot.adapter.binance.environments import DEMO, TESTNET
from foxtrot.adapter.binance.errors import NotSetUp
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.key_rights import KeyRights
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError

WITHOUT_SAPI: Final = frozenset({TESTNET, DEMO})
"""Environments that do not serve the wallet's endpoints.

Source: Binance Spot Test Network, "Can I use the /sapi endpoints on the Spot Test Network?": no.
"""
KEY_CHECK: Final = "check of the API key"
TRADE_RIGHTS: Final = {Product.SPOT: "enableSpotAndMarginTrading", Product.PERPETUAL: "enableFutures"}
TRANSFER_RIGHTS: Final = ("enableInternalTransfer", "permitsUniversalTransfer")
"""The rights to move money to other users and between an owner's own accounts at Binance.

Source: Binance Wallet, Account, Get API Key Permission.
"""
_KEYS_PAGE: Final = "At Binance, API management:"


class KeyCheck:
    """Asks once what the key may do, and judges it.

    Thread: binance-io; `rights` is read by any.

    Args:
        session: of the account.
        warn: told what is wrong, where trading goes on all the same.
    """

    def __init__(self, session: BinanceSession, warn: Callable[[str, str], None]) -> None:
        self.rights: KeyRights | None = None
        self.tell: Callable[[KeyRights], None] = _ignore
        self._session = session
        self._warn = warn
        self._unknown = ""
        self._told_unknown = False

    async def check(self) -> None:
        """Refuse a key that may take money out, and warn of what else is more or less than trading needs.

        Where Binance does not say it is asked again over the next link.

        Raises:
            NotSetUp: the key may withdraw, and nobody allowed that.

        Source: Binance Wallet, Account, Get API Key Permission.
        """
        if self.rights is not None:
            return
        environment = self._session.settings.environment
        if environment in WITHOUT_SAPI:
            self._unknown = f"environment {environment} does not tell what a key may do"
            return
        try:
            answer = await self._session.request("sapiGetAccountApiRestrictions", {})
        except AdapterError as error:
            self._unknown = str(error)
            return
        if not isinstance(answer, dict):
            self._unknown = "the answer is no object"
            return
        self.rights = rights_of(answer, self._session.product)
        self.tell(self.rights)
        self._judge(self.rights)

    def _judge(self, rights: KeyRights) -> None:
        if rights.withdraws:
            self._judge_withdrawal()
        if rights.trades is False:
            self._warn(
                KEY_CHECK, f"it may not trade: every order would be refused with -2015. {_KEYS_PAGE} give it the right"
            )
        if rights.transfers:
            self._warn(
                KEY_CHECK,
                f"it may move money to other accounts at Binance ({', '.join(rights.transfers)}), which trading does not need. "
                f"{_KEYS_PAGE} take that right from it",
            )
        if rights.address_bound is False:
            self._warn(
                KEY_CHECK,
                f"it is good from every address (ipRestrict is false), also for whoever steals it. {_KEYS_PAGE} bind it to this "
                "machine's address",
            )

    def _judge_withdrawal(self) -> None:
        account = self._session.account
        fault = f"it may WITHDRAW (enableWithdrawals), which trading does not need. {_KEYS_PAGE} make a key without that right"
        if not self._session.settings.allow_withdrawal_key:
            self.rights = None  # or a later attempt would take it for judged
            raise NotSetUp(f"{KEY_CHECK} of account {account}: {fault}, or set allow_withdrawal_key = true")
        self._warn(KEY_CHECK, f"{fault}. It is used because allow_withdrawal_key = true")

    def tell_unknown(self) -> None:
        """Say once that nobody knows what the key may do; called when it is known to be good for anything."""
        if self.rights is None and not self._told_unknown:
            self._told_unknown = True
            self._warn(
                KEY_CHECK,
                f"its rights are not known, so that it may WITHDRAW unseen: {self._unknown}. {_KEYS_PAGE} look",
            )


def rights_of(answer: Mapping[str, Any], product: Product) -> KeyRights:
    """Return what an answer says; what it does not say as yes or no is not told."""
    transfers = [name for name in TRANSFER_RIGHTS if _flag(answer, name)]
    told = any(_flag(answer, name) is not None for name in TRANSFER_RIGHTS)
    return KeyRights(
        trades=_flag(answer, TRADE_RIGHTS[product]),
        withdraws=_flag(answer, "enableWithdrawals"),
        transfers=tuple(transfers) if told else None,
        address_bound=_flag(answer, "ipRestrict"),
    )


def _flag(answer: Mapping[str, Any], name: str) -> bool | None:
    value = answer.get(name)
    return value if isinstance(value, bool) else None


def _ignore(_rights: KeyRights) -> None:
    """Hear nothing."""
