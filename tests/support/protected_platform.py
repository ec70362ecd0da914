"""A platform with a journal on the embedded exchange over Binance's protocol: it can be dropped, and another one begins from the journal."""

from random import Random
from typing import Any

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, IntentDurable
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import CancelAll, PlaceOrder
from foxtrot.storage.journal_records import Intent, JournalRecord, decode_record, encode_record
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.protection_state import ProtectionTerms
from foxtrot.trading.reconcile_settings import ReconcileSettings
from foxtrot.trading.restored_state import fold
from tests.support.binance_platform import ACCOUNT, KEY, OWNER, SECRET, BinancePlatform, Inbox, _limits

STRATEGY = OWNER


class LinesJournal:
    """Keeps records as the disk would, and answers intents through the dispatcher."""

    keeps_reports = True

    def __init__(self, lines: list[bytes], dispatcher: Dispatcher) -> None:
        self._lines = lines
        self._dispatcher = dispatcher

    def append(self, record: JournalRecord) -> None:
        self._lines.append(encode_record(record))
        if isinstance(record, Intent):
            self._dispatcher.put(IntentDurable((record.order.order_id,)))

    def close(self) -> None:
        return


class ProtectedPlatform(BinancePlatform):
    """One account of one product with a journal; see BinancePlatform."""

    def __init__(self, product: str) -> None:
        super().__init__(product)
        self.adapter.close()
        self.journal: list[bytes] = []
        self.lives = 0
        self._live()

    @property
    def key(self) -> tuple[str, str, str, PositionSide]:
        """The position that is protected."""
        return STRATEGY, ACCOUNT, self.instrument.instrument_id, PositionSide.NET

    def _live(self) -> None:
        """Begin a platform from the journal."""
        self.lives += 1
        self.events.clear()
        dispatcher = self.dispatcher = Dispatcher(self.clock)
        permit = SendPermit()
        settings = LineSettings(run_id=f"run{self.lives:07d}", limits=_limits(True), reconcile=ReconcileSettings())
        restored = fold([decode_record(line) for line in self.journal]) if self.journal else None
        self.line = Line(
            dispatcher, permit, settings, make_journal=lambda d: LinesJournal(self.journal, d), restored=restored
        )
        self.line.desk.strategy_ids.add(STRATEGY)
        dispatcher.add_tap(lambda _, event: self.events.append(event))
        self._inbox = Inbox()
        given: dict[str, Setting] = {"product": self.product, "port": self.server.ports[f"binance_{self.product}"]}
        if self.product == "usdm":
            given["max_leverage"] = 20
        hidden = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
        context = AdapterContext(ACCOUNT, self._inbox, permit, self.clock, given, {}, "loopback", secrets=hidden)
        self.adapter = BinanceAdapter(context, Random(self.lives))
        self.line.add_adapter(self.adapter)
        self.line.start_housekeeping()

    def open(self) -> None:
        """Connect, and wait until the account is reconciled and a price is known."""
        if self.lives == 1:
            self.quote(99.0, 101.0)
        self.adapter.subscribe(SubscribeRequest(self.instrument.instrument_id, ticks=True, trades=True))
        self.adapter.connect()
        self.wait(lambda: any(not notice.error for notice in self.of(AccountReconciled)))
        self.wait(lambda: self.instrument.instrument_id in self.line.view.ticks)

    def drop(self) -> None:
        """End the process: nothing is cancelled, nothing is said, what was on its way is lost."""
        self.adapter.close()
        self._inbox.take()

    def live_again(self) -> None:
        """Begin another platform from what the journal holds."""
        self._live()
        self.open()

    def pump(self) -> None:
        """Hand over what the adapter has told, let due timers fire, and handle it."""
        super().pump()
        self.dispatcher.fire_timers(self.clock.monotonic_ns())

    # --- trading ----------------------------------------------------------------------------------------------------

    def enter(self, quantity: float, price: float, **terms: float) -> str:
        """Send an entry with its protection and wait until it rests."""
        request = OrderRequest(self.instrument.instrument_id, ACCOUNT, Side.BUY, OrderType.LIMIT, quantity, price)
        desk = self.line.desk
        order_id = self.line.protections.enter(
            self.key, long=True, terms=ProtectionTerms(**terms), send=lambda: desk.submit(request, STRATEGY)
        )
        self.wait(lambda: desk.order(order_id).status is not OrderStatus.SUBMITTED)  # type: ignore[union-attr]
        return order_id

    def quote(self, bid: float, ask: float, size: float = 50.0) -> None:
        """Let the maker stand at one bid and one ask instead of what stood before."""
        self.server.call(lambda server: server.host.execute(CancelAll(self.clock.now_ns(), "maker")))
        self.maker(Side.BUY, size, bid)
        self.maker(Side.SELL, size, ask)

    def maker(self, side: Side, size: float, price: float) -> None:
        """Let the maker send a limit order."""
        self._made = getattr(self, "_made", 0) + 1
        now_ns, name = self.clock.now_ns(), self.instrument.instrument_id
        command = PlaceOrder(
            now_ns, "maker", name, f"m{self._made}", side, OrderType.LIMIT,
            self.instrument.quantity_units(size), self.instrument.price_units(price),
        )  # fmt: skip
        result = self.server.call(lambda server: server.host.execute(command))
        assert result.ok, result

    # --- reading ----------------------------------------------------------------------------------------------------

    @property
    def position(self) -> float:
        """What the strategy holds."""
        found = self.line.portfolio.position(*self.key)
        return 0.0 if found is None else float(found.exact_quantity)

    @property
    def sellable(self) -> float:
        """What of it is whole lots."""
        return self.instrument.quantity(self.instrument.round_quantity_units(self.position))

    def at_venue(self) -> list[tuple[str, str, float, float]]:
        """Orders of ours that the exchange itself holds: side, type, quantity left, trigger; without asking the adapter.

        USD-M keeps its conditional orders apart.
        """
        to_price, to_size = self.instrument.price, self.instrument.quantity
        rows = self.server.call(lambda server: list(server.host.venue.open_orders(ACCOUNT)))
        found = [
            (str(r.side), str(r.order_type), to_size(r.quantity - r.filled), to_price(r.trigger_price)) for r in rows
        ]
        if self.product == "usdm":
            for one in self.server.call(_waiting):
                kind = {"STOP_MARKET": "stop", "TRAILING_STOP_MARKET": "trailing_stop"}.get(
                    one.order_type, one.order_type
                )
                found.append((str(one.side), kind, to_size(one.quantity), to_price(one.trigger_price)))
        return sorted(found)

    def resting(self) -> list[OrderData]:
        """Our open orders as the desk has them."""
        return [record.to_order() for record in self.line.desk.open_records()]


def _waiting(server: Any) -> list[Any]:
    """Return the conditional orders that wait at USD-M."""
    return list(server.host.surfaces["usdm"]._trading._algo_book.waiting(ACCOUNT))
