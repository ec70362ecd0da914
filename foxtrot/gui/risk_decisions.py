"""What a person decides about risk: a gate opened again, a difference settled, an order of unknown outcome resolved; each with a reason for the journal."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from foxtrot.app.control_requests import DifferenceRow, OrderRow, Request, Resolve, Resume, Settle
from foxtrot.domain.account import EXTERNAL
from foxtrot.gui.ask_why import AskWhy, ask_why
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_dialogs import AskResolution, ask_resolution
from foxtrot.gui.texts import tr


class RiskDecisions(QObject):
    """Asks the person why, and puts the wish that the command line puts too; a refusal is said.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        over: the panel, over which it asks.
    """

    def __init__(self, desk: Desk, over: QWidget) -> None:
        super().__init__(over)
        self._desk = desk
        self._over = over
        self.ask_why: AskWhy = ask_why
        self.ask_resolution: AskResolution = ask_resolution

    def resume(self, place: str, reason: str, account: str = "", instrument_id: str = "") -> None:
        """Let orders of the platform, an account or an instrument through again."""
        text = tr("risk.resume_text", place=place, reason=reason)
        said = self.ask_why(self._over, tr("risk.resume_title"), text, ())
        if said is not None:
            self._wish(Resume(who=self._who, why=said.why, account=account, instrument=instrument_id))

    def settle(self, rows: Sequence[DifferenceRow], *, adopt: bool) -> None:
        """Adopt or ignore differences; what is adopted goes to the owner that the person names."""
        if not rows:
            return
        title, key = ("risk.adopt_title", "risk.adopt_text") if adopt else ("risk.ignore_title", "risk.ignore_text")
        what = [f"  {row.account} · {row.subject}: {row.ours or '–'} → {row.venue or '–'}" for row in rows[:10]]
        text = "\n".join([tr(key, count=len(rows)), *what, *(["  …"] if len(rows) > 10 else [])])
        said = self.ask_why(self._over, tr(title), text, self._owners() if adopt else ())
        if said is None:
            return
        decision = "adopt" if adopt else "ignore"
        for row in rows:
            self._wish(
                Settle(
                    difference_id=row.difference_id,
                    decision=decision,  # type: ignore[arg-type]
                    who=self._who,
                    why=said.why,
                    owner=said.owner or EXTERNAL,
                )
            )

    def resolve(self, row: OrderRow) -> None:
        """Say what became of an order."""
        said = self.ask_resolution(self._over, row)
        if said is not None:
            self._wish(Resolve(order_id=row.order_id, status=said.status, who=self._who, why=said.why))

    @property
    def _who(self) -> str:
        return self._desk.actions.who

    def _owners(self) -> list[tuple[str, str]]:
        """Return to whom something can be given: to nobody of ours, or to a strategy."""
        strategies = () if self._desk.overview is None else sorted(self._desk.overview.equity)
        return [(EXTERNAL, tr("risk.owner_external")), *((name, tr("risk.strategy", name=name)) for name in strategies)]

    def _wish(self, request: Request) -> None:
        self._desk.ask(request, self._hear)

    def _hear(self, _found: object, error: str) -> None:
        if error:
            self._desk.said.emit("WARNING", error)
