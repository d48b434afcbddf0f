"""A client that keeps what it sent and what it was answered, as the suite does."""

import json
import time
from typing import Any

import httpx
from attrs import define, evolve, field

from siliconflow_batch_conformance.checks.exchange import BEARER, Exchange
from siliconflow_batch_simulator import Simulator

ENDPOINT = "/v1/chat/completions"
FINAL = {"completed", "failed", "expired", "cancelled"}


@define
class Recorder:
    """`story` holds all exchanges; `sender` is the account, by the simulator's keys."""

    simulator: Simulator
    sender: str = "own"
    story: list[Exchange] = field(factory=list)

    @property
    def key(self) -> str:
        return self.simulator.keys[self.sender != "own"]

    def stranger(self) -> "Recorder":
        """The second account; it writes on in the same story."""
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
            sent = request.read()
            answer = http.send(request)
        made = Exchange(
            number=len(self.story) + 10,
            method=method,
            path=path,
            status=answer.status_code,
            query={name: str(value) for name, value in content.get("params", {}).items()},
            request_body=sent,
            request_type=request.headers.get("content-type", ""),
            sender=self.sender,
            authorization=authorization,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=answer.content,
            at=time.time(),
            awaited=awaited,
        )
        self.story.append(made)
        return made

    def upload(self, *lines: dict[str, Any], data: bytes = b"", name: str = "in.jsonl") -> Exchange:
        made = data or b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        return self.request(
            "POST", "/files", data={"purpose": "batch"}, files={"file": (name, made)}
        )

    def create(self, upload: Exchange, **fields: Any) -> Exchange:
        body = {"input_file_id": upload.json["data"]["id"], "endpoint": ENDPOINT}
        return self.request("POST", "/batches", json={**body, "completion_window": "24h", **fields})

    def watch(self, batch: Exchange, tries: int = 1000) -> list[Exchange]:
        """The answers from the first to the last, as often as the batch changed."""
        id, seen = batch.json["id"], [batch]
        for _ in range(tries):
            answer = self.request("GET", f"/batches/{id}", awaited=True)
            changed = answer.json["status"] != seen[-1].json["status"]
            if not changed:
                self.story.pop()
                continue
            seen.append(answer)
            if answer.json["status"] in FINAL:
                return seen
        return [*seen, self.request("GET", f"/batches/{id}", awaited=True)]


def line(custom_id: str = "a", **body: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"Say {custom_id}."}]
    return {"custom_id": custom_id, "body": {"model": "m", "messages": messages, **body}}
