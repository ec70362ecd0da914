"""Fingerprints: the SHA-256 of what a run is made of, so that a later look can tell whether it is still the same."""

import hashlib
import inspect
from pathlib import Path

import foxtrot
from foxtrot.storage.run_tape import StrategyFile


def code_hash() -> str:
    """Return a SHA-256 over the platform's own source files.

    Blocks: for the reading of some megabytes.
    """
    digest, root = hashlib.sha256(), Path(foxtrot.__file__).parent
    for path in sorted(root.rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def strategy_file(made: type) -> StrategyFile:
    """Return which code a strategy's class is; file and hash are "" when it stands in none.

    Blocks: for the reading of a small file.
    """
    try:
        path = inspect.getsourcefile(made) or ""
    except TypeError:  # a class that was made without a module
        path = ""
    return StrategyFile(f"{made.__module__}:{made.__qualname__}", path, file_hash(Path(path)) if path else "")


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, "" when there is none to read: a configuration may come from a program's own text.

    Blocks: for the reading of a small file.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
