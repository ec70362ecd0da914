"""The form of an account and the first window: fields by kind, keys that are kept and forgotten, what is chosen."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from foxtrot.app.account_forms import write_account
from foxtrot.app.config import load_config
from foxtrot.app.passphrase import Passphrase
from foxtrot.app.secret_store import SecretPlace, SecretStore
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError
from foxtrot.gui import config_form
from foxtrot.gui.config_form import AccountForm
from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.theme import Mode
from foxtrot.gui.unlocking import unlock
from foxtrot.gui.wizard import Chosen, Wizard
from tests.support.desktop_rig import DesktopRig

KEY = "AKeyOfMine1234567890"
PHRASE = "a long passphrase"


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("foxtrot.app.os_keyring.OsKeyring.name", "")
    monkeypatch.delenv("FOXTROT_PASSPHRASE_FILE", raising=False)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def form(qtbot: QtBot, rig: DesktopRig, no_keyring: Path) -> Iterator[AccountForm]:
    rig.desk.home = no_keyring
    made = AccountForm(rig.desk)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.form is not None and not made.busy, timeout=40_000)  # the first import of an adapter
    yield made
    qtbot.waitUntil(lambda: not made.busy)


def choose(qtbot: QtBot, form: AccountForm, adapter: str) -> None:
    form.adapter.setCurrentText(adapter)
    qtbot.waitUntil(lambda: form.form is not None and form.form.adapter == adapter and not form.busy, timeout=40_000)


def test_fields_are_of_the_kind_of_the_setting_and_only_changes_are_written(qtbot: QtBot, form: AccountForm) -> None:
    choose(qtbot, form, "binance")
    product, leverage = form.fields["product"], form.fields["max_leverage"]
    assert isinstance(product, QComboBox)
    assert isinstance(leverage, QSpinBox)
    assert (leverage.minimum(), leverage.maximum()) == (1, 125)
    assert form.settings() == {}
    product.setCurrentIndex(product.findData("usdm"))
    leverage.setValue(5)
    assert form.settings() == {"product": "usdm", "max_leverage": 5}
    assert form.environment.currentText() == "testnet"


def test_keys_are_kept_and_neither_shown_nor_logged_nor_written(
    qtbot: QtBot, form: AccountForm, no_keyring: Path
) -> None:
    log = io.StringIO()
    number = logger.add(log, level="TRACE")
    choose(qtbot, form, "binance")
    form.name.setText("mine")
    assert form.secrets["api_key"].echoMode() is QLineEdit.EchoMode.Password
    form.secrets["api_key"].setText(KEY)
    form.passphrase.setText(PHRASE)
    qtbot.mouseClick(form.findChild(QPushButton, "account_save"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: form.told.text().startswith(("●", "▲")) and not form.busy, timeout=20_000)
    logger.remove(number)
    assert form.told.text().startswith("●"), form.told.text()
    assert form.secrets["api_key"].text() == ""
    assert form.test_button.isEnabled()
    assert load_config(no_keyring / "config.toml").accounts["mine"].environment == "testnet"
    for text in (log.getvalue(), form.told.text(), *(path.read_text("latin1") for path in no_keyring.iterdir())):
        assert KEY not in text
    store = SecretStore(no_keyring, Passphrase({}, lambda _: PHRASE))
    assert store.get(SecretPlace("binance", "testnet", "mine", "api_key")) == Secret(KEY)


def test_without_a_passphrase_it_says_what_is_missing(qtbot: QtBot, form: AccountForm) -> None:
    choose(qtbot, form, "binance")
    form.name.setText("mine")
    form.secrets["api_key"].setText(KEY)
    form.save()
    qtbot.waitUntil(lambda: form.told.text().startswith("▲") and not form.busy)
    assert "passphrase" in form.told.text()


def test_keys_that_could_not_be_kept_are_kept_by_a_second_save(
    qtbot: QtBot, form: AccountForm, no_keyring: Path
) -> None:
    choose(qtbot, form, "binance")
    form.name.setText("mine")
    form.secrets["api_key"].setText(KEY)
    form.save()
    qtbot.waitUntil(lambda: form.told.text().startswith("▲") and not form.busy)
    form.save()  # it has forgotten them
    assert form.told.text().startswith("▲ Fill the keys in again")
    form.passphrase.setText(PHRASE)
    form.secrets["api_key"].setText(KEY)
    form.save()
    qtbot.waitUntil(lambda: form.told.text().startswith("●") and not form.busy, timeout=20_000)
    store = SecretStore(no_keyring, Passphrase({}, lambda _: PHRASE))
    assert store.get(SecretPlace("binance", "testnet", "mine", "api_key")) == Secret(KEY)
    form.save()
    qtbot.waitUntil(lambda: "has an account mine already" in form.told.text())


@pytest.mark.parametrize("name", ["", "my account", "x" * 65])
def test_a_name_that_cannot_be_one_is_refused_before_anything_is_written(
    qtbot: QtBot, form: AccountForm, no_keyring: Path, name: str
) -> None:
    form.name.setText(name)
    form.save()
    assert form.told.text().startswith("▲")
    assert not (no_keyring / "config.toml").exists()


def test_the_keys_are_tried_beside_the_window(qtbot: QtBot, form: AccountForm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_form, "try_out_keys", lambda *_: (False, "mine: refused"))
    choose(qtbot, form, "simulated")
    form.name.setText("mine")
    assert not form.test_button.isEnabled()
    assert form.test_button.toolTip()
    form.save()
    qtbot.waitUntil(form.test_button.isEnabled)
    form.test()
    qtbot.waitUntil(lambda: "refused" in form.told.text())
    assert form.told.text().startswith("▲")


# --- the first window -----------------------------------------------------------------------------------------------


def wizard_of(qtbot: QtBot, qapp: QApplication, home: Path, fault: str = "") -> Wizard:
    made = Wizard(qapp, home, DesktopSettings(), lambda _path: fault)
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_demo_is_one_click_away(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    wizard = wizard_of(qtbot, qapp, tmp_path)
    qtbot.mouseClick(wizard.findChild(QPushButton, "wizard_demo"), Qt.MouseButton.LeftButton)
    assert wizard.chosen == Chosen(demo=True, config=None)
    assert wizard._settings.wizard_done


def test_a_configuration_that_cannot_be_opened_is_said_and_asked_for_again(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    wizard = wizard_of(qtbot, qapp, tmp_path, "line 3 is wrong")
    wizard.ask_file = lambda: str(tmp_path / "my.toml")
    qtbot.mouseClick(wizard.open_file, Qt.MouseButton.LeftButton)
    assert "line 3 is wrong" in wizard.fault.text()
    assert wizard.chosen is None
    wizard._check = lambda _path: ""
    qtbot.mouseClick(wizard.open_file, Qt.MouseButton.LeftButton)
    assert wizard.chosen == Chosen(demo=False, config=tmp_path / "my.toml")


def test_language_and_looks_change_at_once(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    wizard = wizard_of(qtbot, qapp, tmp_path)
    wizard._choose("language", "zh")
    wizard._choose("mode", "light")
    assert wizard.demo.text() == "开始演示"
    assert wizard._settings.mode is Mode.LIGHT
    qtbot.keyClick(wizard, Qt.Key.Key_Escape)
    assert wizard.chosen is None


def test_the_passphrase_is_asked_for_once_and_only_where_it_is_needed(
    no_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foxtrot.app.passphrase._OF_PROCESS", {})
    config = write_account(no_keyring / "my.toml", "mine", "simulated", "", {})
    assert not unlock(no_keyring, config, {}, lambda _: pytest.fail("asked"))
    store = SecretStore(no_keyring, Passphrase({}, lambda _: PHRASE))
    store.put(SecretPlace("binance", "testnet", "mine", "api_key"), Secret(KEY), 1)
    with pytest.raises(ConfigError):
        unlock(no_keyring, config, {}, lambda _: "")
    assert unlock(no_keyring, config, {}, lambda _: PHRASE)
    assert unlock(no_keyring, config, {}, lambda _: pytest.fail("asked twice"))
