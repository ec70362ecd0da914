"""The table: typed order, words that filter, rows by key that stay chosen, few signals for many changes."""

import msgspec
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from foxtrot.gui.columns import Align, Column, number, word
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.table_view import FactView
from foxtrot.gui.theme import Theme


class Quote(msgspec.Struct, frozen=True):
    """A row."""

    name: str
    price: float


COLUMNS = (
    Column[Quote]("name", "log.source", lambda quote: word(quote.name)),
    Column[Quote]("price", "log.text", lambda quote: number(quote.price, f"{quote.price:.2f}"), align=Align.RIGHT),
)


@pytest.fixture
def model(qtbot: QtBot) -> FactTable[Quote]:
    made = FactTable(COLUMNS, lambda quote: quote.name)
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setParent(made)
    return made


def names(model: FactTable[Quote]) -> list[str]:
    return [quote.name for quote in model.shown()]


def test_rows_come_in_their_order_and_are_replaced_by_key(model: FactTable[Quote]) -> None:
    for name, price in (("b", 9.0), ("a", 10.0), ("b", 11.0)):
        model.put(Quote(name, price))
    model.apply()
    assert [(quote.name, quote.price) for quote in model.shown()] == [("b", 11.0), ("a", 10.0)]
    assert model.index(0, 1).data() == "11.00"
    model.remove("b")
    model.apply()
    assert names(model) == ["a"]


def test_it_sorts_by_value_and_not_by_text(model: FactTable[Quote]) -> None:
    for name, price in (("a", 9.0), ("b", 10.0), ("c", 100.0), ("d", float("nan"))):
        model.put(Quote(name, price))
    model.sort(1)
    model.apply()
    assert names(model) == ["d", "a", "b", "c"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert names(model) == ["c", "b", "a", "d"]
    model.put(Quote("a", 1_000.0))
    model.apply()
    assert names(model)[0] == "a"
    model.sort(-1)
    assert names(model) == ["a", "b", "c", "d"]


def test_words_and_filters_hide_and_show(model: FactTable[Quote]) -> None:
    for name, price in (("Apple", 1.0), ("Pear", 2.0)):
        model.put(Quote(name, price))
    model.apply()
    model.set_words("APP 1.0")
    assert names(model) == ["Apple"]
    model.put(Quote("Grapple", 1.05))
    model.put(Quote("Apple", 3.0))
    model.apply()
    assert names(model) == ["Grapple"]
    model.set_words("")
    model.set_filter(lambda quote: quote.price < 3.0)
    assert names(model) == ["Pear", "Grapple"]


def test_many_changes_of_a_row_are_one_signal(model: FactTable[Quote]) -> None:
    model.put(Quote("a", 0.0))
    model.apply()
    signals: list[object] = []
    model.dataChanged.connect(lambda *_: signals.append(1))
    for price in range(1_000):
        model.put(Quote("a", float(price)))
    model.apply()
    model.apply()
    assert len(signals) == 1


def test_the_oldest_rows_go_when_there_are_too_many(qtbot: QtBot) -> None:
    model = FactTable(COLUMNS, lambda quote: quote.name, most=3)
    for place in range(10):
        model.put(Quote(str(place), 1.0))
    model.apply()
    assert names(model) == ["7", "8", "9"]


def test_a_table_that_nobody_sees_keeps_no_more_rows_for_it(qtbot: QtBot) -> None:
    model = FactTable(COLUMNS, lambda quote: quote.name, most=100)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    view = FactView(model, Theme())
    qtbot.addWidget(view)
    for place in range(100):
        model.put(Quote(str(place), 1.0))
    model.apply()
    view.selectRow(0)
    for place in range(100, 10_000):  # its panel is behind another, and nothing is applied
        model.put(Quote(str(place), 1.0))
        assert model.count <= 125
    assert len(model._gone) + len(model._changed) <= 225
    assert model.shown() == []  # all that is painted is gone
    model.sort(-1)
    model.apply()
    assert names(model) == [str(place) for place in range(9_900, 10_000)]


def test_what_is_chosen_stays_chosen_by_its_key(qtbot: QtBot, model: FactTable[Quote]) -> None:
    view = FactView(model, Theme())
    qtbot.addWidget(view)
    for name, price in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        model.put(Quote(name, price))
    model.apply()
    flags = QItemSelectionModel.SelectionFlag
    view.selectionModel().select(model.index(1, 0), flags.Select | flags.Rows)
    model.sort(1, Qt.SortOrder.DescendingOrder)
    model.put(Quote("b", 9.0))
    model.apply()
    assert [quote.name for quote in view.selected()] == ["b"]
    view.copy()
    assert QApplication.clipboard().text() == "Source\tText\nb\t9.00"


def test_columns_are_saved_by_key_and_nonsense_is_passed_over(qtbot: QtBot, model: FactTable[Quote]) -> None:
    view = FactView(model, Theme())
    qtbot.addWidget(view)
    view.setColumnWidth(1, 222)
    view.horizontalHeader().moveSection(1, 0)
    saved = view.columns_state()
    other = FactView(model, Theme())
    qtbot.addWidget(other)
    other.restore_columns({**saved, "name": "nonsense", "gone": [0, 1, False]})
    assert (other.columnWidth(1), other.horizontalHeader().visualIndex(1)) == (222, 0)
