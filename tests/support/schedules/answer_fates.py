"""
FATES: what can become of a creating request, and what its sender gets.

`made`: the seconds after which the batch is made; None if it is not. `answer` is a status and a
body, or LOST or UNSENT.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
from attrs import define

from siliconflow_batch.errors import TransportError
from siliconflow_batch.steps import Reply
from siliconflow_batch.transport import responses

from .account_model import CALLERS_FILE, Account
from .list_shapes import CUT, WINDOW, Stored

LOST, UNSENT = "lost", "unsent"
SOON, SLOWLY, TOO_LATE = 10.0, 50.0, 90.0  # seconds; the patience lasts for 60
REQUEST = httpx.Request("POST", "http://model/v1/batches")
OK = httpx.Response(200, request=REQUEST)


@define(frozen=True)
class Answer:
    """What the sender of a request gets; `error` is LOST or UNSENT."""

    status: int = 200
    body: Any = None
    error: str = ""
    retry_after: str | None = None

    def reply(self) -> Reply:
        """As a connection returns it, or raises it."""
        if self.error:
            raise TransportError(f"the request was {self.error}", sent=self.error == LOST)
        return responses.read(self.response(REQUEST))

    def brief(self) -> Reply:
        """The same for a reading request, in less time: no bytes are written and parsed."""
        return Reply(self.body, OK) if self.status == 200 else self.reply()

    def response(self, request: httpx.Request) -> httpx.Response:
        if self.error:
            kind = httpx.ReadError if self.error == LOST else httpx.ConnectError
            raise kind(f"the request was {self.error}")
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return httpx.Response(self.status, content=content, headers=headers, request=request)


@define(frozen=True)
class Fate:
    """`is_refusal`: the answer tells that nothing was made, and that a repeat is of no use."""

    name: str
    made: float | None
    answer: Callable[[Account, Stored | None], Answer]
    is_refusal: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {'not made' if self.made is None else f'made after {self.made:g} s'}"


def _is(status: int = 200, body: Any = b"", **more: Any) -> Callable[..., Answer]:
    return lambda *_: Answer(status, body, **more)


def _batch(status: int = 200, *fields: str) -> Callable[..., Answer]:
    def answer(account: Account, made: Stored | None) -> Answer:
        assert made is not None
        shown = made.shown()
        return Answer(status, {name: shown[name] for name in fields or shown})

    return answer


def _cut(account: Account, made: Stored | None) -> Answer:
    text = json.dumps(made.shown() if made else {"object": "batch", "status": "in_queue"})
    return Answer(200, text[: len(text) * 2 // 3].encode())


def _of_another(account: Account, made: Stored | None) -> Answer:
    """That of another request; a batch of the caller's file only if the list can show it."""
    can_tell = account.listing.paging not in (WINDOW, CUT)
    others = [
        one
        for one in account.batches
        if one.order is None and (can_tell or one.file_id != CALLERS_FILE)
    ]
    return Answer(200, others[-1].shown() if others else {"id": "batch-elsewhere"})


def _both(name: str, answer: Callable[..., Answer]) -> list[Fate]:
    return [Fate(name, None, answer), Fate(name, 0.0, answer)]


LOST_ANSWER = _is(error=LOST)
FATES = [
    Fate("batch", 0.0, _batch()),
    *_both("lost", LOST_ANSWER),
    *(Fate("lost", late, LOST_ANSWER) for late in (SOON, SLOWLY, TOO_LATE)),
    *(
        fate
        for status in (408, 409, 425, 429, 460, 499)
        for fate in _both(str(status), _is(status))
    ),
    *(fate for status in (302, 500, 503, 504) for fate in _both(str(status), _is(status))),
    *(Fate("504", late, _is(504)) for late in (SOON, SLOWLY, TOO_LATE)),
    Fate("429 with a pause", None, _is(429, retry_after="100")),
    Fate("201", 0.0, _batch(201)),
    Fate("id and file", 0.0, _batch(200, "id", "input_file_id")),
    Fate("id alone", 0.0, _batch(200, "id")),
    *_both("cut", _cut),
    *_both("empty", _is(200)),
    *_both("a failure under 200", _is(200, {"code": 1, "message": "busy", "status": False})),
    *_both("another batch", _of_another),
    Fate("unsent", None, _is(error=UNSENT), is_refusal=True),
    Fate("400", None, _is(400, {"code": 20012, "message": "no", "data": None}), is_refusal=True),
    Fate("403", None, _is(403, "Forbidden"), is_refusal=True),
]
BY_NAME = {str(fate): fate for fate in FATES}
# One of each kind: what the client can tell apart.
KINDS = [
    BY_NAME[name]
    for name in (
        "batch, made after 0 s",
        "lost, not made",
        "lost, made after 0 s",
        "lost, made after 10 s",
        "lost, made after 50 s",
        "lost, made after 90 s",
        "id alone, made after 0 s",
        "cut, made after 0 s",
        "400, not made",
    )
]
PLAIN = [BY_NAME["batch, made after 0 s"]]
FEW = [
    BY_NAME[name]
    for name in (
        "batch, made after 0 s",
        "lost, not made",
        "lost, made after 0 s",
        "lost, made after 10 s",
    )
]
