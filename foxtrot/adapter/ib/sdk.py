"""The one door to ibapi: imports it when a session first dials, and finds out which it is.

Source: seen with ibapi 9.81.1.post1 and 10.46.1.
"""

import inspect
import logging
import sys
import threading
from collections import Counter
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.ib.client import BadMessageHeard, SafeClient, reading
from foxtrot.adapter.ib.wrapper import Heard, wrapper_class
from foxtrot.domain.errors import ConfigError

HIGHEST_VERSION: Final = 178
"""The highest protocol version that is offered, for the whole process; from 201 on messages are of another kind.

Source: TWS API, server versions; 157 to 178 is what was run against.
"""
UNSET: Final = frozenset(
    {Decimal("1.7976931348623157E+308"), Decimal(2**31 - 1), Decimal(2**63 - 1), Decimal(2**127 - 1)}
)
"""The numbers by which IB says that there is none.

Source: ibapi common.py: UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG, UNSET_DECIMAL.
"""
LONGEST: Final = 300
TOLD_FIRST: Final = 3
TOLD_EACH: Final = 1_000
"""Of equal lines of ibapi's the first few and then every thousandth is logged."""


class Sdk:
    """The imported ibapi.

    Thread: any.
    """

    def __init__(self, ibapi: Any) -> None:
        modules = sys.modules
        self.version: str = str(ibapi.get_version_string()) if hasattr(ibapi, "get_version_string") else "unknown"
        self.Contract: Any = modules["ibapi.contract"].Contract
        self.ContractDetails: Any = modules["ibapi.contract"].ContractDetails
        self.Order: Any = modules["ibapi.order"].Order
        self.OrderState: Any = modules["ibapi.order_state"].OrderState
        self.Execution: Any = modules["ibapi.execution"].Execution
        self.ExecutionFilter: Any = modules["ibapi.execution"].ExecutionFilter
        self.TagValue: Any = modules["ibapi.tag_value"].TagValue
        client = modules["ibapi.client"]
        self._cancel = modules.get("ibapi.order_cancel")
        self._cancel_takes = len(inspect.signature(client.EClient.cancelOrder).parameters) - 2
        self._cancel_all_takes = len(inspect.signature(client.EClient.reqGlobalCancel).parameters) - 1
        self._client = _client_class(client.EClient, modules["ibapi.decoder"].Decoder)
        self._wrapper = wrapper_class(modules["ibapi.wrapper"].EWrapper)

    def make(self, hear: Heard, on_bad: BadMessageHeard) -> tuple[Any, Any]:
        """Return a wrapper and a client that is not connected yet.

        Args:
            hear: hears every callback that nobody listens to on ib-run; see `IbWrapper`.
            on_bad: hears what cannot be read.
        """
        wrapper = self._wrapper(hear)
        return wrapper, self._client(wrapper, on_bad)

    def order_cancel(self) -> Any:
        """Return what a cancel takes besides the order's id in this ibapi: nothing, a time, or an object; as a tuple of arguments."""
        return self._cancel_argument(self._cancel_takes)

    def cancel(self, client: Any, order_id: int) -> None:
        """Cancel an order, in whichever way this ibapi takes it."""
        client.cancelOrder(order_id, *self.order_cancel())

    def cancel_all(self, client: Any) -> None:
        """Cancel all orders of all clients of this TWS."""
        client.reqGlobalCancel(*self._cancel_argument(self._cancel_all_takes))

    def number(self, value: Any) -> Decimal | None:
        """Return a number of any shape that ibapi gives, None where IB says that there is none; see `number`."""
        return number(value)

    def _cancel_argument(self, takes: int) -> tuple[Any, ...]:
        if takes < 1:
            return ()
        return (self._cancel.OrderCancel(),) if self._cancel is not None else ("",)


def number(value: Any) -> Decimal | None:
    """Return a number given as int, float, Decimal or text, exactly as its shortest text has it; None for none and for what is unset.

    Raises:
        ValueError: it is no number.
    """
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    return None if not found.is_finite() or found in UNSET else found


_loaded: dict[str, Sdk] = {}
_loading: Final = threading.Lock()


def check_installed() -> None:
    """Refuse where there is no ibapi; it is looked for, not imported.

    Raises:
        ConfigError: it is not installed.
    """
    if find_spec("ibapi") is None:
        raise ConfigError("IB's client library is not installed; do: pip install 'foxtrot[ib]'")


def load_sdk() -> Sdk:
    """Return ibapi, imported the first time.

    Thread: any.
    Blocks: for the import the first time.

    Raises:
        ConfigError: it cannot be imported.
    """
    with _loading:
        if "sdk" not in _loaded:
            _loaded["sdk"] = Sdk(_import())
        return _loaded["sdk"]


def _import() -> Any:
    check_installed()
    try:
        import ibapi
        import ibapi.client
        import ibapi.contract
        import ibapi.decoder
        import ibapi.execution
        import ibapi.order
        import ibapi.order_state
        import ibapi.tag_value
        import ibapi.wrapper
    except ImportError as error:
        raise ConfigError(f"IB's client library cannot be used ({error}); install ibapi>=9.81.1.post1") from error
    ibapi.client.MAX_CLIENT_VER = min(ibapi.client.MAX_CLIENT_VER, HIGHEST_VERSION)
    log = logging.getLogger("ibapi")
    log.setLevel(logging.WARNING)
    log.propagate = False
    if not any(isinstance(handler, _IntoOurLog) for handler in log.handlers):
        log.addHandler(_IntoOurLog())
    return ibapi


def _client_class(base: Any, decoder: Any) -> Any:
    takes_id = len(inspect.signature(decoder.interpret).parameters) > 2
    return type("FoxtrotClient", (SafeClient, base), {"takes_id": takes_id})


class _IntoOurLog(logging.Handler):
    """Puts what ibapi logs into the platform's log; what its decoder says is about messages that it does not hand over."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._times: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Log a line, unless it is one of very many."""
        client = getattr(reading, "client", None)
        if client is not None and record.name.endswith("decoder"):
            client.note_bad(record.getMessage()[:LONGEST])
            return
        kind = f"{record.name} {record.msg}"
        self._times[kind] += 1
        times = self._times[kind]
        if times > TOLD_FIRST and times % TOLD_EACH:
            return
        logger.warning(
            "{} says: {}{}", record.name, record.getMessage()[:LONGEST], f" ({times} times)" if times > 1 else ""
        )
