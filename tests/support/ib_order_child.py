"""A process of its own that places order after order over IB's adapter and tells each before it leaves; it is killed in the middle."""

import sys
from itertools import count
from pathlib import Path
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.adapter import IbAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

AAPL = "AAPL.NASDAQ"


def main(port: int, home: Path) -> None:
    heard, clock = Recorder(), SystemClock()
    settings = {
        "port": port, "account": "DU1000001", "always_open": True, "instruments": AAPL, "messages_per_s": 1000,
    }  # fmt: skip
    adapter = IbAdapter(AdapterContext("ours", heard, SendPermit(), clock, settings, {}, home=home))
    adapter.session.backoff = Backoff(Random(1), base_s=0.05, cap_s=0.2)
    adapter.session.active_orders._most = 100_000
    adapter.connect()
    wait_until(lambda: AdapterState.READY in heard.states(), 30.0)
    units = adapter.session.instruments[AAPL].price_units(150.0)
    for number in count(1):
        order = ApprovedOrder(
            f"k-{number}", "tester", "ours", AAPL, Side.BUY, OrderType.LIMIT, 1, units, 0, TimeInForce.GTC, False, False,
            PositionSide.NET, 0, 0, 0, clock.now_ns(),
        )  # fmt: skip
        print(order.order_id, flush=True)
        adapter.send_order(order)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
