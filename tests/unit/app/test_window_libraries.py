"""What a real window needs of the system is named, without a screen and without Qt."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from foxtrot.gui import window_libraries
from foxtrot.gui.window_libraries import missing_packages, package_of, why_no_window
from tests.architecture.source_tree import REPOSITORY

OF_X = re.compile(r"^\s*(lib(?:xcb|X11|xkbcommon-x11)\S*) =>", re.MULTILINE)
LACKING = """
	libQt6XcbQpa.so.6 => /venv/lib/libQt6XcbQpa.so.6 (0x00007f)
	libxkbcommon-x11.so.0 => not found
	libxcb-cursor.so.0 => not found
	libxcb.so.1 => /lib/libxcb.so.1 (0x00007f)
	libX11-xcb.so.1 => not found
	libxcb-cursor.so.0 => not found
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X is what Linux has")


@pytest.fixture
def lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system in which three libraries are missing: an ldd that says so, and a plugin that it is asked about."""
    ldd = tmp_path / "ldd"
    ldd.write_text(f"#!/bin/sh\ncat <<'END'{LACKING}END\n")
    ldd.chmod(ldd.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "libqxcb.so"


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
        ("libX11.so.6", "libx11-6"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
    ],
)
def test_a_library_has_a_package(library: str, package: str) -> None:
    assert package_of(library) == package


def test_each_missing_package_is_named_once(lacking: Path) -> None:
    assert missing_packages(lacking) == ["libx11-xcb1", "libxcb-cursor0", "libxkbcommon-x11-0"]


def test_a_window_is_refused_in_words_before_qt_ends_the_program(
    lacking: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_libraries, "_xcb_plugin", lambda: lacking)
    assert "apt install libx11-xcb1 libxcb-cursor0 libxkbcommon-x11-0" in why_no_window({"DISPLAY": ":7"})
    assert "DISPLAY" in why_no_window({})
    assert why_no_window({"QT_QPA_PLATFORM": "offscreen"}) == ""
    assert why_no_window({"WAYLAND_DISPLAY": "wayland-0"}) == ""


def test_without_ldd_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_packages(tmp_path / "libqxcb.so") == []


def test_the_command_says_that_there_is_no_screen(tmp_path: Path) -> None:
    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
    bare = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    bare.pop("QT_QPA_PLATFORM", None)
    line = [sys.executable, "-m", "foxtrot", "gui", "--demo", "--home", str(tmp_path / "home")]
    ran = subprocess.run(line, env=bare, capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY)
    assert (ran.returncode, "there is no screen" in ran.stderr) == (2, True), ran.stderr[-500:]


def test_the_documents_name_every_package_that_qts_part_for_x_needs() -> None:
    plugin = window_libraries._xcb_plugin()
    if plugin is None:
        pytest.skip("PySide6 is not installed")
    told = subprocess.run(["ldd", str(plugin)], capture_output=True, text=True, timeout=20, check=True).stdout
    ours = {"libxcb", "libX11", "libxkbcommon-x11"}
    needed = {package_of(name) for name in OF_X.findall(told) if any(name.startswith(one) for one in ours)}
    row = next(
        line
        for line in (REPOSITORY / "docs/desktop.md").read_text("utf-8").splitlines()
        if line.startswith("| a window under X |")
    )
    assert needed
    assert needed <= set(re.findall(r"lib[a-z0-9-]+", row))


def test_setup_tells_of_a_window_and_goes_on(lacking: Path) -> None:
    """Its function alone is run: the whole script would install."""
    script = (REPOSITORY / "scripts/setup").read_text("utf-8")
    function = script[script.index("check_window() {") : script.index("desktop_error() {")]
    python = lacking.with_name("python")
    python.write_text("#!/bin/sh\necho libxcb-cursor0\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    (lacking.parent / "bin").mkdir()
    python.rename(lacking.parent / "bin" / "python")
    ran = subprocess.run(
        ["bash", "-euc", f"venv={lacking.parent}\n{function}\ncheck_window"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "apt install libxcb-cursor0" in ran.stderr
    assert "the desktop's tests too" in ran.stderr
