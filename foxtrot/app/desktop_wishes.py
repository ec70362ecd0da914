"""Wishes of a desktop about connections: checked, noted in the journal with who and why, and put as commands."""

from collections.abc import Callable, Mapping
from typing import Any

from foxtrot.app.control_answers import UnknownName, Wish
from foxtrot.app.control_requests import Name, Request, Taken, Text
from foxtrot.core.commands import RenewLink
from foxtrot.storage.journal_records import SettingChanged
from foxtrot.strategy.line import Line

OWNER = "link_renewals"


class Renew(Request, frozen=True, tag="renew"):
    """Give up the connection of an account and make another; orders and positions stay as they are."""

    account: Name
    who: Text
    why: Text = ""


class DesktopWishes:
    """Makes commands of wishes.

    Thread: foxtrot-engine.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.by_kind: Mapping[type[Request], Callable[[Any], Wish]] = {Renew: self._renew}
        """Class of a wish → who checks it."""

    def _renew(self, request: Renew) -> Wish:
        line = self._line
        adapter = line.adapters.get(request.account)
        if adapter is None:
            raise UnknownName("account", request.account, line.adapters)
        was, words = str(adapter.state_now()), f"renewed by {request.who}"
        if line.notes.keeps_reports:
            why = f" ({request.why})" if request.why else ""
            now_ns = line.dispatcher.clock.now_ns()
            line.notes.append(SettingChanged(now_ns, "connection", request.account, was, f"renew{why}", request.who))
        return Wish(RenewLink(request.account, f"{words}: {request.why}" if request.why else words), Taken(was=was))


class LinkRenewals:
    """Takes RenewLink.

    Thread: the dispatcher's; the adapter does it on its own.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        line.dispatcher.subscribe(RenewLink, self.on_renew, owner=OWNER, core=True)

    def on_renew(self, command: RenewLink) -> None:
        """Let an account's adapter make another connection; one of an account that is gone changes nothing."""
        adapter = self._line.adapters.get(command.account)
        if adapter is not None:
            adapter.renew_link(command.cause)
