"""What a raise is told as: the error's type, its message, and the line of the plugin it came from."""

import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

_OWN = str(Path(__file__).resolve().parent.parent)
_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
MOST_TRACE = 8_000
"""Letters of a traceback that are kept: its end, where the error is."""


def failure_text(error: BaseException) -> str:
    """Return an error as `Type: message (file.py:LINE in function)`.

    The place is the innermost frame of code that is neither the platform's nor a library's; without one the innermost that
    is not the platform's, or the innermost of all.
    """
    message = str(error)
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"{text}{_place(error.__traceback__)}"


def failure_trace(error: BaseException) -> str:
    """Return the traceback of an error as Python prints it, the end of a long one."""
    return "".join(traceback.format_exception(error))[-MOST_TRACE:]


def _place(trace: TracebackType | None) -> str:
    found, best = "", -1
    while trace is not None:
        code = trace.tb_frame.f_code
        rank = _rank(code.co_filename)
        if rank >= best:
            best, found = rank, f" ({Path(code.co_filename).name}:{trace.tb_lineno} in {code.co_name})"
        trace = trace.tb_next
    return found


def _rank(file: str) -> int:
    """Return how near a file is to a person's own code: 2 theirs, 1 a library's, 0 the platform's."""
    if file.startswith(_OWN):
        return 0
    return 1 if file.startswith(_LIBRARIES) or file.startswith("<frozen") else 2
