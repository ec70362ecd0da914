"""Alerts of the desktop: what a person wants to be told of, watched here on facts that are painted too, and kept in a file."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import count
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
from loguru import logger
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from foxtrot.app.control_requests import ListPositions, PositionRow, Positions
from foxtrot.app.port_file import write_private
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.market import MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import money_text, price_decimals, price_text, size_text
from foxtrot.gui.settings import set_aside
from foxtrot.gui.streams import Streams
from foxtrot.gui.texts import tr

NAME: Final = "alerts.json"
EVERY_FLUSHES: Final = 15


class AlertKind(StrEnum):
    """What is watched."""

    PRICE = "price"
    SIZE = "size"
    PROFIT = "profit"
    CONNECTION = "connection"


class Alert(msgspec.Struct, frozen=True):
    """One alert: of which instrument or account (`subject`), at which price, size, profit or seconds (`limit`).

    `rises` tells from which side the limit is to be reached; None until the first value tells. One that rang is not armed any more.
    """

    number: int
    kind: AlertKind
    subject: str
    limit: float
    rises: bool | None = None
    armed: bool = True
    note: str = ""
    rang: str = ""


class AlertBook(QObject):
    """The alerts, their file, and what becomes of them.

    `rang` comes with an alert and what it says; `changed` when the list is another one.

    Thread: the desktop's.

    Args:
        desk: the way to facts; it gets this as `alerts`.
        folder: where the file lies; None keeps nothing.
    """

    changed = Signal()
    rang = Signal(object, str)

    def __init__(self, desk: Desk, folder: Path | None = None) -> None:
        super().__init__(desk)
        desk.alerts = self
        self._desk = desk
        self._path = None if folder is None else folder / NAME
        self._alerts: dict[int, Alert] = {}
        self._numbers = count(1)
        self._load()
        desk.alert_asked.connect(self._add_price)

    @classmethod
    def of(cls, desk: Desk) -> "AlertBook":
        """Return the alerts of a desk; one that has none gets an empty list that is not kept."""
        found = desk.alerts
        return found if isinstance(found, cls) else cls(desk)

    def all(self) -> tuple[Alert, ...]:
        """Return the alerts, oldest first."""
        return tuple(self._alerts.values())

    def armed(self, *kinds: AlertKind) -> list[Alert]:
        """Return those of some kinds that are watched."""
        return [alert for alert in self._alerts.values() if alert.armed and alert.kind in kinds]

    def add(self, kind: AlertKind, subject: str, limit: float, note: str = "") -> Alert:
        """Add an alert.

        Raises:
            ConfigError: the limit is no number, or what it is of is not named.
        """
        _check(kind, subject, limit)
        alert = Alert(next(self._numbers), kind, subject, limit, self._side(kind, subject, limit), note=note)
        self._alerts[alert.number] = alert
        self._save()
        return alert

    def change(self, number: int, subject: str, limit: float, note: str) -> None:
        """Change an alert, which arms it.

        Raises:
            ConfigError: as `add`.
        """
        old = self._alerts[number]
        _check(old.kind, subject, limit)
        rises = self._side(old.kind, subject, limit)
        self._alerts[number] = replace(old, subject=subject, limit=limit, note=note, rises=rises, armed=True, rang="")
        self._save()

    def arm(self, number: int) -> None:
        """Watch an alert again that rang, from where the value is now."""
        old = self._alerts[number]
        self._alerts[number] = replace(old, armed=True, rang="", rises=self._side(old.kind, old.subject, old.limit))
        self._save()

    def remove(self, number: int) -> None:
        """Forget an alert."""
        if self._alerts.pop(number, None) is not None:
            self._save()

    def take_side(self, alert: Alert, *, rises: bool) -> None:
        """Note from which side an alert is reached."""
        self._alerts[alert.number] = replace(alert, rises=rises)
        self._save()

    def ring(self, alert: Alert, value: str) -> None:
        """Let an alert ring; it is not watched any more."""
        self._alerts[alert.number] = replace(alert, armed=False, rang=value)
        self._save()
        self.rang.emit(alert, f"{self.text(alert)}: {value}" + (f"  ({alert.note})" if alert.note else ""))

    def text(self, alert: Alert) -> str:
        """Return an alert in words."""
        limit = self.limit_text(alert)
        arrow = "" if alert.rises is None else "↑ " if alert.rises else "↓ "
        return f"{tr(f'alerts.{alert.kind}')} {alert.subject} {arrow}{limit}"

    def limit_text(self, alert: Alert) -> str:
        """Return the limit of an alert in the terms of its kind."""
        if alert.kind is AlertKind.PRICE:
            return price_text(alert.limit, price_decimals(self._desk.instruments.get(alert.subject)))
        if alert.kind is AlertKind.CONNECTION:
            return f"{alert.limit:g} s"
        return money_text(alert.limit, signed=True) if alert.kind is AlertKind.PROFIT else size_text(alert.limit, 8)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _add_price(self, instrument_id: str, price: float) -> None:
        try:
            alert = self.add(AlertKind.PRICE, instrument_id, price)
        except ConfigError as error:
            self._desk.said.emit("WARNING", str(error))
            return
        self._desk.said.emit("INFO", tr("alerts.added", alert=self.text(alert)))

    def _side(self, kind: AlertKind, subject: str, limit: float) -> bool | None:
        if kind is not AlertKind.PRICE:
            return None
        tick = self._desk.ticks.get(subject)
        now = price_of(tick) if tick is not None else 0.0
        return None if not now else limit > now

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=tuple[Alert, ...])
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            aside = set_aside(self._path)
            logger.warning(
                "the alerts in {} could not be read ({}); they were set aside as {}", self._path, error, aside
            )
            return
        self._alerts = {alert.number: alert for alert in found}
        self._numbers = count(max(self._alerts, default=0) + 1)

    def _save(self) -> None:
        self.changed.emit()
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, msgspec.json.encode(self.all()), durable=False)
        except (OSError, ConfigError) as error:
            self._desk.said.emit("WARNING", tr("alerts.unsaved", error=str(error)))


class AlertWatch(QObject):
    """Looks at the facts that the desktop hears, and lets alerts ring.

    Prices ring at the trade or quote that reaches the limit, connections and positions within half a second. What an alert on a price
    is of is streamed.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, book: AlertBook) -> None:
        super().__init__(book)
        self._desk = desk
        self._book = book
        self._flushes = 0
        self._asked = False
        self._lost_s: dict[str, float] = {}
        self._prices: dict[str, list[Alert]] = {}
        self._streams = Streams(desk, self)
        desk.bridge.on(TickData, self._hear_tick)
        desk.bridge.on(MarketTrade, self._hear_trade)
        desk.bridge.on(AdapterStatus, self._hear_status)
        desk.bridge.flushed.connect(self._look)
        book.changed.connect(self._sort)
        self._sort()

    def _sort(self) -> None:
        self._prices = {}
        for alert in self._book.armed(AlertKind.PRICE):
            self._prices.setdefault(alert.subject, []).append(alert)
        for instrument_id in self._prices:
            self._streams.ask(SubscribeRequest(instrument_id))

    def _hear_tick(self, tick: TickData) -> None:
        if tick.instrument_id in self._prices:
            self._hear_price(tick.instrument_id, price_of(tick))

    def _hear_trade(self, trade: MarketTrade) -> None:
        if trade.instrument_id in self._prices:
            self._hear_price(trade.instrument_id, trade.price)

    def _hear_price(self, instrument_id: str, price: float) -> None:
        shown = price_text(price, price_decimals(self._desk.instruments.get(instrument_id)))
        for alert in tuple(self._prices[instrument_id]) if price > 0 else ():
            self._judge(alert, price, shown)

    def _judge(self, alert: Alert, value: float, shown: str) -> None:
        if alert.rises is None:
            self._book.take_side(alert, rises=alert.limit > value)
        elif value >= alert.limit if alert.rises else value <= alert.limit:
            self._book.ring(alert, shown)

    def _hear_status(self, status: AdapterStatus) -> None:
        if status.state is AdapterState.READY:
            self._lost_s.pop(status.account, None)
        else:
            self._lost_s.setdefault(status.account, monotonic())

    def _look(self) -> None:
        self._flushes += 1
        if self._flushes % EVERY_FLUSHES:
            return
        self.look_at_connections(monotonic())
        if self._book.armed(AlertKind.SIZE, AlertKind.PROFIT) and not self._asked and self._desk.questions is not None:
            self._asked = True
            self._desk.ask(ListPositions(), self._hear_positions)

    def look_at_connections(self, now_s: float) -> None:
        """Let alerts ring whose connection has been lost for longer than they say."""
        for alert in self._book.armed(AlertKind.CONNECTION):
            since_s = self._lost_s.get(alert.subject)
            if since_s is not None and now_s - since_s >= alert.limit:
                self._book.ring(alert, tr("alerts.lost", seconds=f"{now_s - since_s:.0f}"))

    def _hear_positions(self, found: msgspec.Struct | None, _error: str) -> None:
        self._asked = False
        if isinstance(found, Positions):
            sizes, profits = _by_instrument(found.positions)
            for alert in self._book.armed(AlertKind.SIZE):
                size = sizes.get(alert.subject, 0.0)
                if abs(size) >= alert.limit:
                    self._book.ring(alert, size_text(size, 8))
            for alert in self._book.armed(AlertKind.PROFIT):
                profit = profits.get(alert.subject)
                if profit is not None and (profit >= alert.limit if alert.limit >= 0 else profit <= alert.limit):
                    self._book.ring(alert, money_text(profit, signed=True))


def price_of(tick: TickData) -> float:
    """Return the last price of a tick, else the middle of its quotes, 0.0 where it has neither."""
    if isfinite(tick.last_price) and tick.last_price > 0:
        return tick.last_price
    bid, ask = tick.bid_price, tick.ask_price
    return (bid + ask) / 2 if isfinite(bid) and isfinite(ask) and bid > 0 and ask > 0 else 0.0


def _by_instrument(rows: Iterable[PositionRow]) -> tuple[Mapping[str, float], Mapping[str, float]]:
    sizes: dict[str, float] = {}
    profits: dict[str, float] = {}
    for row in rows:
        sizes[row.instrument_id] = sizes.get(row.instrument_id, 0.0) + row.quantity
        if row.profit is not None:
            profits[row.instrument_id] = profits.get(row.instrument_id, 0.0) + float(row.profit)
    return sizes, profits


def _check(kind: AlertKind, subject: str, limit: float) -> None:
    if not subject:
        raise ConfigError(tr("alerts.no_subject"))
    if not isfinite(limit) or (limit <= 0 and kind is not AlertKind.PROFIT):
        raise ConfigError(tr("alerts.bad_limit", limit=f"{limit:g}"))
