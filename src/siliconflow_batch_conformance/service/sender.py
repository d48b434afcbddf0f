"""
Requests of one account, on their way to the service and back.

Rule 1: the key goes to the base URL alone; a result URL of another place gets none.
Rule 2: every exchange passes the observer, before the case sees the answer.
Rule 3: what the budget keeps back is not sent; the journal knows of a creation before it is sent.
Rule 4: what is answered with "not now", or not to its end, is asked for again, unless a batch may
have come of it that somebody pays for.
"""

import time
from dataclasses import replace
from typing import Any

import httpx
from attrs import define, field

from ..checks.creation import must_be_refused
from ..checks.exchange import BEARER, Exchange, files, uploaded, with_key
from ..observer import Observer
from ..requirements import Inconclusive, NotJudged
from ..rules import BUSY
from .budget import LONGEST_PAUSE, Budget, NotSent, refused, retry_after
from .journal import Entry, Journal

TIMEOUT = httpx.Timeout(30)
# Seconds between the attempts at what is answered with "not now"; it says nothing of the service.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)
OVERLOADED = {429, 503}


@define(eq=False, kw_only=True)
class Sender:
    """
    `sender` names the account in what is observed. `budget` says what may be sent; `journal` is
    told of every creation before it is sent.
    """

    base_url: str
    key: str = field(repr=False)
    budget: Budget
    sender: str = "own"
    observer: Observer = field(factory=Observer, repr=False)
    journal: Journal | None = field(default=None, repr=False)
    _lines: dict[str, int] = field(factory=dict, init=False, repr=False)
    _client: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._client = httpx.Client(timeout=TIMEOUT)

    def close(self) -> None:
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        authorization: str | None = BEARER,
        query: dict[str, Any] | None = None,
        awaited: bool = False,
        patient: bool = True,
        rejected: bool = False,
        entry: Entry | None = None,
        **content: Any,
    ) -> Exchange:
        """
        Sends one request; `{key}` stands for the key in `authorization`, None sends none.

        An answer that says "not now" is asked for again, unless not `patient`. `rejected` says that
        the service is certain to refuse; `entry` is what the journal knows of a creation.
        """
        elsewhere = "://" in path
        headers = dict(content.pop("headers", {}))
        if authorization is not None and not elsewhere:
            headers["Authorization"] = with_key(authorization, self.key)
        url = path if elsewhere else self.base_url + path
        request = self._client.build_request(
            method, url, params=query or None, headers=headers, **content
        )
        asked = Exchange(
            number=0,
            method=method,
            path=path,
            status=0,
            query={name: str(value) for name, value in (query or {}).items()},
            request_body=request.read(),
            request_type=request.headers.get("content-type", ""),
            sender=self.sender,
            authorization=BEARER if elsewhere else authorization,
            awaited=awaited,
        )
        for pause in (*PAUSES, None):
            entry = self._allowed(asked, rejected, entry, first=pause == PAUSES[0])
            answer = self._answer(request, asked, last=pause is None)
            if answer is None:
                continue
            self._heard(answer, entry)
            self.observer.observe(answer, settled=pause is None)
            if answer.status not in BUSY or pause is None or not patient:
                break
            self._pause(answer, pause)
        if answer is None or (answer.status in OVERLOADED and patient):
            said = "nothing" if answer is None else answer.status
            raise Inconclusive(f"{method} {path[:80]} is answered with {said} for ever")
        return answer

    def _allowed(
        self, asked: Exchange, rejected: bool, entry: Entry | None, *, first: bool
    ) -> Entry | None:
        """What the journal knows of a creation; `NotJudged` for what the budget keeps back."""
        try:
            self._ask(asked, rejected)
        except NotSent as kept:
            if self.journal and entry is not None and first:
                self.journal.ended(entry.token)  # nothing was sent
            raise NotJudged(str(kept)) from kept
        if self.journal and entry is None and asked.operation == "POST /batches":
            return self.journal.intend(marked=False)
        if self.journal and entry is not None and entry.ended:
            self.journal.intend_again(entry.token)
        return entry

    def _ask(self, asked: Exchange, rejected: bool) -> None:
        """Raises `NotSent` for what the budget keeps back."""
        lines = None
        if asked.operation == "POST /batches":
            lines = self._lines.get(str(asked.request_json.get("input_file_id")), 0)
            rejected = rejected or lines == 0 or must_be_refused(asked.request_json)
        elif asked.operation == "POST /files":
            lines = len(uploaded(asked)[1].splitlines())
        rejected = rejected or asked.authorization != BEARER
        self.budget.ask(asked.method, asked.path, lines=lines, rejected=rejected)

    def _answer(self, request: httpx.Request, asked: Exchange, *, last: bool) -> Exchange | None:
        """
        What came; None where it did not come to its end and may be asked for again.

        At the `last` attempt what came of an answer is all that the service has to say.
        """
        body = bytearray()
        response = None
        try:
            response = self._client.send(request, stream=True)
            for piece in response.iter_bytes():
                body += piece
        except httpx.ConnectError:
            raise
        except httpx.TransportError as error:
            if asked.method == "POST":
                self.observer.observe_lost_request(asked.path)
                raise Inconclusive(f"{asked.method} was not answered: {error}") from error
            if response is None or not last:
                return None
        finally:
            if response is not None:
                response.close()
        return replace(
            asked,
            number=len(self.observer.exchanges),
            status=response.status_code,
            headers={name.lower(): text for name, text in response.headers.items()},
            body=bytes(body),
            at=time.time(),
        )

    def _heard(self, answer: Exchange, entry: Entry | None) -> None:
        self.budget.heard(answer.status, answer.headers)
        if self.journal and entry is not None:
            self.journal.heard(entry.token, answer.status, answer.json)
        for id in files(answer) if answer.operation == "POST /files" else ():
            self._lines[id] = len(uploaded(answer)[1].splitlines())

    def _pause(self, answer: Exchange, pause: float) -> None:
        """Waits for the next attempt; the budget of a service elsewhere waits as it is asked to."""
        if self.budget.loopback:
            seconds = retry_after(answer.headers.get("retry-after"), time.time())
            pause = max(pause, min(seconds or 0, LONGEST_PAUSE))
        elif answer.operation == "POST /batches" and not refused(answer.status):
            raise Inconclusive(f"{answer.operation} is answered with {answer.status}")
        time.sleep(pause)

    def send_plainly(self, method: str, path: str, query: dict[str, Any] | None = None) -> Exchange:
        """One request for the clean-up, never judged; `NotSent` where all writes are used up."""
        self.budget.clean(method)
        response = self._client.request(
            method,
            self.base_url + path,
            params=query,
            headers={"Authorization": with_key(BEARER, self.key)},
        )
        headers = {name.lower(): text for name, text in response.headers.items()}
        self.budget.heard(response.status_code, headers)
        return Exchange(
            0, method, path, response.status_code, headers=headers, body=response.content
        )
