"""Diagnostics: how engine, window and handlers keep up, and which stalls of the window were felt."""

from typing import ClassVar, Final

import msgspec
from PySide6.QtWidgets import QWidget

from foxtrot.gui.bridge import BridgeStatistics
from foxtrot.gui.columns import Align, Cell, Column, Tone, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING
from foxtrot.gui.panel import Panel
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr

EVERY_FLUSHES: Final = 15
LATE_FLUSH_MS: Final = 15.0
LATE_BEAT_MS: Final = 80.0
MOST_HANDLERS: Final = 12


class Figure(msgspec.Struct, frozen=True):
    """One line: a figure with its name, in which part, and whether it is out of the ordinary."""

    key: str
    part: str
    name: str
    value: str
    tone: Tone = Tone.PLAIN


COLUMNS: Final = (
    Column[Figure]("part", "diagnostics.part", lambda row: word(row.part, Tone.DIM), width=110, rank=1),
    Column[Figure]("name", "diagnostics.name", lambda row: word(row.name), width=230),
    Column[Figure](
        "value", "diagnostics.value", lambda row: Cell(row.value, row.value, row.tone), align=Align.RIGHT, width=130
    ),
)


class DiagnosticsPanel(Panel):
    """Shows the figures, renewed twice a second.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "diagnostics"
    least_size: ClassVar[tuple[int, int]] = (360, 140)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.model = FactTable(COLUMNS, lambda row: row.key)
        self.view = FactView(self.model, desk.theme, self)
        self.body.addWidget(self.view, 1)
        self._flushes = 0

    def flush(self) -> None:
        """Renew the figures now and then: they are looked at, not traded on."""
        if self._flushes % EVERY_FLUSHES == 0:
            self.model.replace_all([*_of_window(self.desk.bridge.statistics()), *self._of_engine()])
            self.model.apply()
        self._flushes += 1

    def _of_engine(self) -> list[Figure]:
        found, part = self.desk.overview, tr("diagnostics.engine")
        if found is None:
            return [Figure("engine", part, tr("diagnostics.no_engine"), NOTHING)]
        told = found.statistics
        figures = [
            _figure(part, "handled", f"{told.handled:,}"),
            _figure(part, "depth", f"{told.depth:,}", Tone.WARNING if told.depth > 1_000 else Tone.PLAIN),
            _figure(part, "peak_depth", f"{told.peak_depth:,}"),
            _figure(part, "conflated", f"{told.conflated:,}"),
            _figure(part, "lag", f"{told.lag_p50_us / 1000:.2f} / {told.lag_p99_us / 1000:.2f} ms"),
            _figure(part, "failures", f"{told.failures:,}", Tone.DANGER if told.failures else Tone.PLAIN),
            _figure(part, "slowest", f"{told.slowest_ms:.1f} ms"),
        ]
        if told.slowest_handler:
            figures.append(Figure("slowest_handler", part, told.slowest_handler, f"{told.slowest_ms:.1f} ms"))
        slow = sorted(told.slow_handlers.items(), key=lambda item: -item[1])[:MOST_HANDLERS]
        handlers = tr("diagnostics.handlers")
        return figures + [Figure(f"handler-{name}", handlers, name, f"{ms:,.1f} ms") for name, ms in slow]


def _of_window(told: BridgeStatistics) -> list[Figure]:
    part = tr("diagnostics.window")
    late_flush = Tone.WARNING if told.flush_p99_ms > LATE_FLUSH_MS else Tone.PLAIN
    late_beat = Tone.WARNING if told.beat_p99_ms > LATE_BEAT_MS else Tone.PLAIN
    return [
        _figure(part, "flush", f"{told.flush_p50_ms:.1f} / {told.flush_p99_ms:.1f} ms", late_flush),
        _figure(part, "beat", f"{told.beat_p50_ms:.0f} / {told.beat_p99_ms:.0f} ms", late_beat),
        _figure(part, "flushes", f"{told.flushes:,}"),
        _figure(part, "heard", f"{told.heard:,}"),
        _figure(part, "backlog", f"{told.backlog:,}", Tone.WARNING if told.backlog else Tone.PLAIN),
        _figure(part, "stalls", f"{told.stalls:,}", Tone.WARNING if told.stalls else Tone.PLAIN),
        _figure(part, "failed", f"{told.failures:,}", Tone.DANGER if told.failures else Tone.PLAIN),
    ]


def _figure(part: str, name: str, value: str, tone: Tone = Tone.PLAIN) -> Figure:
    return Figure(f"{part}-{name}", part, tr(f"diagnostics.{name}"), value, tone)
