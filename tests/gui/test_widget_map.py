"""The map of the window: every named part that can be seen, its entries, tabs and rows; never what was typed."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton, QTabBar, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from foxtrot.gui import widget_map
from foxtrot.gui.widget_map import WidgetMap, map_asked_for, places


class Scene(QWidget):
    """A window with one of each."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("scene")
        column = QVBoxLayout(self)
        self.first, self.second = QPushButton("Buy", self), QPushButton("Buy", self)
        self.typed, self.tabs, self.hidden = QLineEdit("a secret", self), QTabBar(self), QPushButton("Never", self)
        for widget, name in ((self.first, "buy"), (self.second, "buy"), (self.typed, "price"), (self.hidden, "hidden")):
            widget.setObjectName(name)
            column.addWidget(widget)
        column.addWidget(self.tabs)
        self.tabs.addTab("Orders")
        self.hidden.hide()
        self.second.setEnabled(False)
        self.second.setToolTip("nothing to buy")

    def places_on_map(self) -> dict[str, QRect]:
        return {"middle": QRect(10, 20, 5, 5)}


@pytest.fixture
def scene(qtbot: QtBot) -> Scene:
    made = Scene()
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_says_where_everything_is_that_can_be_seen(scene: Scene) -> None:
    found = places()
    corner = scene.first.mapToGlobal(scene.first.rect().topLeft())
    bought = found["buy"]
    assert (bought.x, bought.y, bought.width, bought.text) == (corner.x(), corner.y(), scene.first.width(), "Buy")
    assert (found["buy#2"].enabled, found["buy#2"].tip) == (False, "nothing to buy")
    assert "hidden" not in found
    assert found["tabs/Orders"].width > 0
    middle = scene.mapToGlobal(QRect(10, 20, 5, 5).topLeft())
    assert (found["scene/middle"].x, found["scene/middle"].y) == (middle.x(), middle.y())


def test_it_never_tells_what_was_typed(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    made = WidgetMap(file, scene)
    made.write()
    assert "price" in json.loads(file.read_text())
    assert "secret" not in file.read_text()


def test_an_open_menu_has_its_entries(qtbot: QtBot, scene: Scene) -> None:
    menu = QMenu(scene)
    menu.addAction("&Quit")
    menu.popup(scene.mapToGlobal(scene.rect().center()))
    assert places()["menu/Quit"].height > 0
    menu.close()


def test_it_is_written_only_where_the_environment_asks(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.delenv(widget_map.VARIABLE, raising=False)
    assert map_asked_for(scene) is None
    monkeypatch.setenv(widget_map.VARIABLE, str(tmp_path / "map.json"))
    made = map_asked_for(scene)
    assert made is not None
    qtbot.waitUntil((tmp_path / "map.json").exists, timeout=3_000)


def test_a_file_that_cannot_be_written_ends_it(scene: Scene, tmp_path: Path) -> None:
    made = WidgetMap(tmp_path / "nowhere" / "map.json", scene)
    made.write()
    assert not made._timer.isActive()
