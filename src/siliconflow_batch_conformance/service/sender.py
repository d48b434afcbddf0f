"""
Sends one account's requests and reads the responses.

Rule 1: the key is sent to the base URL only; a result URL elsewhere is fetched without it.
Rule 2: the observer sees every exchange before the case does.
Rule 3: a request that the budget refuses is not sent; the journal records a creation before it is
sent.
Rule 4: a request is repeated if the service was busy or the response was cut off, unless it is a
POST, which may have created a paid batch. A response that is not HTTP is a failure, not repeated;
one that is cut off is a failure if that happens again and again.
"""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
from attrs import define, field

from ..checks.creation import must_be_refused
from ..checks.exchange import BEARER, Exchange, files, uploaded, with_key
from ..observer import Observer
from ..requirements import Inconclusive, NotJudged
from ..rules import BUSY
from .budget import LONGEST_PAUSE, Budget, NotSent, is_rejection, retry_after
from .journal import Creation, Journal

TIMEOUT = httpx.Timeout(30)
# Seconds between the attempts while the service is busy.
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5)
OVERLOADED = {429, 503}
CUTS = 3  # responses to a POST that are cut off before a whole one, which is a failure
CUT_OFF = (httpx.RemoteProtocolError, httpx.NetworkError)  # the connection may be to blame


class EnvironmentInvalid(Exception):
    """The environment names a proxy or a certificate that cannot be used."""

    def __str__(self) -> str:
        return f"a proxy or certificate of the environment cannot be used: {self.args[0]}"


def _open_client() -> httpx.Client:
    try:
        return httpx.Client(timeout=TIMEOUT)
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        raise EnvironmentInvalid(str(error)) from error


@define(eq=False, kw_only=True)
class Sender:
    """
    `sender` names the account in the observed exchanges. `budget` decides what may be sent, and
    `journal` records every creation.
    """

    base_url: str
    key: str = field(repr=False)
    budget: Budget
    sender: str = "own"
    observer: Observer = field(factory=Observer, repr=False)
    journal: Journal | None = field(default=None, repr=False)
    _lines: dict[str, int] = field(factory=dict, init=False, repr=False)
    _whole: set[str] = field(factory=set, init=False, repr=False)
    _cut_off: Counter[str] = field(factory=Counter, init=False, repr=False)
    _client: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._client = _open_client()

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
        creation: Creation | None = None,
        **content: Any,
    ) -> Exchange:
        """
        Sends a request, and repeats it while the service is busy.

        `{key}` in `authorization` is replaced by the key; None sends no header. With `patient`
        false, a busy response is returned. `rejected` means that the service is certain to reject
        the request. `creation` is its entry in the journal.
        """
        request = self._build_request(method, path, authorization, query, content)
        unanswered = Exchange(
            number=0,
            method=method,
            path=path,
            status=0,
            query={name: str(value) for name, value in (query or {}).items()},
            request_body=request.read(),
            request_type=request.headers.get("content-type", ""),
            sender=self.sender,
            authorization=BEARER if "://" in path else authorization,
            awaited=awaited,
        )
        return self._repeat(request, unanswered, creation, patient=patient, rejected=rejected)

    def _build_request(
        self,
        method: str,
        path: str,
        authorization: str | None,
        query: dict[str, Any] | None,
        content: dict[str, Any],
    ) -> httpx.Request:
        headers = dict(content.pop("headers", {}))
        elsewhere = "://" in path
        if authorization is not None and not elsewhere:
            headers["Authorization"] = with_key(authorization, self.key)
        url = path if elsewhere else self.base_url + path
        return self._client.build_request(
            method, url, params=query or None, headers=headers, **content
        )

    def _repeat(
        self,
        request: httpx.Request,
        unanswered: Exchange,
        creation: Creation | None,
        *,
        patient: bool,
        rejected: bool,
    ) -> Exchange:
        """Sends a request until the response is complete and the service is not busy."""
        for pause in (*PAUSES, None):
            creation = self._acquire(unanswered, rejected, creation, first=pause == PAUSES[0])
            response = self._send(request, unanswered, last=pause is None)
            if response is None:
                continue
            self._record(response, creation)
            self.observer.observe(response, settled=pause is None)
            if response.status not in BUSY or pause is None or not patient:
                break
            self._pause(response, pause)
        if response is None or (response.status in OVERLOADED and patient):
            outcome = f"returned {response.status}" if response else "got no complete response"
            target = f"{unanswered.method} {unanswered.path[:80]}"
            raise Inconclusive(f"{target} {outcome} in all {len(PAUSES) + 1} attempts")
        return response

    def _acquire(
        self, request: Exchange, rejected: bool, creation: Creation | None, *, first: bool
    ) -> Creation | None:
        """Returns the journal's entry for a creation; raises `NotJudged` if it may not be sent."""
        try:
            self._acquire_budget(request, rejected)
        except NotSent as error:
            if self.journal and creation is not None and first:
                self.journal.close_creation(creation.token)  # nothing was sent
            raise NotJudged(str(error)) from error
        if self.journal and creation is None and request.operation == "POST /batches":
            return self.journal.intend(marked=False)
        if self.journal and creation is not None and creation.closed:
            self.journal.intend_again(creation.token)
        return creation

    def _acquire_budget(self, request: Exchange, rejected: bool) -> None:
        lines = None
        if request.operation == "POST /batches":
            lines = self._lines.get(str(request.request_json.get("input_file_id")), 0)
            rejected = rejected or lines == 0 or must_be_refused(request.request_json)
        elif request.operation == "POST /files":
            lines = len(uploaded(request)[1].splitlines())
        rejected = rejected or request.authorization != BEARER
        self.budget.acquire(request.method, request.path, lines=lines, rejected=rejected)

    def _send(self, request: httpx.Request, unanswered: Exchange, *, last: bool) -> Exchange | None:
        """
        The exchange; None if the response is incomplete and the request may be repeated.

        Raises `Inconclusive` if a POST got no complete response.
        """
        body, broken = bytearray(), ""
        response = None
        try:
            response = self._client.send(request, stream=True)
            for piece in response.iter_bytes():
                body += piece
        except KeyboardInterrupt:
            self._client = _open_client()  # the other one may hold a lock for ever
            raise
        except httpx.ConnectError:
            raise
        except httpx.DecodingError as error:
            broken = f"the body does not have its Content-Encoding: {error}"
        except httpx.TransportError as error:
            broken = _what_is_broken(error, has_begun=response is not None)
            is_post = unanswered.method == "POST"
            if is_post:
                self.observer.observe_lost_request(unanswered.path)
            if not broken or self._is_bad_luck(error, unanswered, response, last=last):
                if is_post:
                    raise Inconclusive(f"POST got no complete response: {error}") from error
                return None
        finally:
            if response is not None:
                response.close()
        if not broken:
            self._whole.add(unanswered.operation)
        if response is None:
            return replace(
                unanswered, number=len(self.observer.exchanges), broken=broken, at=time.time()
            )
        return replace(
            unanswered,
            number=len(self.observer.exchanges),
            status=response.status_code,
            headers=_lower_case(response.headers),
            body=bytes(body),
            broken=broken,
            shows_key=self.key.encode() in body
            or any(self.key in text for text in response.headers.values()),
            at=time.time(),
        )

    def _is_bad_luck(
        self,
        error: httpx.TransportError,
        request: Exchange,
        response: httpx.Response | None,
        *,
        last: bool,
    ) -> bool:
        """Whether the connection, and not the service, may have cut a response off."""
        if response is None or not isinstance(error, CUT_OFF):
            return False
        if request.method != "POST":
            return not last
        self._cut_off[request.operation] += 1
        return request.operation in self._whole or self._cut_off[request.operation] < CUTS

    def _record(self, response: Exchange, creation: Creation | None) -> None:
        self.budget.record(response.status, response.headers)
        if self.journal and creation is not None:
            self.journal.record_response(creation.token, response.status, response.json)
        for id in files(response) if response.operation == "POST /files" else ():
            self._lines[id] = len(uploaded(response)[1].splitlines())

    def _pause(self, response: Exchange, pause: float) -> None:
        """Waits before the next attempt; with limits, the budget honours Retry-After."""
        if self.budget.unmetered:
            delay = retry_after(response.headers.get("retry-after"), time.time())
            pause = max(pause, min(delay or 0, LONGEST_PAUSE))
        elif response.operation == "POST /batches" and not is_rejection(response.status):
            raise Inconclusive(f"{response.operation} returned {response.status}")
        self.budget.sleep(pause)

    def send_for_cleanup(
        self, method: str, path: str, query: dict[str, Any] | None = None
    ) -> Exchange:
        """Sends one request that is not judged; raises `NotSent` if the writes are used up."""
        self.budget.acquire_for_cleanup(method)
        response = self._client.request(
            method,
            self.base_url + path,
            params=query,
            headers={"Authorization": with_key(BEARER, self.key)},
        )
        headers = _lower_case(response.headers)
        self.budget.record(response.status_code, headers)
        return Exchange(
            0, method, path, response.status_code, headers=headers, body=response.content
        )


def _what_is_broken(error: httpx.TransportError, *, has_begun: bool) -> str:
    """Why a response is not HTTP; empty if none came, which says nothing about the service."""
    if has_begun:
        return f"the body does not end as its headers say: {error or type(error).__name__}"
    is_garbage = isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error)
    return f"not an HTTP response: {error}" if is_garbage else ""


def _lower_case(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}
