"""
Refusals: the status and the body of a request that the service does not carry out.
"""

from enum import Enum
from typing import Any

INVALID_TOKEN = (401, "Invalid token")
NOT_FOUND = (404, "404 page not found")
BAD_REQUEST_CODE = 20012
RATE_LIMITED = "Request was rejected due to rate limiting"


class Reason(Enum):
    """
    Why a request is refused with 400.

    The values are codes of a table that public programs copied from the vendor. No document of the
    vendor shows them, so a body has `BAD_REQUEST_CODE` unless a variant changes it.
    """

    OTHER = BAD_REQUEST_CODE
    NOT_FOUND = 20011
    PURPOSE = 20067
    LINE = 20071
    CUSTOM_ID_REPEATED = 20072
    FILE_EMPTY = 20073
    TOO_MANY_LINES = 20074
    LIMIT = 20075
    AFTER = 20076
    FILE_ID = 20078
    FILE_SIZE = 20087


class Refused(Exception):
    """The request was not carried out; nothing has changed."""

    def __init__(self, status: int, body: Any, reason: Reason = Reason.OTHER) -> None:
        super().__init__(status, body, reason)
        self.status, self.body, self.reason = status, body, reason

    def __str__(self) -> str:
        return f"{self.status}: {self.body!r}"


def bad_request(message: str, reason: Reason = Reason.OTHER) -> Refused:
    return Refused(400, {"code": BAD_REQUEST_CODE, "message": message, "data": None}, reason)


def not_found() -> Refused:
    return Refused(*NOT_FOUND)


def invalid_token() -> Refused:
    return Refused(*INVALID_TOKEN)


def rate_limited() -> Refused:
    return Refused(429, RATE_LIMITED)
