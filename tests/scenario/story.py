"""Trading stories as text: who does what, then the book drawn, the trades and the balances.

One line is one step:

    ann buys 5 at 100 [words]     words: market, ioc, fok, post-only, iceberg 2, stop 105, take-profit 95, trail 3
    ann amends #1 to 5 at 100     ann cancels #1     mark 100     wait 60 s
    refused CODE                  the step before was refused
    book                          followed by rows "bid | price | ask", owners and quantities best at the middle
    trades 5@100 3@101            all since the last such line
    ann has 3 BTC, 100 USDT       ann is long 5, short 5 or flat
"""

import re
from decimal import Decimal

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.exchange.result import CommandResult
from tests.support.trading_floor import TradingFloor

TIMES = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "day": TimeInForce.DAY}
TRIGGERS = {"stop": OrderType.STOP, "take-profit": OrderType.TAKE_PROFIT}
LIMITED = {OrderType.STOP: OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT: OrderType.TAKE_PROFIT_LIMIT}
SECOND_NS = 10**9
VERBS = {"is": "holds"}


class Story:
    """Tells a story to a trading floor."""

    def __init__(self, floor: TradingFloor) -> None:
        self.floor = floor
        self.last: CommandResult | None = None
        self.seen = 0

    def tell(self, text: str) -> None:
        """Run every line; a step must succeed unless the next line says that it was refused."""
        lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
        while lines:
            line = lines.pop(0)
            if line == "book":
                rows = []
                while lines and "|" in lines[0]:
                    rows.append([cell.strip() for cell in lines.pop(0).split("|")])
                self.book(rows)
                continue
            self.step(line)
            if self.last is not None and not (lines and lines[0].startswith("refused")):
                assert self.last.ok, (line, self.last)
            self.floor.venue.validate()

    def step(self, line: str) -> None:
        """Run one line."""
        words = line.split()
        if words[0] == "refused":
            assert self.last is not None
            assert self.last.code.value == words[1], self.last
            self.last = None
        elif words[0] == "trades":
            trades = self.floor.trades()
            assert [f"{quantity}@{price}" for price, quantity in trades[self.seen :]] == words[1:], line
            self.seen = len(trades)
        elif words[0] == "mark":
            self.last = self.floor.mark(int(words[1]))
        elif words[0] == "wait":
            self.floor.wait_until(self.floor.now + int(words[1]) * SECOND_NS)
        else:
            getattr(self, VERBS.get(words[1], words[1]))(words[0], words[2:])

    def buys(self, who: str, words: list[str]) -> None:
        self.order(who, Side.BUY, words)

    def sells(self, who: str, words: list[str]) -> None:
        self.order(who, Side.SELL, words)

    def order(self, who: str, side: Side, words: list[str]) -> None:
        quantity, price, more = int(words[0]), 0, dict[str, object]()
        rest = iter(words[1:])
        for word in rest:
            if word == "at":
                price = int(next(rest))
            elif word in TIMES:
                more["time_in_force"] = TIMES[word]
            elif word in TRIGGERS:
                more |= {"order_type": TRIGGERS[word], "trigger_price": int(next(rest))}
            elif word == "trail":
                more |= {"order_type": OrderType.TRAILING_STOP, "trailing_offset": int(next(rest))}
            elif word == "iceberg":
                more["display_quantity"] = int(next(rest))
            else:
                more[{"post-only": "post_only", "reduce-only": "reduce_only"}[word]] = True
        if price and "order_type" in more:
            more["order_type"] = LIMITED[OrderType(str(more["order_type"]))]
        self.last = self.floor.place(who, side, quantity, price, **more)

    def amends(self, who: str, words: list[str]) -> None:
        found = re.fullmatch(r"#(\d+) to (\d+) at (\d+)", " ".join(words))
        assert found
        order, quantity, price = map(int, found.groups())
        self.last = self.floor.amend(who, order, quantity=quantity, price=price)

    def cancels(self, who: str, words: list[str]) -> None:
        self.last = self.floor.cancel(who, int(words[0][1:]))

    def has(self, who: str, words: list[str]) -> None:
        self.last = None
        balances = self.floor.venue.balances(who)
        for amount, asset in (part.split() for part in " ".join(words).split(",")):
            assert balances[asset][0] == Decimal(amount), (who, asset, balances[asset])

    def locks(self, who: str, words: list[str]) -> None:
        self.last = None
        assert self.floor.locked(who, words[1]) == Decimal(words[0])

    def holds(self, who: str, words: list[str]) -> None:
        self.last = None
        size = 0 if words[0] == "flat" else int(words[1]) * (1 if words[0] == "long" else -1)
        held = {report.position_side: report.quantity for report in self.floor.venue.positions(who)}
        assert sum(held.values()) == size, (who, held)

    def book(self, rows: list[list[str]]) -> None:
        """Compare the drawn book, lowest ask at the bottom of the asks, highest bid below it."""
        bids, asks = self.floor.book()
        drawn: dict[int, tuple[list[str], list[str]]] = {}
        for at, side in enumerate((bids, asks)):
            for owner, shown, price in side:
                drawn.setdefault(price, ([], []))[at].append(f"{owner} {shown}")
        expected = [[", ".join(drawn[p][0]), str(p), ", ".join(drawn[p][1])] for p in sorted(drawn, reverse=True)]
        assert rows == expected
        self.last = None
