"""Random trading, the same for the same seed: mostly sensible commands, some that must be refused."""

import random
from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from foxtrot.domain.enums import OrderType, SelfTradePrevention, Side, TimeInForce
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange import commands as c
from tests.support.instruments import a_perpetual, a_spot

SPOT, SHARED, PERPETUAL, BASE_FEES = "SPOT", "SHARED", "PERP", "RECEIVED"
ACCOUNTS = ("ann", "bob", "cat", "dan", "free")
TYPES = (
    (OrderType.LIMIT, 58), (OrderType.MARKET, 14), (OrderType.STOP, 6), (OrderType.STOP_LIMIT, 6),
    (OrderType.TAKE_PROFIT, 5), (OrderType.TAKE_PROFIT_LIMIT, 5), (OrderType.TRAILING_STOP, 6),
)  # fmt: skip
LIMITS = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
HOUR_NS = 3_600 * 10**9
MIDDLE = 1_000


def opening() -> Iterator[c.VenueCommand]:
    """Yield the commands that set the scene: four markets, one account for each way of self-trade prevention."""
    fees = FeeSchedule.percentage(Decimal("0.0002"), Decimal("0.0007"))
    yield c.AddInstrument(0, a_spot(instrument_id=SPOT), "price_time", fees, "quote")
    yield c.AddInstrument(0, a_spot(instrument_id=BASE_FEES, base_asset="ETH"), "price_time", fees, "received")
    yield c.AddInstrument(0, a_spot(instrument_id=SHARED, base_asset="XRP"), "pro_rata")
    yield c.AddInstrument(0, a_perpetual(instrument_id=PERPETUAL, funding_interval_s=0), "price_time", fees)
    for account, stp in zip(ACCOUNTS, SelfTradePrevention, strict=True):
        yield c.OpenAccount(0, account, margin_checked=account not in ("free", "dan"), stp=stp)
        for asset, amount in (("USDT", "60"), ("BTC", "6"), ("ETH", "6"), ("XRP", "6")):
            yield c.Deposit(0, account, asset, Decimal(amount))


class RandomTrader:
    """Makes commands one by one."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0
        self.count = 0
        self.placed: deque[tuple[str, str, str]] = deque(maxlen=80)

    def command(self) -> c.VenueCommand:
        """Return the next command."""
        draw = self.random.random()
        self.now += self.random.choice((1, 1, 1, HOUR_NS // 40))
        account = self.random.choice(ACCOUNTS)
        name = self.random.choice((SPOT, SPOT, BASE_FEES, SHARED, PERPETUAL))
        if draw < 0.62:
            return self.place(account, name)
        if draw < 0.84:
            account, name, order = self.recent(account, name)
            return c.CancelOrder(self.now, account, name, 0, order)
        if draw < 0.96:
            return self.amend(account, name)
        if draw < 0.985:
            return c.AdvanceTime(self.now)
        return c.CancelAll(self.now, account)

    def place(self, account: str, name: str) -> c.PlaceOrder:
        """Return an order of any kind."""
        pick, draw = self.random, self.random.random
        self.count += 1
        side = pick.choice((Side.BUY, Side.SELL))
        order_type = pick.choices([t for t, _ in TYPES], [weight for _, weight in TYPES])[0]
        limit = order_type in LIMITS
        quantity = 0 if draw() < 0.01 else pick.randint(1, 400)
        tif = TimeInForce.GTC if draw() < 0.6 else pick.choice(list(TimeInForce))
        rests = limit and tif not in (TimeInForce.IOC, TimeInForce.FOK)
        plain = order_type is OrderType.LIMIT and rests
        checked_spot = name != PERPETUAL or account in ("free", "dan")
        account = account if checked_spot else "free"
        client_order_id = f"o{self.count if draw() > 0.01 else max(1, self.count - 20)}"
        self.placed.append((account, name, client_order_id))
        return c.PlaceOrder(
            self.now,
            account,
            name,
            client_order_id,
            side,
            order_type,
            quantity,
            self.price() if limit else 0,
            self.price() if order_type.needs_trigger else 0,
            tif,
            draw() < 0.08,
            plain and draw() < 0.15,
            trailing_offset=pick.randint(1, 15) if order_type is OrderType.TRAILING_STOP else 0,
            display_quantity=pick.randint(1, max(1, quantity)) if rests and quantity and draw() < 0.15 else 0,
            expire_time_ns=self.now + pick.randint(1, HOUR_NS) if tif is TimeInForce.GTD else 0,
            stp=self.stp(name),
            expire_unfillable=self.count % 4 == 0,
        )

    def stp(self, name: str) -> SelfTradePrevention | None:
        """Return how to prevent self-trades; where orders share by size it is off, as a preview cannot know the order."""
        if name == SHARED:
            return SelfTradePrevention.NONE
        return None if self.random.random() < 0.7 else self.random.choice(list(SelfTradePrevention))

    def amend(self, account: str, name: str) -> c.AmendOrder:
        """Return a change of price, of quantity or of both."""
        quantity = self.random.choice((0, self.random.randint(1, 400)))
        price = 0 if quantity and self.random.random() < 0.6 else self.price()
        account, name, order = self.recent(account, name)
        return c.AmendOrder(self.now, account, name, 0, order, quantity, price)

    def price(self) -> int:
        """Return a price near the middle."""
        return MIDDLE + round(self.random.gauss(0, 12))

    def recent(self, account: str, name: str) -> tuple[str, str, str]:
        """Return account, instrument and name of an order of late; now and then of one that is not there."""
        if not self.placed or self.random.random() < 0.03:
            return account, name, "nobody"
        return self.random.choice(self.placed)
