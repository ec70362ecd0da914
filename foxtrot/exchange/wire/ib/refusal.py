"""A request that TWS refuses: what the error message says."""

from typing import Final

NO_REQUEST: Final = -1
"""The id of an error that belongs to no request."""
NO_DEFINITION, REJECTED, CANCELLED = 200, 201, 202
VALIDATION, PROCESSING = 321, 322
"""Codes of many refusals; see TWS API documentation, Error Codes."""


class IbRefused(Exception):
    """A refusal; the gateway sends it as error(request, code, text), where the handler gave no id with the request's own."""

    def __init__(self, code: int, text: str, request_id: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.request_id = request_id
