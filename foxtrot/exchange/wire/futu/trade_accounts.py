"""Trade accounts as clients see them: the list, who may trade on which, and whether trading is unlocked."""

from typing import Any, Final

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.trade_texts import refused
from foxtrot.exchange.wire.futu.venue_side import FutuAccount, FutuSide

SIMULATE, REAL = 0, 1
_FUTURES = 2
_MARGIN, _FUTU_SECURITIES, _STOCKS = 2, 1, 1
_ACC_LIST: Final = 2001


class TradeAccounts:
    """Knows the accounts. Unlocking is a state of OpenD: what one connection unlocks is unlocked for all.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide) -> None:
        self._side = side
        self._unlocked: set[int] = set()

    def lock(self) -> None:
        """Lock trading again, as somebody at OpenD's window may at any time.

        Source: Futu OpenAPI documentation, Unlock Trade: the state is OpenD's.
        """
        self._unlocked.clear()

    def listed(self, _client: FutuClient, c2s: Any) -> Any:
        """Answer the list of accounts; nobody has one for futures.

        Source: Futu OpenAPI documentation, Get the List of Trading Accounts.
        """
        s2c = new_answer(_ACC_LIST)
        for account in () if c2s.trdCategory == _FUTURES else self._side.accounts.values():
            row = s2c.accList.add(trdEnv=REAL if account.real else SIMULATE, accID=account.acc_id, accStatus=0)
            row.trdMarketAuthList.extend(account.markets)
            row.accType, row.cardNum = _MARGIN, str(account.acc_id)
            if account.real:
                row.securityFirm, row.uniCardNum = _FUTU_SECURITIES, str(account.acc_id)
            else:
                row.simAccType = _STOCKS
        return s2c

    def unlock(self, _client: FutuClient, c2s: Any) -> None:
        """Unlock trading on the REAL accounts that have the password, or lock it on all.

        Source: Futu OpenAPI documentation, Unlock Trade: unlock, pwdMD5 in lower-case hexadecimal.

        Raises:
            FutuRefused: no account has the password.
        """
        if not c2s.unlock:
            self.lock()
            return
        real = [account for account in self._side.accounts.values() if account.real]
        if not real:
            raise refused("no_real_account")
        fitting = {account.acc_id for account in real if account.password_md5 == c2s.pwdMD5}
        if not fitting:
            raise refused("password")
        self._unlocked |= fitting

    def subscribe(self, client: FutuClient, c2s: Any) -> None:
        """Let a connection be told of the orders and fills of these accounts, and of no others.

        Source: Futu OpenAPI documentation, Subscribe to Transaction Push: the whole list, not an addition to it.

        Raises:
            FutuRefused: there is no such account.
        """
        for acc_id in c2s.accIDList:
            if acc_id not in self._side.accounts:
                raise refused("account", acc_id=acc_id)
        client.accounts = frozenset(c2s.accIDList)

    def of(self, header: Any) -> FutuAccount:
        """Return the account that the header of a request names.

        Source: Futu OpenAPI documentation, TrdHeader.

        Raises:
            FutuRefused: there is none, or it is of the other environment, or does not trade on the market.
        """
        account = self._side.accounts.get(header.accID)
        if account is None:
            raise refused("account", acc_id=header.accID)
        if header.trdEnv != (REAL if account.real else SIMULATE):
            raise refused("environment", acc_id=header.accID, environment=header.trdEnv)
        if header.trdMarket not in account.markets:
            raise refused("market", acc_id=header.accID, market=header.trdMarket)
        return account

    def trading(self, header: Any) -> FutuAccount:
        """Return the account of a request that changes orders.

        Source: Futu OpenAPI documentation, Unlock Trade: needed before orders of REAL accounts are placed, modified, cancelled.

        Raises:
            FutuRefused: there is none that fits, or trading on it is locked.
        """
        account = self.of(header)
        if account.real and account.acc_id not in self._unlocked:
            raise refused("locked")
        return account

    def header(self, account: FutuAccount, market: int, target: Any) -> None:
        """Fill in the header of a message about an account.

        Source: Futu OpenAPI documentation, TrdHeader.
        """
        target.trdEnv, target.accID, target.trdMarket = REAL if account.real else SIMULATE, account.acc_id, market
