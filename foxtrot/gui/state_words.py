"""How the state of a connection is said, in the language in force."""

from typing import Final

from foxtrot.domain.enums import AdapterState
from foxtrot.gui.texts import tr

_OTHERS: Final = {AdapterState.FAILED: "connections.failed_state"}  # "failed" heads the column of failed requests


def state_word(state: AdapterState) -> str:
    """Return a state in words."""
    return tr(_OTHERS.get(state, f"connections.{state}"))
