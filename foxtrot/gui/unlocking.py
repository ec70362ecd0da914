"""The passphrase of the key store, asked for before a platform is built: at the terminal where there is one, else in a window."""

import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QApplication, QInputDialog, QLineEdit

from foxtrot.app.config import Config
from foxtrot.app.passphrase import Ask, ask_by, process_passphrase
from foxtrot.app.secret_store import FILE, open_store
from foxtrot.gui.signal_watch import SignalWatch
from foxtrot.gui.texts import tr


def unlock(home: Path, config: Config, environment: Mapping[str, str], ask: Ask | None = None) -> bool:
    """Ask for the passphrase if a secret of the configuration's accounts stands in the encrypted file; tells whether it was needed.

    Thread: main, for the platform is built on another thread, which cannot ask.

    Blocks: for the disk, and for the person.

    Raises:
        ConfigError: no passphrase was given, or the file may be opened by others or is damaged.
    """
    entries = open_store(home, environment).entries()
    if not any(entry.where == FILE and entry.place.account in config.accounts for entry in entries):
        return False
    if ask is not None or not sys.stdin.isatty():
        ask_by(environment, ask or _ask_in_window).get()
    else:
        process_passphrase(environment).get()
    return True


def _ask_in_window(_question: str) -> str:
    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setApplicationName("Foxtrot")
    with SignalWatch(application.exit):
        text, agreed = QInputDialog.getText(
            None, tr("wizard.unlock"), tr("wizard.unlock_text"), QLineEdit.EchoMode.Password
        )  # fmt: skip
    return text if agreed else ""
