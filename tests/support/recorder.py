"""A client that records its exchanges, as the suite does."""

import json
from typing import Any

import httpx
from attrs import define, evolve, field

from siliconflow_batch_conformance.checks.creation import ENDPOINT
from siliconflow_batch_conformance.checks.exchange import BEARER, FINAL_STATUSES, Exchange
from siliconflow_batch_simulator import Simulator


@define
class Recorder:
    """`story` has all exchanges; `sender` is `own` for the first key of the simulator."""

    simulator: Simulator
    sender: str = "own"
    story: list[Exchange] = field(factory=list)

    @property
    def key(self) -> str:
        return self.simulator.keys[self.sender != "own"]

    def stranger(self) -> "Recorder":
        """A recorder for the second account with the same story."""
        return evolve(self, sender="stranger")

    def request(
        self,
        method: str,
        path: str,
        authorization: str | None = BEARER,
        awaited: bool = False,
        **content: Any,
    ) -> Exchange:
        headers = dict(content.pop("headers", {}))
        if authorization is not None:
            headers["Authorization"] = authorization.format(key=self.key)
        url = path if "://" in path else self.simulator.base_url + path
        with httpx.Client() as http:
            request = http.build_request(method, url, headers=headers, **content)
            request_body = request.read()
            response = http.send(request)
        exchange = Exchange(
            number=len(self.story) + 10,
            method=method,
            path=path,
            status=response.status_code,
            query={name: str(value) for name, value in content.get("params", {}).items()},
            request_body=request_body,
            request_type=request.headers.get("content-type", ""),
            sender=self.sender,
            authorization=authorization,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
            at=self.simulator.clock.now(),
            awaited=awaited,
        )
        self.story.append(exchange)
        return exchange

    def upload(self, *lines: dict[str, Any], data: bytes = b"", name: str = "in.jsonl") -> Exchange:
        content = data or b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        files = {"file": (name, content)}
        return self.request("POST", "/files", data={"purpose": "batch"}, files=files)

    def create(self, upload: Exchange, **fields: Any) -> Exchange:
        body = {"input_file_id": upload.json["data"]["id"], "endpoint": ENDPOINT}
        return self.request("POST", "/batches", json={**body, "completion_window": "24h", **fields})

    def watch(self, batch: Exchange, tries: int = 1000) -> list[Exchange]:
        """The exchanges that show each change of the batch, up to its end."""
        id, seen = batch.json["id"], [batch]
        for _ in range(tries):
            look = self.request("GET", f"/batches/{id}", awaited=True)
            if look.json["status"] == seen[-1].json["status"]:
                self.story.pop()
                continue
            seen.append(look)
            if look.json["status"] in FINAL_STATUSES:
                return seen
        return [*seen, self.request("GET", f"/batches/{id}", awaited=True)]


def line(custom_id: str = "a", **body: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"Say {custom_id}."}]
    return {"custom_id": custom_id, "body": {"model": "m", "messages": messages, **body}}
