"""Each import contract of setup.cfg is broken once, in a copy of the tree, and seen caught."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGE, REPOSITORY

# contract, the file that offends, what it says
OFFENCES = [
    ("line", "domain/offence.py", "import foxtrot.core"),
    ("line", "trading/offence.py", "import foxtrot.strategy"),
    ("line", "books/offence.py", "import foxtrot.storage"),
    ("line", "exchange/offence.py", "import foxtrot.adapter"),
    ("line", "toolbox/__init__.py", "import foxtrot.domain"),
    ("line", "strategy/offence.py", "import foxtrot.hub"),
    ("venues", "adapter/binance/offence.py", "import foxtrot.adapter.simulated"),
    ("venues", "adapter/futu/offence.py", "import foxtrot.adapter.binance"),
    ("venue-blind", "trading/offence.py", "import foxtrot.adapter.futu"),
    ("venue-blind", "strategy/offence.py", "import foxtrot.adapter.binance"),
    ("venue-blind", "trading/offence.py", "import foxtrot.exchange"),
    ("venue-blind", "hub/offence.py", "import foxtrot.adapter.simulated"),
    ("two-readings", "adapter/binance/offence.py", "import foxtrot.exchange"),
    ("two-readings", "adapter/futu/offence.py", "import foxtrot.exchange.wire.futu.frame"),
    ("server-apart", "exchange/wire/futu/offence.py", "import foxtrot.adapter.futu.codec"),
    ("server-apart", "exchange/wire/binance/offence.py", "import foxtrot.adapter.binance.codec"),
    ("pure", "books/offence.py", "import threading"),
    ("pure", "exchange/wire/binance/offence.py", "import asyncio"),
    ("pure", "exchange/offence.py", "from aiohttp import web"),
    ("pure", "domain/offence.py", "from time import monotonic"),
    ("qt", "app/offence.py", "from PySide6 import QtCore"),
    ("sdk", "trading/offence.py", "import ccxt"),
    ("sdk", "exchange/wire/futu/offence.py", "import futu"),
    ("sdk", "adapter/futu/offence.py", "import futu"),
    ("sdk", "adapter/binance/offence.py", "import ibapi"),
    ("plugin-door", "samples/offence.py", "import foxtrot.trading"),
    ("below-app", "hub/offence.py", "import foxtrot.app"),
    ("below-app", "storage/offence.py", "import foxtrot.app"),
]


def settings() -> configparser.ConfigParser:
    """setup.cfg as parsed."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg", "utf-8")
    return parser


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its settings."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(PACKAGE, folder / "foxtrot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "setup.cfg", folder)
    return folder


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Check one contract in a tree; nothing of this repository is on the path."""
    program = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo", "--config", "setup.cfg", "--contract", contract],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("contract", "path", "line"), OFFENCES, ids=[f"{o[0]}: {o[1]}: {o[2]}" for o in OFFENCES])
def test_a_broken_contract_is_caught(copied_tree: Path, contract: str, path: str, line: str) -> None:
    offence = copied_tree / "foxtrot" / path
    new_package = not offence.parent.exists()
    offence.parent.mkdir(exist_ok=True)
    offence.write_text(f'"""An offence."""\n\n{line}\n', "utf-8")
    try:
        checked = lint(copied_tree, contract)
    finally:
        shutil.rmtree(offence.parent) if new_package else offence.unlink()
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "BROKEN" in checked.stdout
    assert "offence" in checked.stdout or "toolbox" in checked.stdout


def test_every_contract_is_broken_by_some_test() -> None:
    contracts = {name.rpartition(":")[2] for name in settings().sections() if name.startswith("importlinter:contract:")}
    assert contracts == {contract for contract, _, _ in OFFENCES}


def test_every_adapter_folder_is_in_the_contract_that_keeps_venues_apart() -> None:
    folders = {f"foxtrot.adapter.{file.parent.name}" for file in (PACKAGE / "adapter").glob("*/__init__.py")}
    assert folders == set(settings()["importlinter:contract:venues"]["modules"].split())
