"""Streams that tell what happened at once: trades, best bid and ask, liquidations."""

from foxtrot.domain.enums import PositionSide, Product, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import Liquidated, OrderAccepted, TradePrinted, VenueEvent
from foxtrot.exchange.wire.binance.numbers import price_text, quantity_text
from foxtrot.exchange.wire.binance.streams_hub import StreamHub
from foxtrot.exchange.wire.binance.streams_names import StreamName
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_MS_NS = 1_000_000
_LIQUIDATION = "liquidation-"

Frame = dict[str, object]


class TradeStreams:
    """Publishes trade and aggTrade, one of each for every print.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, hub: StreamHub) -> None:
        self._side = side
        self._hub = hub

    def on_trade(self, instrument: Instrument, trade: TradePrinted) -> None:
        """Publish a trade.

        Source: Binance spot API, Trade Streams and Aggregate Trade Streams; USDⓈ-M Futures, Aggregate Trade Streams.
        """
        stem = instrument.symbol.lower()
        for kind, frame in (("trade", self._trade), ("aggTrade", self._aggregate)):
            name = f"{stem}@{kind}"
            if self._hub.is_wanted(name):
                self._hub.publish(name, frame(instrument, trade))

    def _trade(self, instrument: Instrument, trade: TradePrinted) -> Frame:
        frame: Frame = {"e": "trade", "E": self._side.now_ns() // _MS_NS, "s": instrument.symbol, "t": trade.trade_id}
        frame |= _deal(instrument, trade)
        return frame | {"M": True} if self._side.product is Product.SPOT else frame | {"X": "MARKET"}

    def _aggregate(self, instrument: Instrument, trade: TradePrinted) -> Frame:
        number = trade.trade_id
        frame: Frame = {"e": "aggTrade", "E": self._side.now_ns() // _MS_NS, "s": instrument.symbol, "a": number}
        deal = _deal(instrument, trade)
        frame |= {"p": deal["p"], "q": deal["q"], "f": number, "l": number, "T": deal["T"], "m": deal["m"]}
        return frame | {"M": True} if self._side.product is Product.SPOT else frame


def _deal(instrument: Instrument, trade: TradePrinted) -> Frame:
    return {
        "p": price_text(instrument, trade.price),
        "q": quantity_text(instrument, trade.quantity),
        "T": trade.time_ns // _MS_NS,
        "m": trade.aggressor is Side.SELL,
    }


class TopStreams:
    """Publishes bookTicker whenever best price or its quantity changed.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, hub: StreamHub) -> None:
        self._side = side
        self._hub = hub
        self._wanted: set[str] = set()
        self._wants_all = False
        self._told: dict[str, tuple[int, int, int, int]] = {}
        hub.watch(self._hear)

    def on_change(self, instrument: Instrument) -> None:
        """Publish the top of a book if it is another than the last one told.

        Source: Binance spot API, Individual Symbol Book Ticker Streams; USDⓈ-M Futures, the same.
        """
        if not self._wants_all and instrument.symbol not in self._wanted:
            return
        update_id, bids, asks = self._side.venue.depth(instrument.instrument_id, 1)
        top = (*(bids[0] if bids else (0, 0)), *(asks[0] if asks else (0, 0)))
        if self._told.get(instrument.symbol) == top:
            return
        self._told[instrument.symbol] = top
        frame = self._frame(instrument, update_id, top)
        self._hub.publish(f"{instrument.symbol.lower()}@bookTicker", frame)
        self._hub.publish("!bookTicker", frame)

    def _frame(self, instrument: Instrument, update_id: int, top: tuple[int, int, int, int]) -> Frame:
        sides: Frame = {
            "s": instrument.symbol,
            "b": price_text(instrument, top[0]),
            "B": quantity_text(instrument, top[1]),
            "a": price_text(instrument, top[2]),
            "A": quantity_text(instrument, top[3]),
        }
        if self._side.product is Product.SPOT:
            return {"u": update_id, **sides}
        now_ms = self._side.now_ns() // _MS_NS
        return {"e": "bookTicker", "u": update_id, "E": now_ms, "T": now_ms, **sides}

    def _hear(self, stream: StreamName, is_wanted: bool) -> None:
        if stream.kind != "bookTicker":
            return
        if not stream.symbol:
            self._wants_all = is_wanted
        elif is_wanted:
            self._wanted.add(stream.symbol)
            self._told.pop(stream.symbol, None)
        else:
            self._wanted.discard(stream.symbol)


class LiquidationStreams:
    """Publishes forceOrder.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, hub: StreamHub) -> None:
        self._side = side
        self._hub = hub
        self._sides: dict[tuple[str, str, PositionSide], Side] = {}

    def on_event(self, instrument: Instrument, event: VenueEvent) -> None:
        """Note the venue's own orders that close a position, and publish the liquidation when it is done.

        Source: USDⓈ-M Futures, Liquidation Order Streams.
        """
        if isinstance(event, OrderAccepted) and event.client_order_id.startswith(_LIQUIDATION):
            self._sides[event.account, event.instrument_id, event.position_side] = event.side
        elif isinstance(event, Liquidated):
            frame = {"e": "forceOrder", "E": self._side.now_ns() // _MS_NS, "o": self._order(instrument, event)}
            self._hub.publish(f"{instrument.symbol.lower()}@forceOrder", frame)
            self._hub.publish("!forceOrder@arr", frame)

    def _order(self, instrument: Instrument, event: Liquidated) -> Frame:
        usual = Side.BUY if event.position_side is PositionSide.SHORT else Side.SELL
        side = self._sides.pop((event.account, event.instrument_id, event.position_side), usual)
        price = price_text(instrument, event.mark_price)
        quantity = quantity_text(instrument, event.closed_in_book + event.taken_over)
        return {
            "s": instrument.symbol,
            "S": side.name,
            "o": "LIMIT",
            "f": "IOC",
            "q": quantity,
            "p": price,
            "ap": price,
            "X": "FILLED",
            "l": quantity,
            "z": quantity,
            "T": event.time_ns // _MS_NS,
        }
