"""
Refusals: the status and the body of a request that the service does not carry out.
"""

from typing import Any

INVALID_TOKEN = (401, "Invalid token")
NOT_FOUND = (404, "404 page not found")
BAD_REQUEST_CODE = 20012
RATE_LIMITED = "Request was rejected due to rate limiting"


class Refused(Exception):
    """The request was not carried out; nothing has changed."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body

    def __str__(self) -> str:
        return f"{self.status}: {self.body!r}"


def bad_request(message: str) -> Refused:
    return Refused(400, {"code": BAD_REQUEST_CODE, "message": message, "data": None})


def not_found() -> Refused:
    return Refused(*NOT_FOUND)


def invalid_token() -> Refused:
    return Refused(*INVALID_TOKEN)


def rate_limited() -> Refused:
    return Refused(429, RATE_LIMITED)
