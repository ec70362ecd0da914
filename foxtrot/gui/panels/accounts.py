"""The accounts: balances by asset with what they are worth in the base currency, and margin."""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Final

import msgspec
from PySide6.QtWidgets import QWidget

from foxtrot.app.blotter_requests import ListWorth, WorthFound
from foxtrot.domain.account import AccountData, BalanceData
from foxtrot.gui.blotter import Blotter
from foxtrot.gui.blotter_cells import amount_cell, money_cell, time_cell
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING, money_text
from foxtrot.gui.polling import Polling
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, sum_pieces

WORTH_S: Final = 2.0
RIGHT = Align.RIGHT


class Balance(msgspec.Struct, frozen=True):
    """One asset of an account; `worth` is in the base currency, None where no rate is known. `share` is its part of the account's worth."""

    balance: BalanceData
    worth: Decimal | None
    share: float

    @property
    def account(self) -> str:
        """Return the account that holds it."""
        return self.balance.account


COLUMNS: Final = (
    Column[Balance]("account", "accounts.account", lambda one: word(one.account), width=110, rank=1),
    Column[Balance]("asset", "accounts.asset", lambda one: word(one.balance.asset), width=90),
    Column[Balance]("total", "accounts.total", lambda one: _amount(one.balance.total), align=RIGHT, width=140),
    Column[Balance]("free", "accounts.free", lambda one: _amount(one.balance.free), align=RIGHT, width=140, rank=2),
    Column[Balance]("locked", "accounts.locked", lambda one: _amount(one.balance.locked), align=RIGHT, width=120, rank=4),
    Column[Balance]("worth", "accounts.worth", lambda one: money_cell(one.worth), align=RIGHT, width=130, rank=2),
    Column[Balance]("share", "accounts.share", lambda one: _share(one.share), align=RIGHT, width=70, rank=3),
    Column[Balance]("told", "accounts.told", lambda one: time_cell(one.balance.venue_time_ns or one.balance.local_time_ns), rank=5),
)  # fmt: skip


def _amount(amount: Decimal) -> Cell:
    return amount_cell(amount, tone=Tone.PLAIN if amount else Tone.DIM)


def _share(share: float) -> Cell:
    return number(share, f"{share:.1%}" if share == share else NOTHING)  # noqa: PLR0124


class AccountsPanel(Blotter):
    """Shows what each account holds, as its venue told it last.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "accounts"
    follows: ClassVar[bool] = False

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, COLUMNS, lambda one: (one.account, one.balance.asset), parent=parent)
        self._worth: dict[str, Decimal | None] = {}
        self._currency = ""
        self._changed = True
        self._polling = Polling(desk, ListWorth, self._take, WORTH_S)
        self.hear(AccountData, self._hear)

    def flush(self) -> None:
        """Show the balances that the desk has heard of."""
        self._polling.look()
        if self._changed:
            self._changed = False
            self.model.replace_all(one for data in self.desk.balances.values() for one in self._rows(data))
        super().flush()

    def totals(self) -> list[Piece]:
        """Return the worth of what is shown, and the margin of each account."""
        rows: list[Balance] = self.model.shown()
        worth = sum((one.worth for one in rows if one.worth is not None), Decimal(0))
        pieces = sum_pieces(tr("accounts.worth"), {self._currency: worth} if rows else {})
        missing = sorted({one.balance.asset for one in rows if one.worth is None and one.balance.total})
        if missing:
            pieces.append(Piece(tr("accounts.no_rate", assets=", ".join(missing[:5])), Tone.WARNING))
        for name, data in sorted(self.desk.balances.items()):
            if self.desk.account in ("", name) and (data.margin_used or data.margin_available):
                pieces += self._margin(name, data)
        return pieces

    def begin_anew(self) -> None:
        """Ask another platform."""
        super().begin_anew()
        self._changed = True
        self._polling.begin_anew()

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        super().leave()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _rows(self, data: AccountData) -> Iterator[Balance]:
        worths = {one.asset: self._worth_of(one) for one in data.balances}
        whole = float(sum((worth for worth in worths.values() if worth is not None), Decimal(0)))
        for one in data.balances:
            worth = worths[one.asset]
            share = float(worth) / whole if worth is not None and whole > 0 else float("nan")
            yield Balance(one, worth, share)

    def _worth_of(self, one: BalanceData) -> Decimal | None:
        if not one.total:
            return Decimal(0)
        each = self._worth.get(one.asset)
        return None if each is None else one.total * each

    def _margin(self, name: str, data: AccountData) -> list[Piece]:
        used, available = data.margin_used, data.margin_available
        whole = used + available
        share = float(used / whole) if whole > 0 else 0.0
        tone = Tone.DANGER if share > 0.8 else Tone.WARNING if share > 0.5 else Tone.PLAIN
        text = tr("accounts.margin", used=money_text(used), available=money_text(available), share=f"{share:.0%}")
        return [Piece(name, Tone.DIM), Piece(text, tone)]

    def _hear(self, _data: AccountData) -> None:
        self._changed = True

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, WorthFound):
            self._changed |= found.worth != self._worth
            self._worth, self._currency = dict(found.worth), found.base_currency
