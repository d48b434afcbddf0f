"""Lines answered by a chat-completions server, which is real and started here."""

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
    """A server of chat completions; `hold` keeps answers back until it is set."""

    url: str = ""
    asked: list[dict[str, Any]] = field(factory=list)
    most: int = 0
    now: int = 0
    hold: threading.Event = field(factory=threading.Event)
    lock: threading.Lock = field(factory=threading.Lock)


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    model.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with model.lock:
                model.asked.append(body)
                model.now += 1
                model.most = max(model.most, model.now)
            model.hold.wait(10)
            with model.lock:
                model.now -= 1
            self.answer(body["messages"][-1]["content"])

        def answer(self, asked: str) -> None:
            answers: dict[str, tuple[int, bytes]] = {
                "refuse": (400, b'{"error": {"message": "too long"}}'),
                "text": (500, b"out of memory"),
                "nonsense": (200, b"<html>"),
                "surrogate": (200, b'{"text": "\\ud83d"}'),
                "deep": (200, b'{"a":' * 3000 + b"1" + b"}" * 3000),
            }
            good = {"choices": [{"message": {"role": "assistant", "content": f"real: {asked}"}}]}
            if asked == "hang up":
                self.connection.close()
                return
            status, payload = answers.get(asked, (200, json.dumps(good).encode()))
            self.send_response(status)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        model.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield model
        model.hold.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def backed(model: Model) -> Iterator[Account]:
    backend = Backend(model.url, "local", concurrency=3)
    with Simulator(backend=backend, pace=Pace(cancelling=0)) as simulator:
        base = simulator.base_url + "/"
        with httpx.Client(base_url=base, headers=simulator.headers()) as http:
            yield Account(simulator, http)


def saying(custom_id: str, text: str, **body: Any) -> dict[str, Any]:
    return line(custom_id, messages=[{"role": "user", "content": text}], **body)


def finished(api: Account, batch_id: str) -> dict[str, Any]:
    while (batch := api.retrieve(batch_id))["status"] not in FINAL:
        pass
    return batch


class TestBackend:
    def test_lines_are_answered_by_the_model(self, backed: Account, model: Model) -> None:
        """The answer is the model's; the request is the line's, with the model's name."""
        batch = finished(backed, backed.batch(saying("a", "Hello", temperature=0.5)))

        (record,) = backed.records(batch["output_file_id"])
        content = record["response"]["body"]["choices"][0]["message"]["content"]
        assert content == "real: Hello"
        assert model.asked[0]["model"] == "local"
        assert model.asked[0]["temperature"] == 0.5
        assert "authorization" not in model.asked[0]

    def test_whatever_happens_to_a_line_the_batch_goes_on(self, backed: Account) -> None:
        """A refusal, a crash, nonsense and a lost connection fail their own lines."""
        texts = ["fine", "refuse", "text", "nonsense", "hang up", "surrogate", "deep"]

        batch = finished(backed, backed.batch(*(saying(text, text) for text in texts)))

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

    def test_no_more_lines_are_asked_than_allowed(self, backed: Account, model: Model) -> None:
        """Two batches together keep to the bound, and every line has one result, in order."""
        ids = [f"line-{number}" for number in range(20)]

        model.hold.clear()
        batches = [backed.batch(*(saying(id, id) for id in ids)) for _ in range(2)]
        for batch_id in batches:
            while backed.retrieve(batch_id)["status"] == "in_queue":
                pass
        for _ in range(100):  # time enough for a line too many
            backed.retrieve(batches[0])
        model.hold.set()

        for batch_id in batches:
            records = backed.records(finished(backed, batch_id)["output_file_id"])
            assert [record["custom_id"] for record in records] == ids
        assert model.most <= 3

    def test_a_cancel_waits_for_the_lines_in_flight(self, backed: Account, model: Model) -> None:
        """What was asked is answered and kept; nothing further is asked."""
        model.hold.clear()
        batch_id = backed.batch(*(saying(str(number), "x") for number in range(20)))
        while len(model.asked) < 3:
            pass

        backed.cancel(batch_id)
        cancelling = backed.retrieve(batch_id)
        model.hold.set()
        batch = finished(backed, batch_id)

        assert cancelling["status"] == "cancelling"
        assert batch["status"] == "cancelled"
        assert batch["request_counts"] == {"total": 20, "completed": 3, "failed": 0}
        assert len(model.asked) == 3

    def test_what_the_model_does_not_answer_in_time_expires(
        self, backed: Account, model: Model
    ) -> None:
        """The window closes on a model that is too slow."""
        model.hold.clear()
        batch_id = backed.batch(saying("a", "x"), saying("b", "y"))
        while len(model.asked) < 2:
            pass

        batch = backed.advance(batch_id, hours=25)
        model.hold.set()
        while backed.simulator.service.execution.busy:
            pass

        assert backed.retrieve(batch_id) == batch
        errors = backed.records(batch["error_file_id"])
        assert batch["status"] == "expired"
        assert [record["error"]["code"] for record in errors] == ["batch_expired"] * 2
