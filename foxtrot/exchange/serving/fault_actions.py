"""Faults that are done once: listen keys end, somebody else trades on the account, the server restarts."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.server_settings import FUTU, IB
from foxtrot.exchange.serving.surface_port import EndsUserStreams, Surface
from foxtrot.exchange.serving.venue_host import VenueHost


class FaultActions:
    """Does to the venue and its surfaces what a fault of the kind "once" asks for.

    Thread: exchange-io.
    """

    def __init__(self, host: VenueHost) -> None:
        self.restart: Callable[[float, int], None] | None = None
        self.lock_trade: Callable[[], None] | None = None
        self._host = host
        self._orders = 0
        self._table: dict[str, Callable[[Fault], object]] = {
            "expire_listen_key": self._expire,
            "rotate_listen_key": self._expire,
            "terminate_user_stream": self._terminate,
            "restart": self._restart,
            "lock_trade": self._lock_trade,
            "other_order": self._order,
        }

    def act(self, fault: Fault) -> None:
        """Do it.

        Raises:
            ConfigError: it cannot be done; the message says why.
        """
        self._host.run(lambda: self._table[fault.kind](fault))

    def place(self, order: Fault) -> CommandResult:
        """Enter an order of an account past its keys, as another program of its owner would.

        Raises:
            ConfigError: no such symbol, a price or quantity that is no number or off the grid, or the venue refuses it.
        """
        instrument = self._instrument(order)
        quantity = instrument.quantity_units(_number("quantity", order.quantity))
        price = instrument.price_units(_number("price", order.price)) if order.price else 0
        self._orders += 1
        result = self._host.execute(
            PlaceOrder(
                self._host.now_ns(),
                self._account(order),
                instrument.instrument_id,
                f"other-{self._orders}",
                Side.BUY if order.side == "BUY" else Side.SELL,
                OrderType.LIMIT if price else OrderType.MARKET,
                quantity,
                price,
            )
        )
        if not result.ok:
            raise ConfigError(f"the order was refused: {result.message or result.code.value}")
        return result

    def _account(self, order: Fault) -> str:
        """Return the account of the venue: IB's clients trade an account NAME on one of its own."""
        ib = self._host.ib
        seen = () if ib is None or order.product != IB else ib.accounts.values()
        return next((one.account for one in seen if one.name == order.account), order.account)

    def _order(self, fault: Fault) -> None:
        self.place(fault)

    def _expire(self, fault: Fault) -> None:
        for surface in self._surfaces(fault):
            surface.expire_listen_key(fault.account)

    def _terminate(self, fault: Fault) -> None:
        for surface in self._surfaces(fault):
            surface.terminate_user_stream(fault.account)

    def _lock_trade(self, _fault: Fault) -> None:
        if self.lock_trade is None:
            raise ConfigError("nothing can be locked: Futu is not served; start the server with a port for it")
        self.lock_trade()

    def _restart(self, fault: Fault) -> None:
        if self.restart is None:
            raise ConfigError("the server does not run; start it before it is told to restart")
        self.restart(fault.down_s, fault.lag)

    def _surfaces(self, fault: Fault) -> list[EndsUserStreams]:
        named: list[Surface] = [one for name, one in self._host.surfaces.items() if fault.product in ("", name)]
        return [one for one in named if isinstance(one, EndsUserStreams)]

    def _instrument(self, order: Fault) -> Instrument:
        known: list[str] = []
        for name, symbols in self._symbols().items():
            if order.product in ("", name):
                found = symbols.get(order.symbol)
                if found is not None:
                    return found
                known.extend(symbols)
        raise ConfigError(f"symbol {order.symbol!r} is not listed; there are: {', '.join(dict.fromkeys(known))}")

    def _symbols(self) -> dict[str, dict[str, Instrument]]:
        found = {name: side.symbols() for name, side in self._host.sides.items()}
        if self._host.futu is not None:
            found[FUTU] = {code: one for (_, code), one in self._host.futu.stocks().items()}
        if self._host.ib is not None:
            found[IB] = {one.instrument.symbol: one.instrument for one in self._host.ib.contracts.all()}
        return found


def _number(key: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ConfigError(f"{key} {text!r} is not a decimal number") from None
