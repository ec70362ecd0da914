"""Runs a program under strace, which can let the kernel fail or kill it at a chosen system call."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.conftest import REPOSITORY


@cache
def why_not() -> str:
    """Why system calls cannot be traced here; "" when they can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    ran = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False
    )
    return "" if ran.returncode == 0 else f"strace does not work here: {ran.stderr.strip()[:200]}"


def traced(command: Sequence[str], calls: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a program; what it called is written to a file."""
    line = ["strace", "-f", "-qq", "-o", str(calls), *options, *command]
    return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
