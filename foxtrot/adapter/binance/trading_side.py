"""The account's side of a Binance adapter: what is told over a new link, and what its stream says while the link stands."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.binance.account import AccountAnswers
from foxtrot.adapter.binance.account_check import AccountCheck
from foxtrot.adapter.binance.account_polling import AccountPolling
from foxtrot.adapter.binance.account_setup import AccountSetup
from foxtrot.adapter.binance.contracts import Contracts
from foxtrot.adapter.binance.held_events import HeldEvents
from foxtrot.adapter.binance.leverage import Leverage
from foxtrot.adapter.binance.market_data import MarketData
from foxtrot.adapter.binance.orders import Orders
from foxtrot.adapter.binance.raw_messages import RawMessages
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import AdapterError, FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder


class TradingSide:
    """Lives on the session's link: brings everything up to date over a new one, in the promised order.

    Fills older than `fills_begin_ns` are part of what the account began with, and never told; those older than `cursor_ns` were.
    What the user stream says while that goes on is kept and heard after it, so that nothing older follows something newer.

    Thread: binance-io.
    """

    def __init__(
        self, adapter: BaseAdapter, session: BinanceSession, market_data: MarketData, context: AdapterContext
    ) -> None:
        self.contracts = Contracts(adapter, session)
        self.leverage = Leverage(session, session.settings.max_leverage)
        publish = adapter.on_venue_message if session.settings.raw_messages else None
        raw = RawMessages(context.account, session.clock, publish)
        self.orders = Orders(adapter, session, self.contracts.market_lots, self.leverage, raw)
        self.orders.prepare = self._prepare
        self.orders.on_halted = self._look_again
        self.answers = AccountAnswers(adapter, session, self.orders)
        self.answers.wanted = lambda: (*self.desired, *adapter.watched)
        self.check = AccountCheck(session, self.orders, self.answers)
        self.polling = AccountPolling(session, self.orders, self.answers)
        self.opened = False
        self.setup = AccountSetup(session, context.position_mode, self._note_leverage, adapter.on_request_failed)
        self.setup.key.tell = partial(setattr, adapter, "key_rights")
        session.door.on_clock_off = partial(adapter.on_request_failed, "check of the clock")
        self.desired: set[str] = set()
        begin_ns = session.settings.fills_begin_ns(adapter.clock.now_ns())
        self.fills_begin_ns = self.cursor_ns = min(begin_ns, context.fills_since_ns or begin_ns)
        session.user_tap = self._hear_user
        self._adapter = adapter
        self._session = session
        self._market_data = market_data
        self._held = HeldEvents(session.lose)

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        """Publish a change of the connection."""
        self._adapter.on_status(state, cause, attempt, delay_s)

    async def open_link(self) -> None:
        """Tell contracts, account, positions, open orders and trades since the cursor, and resume the streams."""
        self.hold_events()
        try:
            self._adapter.on_contracts(await self.contracts.load())
            if self._session.settings.has_keys:
                await self._tell_everything()
        finally:
            held = self._held.take()
        for event in held:
            self._hear(event)
        self.opened = True
        await self._market_data.resume()
        if self._session.settings.has_keys:
            self._session.spawn(self._quietly("unknown orders", self.orders.resolve_unknown), "unknown orders")
            if not self._session.by_rest:
                self.check.start()
            for instrument_id in self.desired:
                self.prepare_soon(instrument_id)

    def link_lost(self) -> None:
        """Stop what needs the link."""
        self.opened = False
        self._market_data.stop()
        self.check.stop()

    def hold_events(self) -> None:
        """Keep what the user stream says until `release_events`."""
        self._held.hold()

    def release_events(self) -> None:
        """Hear what was kept."""
        for event in self._held.take():
            self._hear(event)

    def stream_stands(self) -> None:
        """Hear that from now on the user stream tells everything; whether it does is looked at."""
        self.check.start()

    async def poll_account(self, *, whole: bool) -> None:
        """Ask for the account by REST, and tell what is new.

        Raises:
            AdapterError: something could not be had.
        """
        await self.polling.poll(whole=whole)

    def prepare_soon(self, instrument_id: str) -> None:
        """Set a contract's leverage and margin type as the settings say, if the link stands."""
        if self._session.linked and self._session.settings.has_keys:
            self._session.run(self._prepare(instrument_id), f"leverage of {instrument_id}")

    async def place(self, order: ApprovedOrder) -> None:
        """Send an order, of a contract that is set up as the settings say."""
        await self.orders.place(order)

    async def _tell_everything(self) -> None:
        await self.setup.check()
        await self.answers.tell_account()
        self.setup.key.tell_unknown()
        await self.answers.tell_positions()
        await self.answers.tell_orders()
        self.cursor_ns = await self.answers.tell_trades(self.cursor_ns)
        self.orders.tracker.catch_up()

    async def _prepare(self, instrument_id: str) -> None:
        listed = self._session.find_instrument(instrument_id)
        if listed is not None:
            await self._quietly(f"leverage of {instrument_id}", partial(self.setup.prepare, listed.symbol))

    def _look_again(self, instrument: Instrument) -> None:
        what = f"whether {instrument.instrument_id} trades again"
        self._session.run(self._quietly(what, partial(self.contracts.look_again, instrument)), what)

    async def _quietly(self, what: str, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except AdapterError as error:
            self._adapter.on_request_failed(what, error)

    def _hear_user(self, _client: object, event: Mapping[str, Any]) -> bool:
        self._session.user_stream.note(event)
        self.check.note_event()
        if not self._held.keeps(event):
            self._hear(event)
        return True

    def _hear(self, event: Mapping[str, Any]) -> None:
        try:
            if not self.orders.hear(event):
                self.answers.hear(event)
        except FoxtrotError as error:
            logger.warning("{}: an event of the account cannot be used: {}", self._adapter.account, error)

    def _note_leverage(self, symbol: str, leverage: int) -> None:
        self.leverage.hear({"ac": {"s": symbol, "l": leverage}})
