"""The form of an account: a table of a configuration file is made of it, and its keys go into the key store, unseen."""

import os
import re
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from foxtrot.adapter.base_adapter import Setting
from foxtrot.adapter.registry import adapter_names
from foxtrot.app.account_forms import AdapterForm, adapter_form, write_account
from foxtrot.core.secret import Secret
from foxtrot.gui.aside import Aside
from foxtrot.gui.desk import Desk
from foxtrot.gui.key_keeping import KeyWish, keep_keys, try_out_keys
from foxtrot.gui.setting_fields import field_of, value_of
from foxtrot.gui.texts import tr

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AccountForm(QDialog):
    """Makes an account; everything that waits for disk, keyring or venue is done beside the desktop's thread.

    A key is forgotten by the form as soon as it is handed on; it is never shown, logged or written into the configuration.

    Thread: the desktop's.

    Args:
        desk: knows the home folder and the looks.
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("account_form")
        self.setWindowTitle(tr("account.title"))
        self._desk = desk
        self._aside = Aside(self)
        self.form: AdapterForm | None = None
        self.fields: dict[str, QWidget] = {}
        self.secrets: dict[str, QLineEdit] = {}
        self.passphrase = QLineEdit(self)
        self.passphrase.hide()
        self.written: Path | None = None
        self._without_keys: tuple[Path, str] | None = None
        self._head()
        self._buttons()
        self.adapter.currentTextChanged.connect(self._choose)
        self._choose(self.adapter.currentText())
        self.resize(desk.theme.pixels(560), desk.theme.pixels(620))

    @property
    def busy(self) -> bool:
        """Tell whether something is not done yet."""
        return bool(self._aside.running)

    # --- what is asked for ------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Setting]:
        """Return the settings that differ from their defaults."""
        terms = () if self.form is None else self.form.settings
        found = {term.key: value_of(term, self.fields[term.key]) for term in terms if term.key in self.fields}
        return {key: value for key, value in found.items() if value is not None}

    def save(self) -> None:
        """Write the account, then keep its keys."""
        name, path = self.name.text().strip(), self.path.text().strip()
        if not NAME.fullmatch(name):
            self.say(tr("account.bad_name", name=name), good=False)
            return
        if not path:
            self.say(tr("account.no_path"), good=False)
            return
        if (Path(path), name) == self._without_keys:
            self._keep(tr("account.keys_again"), good=False)
            return
        adapter, environment, settings = self.adapter.currentText(), self.environment.currentText(), self.settings()
        self._work("account.writing")
        self._aside.run(lambda: write_account(Path(path), name, adapter, environment, settings), self._hear_written)

    def _hear_written(self, config: Any, why: str) -> None:
        if config is None:
            self._rest(why, good=False)
            return
        self.written = Path(self.path.text().strip())
        self._keep(tr("account.written", path=self.written), good=True)

    def _keep(self, without: str, *, good: bool) -> None:
        """Keep the keys that were filled in; where there are none that is said."""
        wish = self._take_keys()
        if wish is None:
            self._rest(without, good=good)
            return
        self._work("account.writing")
        self._aside.run(lambda: keep_keys(wish), lambda where, why: self._hear_kept(wish.account, where, why))

    def _hear_kept(self, account: str, where: object, why: str) -> None:
        self._without_keys = (self.written, account) if why and self.written is not None else None
        if why:
            self._rest(tr("account.keys_failed", why=why), good=False)
        else:
            self._rest(tr("account.kept", path=self.written, where=where), good=True)

    def test(self) -> None:
        """Connect with the keys, ask what they may do, trade nothing."""
        path, name, home = self.written, self.name.text().strip(), self._desk.home
        if path is not None and home is not None:
            self._work("account.testing")
            passphrase = Secret(self.passphrase.text())
            self._aside.run(lambda: try_out_keys(home, path, name, passphrase, os.environ), self._hear_tested)

    def _hear_tested(self, found: Any, why: str) -> None:
        self._rest(why or str(found[1]), good=not why and bool(found[0]))

    def _take_keys(self) -> KeyWish | None:
        """Return what is to be kept and forget it here."""
        values = {name: Secret(line.text().strip()) for name, line in self.secrets.items() if line.text().strip()}
        for line in self.secrets.values():
            line.clear()
        home = self._desk.home
        if not values or home is None:
            return None
        adapter, environment = self.adapter.currentText(), self.environment.currentText()
        passphrase = Secret(self.passphrase.text())
        return KeyWish(home, adapter, environment, self.name.text().strip(), values, passphrase, dict(os.environ))

    def done(self, result: int) -> None:
        """Leave, and forget what was typed as keys."""
        for line in (*self.secrets.values(), self.passphrase):
            line.clear()
        super().done(result)

    # --- what is said -----------------------------------------------------------------------------------------------

    def say(self, text: str, *, good: bool) -> None:
        """Say what came of it."""
        colours = self._desk.theme.colours
        self.told.setStyleSheet(f"color:{colours.good if good else colours.danger}")
        self.told.setText(f"{'●' if good else '▲'} {text}")

    def _work(self, text: str) -> None:
        self.save_button.setEnabled(False)
        self.test_button.setEnabled(False)
        self.told.setStyleSheet("")
        self.told.setText(tr(text))

    def _rest(self, text: str, *, good: bool) -> None:
        self.say(text, good=good)
        self.save_button.setEnabled(True)
        self.test_button.setEnabled(self.written is not None)
        self.test_button.setToolTip("" if self.written is not None else tr("account.test_why"))

    # --- building ---------------------------------------------------------------------------------------------------

    def _head(self) -> None:
        self.column = QVBoxLayout(self)
        form = QFormLayout()
        self.path = QLineEdit(self)
        self.path.setObjectName("account_path")
        if self._desk.home is not None:
            self.path.setText(str(self._desk.home / "config.toml"))
        browse = QPushButton(tr("account.browse"), self)
        browse.setAutoDefault(False)
        browse.clicked.connect(lambda _on=False: self._browse())
        line = QHBoxLayout()
        line.addWidget(self.path, 1)
        line.addWidget(browse)
        self.name = QLineEdit(self)
        self.name.setObjectName("account_name")
        self.adapter = QComboBox(self)
        self.adapter.setObjectName("account_adapter")
        self.adapter.addItems(adapter_names())
        self.environment = QComboBox(self)
        self.environment.setObjectName("account_environment")
        for key, widget in (
            ("path", line),
            ("name", self.name),
            ("adapter", self.adapter),
            ("environment", self.environment),
        ):
            form.addRow(tr(f"account.{key}"), widget)
        self.column.addLayout(form)
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.column.addWidget(self.area, 1)

    def _buttons(self) -> None:
        self.told = QLabel(self)
        self.told.setObjectName("account_told")
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.save_button = QPushButton(tr("account.save"), self)
        self.save_button.setObjectName("account_save")
        self.save_button.clicked.connect(lambda _on=False: self.save())
        self.test_button = QPushButton(tr("account.test"), self)
        self.test_button.setObjectName("account_test")
        self.test_button.setEnabled(False)
        self.test_button.setToolTip(tr("account.test_why"))
        self.test_button.clicked.connect(lambda _on=False: self.test())
        close = QPushButton(tr("dialog.hide"), self)
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        for button in (self.save_button, self.test_button, close):
            button.setAutoDefault(False)
            row.addWidget(button)
        self.column.addWidget(self.told)
        self.column.addLayout(row)

    def _choose(self, adapter: str) -> None:
        """Ask for what an adapter takes; its import may take a while."""
        self._aside.run(lambda: adapter_form(adapter), lambda found, why: self._show(adapter, found, why))

    def _show(self, adapter: str, found: AdapterForm | None, why: str) -> None:
        if adapter != self.adapter.currentText():
            return
        self.form = found
        self.save_button.setEnabled(found is not None)
        self.save_button.setToolTip(why)
        if found is None:
            self.say(why, good=False)
            return
        self.told.clear()
        self.environment.clear()
        self.environment.addItems([one for one in found.environments if one])
        self.area.setWidget(self._rows(found))

    def _rows(self, found: AdapterForm) -> QWidget:
        inside = QWidget(self.area)
        form = QFormLayout(inside)
        self.fields, self.secrets = {}, {}
        self.passphrase = QLineEdit(inside)
        for name in found.secrets:
            self.secrets[name] = _hidden(QLineEdit(inside))
            self.secrets[name].setObjectName(f"secret_{name}")
            form.addRow(name, self.secrets[name])
        if found.secrets:
            hint = QLabel(tr("account.keys_hint"), inside)
            hint.setWordWrap(True)
            form.addRow(hint)
            form.addRow(tr("account.passphrase"), _hidden(self.passphrase))
        self.passphrase.setVisible(bool(found.secrets))
        for term in found.settings:
            self.fields[term.key] = field_of(term, inside)
            form.addRow(term.key, self.fields[term.key])
        return inside

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, tr("account.path"), self.path.text(), "*.toml", options=QFileDialog.Option.DontConfirmOverwrite
        )
        if chosen:
            self.path.setText(chosen)


def _hidden(line: QLineEdit) -> QLineEdit:
    line.setEchoMode(QLineEdit.EchoMode.Password)
    line.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
    return line
