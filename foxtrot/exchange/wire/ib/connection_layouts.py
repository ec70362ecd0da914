"""Layouts of the messages about the connection itself."""

from typing import Final

from foxtrot.exchange.wire.ib.layout import Field, layout

ERROR: Final = layout(4, "request_id code text", Field("advanced_reject", since=166), version=2)
NEXT_VALID_ID: Final = layout(9, "order_id", version=1)
MANAGED_ACCOUNTS: Final = layout(15, "accounts", version=1)
CURRENT_TIME: Final = layout(49, "time", version=1)
