"""`foxtrot config`: write a configuration to start from, or show one in force."""

from argparse import Namespace
from pathlib import Path

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import Outcome
from foxtrot.domain.errors import ConfigError

DESCRIPTION = "Give a commented configuration to start from, or print one with every default and no secret."
EXAMPLE = "  foxtrot config init my.toml\n  foxtrot config init > my.toml\n  foxtrot config show my.toml"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "action", choices=("init", "show"), help="init gives a file to start from, show what is in force"
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="init: the file to write, else it is printed; show: the file to read, else config.toml in the home folder",
    )  # fmt: skip


def run(arguments: Namespace) -> Outcome:
    """Write or show.

    Raises:
        ConfigError: the file exists already, cannot be written, or is wrong.
    """
    file: Path | None = arguments.file
    if arguments.action == "init":
        return _init(file)
    return _show(file or arguments.home / "config.toml", asked_for=file is not None)


def _init(path: Path | None) -> Outcome:
    from foxtrot.app.config_text import default_config_text

    if path is None:
        return Outcome({"text": default_config_text()}, default_config_text().rstrip("\n"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(default_config_text())
    except FileExistsError:
        raise ConfigError(f"{path} exists already and is not overwritten; delete it or name another file") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
    return Outcome({"path": str(path)}, f"wrote {path}; check it with: foxtrot doctor {path}")


def _show(path: Path, *, asked_for: bool) -> Outcome:
    from foxtrot.app.config import Config, load_config
    from foxtrot.app.config_text import config_object, config_text

    config = load_config(path) if asked_for or path.exists() else Config()
    return Outcome(config_object(config), config_text(config).rstrip("\n"))
