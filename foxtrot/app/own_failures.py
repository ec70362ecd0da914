"""What broke in the platform itself during a run, so that it halted: its journal, or a handler of its core."""

from foxtrot.app.engine_questions import ASKERS
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.supervision_parts import durable_behind
from foxtrot.core.notices import HandlerFailed


class OwnFailures:
    """Remembers what failed of ours; a person's kill, a venue's fault and a strategy's are none of it.

    Thread: made before the platform starts; `told` any.
    """

    def __init__(self, platform: MainEngine) -> None:
        self._journal = platform.line.journal
        self._handlers: list[str] = []
        platform.line.dispatcher.subscribe(HandlerFailed, self._on_handler_failed, owner="run", core=True)

    def told(self) -> list[str]:
        """Return what failed, in words; nothing when all is well."""
        journal = durable_behind(self._journal)
        broken = [f"the journal failed: {journal.failed}"] if journal is not None and journal.failed else []
        return broken + self._handlers

    def _on_handler_failed(self, failure: HandlerFailed) -> None:
        if failure.core and failure.owner != ASKERS:  # what a question raises is the asker's alone
            self._handlers.append(f"{failure.owner}: {failure.handler} on {failure.event_class}: {failure.error}")
