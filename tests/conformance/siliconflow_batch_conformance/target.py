"""
The service under test, as the cases speak to it.

Rule 1: cases see plain HTTP and JSON, not this distribution's client, which is under test itself.
Rule 2: the key goes to the base URL alone; a result URL of another place gets none.
Rule 3: a service that is not on this machine is written to only where the caller allowed it.
"""

import ipaddress
import json
import shlex
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import httpx
import pytest
from attrs import define, field

from .requirements import Deviation

ENDPOINT = "/v1/chat/completions"
FINAL = {"completed", "failed", "expired", "cancelled"}
TIMEOUT = httpx.Timeout(30)


def is_loopback(base_url: str) -> bool:
    host = httpx.URL(base_url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@define
class Target:
    """
    A base URL with one account's key. `patience` is how long a batch may take, in seconds.

    `variable` is where the key comes from. `wire` is shared by the targets of a run: who sent the
    latest request, and which.
    """

    base_url: str
    key: str = field(repr=False)
    model: str
    patience: float = 60
    writes: bool = True
    variable: str = "SILICONFLOW_API_KEY"
    wire: dict[str, "tuple[Target, httpx.Request]"] = field(factory=dict, repr=False)
    _client: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.base_url, timeout=TIMEOUT)

    def close(self) -> None:
        self._client.close()

    def request(
        self, method: str, path: str, *, authorization: str | None = "", **content: Any
    ) -> httpx.Response:
        """Sends one request; `authorization` takes the key's place, None sends no such header."""
        if method == "POST" and not self.writes:
            pytest.skip("writes to a service that is not on this machine need --writes")
        headers = dict(content.pop("headers", {}))
        if authorization is not None:
            headers["Authorization"] = authorization or f"Bearer {self.key}"
        return self._send(self._client.build_request(method, path, headers=headers, **content))

    def _send(self, request: httpx.Request) -> httpx.Response:
        self.wire["last"] = (self, request)
        return self._client.send(request)

    def line(self, custom_id: str = "request-1", **body: Any) -> dict[str, Any]:
        """One request of an input file; keywords change its body, None takes a field out."""
        given = {
            "model": self.model,
            "messages": [{"role": "user", "content": f"Say {custom_id}."}],
            "max_tokens": 16,
            **body,
        }
        kept = {name: value for name, value in given.items() if value is not None}
        return {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": kept}

    def upload(self, data: bytes, name: str = "requests.jsonl") -> httpx.Response:
        return self.request(
            "POST", "/files", data={"purpose": "batch"}, files={"file": (name, data)}
        )

    def input_file(self, *lines: dict[str, Any], name: str = "requests.jsonl") -> str:
        """Uploads lines and returns the file's id."""
        answer = json_of(self.upload(json_lines(*lines), name))
        return str(answer["data"]["id"])

    def create(self, input_file_id: str, **fields: Any) -> httpx.Response:
        """Creates a batch; a field given as None is left out."""
        body = {
            "input_file_id": input_file_id,
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            **fields,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        return self.request("POST", "/batches", json=sent)

    def batch(self, input_file_id: str, **fields: Any) -> dict[str, Any]:
        return json_of(self.create(input_file_id, **fields))

    def retrieve(self, batch_id: str) -> dict[str, Any]:
        return json_of(self.request("GET", f"/batches/{batch_id}"))

    def cancel(self, batch_id: str) -> httpx.Response:
        return self.request("POST", f"/batches/{batch_id}/cancel")

    def page(self, **query: Any) -> dict[str, Any]:
        return json_of(self.request("GET", "/batches", params=query))

    def files(self, **query: Any) -> list[dict[str, Any]]:
        answer = json_of(self.request("GET", "/files", params={"purpose": "batch", **query}))
        return list(answer["data"]["data"])

    def watch(self, batch_id: str) -> Iterator[dict[str, Any]]:
        """Yields the batch as it changes until it is final, or until patience ends."""
        deadline, pause, seen = time.monotonic() + self.patience, 0.02, None
        while True:
            batch = self.retrieve(batch_id)
            if batch != seen:
                yield batch
            if batch["status"] in FINAL or time.monotonic() > deadline:
                return
            seen = batch
            time.sleep(pause)
            pause = min(pause * 1.2, 10)

    def download(self, reference: str) -> list[dict[str, Any]]:
        """The records of a result file, by URL (without a key) or by id."""
        if reference.startswith("http"):
            response = self._send(httpx.Request("GET", reference))
        else:
            response = self.request("GET", f"/files/{reference}/content")
        if response.status_code != httpx.codes.OK:
            unexpected(response)
        return [json.loads(line) for line in response.content.split(b"\n") if line]


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a 200 answer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.status_code != httpx.codes.OK or not isinstance(body, dict):
        unexpected(response)
    return body


def unexpected(response: httpx.Response) -> NoReturn:
    raise Deviation("200 with a JSON object", f"{response.status_code} {response.text[:300]!r}")


def json_lines(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)


def replay(wire: dict[str, tuple[Target, httpx.Request]]) -> str:
    """A command that sends the latest request again; keys are left to the environment."""
    if "last" not in wire:
        return "(nothing was sent)"
    target, request = wire["last"]
    words = ["curl", "-X", request.method, shlex.quote(str(request.url))]
    given = request.headers.get("authorization")
    if given is not None:
        shown = given.replace(target.key, f"${target.variable}")
        words.append(f'-H "Authorization: {shown}"')
    if "content-type" in request.headers:
        words.append("-H " + shlex.quote(f"Content-Type: {request.headers['content-type']}"))
        words.append("--data-binary " + _body(request))
    return " ".join(words)


def _body(request: httpx.Request) -> str:
    # A multipart body is made anew each time it is read.
    content = b"".join(request.stream) if isinstance(request.stream, httpx.SyncByteStream) else b""
    return shlex.quote(content[:2000].decode("utf-8", "replace"))
