"""What a person can do to a strategy, and why not; each state with a mark of its own, so that it is not told by colour alone."""

from enum import StrEnum
from typing import Final

from foxtrot.app.control_requests import StrategyRow
from foxtrot.app.desktop_requests import StrategyForm
from foxtrot.gui.columns import Tone
from foxtrot.gui.texts import tr

ALIVE: Final = ("initialising", "ready", "running")
AT_REST: Final = ("loaded", "stopped", "failed")
MARKS: Final = {
    "loaded": ("○", Tone.DIM), "initialising": ("◔", Tone.WARNING), "ready": ("◑", Tone.WARNING), "running": ("▶", Tone.GOOD),
    "stopped": ("■", Tone.PLAIN), "failed": ("✕", Tone.DANGER),
}  # fmt: skip
"""Stage → its mark and what its colour says."""


class Action(StrEnum):
    """What the buttons do."""

    START = "start"
    STOP = "stop"
    RELOAD = "reload"
    REARM = "rearm"
    FLATTEN = "flatten"


def state_text(row: StrategyRow) -> tuple[str, Tone]:
    """Return the state of a strategy with its mark, and its tone."""
    if row.needs_rearm:
        return f"⚠ {tr('strategies.disabled')}", Tone.DANGER
    if row.leaving:
        return f"◣ {tr('strategies.leaving')}", Tone.WARNING
    mark, tone = MARKS.get(row.stage, ("?", Tone.PLAIN))
    return f"{mark} {stage_name(row.stage)}", tone


def stage_name(stage: str) -> str:
    """Return a stage in the language in force."""
    return tr(f"strategies.{stage}") if stage in MARKS else stage


def why_not(action: Action, row: StrategyRow, form: StrategyForm | None) -> str:
    """Return why something cannot be done to a strategy now, "" when it can."""
    if action is Action.START:
        return _why_not_start(row)
    if action is Action.REARM:
        return "" if row.needs_rearm else tr("strategies.why_armed")
    if action is Action.RELOAD:
        return "" if row.stage in AT_REST else tr("strategies.why_stop_first", stage=stage_name(row.stage))
    if row.stage not in ALIVE:
        return tr("strategies.why_ended", stage=stage_name(row.stage))
    return tr("strategies.why_keeps") if action is Action.FLATTEN and not flattens(form) else ""


def _why_not_start(row: StrategyRow) -> str:
    if row.needs_rearm:
        return tr("strategies.why_rearm", reason=row.needs_rearm)
    if row.leaving:
        return tr("strategies.why_leaving")
    return "" if row.stage in AT_REST else tr("strategies.why_started", stage=stage_name(row.stage))


def flattens(form: StrategyForm | None) -> bool:
    """Tell whether the policy of a strategy closes its position when a person stops it."""
    return form is not None and form.exits.get("on_stop", ("", ""))[1] == "flatten"


def policy_text(form: StrategyForm | None) -> str:
    """Return what a stop by a person does to orders and position."""
    if form is None:
        return ""
    orders, position = form.exits.get("on_stop", ("", ""))
    return tr(
        "strategies.policy", orders=tr(f"strategies.orders_{orders}"), position=tr(f"strategies.position_{position}")
    )
