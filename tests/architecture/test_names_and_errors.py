"""Names that say nothing, broad excepts, and what importing the package may do."""

import ast
import re
import subprocess
import sys
from fnmatch import fnmatch

from tests.architecture.source_tree import PACKAGE, REPOSITORY, Module, definitions, modules, parse

EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)(_|$)", re.IGNORECASE)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# path pattern → where in it `except Exception` stands, and why it may.
BROAD_EXCEPTS: dict[str, str] = {
    "foxtrot/core/dispatcher.py": "the guard around a handler: the exception becomes an event",
    "foxtrot/storage/durable_journal.py": "the outermost loop of foxtrot-journal: the exception becomes an answer, and the end",
    "foxtrot/adapter/*/session.py": "the outermost loop of a venue's thread: the exception becomes an event",
    "foxtrot/adapter/futu/life.py": "the outermost loop of Futu's session: the exception becomes an event",
    "foxtrot/adapter/ib/life.py": "the outermost loop of IB's session: the exception becomes an event",
    "foxtrot/adapter/ib/calls.py": "counts a request that failed: the exception is raised again",
    "foxtrot/adapter/ib/client.py": "ibapi's message loop: what cannot be read is told and left out",
    "foxtrot/adapter/ib/wrapper.py": "the guard around a callback of ibapi: the exception becomes a line in the log",
    "foxtrot/adapter/worker.py": "a call on a worker's thread: the exception is raised where it is awaited",
    "foxtrot/exchange/serving/guard.py": "the outermost loop of a connection or a round: the exception is kept and logged",
    "foxtrot/adapter/reader_callback.py": "the guard around a reader's callback: the exception becomes a line in the log",
    "foxtrot/gui/bridge.py": "one panel's fault is not the others': the exception is logged, counted and told",
    "foxtrot/gui/aside.py": "work of one panel beside the desktop's thread: what it raised is told to whoever asked for it",
    "foxtrot/gui/platform_host.py": "the outermost call of foxtrot-platform: what ended the platform is told to its window",
    "foxtrot/cli.py": "main: the exception becomes one line and an exit status",
}


def broad_excepts(module: Module) -> list[str]:
    """Handlers that catch everything where nothing allows it."""
    if any(fnmatch(module.path, pattern) for pattern in BROAD_EXCEPTS):
        return []
    return [
        f"{module.path}:{node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(element) for element in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})


def empty_names(module: Module) -> list[str]:
    """Files and classes named after nothing in particular."""
    parts = module.path.removesuffix(".py").split("/")
    found = [module.path for part in parts if EMPTY_NAMES.search(part)]
    classes = [name for name, node in definitions(module) if isinstance(node, ast.ClassDef)]
    return found + [f"{module.path}:{name}" for name in classes if EMPTY_NAMES.search(CAMEL.sub("_", name))]


def test_no_file_or_class_has_a_name_that_says_nothing() -> None:
    assert [name for module in modules() for name in empty_names(module)] == []


def test_broad_excepts_stand_only_where_they_become_an_event_or_a_line() -> None:
    assert [place for module in modules() for place in broad_excepts(module)] == []


def test_the_package_itself_imports_nothing() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    assert [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)] == []


def test_importing_the_command_line_starts_no_thread_and_loads_no_gui_or_venue_sdk() -> None:
    script = (
        "import sys, threading, foxtrot.cli\n"
        "heavy = {'PySide6', 'ccxt', 'futu', 'ibapi', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} {threading.enumerate()}' if heavy or threading.active_count() > 1 else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_empty_names_and_broad_excepts_are_caught() -> None:
    text = "class OrderManager:\n    def f(self):\n        try:\n            pass\n        except (ValueError, Exception):\n            pass\n"
    module = parse("foxtrot/trading/utils.py", text)
    assert empty_names(module) == ["foxtrot/trading/utils.py", "foxtrot/trading/utils.py:OrderManager"]
    assert broad_excepts(module) == ["foxtrot/trading/utils.py:5"]
    assert empty_names(parse("foxtrot/trading/order_desk.py", "class CommonStock:\n    pass\n")) != []
