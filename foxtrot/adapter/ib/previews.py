"""What an order would do to the account, asked of IB without placing it."""

import asyncio
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from foxtrot.adapter.ib.errors import VENUE, ErrorKind, IbError, NotSent, failure_of
from foxtrot.adapter.ib.figures import figure
from foxtrot.adapter.ib.order_codec import order_terms, write_order
from foxtrot.adapter.ib.order_gate import OrderGate
from foxtrot.adapter.ib.session import IbSession
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import AdapterError, OrderRefused
from foxtrot.domain.order import ApprovedOrder

ANSWER_S: Final = 10.0


class OrderPreview(msgspec.Struct, frozen=True):
    """What IB says that an order would change; None is what it does not say.

    Margins and equity are in the account's base currency; the commission lies between `least_commission` and `most_commission` where
    IB does not name it.
    """

    initial_margin_change: Decimal | None
    initial_margin_after: Decimal | None
    maintenance_margin_change: Decimal | None
    maintenance_margin_after: Decimal | None
    equity_after: Decimal | None
    commission: Decimal | None
    least_commission: Decimal | None
    most_commission: Decimal | None
    commission_currency: str
    warning: str = ""


class Contracts(Protocol):
    """Who knows IB's contracts."""

    def contract_of(self, instrument_id: str) -> Any:
        """Return the SDK's contract of an instrument."""
        ...


class Previews:
    """Asks for previews, each under an order number of its own.

    Thread: ib-io.
    """

    def __init__(self, session: IbSession, permit: SendPermit, market: Contracts) -> None:
        self._session = session
        self._permit = permit
        self._market = market
        self._waiting: dict[int, asyncio.Future[OrderPreview]] = {}

    async def ask(self, order: ApprovedOrder) -> OrderPreview:
        """Return what an order would change. It goes past the send permit as an order does: if TWS took it for one, it would be one.

        Raises:
            NotSent: it did not leave, or IB has no such order.
            AdapterError: IB refused, or did not answer.
        """
        instrument = self._session.find_instrument(order.instrument_id)
        if instrument is None:
            raise NotSent("instrument", f"{order.instrument_id} is not resolved; name it in `instruments`")
        try:
            terms = order_terms(order, instrument, self._session.account_id)
        except OrderRefused as refusal:
            raise NotSent(refusal.rule, str(refusal)) from refusal
        made = write_order(self._session.sdk.Order(), terms, self._session.sdk.TagValue)
        made.whatIf = True
        number = self._session.ids.take()
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            gate = OrderGate(self._permit, reduces=order.reduces)
            await self._session.send_order(number, self._market.contract_of(order.instrument_id), made, gate)
            return await self._session.bridge.within(_result_of(answer), ANSWER_S)
        finally:
            del self._waiting[number]

    def hear_open(self, number: Any, _contract: Any, order: Any, state: Any) -> bool:
        """Take an openOrder; tells whether it is the answer to a preview, which is no order.

        Raises:
            BadMessage: a figure cannot be.
        """
        answer = self._waiting.get(int(number))
        if answer is None or not order.whatIf:
            return False
        if not answer.done():
            answer.set_result(preview_of(state))
        return True

    def hear_error(self, error: IbError) -> bool:
        """Take an error; tells whether it is about a preview."""
        answer = self._waiting.get(error.request_id)
        if answer is None:
            return False
        if not answer.done() and error.kind not in (ErrorKind.NOTICE, ErrorKind.WARNING):
            answer.set_exception(failure_of(error))
        return True

    def lost(self) -> None:
        """Fail what waits."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(AdapterError(VENUE, "lost", "the link was lost before the answer came"))


def preview_of(state: Any) -> OrderPreview:
    """Return what the state of an order says that is not placed, by the names of either version.

    Source: TWS API, Margin (What-If); seen with ibapi 9.81 (commission) and 10.46 (commissionAndFees).

    Raises:
        BadMessage: a figure cannot be.
    """
    names = ("commission", "minCommission", "maxCommission")
    later = ("commissionAndFees", "minCommissionAndFees", "maxCommissionAndFees")
    named, least, most = (
        figure(getattr(state, old, getattr(state, new, None)), old) for old, new in zip(names, later, strict=True)
    )
    currency = getattr(state, "commissionCurrency", getattr(state, "commissionAndFeesCurrency", ""))
    return OrderPreview(
        figure(state.initMarginChange, "initMarginChange"), figure(state.initMarginAfter, "initMarginAfter"),
        figure(state.maintMarginChange, "maintMarginChange"), figure(state.maintMarginAfter, "maintMarginAfter"),
        figure(state.equityWithLoanAfter, "equityWithLoanAfter"), named, least, most, str(currency or ""),
        str(state.warningText or ""),
    )  # fmt: skip


async def _result_of(answer: "asyncio.Future[OrderPreview]") -> OrderPreview:
    return await answer
