"""Records golden frames of the quote side: requests packed by the SDK itself, answers and pushes by its message classes.

Run by hand when the SDK changes: `python -m tests.support.futu_frame_recorder`; the tests only read what it wrote.
"""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

FOLDER = Path(__file__).parents[1] / "unit" / "exchange" / "wire_futu" / "frames"
SERIAL = 7


def frame(proto_id: int, body: bytes, serial: int = SERIAL) -> bytes:
    """A frame by the specification of its header, not by the exchange's code."""
    header = struct.pack("<2sIBBII20s8s", b"FT", proto_id, 0, 0, serial, len(body), hashlib.sha1(body).digest(), b"")
    return header + body


def read(name: str) -> dict[str, tuple[int, bytes]]:
    """The recorded frames of a file: name → protocol id and body, checked against their headers."""
    found = {}
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        title, text = line.split()
        data = bytes.fromhex(text)
        flag, proto_id, _, _, _, length, digest, _ = struct.unpack("<2sIBBII20s8s", data[:44])
        body = data[44:]
        assert (flag, length, digest) == (b"FT", len(body), hashlib.sha1(body).digest())
        found[title] = (proto_id, body)
    return found


def requests(quote: Any) -> dict[str, bytes]:
    """Requests as the SDK packs them."""
    sub, hk = quote.SubscriptionQuery, ["HK.00700"]
    day = ("2026-03-10", "2026-03-10")
    packed = {
        "sub": sub.pack_subscribe_req(hk, ["QUOTE", "ORDER_BOOK", "TICKER", "K_1M"], 0, True, True, False, False),
        "sub_quiet": sub.pack_subscribe_req(["US.AAPL"], ["QUOTE"], 0, True, False, False, True, "ALL"),
        "unsub": sub.pack_unsubscribe_req(hk, ["QUOTE"], False, 0),
        "unsub_all": sub.pack_unsubscribe_req(None, None, True, 0),
        "unpush": sub.pack_unpush_req(hk, ["QUOTE"], 0),
        "sub_info": sub.pack_subscription_query_req(True, 0),
        "basic": quote.StockQuoteQuery.pack_req(hk, 0),
        "klines": quote.CurKlineQuery.pack_req("HK.00700", 2, "K_1M", "qfq", 0),
        "tickers": quote.TickerQuery.pack_req("HK.00700", 2, 0),
        "book": quote.OrderBookQuery.pack_req("HK.00700", 10, 0),
        "history": quote.RequestHistoryKlineQuery.pack_req(
            "HK.00700", *day, "K_1M", "None", [quote.KL_FIELD.ALL], 1, 0, None, False, "N/A"
        ),
        "static": quote.StockBasicInfoQuery.pack_req("HK", 0, "STOCK"),
        "static_of": quote.StockBasicInfoQuery.pack_req("HK", 0, "STOCK", hk),
        "snapshot": quote.MarketSnapshotQuery.pack_req(hk, 0),
        "days": quote.RequestTradeDayQuery.pack_req("HK", 0, "2026-02-16", "2026-02-20"),
    }
    assert all(ret == 0 for ret, *_ in packed.values()), packed
    return {name: bytes(data) for name, (_, _, data, *_) in packed.items()}


def answers() -> dict[str, bytes]:
    """Answers and pushes of what answers.json says, packed by the SDK's message classes."""
    from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages

    packed = {}
    for name, (proto_id, response) in json.loads((FOLDER / "answers.json").read_text()).items():
        message = ParseDict(
            {"retType": 0, "retMsg": "", "errCode": 0} | response, messages(PROTOCOLS[proto_id]).Response()
        )
        packed[name] = frame(proto_id, message.SerializeToString(deterministic=True))
    return packed


def write(name: str, frames: dict[str, bytes]) -> None:
    """Write frames as hex, one a line."""
    (FOLDER / f"{name}.txt").write_text("".join(f"{title} {data.hex()}\n" for title, data in frames.items()))


def main() -> None:
    """Record both files."""
    from tests.support.futu_sdk import import_futu

    import_futu()
    from futu.quote import quote_query

    write("requests", requests(quote_query))
    write("answers", answers())


if __name__ == "__main__":
    main()
