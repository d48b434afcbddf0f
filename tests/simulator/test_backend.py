"""A backend: lines are sent to a chat-completions server, started here."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from attrs import define, field

from siliconflow_batch_simulator import Backend, Pace, Simulator
from support.account import Account, line

FINAL = ("completed", "failed", "expired", "cancelled")


@define
class Model:
    """A chat-completions server; it sends no response until `released` is set."""

    url: str = ""
    received: list[dict[str, Any]] = field(factory=list)
    peak: int = 0
    in_flight: int = 0
    released: threading.Event = field(factory=threading.Event)
    lock: threading.Lock = field(factory=threading.Lock)


RESPONSES: dict[str, tuple[int, bytes]] = {
    "refuse": (400, b'{"error": {"message": "too long"}}'),
    "text": (500, b"out of memory"),
    "nonsense": (200, b"<html>"),
    "surrogate": (200, b'{"text": "\\ud83d"}'),
    "deep": (200, b'{"a":' * 3000 + b"1" + b"}" * 3000),
}


class Handler(BaseHTTPRequestHandler):
    """Sends the response of RESPONSES for the last message, otherwise a completion."""

    model: Model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.model.lock:
            self.model.received.append(body)
            self.model.in_flight += 1
            self.model.peak = max(self.model.peak, self.model.in_flight)
        self.model.released.wait(10)
        with self.model.lock:
            self.model.in_flight -= 1
        self.respond(body["messages"][-1]["content"])

    def respond(self, prompt: str) -> None:
        if prompt == "hang up":
            self.connection.close()
            return
        message = {"role": "assistant", "content": f"real: {prompt}"}
        completion = (200, json.dumps({"choices": [{"message": message}]}).encode())
        status, payload = RESPONSES.get(prompt, completion)
        self.send_response(status)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    model.released.set()
    handler = type("ModelHandler", (Handler,), {"model": model})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        model.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield model
        model.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def backed(model: Model) -> Iterator[Account]:
    backend = Backend(model.url, "local", concurrency=3)
    with Simulator(backend=backend, pace=Pace(cancelling=0)) as simulator:
        base = simulator.base_url + "/"
        with httpx.Client(base_url=base, headers=simulator.headers()) as http:
            yield Account(simulator, http)


def prompt(custom_id: str, text: str, **body: Any) -> dict[str, Any]:
    return line(custom_id, messages=[{"role": "user", "content": text}], **body)


def finished(api: Account, batch_id: str) -> dict[str, Any]:
    while (batch := api.retrieve(batch_id))["status"] not in FINAL:
        pass
    return batch


class TestBackend:
    def test_lines_are_answered_by_the_model(self, backed: Account, model: Model) -> None:
        """The request has the line's parameters and the backend's model."""
        batch = finished(backed, backed.batch(prompt("a", "Hello", temperature=0.5)))

        (record,) = backed.records(batch["output_file_id"])
        content = record["response"]["body"]["choices"][0]["message"]["content"]
        assert content == "real: Hello"
        assert model.received[0]["model"] == "local"
        assert model.received[0]["temperature"] == 0.5
        assert "authorization" not in model.received[0]

    def test_a_line_that_cannot_be_answered_fails_alone(self, backed: Account) -> None:
        """A refusal, a crash, invalid JSON and a lost connection fail only their own lines."""
        texts = ["fine", "refuse", "text", "nonsense", "hang up", "surrogate", "deep"]

        batch = finished(backed, backed.batch(*(prompt(text, text) for text in texts)))

        errors = backed.records(batch["error_file_id"])
        statuses = {record["custom_id"]: record["response"]["status_code"] for record in errors}
        assert batch["request_counts"] == {"total": 7, "completed": 1, "failed": 6}
        assert statuses == {
            "refuse": 400,
            "text": 500,
            "nonsense": 502,
            "hang up": 503,
            "surrogate": 503,
            "deep": 503,
        }
        assert "out of memory" in errors[1]["response"]["body"]["message"]

    def test_concurrency_is_limited(self, backed: Account, model: Model) -> None:
        """Two batches share the limit, and every line has one result, in order."""
        ids = [f"line-{number}" for number in range(20)]

        model.released.clear()
        batches = [backed.batch(*(prompt(id, id) for id in ids)) for _ in range(2)]
        for batch_id in batches:
            while backed.retrieve(batch_id)["status"] == "in_queue":
                pass
        for _ in range(100):  # enough for a line over the limit to arrive
            backed.retrieve(batches[0])
        model.released.set()

        for batch_id in batches:
            records = backed.records(finished(backed, batch_id)["output_file_id"])
            assert [record["custom_id"] for record in records] == ids
        assert model.peak <= 3

    def test_a_cancel_waits_for_lines_in_flight(self, backed: Account, model: Model) -> None:
        """Lines in flight keep their results; no further line is sent."""
        model.released.clear()
        batch_id = backed.batch(*(prompt(str(number), "x") for number in range(20)))
        while len(model.received) < 3:
            pass

        backed.cancel(batch_id)
        cancelling = backed.retrieve(batch_id)
        model.released.set()
        batch = finished(backed, batch_id)

        assert cancelling["status"] == "cancelling"
        assert batch["status"] == "cancelled"
        assert batch["request_counts"] == {"total": 20, "completed": 3, "failed": 0}
        assert len(model.received) == 3

    def test_lines_without_a_response_in_time_expire(self, backed: Account, model: Model) -> None:
        """A batch expires when the window ends, and late responses are ignored."""
        model.released.clear()
        batch_id = backed.batch(prompt("a", "x"), prompt("b", "y"))
        while len(model.received) < 2:
            pass

        batch = backed.advance(batch_id, hours=25)
        model.released.set()
        while backed.simulator.service.execution.busy:
            pass

        assert backed.retrieve(batch_id) == batch
        errors = backed.records(batch["error_file_id"])
        assert batch["status"] == "expired"
        assert [record["error"]["code"] for record in errors] == ["batch_expired"] * 2
