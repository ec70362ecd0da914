"""The first window of somebody who gave no configuration: the demo without keys, a file, or a new account; language and looks."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from loguru import logger
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from foxtrot.app.stop_signals import StopSignal
from foxtrot.domain.errors import ConfigError
from foxtrot.gui import texts
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.config_form import AccountForm
from foxtrot.gui.desk import Desk
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.settings import FOLDER, DesktopSettings, SettingsFile
from foxtrot.gui.signal_watch import SignalWatch
from foxtrot.gui.texts import LANGUAGES, tr
from foxtrot.gui.theme import Direction, Mode, apply_theme
from foxtrot.gui.widget_map import map_asked_for

Check = Callable[[Path], str]
"""Tells why a configuration cannot be opened, "" when it can."""


class Chosen(NamedTuple):
    """What is to be opened: the demo, or a configuration."""

    demo: bool
    config: Path | None


class Wizard(QDialog):
    """Asks what is to be opened; `chosen` is None until that was said.

    Thread: the desktop's.

    Args:
        application: gets the looks as soon as they are chosen.
        home: where state lives.
        settings: changed as the person chooses.
        check: looks at a configuration before it is taken.
    """

    def __init__(self, application: QApplication, home: Path, settings: DesktopSettings, check: Check) -> None:
        apply_theme(application, settings.theme)  # before the first widget, or that keeps the font of before
        super().__init__()
        self.setObjectName("wizard")
        self.chosen: Chosen | None = None
        self.form: AccountForm | None = None
        self.ask_file: Callable[[], str] = self._ask_file
        self._application = application
        self._settings = settings
        self._check = check
        self._home = home
        self._desk = Desk(Bridge(FactStore(), parent=self), settings, self)
        self._desk.home = home
        self._inside: QWidget | None = None
        self._column = QVBoxLayout(self)
        self.look_anew()

    def look_anew(self) -> None:
        """Show everything in the looks and the language that are chosen."""
        texts.choose(self._settings.language)
        self._desk.theme = self._settings.theme
        apply_theme(self._application, self._settings.theme)
        self.setWindowTitle(tr("wizard.title"))
        old, self._inside = self._inside, QWidget(self)
        if old is not None:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        column = QVBoxLayout(self._inside)
        column.setSpacing(self._settings.theme.pixels(10))
        welcome = QLabel(tr("wizard.welcome"), self._inside)
        welcome.setWordWrap(True)
        column.addWidget(welcome)
        self.demo = self._button(column, "demo", self._take_demo)
        self.open_file = self._button(column, "open", self._take_file)
        self.make = self._button(column, "make", self._make)
        column.addLayout(self._looks())
        self.fault = QLabel(self._inside)
        self.fault.setWordWrap(True)
        self.fault.setTextFormat(Qt.TextFormat.PlainText)
        self.fault.setStyleSheet(f"color:{self._settings.theme.colours.danger}")
        column.addWidget(self.fault)
        self._column.addWidget(self._inside)
        self.setMinimumWidth(self._settings.theme.pixels(480))

    # --- what is opened ---------------------------------------------------------------------------------------------

    def _take_demo(self) -> None:
        self._end(Chosen(demo=True, config=None))

    def _take_file(self) -> None:
        place = self.ask_file()
        if place:
            self._open(Path(place))

    def _open(self, path: Path) -> None:
        why = self._check(path)
        if why:
            self.fault.setText(f"▲ {why}")
        else:
            self._end(Chosen(demo=False, config=path))

    def _make(self) -> None:
        if self.form is not None:
            self.form.deleteLater()
        self.form = AccountForm(self._desk, self)
        self.form.finished.connect(self._hear_form)
        self.form.open()

    def _hear_form(self) -> None:
        """Open what the form has written."""
        if self.form is not None and self.form.written is not None:
            self._open(self.form.written)

    def _end(self, chosen: Chosen) -> None:
        self.chosen = chosen
        self._settings.wizard_done = True
        self.accept()

    # --- building ---------------------------------------------------------------------------------------------------

    def _button(self, column: QVBoxLayout, name: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(tr(f"wizard.{name}"), self._inside)
        button.setObjectName(f"wizard_{name}")
        button.setMinimumHeight(self._settings.theme.pixels(34))
        button.clicked.connect(lambda _on=False: do())
        button.setAutoDefault(False)
        hint = QLabel(tr(f"wizard.{name}_hint"), self._inside)
        hint.setWordWrap(True)
        hint.setStyleSheet(f"color:{self._settings.theme.colours.dim}")
        column.addWidget(button)
        column.addWidget(hint)
        return button

    def _looks(self) -> QFormLayout:
        form = QFormLayout()
        self.choices: dict[str, QComboBox] = {}
        self._choice(form, "language", dict(LANGUAGES))
        self._choice(form, "mode", {str(mode): _plain(f"menu.{mode}") for mode in Mode})
        self._choice(form, "direction", {str(one): _plain(f"menu.{one}") for one in Direction})
        return form

    def _choice(self, form: QFormLayout, field: str, options: dict[str, str]) -> None:
        box = self.choices[field] = QComboBox(self._inside)
        box.setObjectName(f"wizard_{field}")
        for value, text in options.items():
            box.addItem(text, value)
        box.setCurrentIndex(max(0, box.findData(str(getattr(self._settings, field)))))
        box.activated.connect(lambda _place: self._choose(field, str(box.currentData())))
        form.addRow(tr(f"wizard.{field}"), box)

    def _choose(self, field: str, value: str) -> None:
        kind = {"mode": Mode, "direction": Direction}.get(field, str)
        setattr(self._settings, field, kind(value))
        self.look_anew()

    def _ask_file(self) -> str:
        return QFileDialog.getOpenFileName(self, tr("wizard.open"), str(self._home), "*.toml")[0]


def _plain(key: str) -> str:
    return tr(key).replace("&", "").split("(")[0]


def first_run(home: Path, check: Check, stopped: StopSignal | None = None) -> Chosen | None:
    """Show the wizard; None where the person, or a signal, closed it.

    Thread: main.

    Blocks: until something is chosen.
    """
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)  # noqa: S101  (nobody else makes one)
    application.setApplicationName("Foxtrot")
    file = SettingsFile(home / FOLDER)
    settings = file.load()
    wizard = Wizard(application, home, settings, check)
    map_asked_for(wizard)

    def leave() -> None:
        wizard.reject()
        application.exit(0)  # a dialog over the wizard as well

    with SignalWatch(leave, stopped):
        wizard.exec()
    try:
        (home / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        file.save(settings)
    except (OSError, ConfigError) as error:
        logger.warning("the choices of the desktop could not be saved: {}", error)
    chosen = wizard.chosen
    wizard.deleteLater()
    return chosen
