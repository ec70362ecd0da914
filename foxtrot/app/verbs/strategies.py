"""`foxtrot strategies`: what can be run, with parameters and defaults."""

from argparse import Namespace
from pathlib import Path

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.loader import load_strategy, strategies_in, strategy_names
from foxtrot.strategy.parameters import Parameter, declared

DESCRIPTION = "List the installed strategies and those in a folder, each with its parameters and their defaults."
EXAMPLE = "  foxtrot strategies\n  foxtrot strategies --folder my_strategies --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="folder of strategy files (strategies in the home folder)"
    )


def run(arguments: Namespace) -> Outcome:
    """List them; it failed when one cannot be imported."""
    folder: Path = arguments.folder or arguments.home / "strategies"
    files = strategies_in(folder) if arguments.folder or folder.is_dir() else {}
    found = [_described(name, source, name, None) for name, source in strategy_names().items()]
    found += [
        _described(name, str(path), str(path), folder) for name, path in files.items() if not name.startswith("test_")
    ]
    failed = any("error" in entry for entry in found)
    return Outcome({"strategies": found}, "\n\n".join(map(_text, found)), FAILED if failed else DONE)


def _described(name: str, source: str, load_name: str, folder: Path | None) -> dict[str, object]:
    try:
        strategy_class = load_strategy(load_name, folder)
    except ConfigError as error:
        return {"name": name, "source": source, "error": str(error)}
    summary = (strategy_class.__doc__ or "").strip().partition("\n")[0]
    parameters = [
        {
            "name": key,
            "type": type(parameter.default).__name__,
            "default": parameter.default,
            "minimum": parameter.minimum,
            "maximum": parameter.maximum,
            "description": parameter.description,
        }
        for key, parameter in declared(strategy_class, Parameter).items()
    ]
    return {"name": name, "source": source, "description": summary, "parameters": parameters}


def _text(entry: dict[str, object]) -> str:
    if "error" in entry:
        return f"{entry['name']}: cannot be loaded: {entry['error']}"
    lines = [f"{entry['name']}: {entry['description']}"]
    parameters = entry["parameters"]
    for parameter in parameters if isinstance(parameters, list) else ():
        setting = f"{parameter['name']} = {parameter['default']!r}"
        lines.append(f"  {setting:<24} {parameter['description']}")
    return "\n".join(lines)
