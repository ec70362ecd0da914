"""Qt without a screen, a desktop without a platform, and a platform whose answers a test writes."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest.importorskip(
    "PySide6.QtWidgets", reason="the desktop cannot be opened here: scripts/setup says why", exc_type=ImportError
)

from PySide6.QtCore import QCoreApplication, QEvent, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from foxtrot.gui import texts
from foxtrot.gui.desk import Desk
from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.theme import Theme, apply_theme
from tests.support.desktop_rig import DesktopRig

NOISE = ("propagateSizeHints", "This plugin does not support")


@pytest.fixture(autouse=True)
def this_thread_collects(qapp: QApplication) -> Iterator[None]:
    """Ends widgets that a test has thrown away in this thread: Python's collector runs in whichever one allocates, and Qt falls over then.

    What was there before is not looked at, so that a look is short.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_on:
            gc.enable()


@pytest.fixture(autouse=True)
def no_warning_of_qt(qapp: QApplication, this_thread_collects: None) -> Iterator[None]:
    """Fails a test in which Qt has warned of something."""
    said: list[str] = []

    def hear(kind: QtMsgType, _context: object, text: str) -> None:
        if kind is not QtMsgType.QtDebugMsg and not any(word in text for word in NOISE):
            said.append(f"{kind.name}: {text}")

    before = qInstallMessageHandler(hear)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # what earlier tests threw away
    apply_theme(qapp, Theme())
    texts.choose("en")
    try:
        yield
    finally:
        qInstallMessageHandler(before)
        texts.choose("en")
    assert not said, f"Qt said: {said}"


@pytest.fixture(autouse=True)
def loops_run(qapp: QApplication) -> Iterator[None]:
    """Lets later tests wait: `exit` outside of `exec` ends every loop of the process at once, until the next `exec`."""
    yield
    QTimer.singleShot(0, qapp, qapp.quit)
    qapp.exec()


@pytest.fixture
def rig(qapp: QApplication, tmp_path: Path) -> Iterator[DesktopRig]:
    """A desk over a platform whose answers the test writes."""
    made = DesktopRig(tmp_path)
    yield made
    made.end()


@pytest.fixture
def desk(rig: DesktopRig) -> Desk:
    """What panels are given."""
    return rig.desk


@pytest.fixture
def settings() -> DesktopSettings:
    """The choices that a desktop begins with."""
    return DesktopSettings()


@pytest.fixture
def shown(qtbot: "object", rig: DesktopRig) -> Callable[[object], None]:
    """Shows a widget and lets it be thrown away at the end."""

    def show(widget: object) -> None:
        qtbot.addWidget(widget)  # type: ignore[attr-defined]
        widget.show()  # type: ignore[attr-defined]

    return show
