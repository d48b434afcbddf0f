"""What the service or the network did."""

from .base_error import SiliconFlowError

ADVICE = {
    400: "Fix the request; sending it again will not help.",
    401: "Check SILICONFLOW_API_KEY, and that the key is for the site you call (.cn or .com).",
    403: "Check the account: its charged balance (batches use no gifts), and its real-name "
    "verification.",
    404: "Check the id: it must belong to this account and this site.",
    429: "Wait, and send fewer requests at a time.",
    **dict.fromkeys((500, 502), "Try again later."),
    503: "The service is overloaded; try again later.",
    504: "The service may have done the work; check before you send the request again.",
}
LINK = (
    "The link may have expired. Retrieve the batch again: it names a new one. Results are kept for "
    "30 days."
)
EXPIRED = (400, 401, 403, 404, 410)  # of object stores, for an expired link
NO_ID = "Does the base URL end in /v1?"
MOVED = "Set the base URL to the new address."
MESSAGE_LIMIT = 500  # characters of the service's message in the text of an exception


class APIError(SiliconFlowError):
    """
    The service responded with an error.

    `code` and `message` are the service's own, `body` is the body as text, and `request_id` the id
    of the request for the service's support. Each is empty or None if the response has none.
    `is_link` says that the response is that of a result link, not of the service's own address.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: int | str | None = None,
        body: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str = "",
        is_link: bool = False,
    ) -> None:
        super().__init__(status, message)
        self.status, self.message, self.code, self.body = status, message, code, body
        self.request_id, self.retry_after = request_id, retry_after
        self.operation, self.is_link = operation, is_link

    @property
    def advice(self) -> str:
        """What to do next; empty if that is not known."""
        if self.is_link and self.status in EXPIRED:
            return LINK
        if self.status == 404 and self.operation.endswith(("/batches", "/files")):
            return NO_ID
        if 300 <= self.status < 400:
            return MOVED
        return ADVICE.get(self.status, "")

    def __str__(self) -> str:
        operation = f"{self.operation}: " if self.operation else ""
        code = f", code {self.code}" if self.code is not None else ""
        message = self.message or "no message"
        if len(message) > MESSAGE_LIMIT:
            message = message[:MESSAGE_LIMIT] + "…"
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{operation}{self.status}{code}: {message}{request}\n\n{self.advice}".rstrip()


class BadRequest(APIError):
    """400: the request is invalid; nothing was changed."""


class KeyRefused(APIError):
    """401: the API key is missing or invalid."""


class AccessDenied(APIError):
    """403: the account is not allowed to do this."""


class NotFound(APIError):
    """404: the account has no such object, or the path is wrong."""


class RateLimited(APIError):
    """429: too many requests; `retry_after` is in seconds, or None if the service gave no time."""


class ServiceUnavailable(APIError):
    """5xx: the service, or a gateway in front of it, failed."""


class EnvelopedFailure(APIError):
    """The status is 200, but the body reports a failure."""


class UnreadableAnswer(APIError):
    """The status is 200, but the body is not JSON, or not what the contract declares."""


class TransportError(SiliconFlowError):
    """
    There is no response, or only a part of one. The cause is the exception of the HTTP client.

    `sent` is False if it is certain that the service received nothing.
    """

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class CertificateRefused(TransportError):
    """The certificate of the service cannot be verified. The request is not repeated."""


class DownloadTruncated(TransportError):
    """A download ended before the file did; nothing was written. `received` is in bytes."""

    def __init__(self, received: int) -> None:
        super().__init__("download truncated")
        self.args, self.received = (received,), received

    def __str__(self) -> str:
        return f"The download ended early, after {self.received} bytes.\n\nDownload the file again."
