"""The command line: arguments only; the work is done by the packages it calls."""

import argparse
from collections.abc import Sequence

from foxtrot import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Read the arguments and do what they say.

    Returns:
        The exit status: 0 done, 1 failed, 2 bad arguments, 3 needs a person.
    """
    parser = argparse.ArgumentParser(prog="foxtrot", description="An algorithmic trading platform.")
    parser.add_argument("--version", action="version", version=f"foxtrot {__version__}")
    parser.parse_args(argv)
    parser.print_help()
    return 0
