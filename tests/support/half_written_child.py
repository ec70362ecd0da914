"""Replaces three files of a home, to be killed at one of its calls: `python -m tests.support.half_written_child FOLDER`."""

import sys
from pathlib import Path

from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.port_file import write_private
from foxtrot.strategy.variables import VariableFiles

LONG = b"k" * 100_000
"""More than one write of a small buffer."""


def main(folder: Path) -> None:
    """Replace them, one after the other."""
    VariableFiles(folder).save("s", {"position": 2})
    HaltFile(folder).write(Halt("new", "tester", 2))
    write_private(folder / "secrets.json", LONG + b"new")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
