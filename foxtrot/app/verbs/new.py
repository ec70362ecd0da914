"""`foxtrot new strategy NAME`: a commented strategy and a test of it that passes."""

import keyword
import re
from argparse import Namespace
from importlib.resources import files
from pathlib import Path

from jinja2 import Template

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import Outcome
from foxtrot.domain.errors import ConfigError

DESCRIPTION = (
    "Write NAME.py, a small commented strategy, and test_NAME.py, a test of it that passes. Nothing is overwritten."
)
EXAMPLE = (
    "  foxtrot new strategy breakout\n  pytest test_breakout.py\n  foxtrot backtest --strategy breakout.py --bars FILE"
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TEMPLATES = files("foxtrot.app.verbs") / "templates"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kind", choices=("strategy",), help="what to write")
    parser.add_argument("name", metavar="NAME", help="name of the file: lower case letters, digits and _")
    parser.add_argument(
        "--folder", type=Path, default=Path(), metavar="DIR", help="where to write (the current folder)"
    )


def run(arguments: Namespace) -> Outcome:
    """Write both files or none.

    Raises:
        ConfigError: the name is no module name, or a file exists or cannot be written.
    """
    name: str = arguments.name
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name.startswith("test_"):
        raise ConfigError(f"strategy name {name!r} must be lower case letters, digits and _, such as my_breakout")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    paths = [arguments.folder / f"{name}.py", arguments.folder / f"test_{name}.py"]
    for path in paths:
        if path.exists():
            raise ConfigError(f"{path} exists already and is not overwritten; choose another name or folder")
    for path, template in zip(paths, ("strategy.py.j2", "test_strategy.py.j2"), strict=True):
        text = (_TEMPLATES / template).read_text("utf-8")
        _write(path, Template(text, keep_trailing_newline=True).render(name=name, class_name=class_name))
    written = [str(path) for path in paths]
    hint = f"try: foxtrot backtest --strategy {paths[0]} --bars FILE"
    return Outcome({"paths": written}, f"wrote {' and '.join(written)}\n{hint}")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
