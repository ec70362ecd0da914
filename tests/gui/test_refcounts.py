"""Qt's binding keeps count: on Python 3.11 a call that returns nothing must not use up None, or the process dies after some thousand.

PySide6 6.12.0 did that; this is what to run before another version is allowed.
"""

import sys
from collections.abc import Callable

import pytest
from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QLabel, QPushButton, QTableWidget, QTableWidgetItem

CALLS = 2_000
SLACK = 40
"""What the interpreter itself may do to the counts meanwhile."""
KNOWN_LEAKS = {"single shot": 1.0}
"""References that a call is known to keep, which kills nothing."""


def a_painter() -> Callable[[], object]:
    image = QImage(16, 16, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    pen = QColor("#ffffff")

    def paint() -> None:
        _kept = image
        painter.setPen(pen)
        painter.drawText(0, 10, "1")

    return paint


def calls() -> dict[str, Callable[[], object]]:
    """Calls that return nothing, or True, by what they are."""
    label, button, item, table = QLabel(), QPushButton(), QTableWidgetItem(), QTableWidget(1, 1)
    model = QStandardItemModel(1, 1)
    model.setItem(0, 0, QStandardItem("1"))
    index, role = model.index(0, 0), Qt.ItemDataRole.DisplayRole
    timer = QTimer()
    return {
        "label text": lambda: label.setText("1"),
        "label alignment": lambda: label.setAlignment(Qt.AlignmentFlag.AlignRight),
        "item text": lambda: item.setText("1"),
        "item alignment": lambda: item.setTextAlignment(Qt.AlignmentFlag.AlignRight),
        "widget update": label.update,
        "button enabled": lambda: button.setEnabled(True),
        "tool tip": lambda: button.setToolTip("1"),
        "sorting": lambda: table.setSortingEnabled(False),
        "model data": lambda: model.setData(index, "1", role),
        "data changed": lambda: model.dataChanged.emit(index, index),
        "model rows": lambda: model.hasIndex(0, 0, QModelIndex()),
        "timer": lambda: timer.setInterval(33),
        "is visible": label.isVisible,
        "painter": a_painter(),
        "single shot": lambda: QTimer.singleShot(0, int),
    }


def counts() -> tuple[int, int, int]:
    return sys.getrefcount(None), sys.getrefcount(True), sys.getrefcount(False)


def drift(call: Callable[[], object]) -> list[float]:
    """What a call adds to the counts of None, True and False, on average."""
    call()
    before = counts()
    for _ in range(CALLS):
        call()
    return [(after - first) / CALLS for first, after in zip(before, counts(), strict=True)]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None, True and False are not counted from Python 3.12 on")
def test_calls_that_return_nothing_keep_the_count_of_none(qapp: object) -> None:
    allowed = SLACK / CALLS
    drifts = {name: drift(call) for name, call in calls().items()}
    wrong = {
        name: found
        for name, found in drifts.items()
        if min(found) < -allowed or max(found) > KNOWN_LEAKS.get(name, 0.0) + allowed
    }
    assert not wrong, f"references per call to None, True and False drift: {wrong}"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None, True and False are not counted from Python 3.12 on")
def test_a_call_that_uses_up_or_keeps_none_is_seen(qapp: object) -> None:
    kept: list[object] = []
    assert drift(lambda: kept.append(None))[0] == pytest.approx(1.0, abs=SLACK / CALLS)
    assert drift(kept.pop)[0] == pytest.approx(-1.0, abs=SLACK / CALLS)
