"""A handful of trading stories that a trader can read and judge."""

from decimal import Decimal

import pytest

from foxtrot.domain.fees import FeeSchedule
from tests.scenario.story import Story
from tests.support.instruments import a_perpetual, a_spot
from tests.support.trading_floor import TradingFloor

pytestmark = pytest.mark.scenario


def spot() -> Story:
    return Story(TradingFloor(a_spot(), funds={"BTC": Decimal(1), "USDT": Decimal(100)}))


def perpetual() -> Story:
    return Story(TradingFloor(a_perpetual(), funds={"USDT": Decimal(100)}))


def test_a_queue_is_served_in_order_and_the_buyer_keeps_what_a_better_price_saves() -> None:
    spot().tell("""
        ann sells 100 at 1010
        bob sells 200 at 1000
        cat sells 300 at 1000
        dan buys 50 at 990
        book
                | 1010 | ann 100
                | 1000 | bob 200, cat 300
         dan 50 |  990 |
        eve buys 400 at 1005
        trades 200@1000 200@1000
        eve has 1.4 BTC, 96 USDT
        bob has 0.8 BTC, 102 USDT
        cat has 0.8 BTC, 102 USDT
        cat locks 0.1 BTC
        eve buys 300 at 1005
        trades 100@1000
        book
                | 1010 | ann 100
        eve 200 | 1005 |
         dan 50 |  990 |
        eve locks 2.01 USDT
    """)


def test_an_iceberg_hides_behind_the_others_after_every_slice() -> None:
    spot().tell("""
        ice sells 90 at 1000 iceberg 30
        ann sells 40 at 1000
        book
         | 1000 | ice 30, ann 40
        bob buys 50 at 1000
        trades 30@1000 20@1000
        book
         | 1000 | ann 20, ice 30
        bob buys 70 at 1000 fok
        trades 20@1000 30@1000 20@1000
        book
         | 1000 | ice 10
    """)


def test_a_falling_price_runs_through_a_ladder_of_stops() -> None:
    spot().tell("""
        dip buys 30 at 980
        low buys 90 at 970
        ann sells 20 stop 990
        bob sells 20 stop 980
        cat sells 20 at 975 stop 975
        maker buys 5 at 990
        seller sells 5 at 990
        trades 5@990 20@980 10@980 10@970
        book
               | 975 | cat 20
        low 80 | 970 |
    """)


def test_an_order_is_moved_shrunk_and_taken_out() -> None:
    spot().tell("""
        ann buys 10 at 1000
        bob buys 10 at 1000
        ann amends #1 to 6 at 1000
        book
        ann 6, bob 10 | 1000 |
        ann amends #1 to 8 at 1000
        book
        bob 10, ann 8 | 1000 |
        bob amends #2 to 10 at 999
        book
        ann 8 | 1000 |
        bob 10 | 999 |
        ann cancels #1
        ann cancels #1
        refused order.not_found
        ann locks 0 USDT
        book
        bob 10 | 999 |
    """)


def test_nobody_sells_what_he_has_not_or_buys_what_he_cannot_pay() -> None:
    spot().tell("""
        ann sells 1001 at 1000
        refused account.insufficient_balance
        ann sells 1000 at 1000
        bob buys 1 at 1000 post-only
        refused matching.post_only_would_take
        bob buys 1001 at 1000 fok
        refused matching.fill_or_kill_unfillable
        bob buys 10001 at 1000
        refused account.insufficient_balance
        bob buys 1000
        trades 1000@1000
        bob has 2 BTC, 90 USDT
        ann has 0 BTC, 110 USDT
    """)


def test_fees_are_taken_where_each_side_receives() -> None:
    fees = FeeSchedule.percentage(Decimal("0.001"), Decimal("0.002"))
    floor = TradingFloor(
        a_spot(), funds={"BTC": Decimal(1), "USDT": Decimal(100)}, fees=fees, fee_asset_mode="received"
    )
    Story(floor).tell("""
        ann sells 500 at 10000
        bob buys 500
        trades 500@10000
        ann has 0.5 BTC, 149.95 USDT
        bob has 1.499 BTC, 50 USDT
        @fees has 0.001 BTC, 0.05 USDT
    """)


def test_leverage_cuts_both_ways_and_the_fund_stands_behind_it() -> None:
    perpetual().tell("""
        ann sells 8000 at 10000
        bob buys 8000 at 10000
        bob is long 8000
        bob buys 3000 at 10000
        refused account.insufficient_margin
        mark 10500
        bob has 100 USDT
        eve buys 2000 at 8500
        mark 9500
        mark 8700
        trades 8000@10000 2000@8500
        bob is flat
        bob has 0 USDT
        @insurance is long 6000
        eve is long 2000
        ann is short 8000
    """)


def test_a_trailing_stop_lets_profit_run_and_then_takes_it() -> None:
    perpetual().tell("""
        ann sells 100 at 10000
        bob buys 100 at 10000
        bob sells 100 trail 50 reduce-only
        low buys 100 at 9000
        ann buys 1 at 10200
        eve sells 1 at 10200
        ann buys 1 at 10160
        eve sells 1 at 10160
        bob is long 100
        ann buys 1 at 10150
        eve sells 1 at 10150
        trades 100@10000 1@10200 1@10160 1@10150 100@9000
        bob is flat
        low is long 100
    """)
