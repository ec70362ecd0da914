"""A refusal in Binance's words."""

from collections.abc import Mapping

from foxtrot.domain.errors import FoxtrotError


class ApiError(FoxtrotError):
    """What a handler raises to refuse a call: the body becomes {"code", "msg"}, with `data` beside them when there is some.

    Source: Binance spot API, errors; USDⓈ-M Futures, Error Codes. Clients choose their exception by code and text, so texts are exact.
    """

    def __init__(
        self,
        code: int,
        msg: str,
        status: int = 400,
        data: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code} {msg}")
        self.code = code
        self.msg = msg
        self.status = status
        self.data = data
        self.headers = dict(headers or {})
