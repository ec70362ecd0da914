"""What a hand does wrong, or an input method, or another person's text: no order comes of it that nobody wanted."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.gui.number_box import NumberBox


@pytest.fixture
def box(qtbot: QtBot) -> NumberBox:
    made = NumberBox("size")
    made.setDecimals(4)
    made.setValue(7.0)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,5", 1.5), ("0,001", 0.001), ("1.5", 1.5), ("1e5", 15.0), ("-5", 5.0), ("nan", 0.0), ("inf", 0.0), ("1.2.3", 1.23)],
)  # fmt: skip
def test_what_is_typed_is_never_read_as_more(qtbot: QtBot, box: NumberBox, text: str, value: float) -> None:
    box.clear()
    qtbot.keyClicks(box, text)
    assert box.value() == value, box.text()
    assert box.text().rstrip("0.") == f"{value:.4f}".rstrip("0.") or not box.text(), "what counts is what is seen"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,5", 1.5), ("1,234.5", 1234.5), ("1,234,567", 1234567.0), ("1,234", 7.0), ("1.234,5", 7.0), ("1,2,3", 7.0), ("1e5", 7.0),
        ("nan", 7.0), ("inf", 7.0), ("-3", 7.0), ("0x10", 7.0), ("１２．５", 12.5), ("１。５", 1.5), ("１，５", 1.5),
    ],
)  # fmt: skip
def test_what_is_pasted_is_taken_only_where_it_can_mean_one_thing(box: NumberBox, text: str, value: float) -> None:
    QApplication.clipboard().setText(text)
    line = box.lineEdit()
    line.selectAll()
    line.paste()
    box.interpretText()
    assert box.value() == value, box.text()


def test_an_empty_box_is_no_size_though_one_stood_in_it(qtbot: QtBot, box: NumberBox) -> None:
    heard: list[float] = []
    box.valueChanged.connect(heard.append)
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Delete)
    assert (box.text(), box.value(), heard) == ("", 0.0, [0.0])
