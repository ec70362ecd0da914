"""Strategy classes by entry-point name, by module:Class, or from a file."""

import importlib
import importlib.util
import inspect
import sys
from difflib import get_close_matches
from importlib.machinery import SourceFileLoader
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType
from zlib import crc32

from foxtrot.core.failure_text import failure_text
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.class_checks import check_class
from foxtrot.strategy.seat import Seat

GROUP = "foxtrot.strategies"
_PLUGIN = "foxtrot_plugin_"
_CODE_FAULTS = (
    SyntaxError, ImportError, NameError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError, OSError,
    RuntimeError, AssertionError, SystemExit, FoxtrotError,
)  # fmt: skip


class _SourceOnly(SourceFileLoader):
    """Compiles the text as it is now; cached bytecode would miss an edit within the same second."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the file as it stands."""
        return self.source_to_code(self.get_data(self.path), self.path)


def strategy_names() -> dict[str, str]:
    """Return the installed strategies: name → where it comes from."""
    return {point.name: point.value for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def strategies_in(folder: Path) -> dict[str, Path]:
    """Return the strategy files of a folder: name for --strategy → file; tests and names that begin with _ are none.

    Raises:
        ConfigError: there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"strategy folder {folder} does not exist; make it or correct the path")
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.name.startswith(("_", "test_"))}


def load_strategy(name: str, folder: Path | None = None) -> type[Strategy]:
    """Import and return a strategy class.

    Args:
        name: an entry-point name, `module:Class`, `file.py` or `file.py:Class`, or a file's stem in `folder`.
        folder: where plugins lie, if anywhere.

    Raises:
        ConfigError: nothing fits (the nearest name is given), the code does not import, it has no such class, or the
            class cannot work (see check_class).
    """
    path_text, _, class_name = name.partition(":")
    if path_text.endswith(".py"):
        return _class_in(_import_file(Path(path_text)), class_name, name)
    if class_name:
        return _class_in(_import_module(path_text), class_name, name)
    for point in entry_points(group=GROUP):
        if point.name == name:
            module, _, attribute = point.value.partition(":")
            return _class_in(_import_module(module), attribute, name)
    files = strategies_in(folder) if folder is not None else {}
    if name in files:
        return _class_in(_import_file(files[name]), "", name)
    known = [*strategy_names(), *files]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known) or 'none'}"
    raise ConfigError(f"strategy {name} is not known; {hint} (a file is given as path/to/file.py)")


def make_strategy(strategy_class: type[Strategy], seat: Seat) -> Strategy:
    """Return a new instance of a strategy.

    Raises:
        ConfigError: the class cannot work or its constructor raises; the strategy and the error are named.
    """
    check_class(strategy_class)
    what = f"strategy {seat.strategy_id}: {strategy_class.__name__} cannot be made"
    try:
        made = strategy_class(seat)
    except _CODE_FAULTS as error:
        raise ConfigError(f"{what}: {failure_text(error)}") from error
    if vars(made).get("_seat") is not seat:
        raise ConfigError(f"{what}: its __init__ must call super().__init__(seat)")
    return made


def reload_strategy(name: str, present: type[Strategy]) -> type[Strategy]:
    """Load the code behind a strategy class again.

    Raises:
        ConfigError: the code no longer imports, or the class is gone.
    """
    module = sys.modules.get(present.__module__)
    source = getattr(module, "__file__", None)
    if module is None or source is None:
        raise ConfigError(f"strategy {name} cannot be reloaded: its module has no file")
    if module.__name__.startswith(_PLUGIN):
        return _class_in(_import_file(Path(source)), present.__name__, name)
    try:
        return _class_in(importlib.reload(module), present.__name__, name)
    except _CODE_FAULTS as error:
        raise ConfigError(f"strategy {name} cannot be reloaded: {type(error).__name__}: {error}") from error


def _import_module(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except _CODE_FAULTS as error:
        raise ConfigError(f"module {module} cannot be imported: {type(error).__name__}: {error}") from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigError(f"strategy file {path} does not exist")
    whole = path.resolve()
    name = f"{_PLUGIN}{path.stem}_{crc32(str(whole).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, whole, loader=_SourceOnly(name, str(whole)))
    if spec is None or spec.loader is None:
        raise ConfigError(f"strategy file {path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    previous = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except _CODE_FAULTS as error:
        if previous is None:
            del sys.modules[name]
        else:
            sys.modules[name] = previous
        raise ConfigError(f"strategy file {path} does not load: {type(error).__name__}: {error}") from error
    return module


def _class_in(module: ModuleType, class_name: str, name: str) -> type[Strategy]:
    found = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }
    if class_name:
        if class_name not in found:
            raise ConfigError(f"{name}: no strategy class {class_name}; there are: {', '.join(found) or 'none'}")
        return check_class(found[class_name])
    if len(found) != 1:
        raise ConfigError(
            f"{name}: {len(found)} strategy classes ({', '.join(found) or 'none'}); name one as {name}:Class"
        )
    return check_class(next(iter(found.values())))
