"""Futu's own SDK for tests, unmodified: imported without its side effects, and contexts of it that are closed at the end.

A folder of tests gets the fixtures by importing `futu_contexts` and `futu_sdk` in its conftest.py.
"""

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

from tests.conftest import FOLDER

RETRY_S = 0.2
HOST = "127.0.0.1"


@cache
def import_futu() -> ModuleType:
    """Return the SDK; SIGINT, HOME, sys.path and the output of its loggers are as they were, and its network thread runs."""
    handler, path = signal.getsignal(signal.SIGINT), list(sys.path)
    folder = tempfile.mkdtemp(prefix="futu-", dir=os.environ.get(FOLDER))
    with mock.patch.dict(os.environ, {"HOME": folder, "APPDATA": folder}):
        import futu
        from futu.common import network_manager

        network_manager.NetManager.default()  # its thread never ends: it must run before a test counts threads
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)
    sys.path[:] = path
    for name in ("FTFileLog", "FTConsoleLog"):
        logger = logging.getLogger(name)
        for old in tuple(logger.handlers):
            logger.removeHandler(old)
            old.close()
        logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.CRITICAL)
    futu.SysConfig.set_all_thread_daemon(True)
    module: ModuleType = futu
    return module


class FutuContexts:
    """Opens contexts of the SDK; each waits 0.2 s before it tries again instead of 6, and a call gives up after 2 s."""

    def __init__(self, futu: ModuleType) -> None:
        self.futu = futu
        self._opened: list[Any] = []

    def quote(self, port: int, **more: object) -> Any:
        """Return an OpenQuoteContext that is ready."""
        return self._keep(_quick(self.futu.OpenQuoteContext)(host=HOST, port=port, **more))

    def trade(self, port: int, market: str = "HK", **more: object) -> Any:
        """Return an OpenSecTradeContext that is ready, of FUTUSECURITIES, filtered to a market ("HK", "US", or "NONE")."""
        firm = more.pop("security_firm", self.futu.SecurityFirm.FUTUSECURITIES)
        kind = _quick(self.futu.OpenSecTradeContext)
        return self._keep(kind(filter_trdmarket=market, host=HOST, port=port, security_firm=firm, **more))

    def close(self) -> None:
        """Close all of them."""
        for one in self._opened:
            one.close()

    def _keep(self, context: Any) -> Any:
        self._opened.append(context)
        context.set_sync_query_connect_timeout(2)
        return context


@cache
def _quick(kind: type) -> type:
    base: Any = kind

    def wait_reconnect(self: Any, wait_reconnect_interval: float = RETRY_S) -> None:
        base._wait_reconnect(self, min(wait_reconnect_interval, RETRY_S))

    return type(f"Quick{kind.__name__}", (kind,), {"_wait_reconnect": wait_reconnect})


@pytest.fixture(scope="session")
def futu_sdk() -> ModuleType:
    """The SDK; the test is skipped where it is not installed."""
    if find_spec("futu") is None:
        pytest.skip("futu-api is not installed; pip install 'foxtrot[futu]' has it")
    return import_futu()


@pytest.fixture
def futu_contexts(futu_sdk: ModuleType) -> Iterator[FutuContexts]:
    """Contexts of the SDK that are closed at the end of the test."""
    contexts = FutuContexts(futu_sdk)
    with ExitStack() as stack:
        stack.callback(contexts.close)
        yield contexts


def settled_rows(frame: Any) -> list[dict[str, Any]]:
    """Return a DataFrame of the SDK as plain rows."""
    rows: list[dict[str, Any]] = frame.to_dict("records")
    return rows


def hear_pushes(context: Any, base: type, name: str = "on_recv_rsp") -> list[Any]:
    """Let a context keep the raw messages of one kind of push; `base` is the SDK's handler class of that kind."""
    heard: list[Any] = []
    handler = type(
        f"Hearing{base.__name__}", (base,), {name: lambda _self, message: (heard.append(message), (0, message))[1]}
    )
    context.set_handler(handler())
    return heard


__all__ = ["FutuContexts", "futu_contexts", "futu_sdk", "hear_pushes", "import_futu", "settled_rows"]
