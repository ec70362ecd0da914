"""An order's life as tables and words: its steps, how long each leg took, what it cost."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from foxtrot.app.order_life import Leg, OrderStory, Slippage, Step, story_of
from foxtrot.gui.blotter_cells import name_of
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.numbers import moment_text, money_text, time_text
from foxtrot.gui.texts import tr
from foxtrot.storage.journal_reader import read_only

_TONES: Final = {
    "event": Tone.DIM, "gate": Tone.PLAIN, "sent": Tone.PLAIN, "heard": Tone.DIM, "fill": Tone.GOOD, "amend": Tone.WARNING,
    "cancel": Tone.WARNING, "resolved": Tone.DANGER,
}  # fmt: skip
_LEGS: Final = {
    "venue to us": "venue_us", "event to intent": "event_intent", "intent to durable and handed over": "intent_handed",
    "handed over to sent": "handed_sent", "sent to acknowledged": "sent_ack", "handed over to acknowledged": "handed_ack",
    "event to first fill": "event_fill",
}  # fmt: skip
_FILL: Final = re.compile(r"acknowledged to fill (\d+)")


def read_story(path: Path, order_id: str) -> OrderStory:
    """Return the life of an order out of a journal.

    Blocks: for the disk.

    Raises:
        InputError: there is no journal, or no such order in it.
    """
    with read_only(path) as view:
        return story_of(view, order_id)


class StepRow(msgspec.Struct, frozen=True):
    """A step, its number, and how long after the first one it was."""

    number: int
    step: Step
    after_ms: float


class LegRow(msgspec.Struct, frozen=True):
    """A leg and its number."""

    number: int
    leg: Leg


def step_rows(story: OrderStory) -> list[StepRow]:
    """Return the steps as rows."""
    first_ns = story.steps[0].time_ns if story.steps else 0
    return [StepRow(place, one, (one.time_ns - first_ns) / 1e6) for place, one in enumerate(story.steps)]


def leg_rows(story: OrderStory) -> list[LegRow]:
    """Return the legs as rows."""
    return [LegRow(place, leg) for place, leg in enumerate(story.legs)]


def _what(row: StepRow) -> Cell:
    return word(tr(f"order_life.step_{row.step.what}"), _TONES.get(row.step.what, Tone.PLAIN))


def leg_name(name: str) -> str:
    """Return what a leg is called in the language in force."""
    fill = _FILL.fullmatch(name)
    if fill is not None:
        return tr("order_life.leg_fill", number=fill[1])
    key = _LEGS.get(name)
    return name if key is None else tr(f"order_life.leg_{key}")


STEPS: Final = (
    Column[StepRow]("time", "order_life.time", lambda row: number(float(row.number), _micros(row.step.time_ns), Tone.DIM, moment_text(row.step.time_ns)), width=130),
    Column[StepRow]("after", "order_life.after", lambda row: number(row.after_ms, f"+{row.after_ms:,.3f} ms", Tone.DIM), align=Align.RIGHT, width=130),
    Column[StepRow]("what", "order_life.what", _what, width=100),
    Column[StepRow]("detail", "order_life.detail", lambda row: word(row.step.detail), width=520),
)  # fmt: skip
LEGS: Final = (
    Column[LegRow]("leg", "order_life.leg", lambda row: word(leg_name(row.leg.name)), width=190),
    Column[LegRow]("ms", "order_life.took", lambda row: number(row.leg.ms, f"{row.leg.ms:,.3f} ms"), align=Align.RIGHT, width=120),
)  # fmt: skip


def head_text(story: OrderStory) -> str:
    """Return what the order is and how it stands, in lines."""
    order = story.order
    kind = " ".join(name_of(str(order[name])) for name in ("side", "order_type") if name in order)
    figures = [f"{tr(f'order_life.{name}')} {order[name]}" for name in _FIGURES if order.get(name)]
    lines = [
        f"{kind}  {story.instrument_id}  {'  '.join(figures)}".strip(),
        f"{name_of(story.status)}  {tr('order_life.filled', filled=repr(story.filled))}  {story.reason}".rstrip(),
        tr("order_life.owner", owner=story.strategy_id, account=story.account),
    ]
    if story.pair_id:
        lines.append(tr("order_life.pair", order=story.pair_id))
    if story.strategy_hash:
        lines.append(tr("order_life.file", hash=story.strategy_hash[:16]))
    return "\n".join(lines)


_FIGURES: Final = ("quantity", "price", "trigger_price", "time_in_force", "reduce_only", "post_only")


def cost_text(story: OrderStory) -> str:
    """Return what was known at the arrival, and what the fills cost, in lines."""
    lines = []
    known = story.arrival
    if known is not None:
        book = f"  {tr('order_life.book')} {known.book_state}" if known.book_state else ""
        cause = f"{known.sequence} {known.event}" if known.event else tr("order_life.no_event")
        lines.append(f"{tr('order_life.arrival')}: {cause}")
        lines.append(f"{tr('order_life.quote')}: {known.bid!r} / {known.ask!r}  {known.last!r}{book}")
    if story.slippage is not None:
        lines += _slippage_lines(story.slippage)
    if story.fees:
        fees = ", ".join(f"{amount} {asset}" for asset, amount in story.fees.items())
        lines.append(f"{tr('blotter.fees')}: {fees}")
    return "\n".join(lines)


def _slippage_lines(cost: Slippage) -> Iterator[str]:
    yield f"{tr('order_life.average')}: {cost.average_price:.12g}"
    for name, price, ticks, money in (
        ("touch", cost.touch, cost.touch_ticks, cost.touch_money),
        ("mid", cost.mid, cost.mid_ticks, cost.mid_money),
    ):
        counted = "" if ticks is None else f"  {tr('order_life.ticks', ticks=money_text(ticks, signed=True))}"
        paid = f"{money_text(money, 4, signed=True)} {cost.currency}".rstrip()
        yield f"{tr(f'order_life.against_{name}')} ({price!r}): {paid}{counted}"


def _micros(ns: int) -> str:
    return f"{time_text(ns)}{ns // 1000 % 1000:03d}"
