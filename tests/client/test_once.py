"""No batch is paid for twice, and no key is shown. Every test runs on both clients."""

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Patience, errors
from siliconflow_batch_simulator import Clock, Simulator
from support.account import asked, json_lines, line


class TestOnce:
    def test_a_lost_response(self, client: Any, simulator: Simulator) -> None:
        """The batch is found in the list, returned, and not created again."""
        file = client.upload(json_lines(line("a")))
        simulator.faults.add("reset-after", "POST /batches", times=1)

        batch = client.create(file.id)

        assert [listed.id for listed in client.batches()] == [batch.id]
        assert asked(simulator).count("POST /v1/batches") == 1

    def test_a_creation_that_failed_is_repeated(self, client: Any, simulator: Simulator) -> None:
        """After a 504 of a gateway the list has no batch, so the batch is created again."""
        earlier = client.create(client.upload(json_lines(line("z"))).id)
        file = client.upload(json_lines(line("a")))
        simulator.faults.add("timeout-html", "POST /batches", times=1)

        batch = client.create(file.id)

        assert [listed.id for listed in client.batches()] == [batch.id, earlier.id]

    @pytest.mark.parametrize("name", ["overloaded-object", "rate-limited"])
    def test_an_unreadable_list_leaves_the_outcome_unknown(
        self, client: Any, simulator: Simulator, name: str
    ) -> None:
        """`CreateOutcomeUnknown` has the token, which finds the batch later."""
        file = client.upload(json_lines(line("a")))
        simulator.faults.add("reset-after", "POST /batches")
        simulator.faults.add(name, "GET /batches")

        with pytest.raises(errors.CreateOutcomeUnknown) as unknown:
            client.create(file.id)
        with pytest.raises(errors.CreateOutcomeUnknown, match="the list could not be read"):
            client.find(unknown.value.token)

        simulator.faults.clear()
        assert asked(simulator).count("POST /v1/batches") == 1
        assert client.find(unknown.value.token).token == unknown.value.token
        assert client.find("another token") is None

    @pytest.mark.parametrize(
        "patience", [{"looks": 0}, {"creations": 0}, {"seconds": -1}, {"seconds": float("inf")}]
    )
    def test_a_patience_without_a_search_is_refused(self, patience: dict[str, Any]) -> None:
        """Without a search a batch could be paid for twice."""
        with pytest.raises(errors.ArgumentInvalid, match=min(patience)):
            Patience(**patience)

    def test_a_list_without_paging_is_incomplete(self, client: Any, simulator: Simulator) -> None:
        """A batch that is not on the first page may be on one that cannot be read."""
        file = client.upload(json_lines(line("a")))
        for _ in range(101):
            client.create(file.id)
        simulator.faults.add("after-ignored", "GET /batches")
        simulator.faults.add("timeout-empty", "POST /batches")

        with pytest.raises(errors.CreateOutcomeUnknown):
            client.create(file.id)

    @pytest.mark.soak
    def test_no_failure_creates_a_duplicate(self, opened: Any, soak: bool) -> None:
        """With lost responses and lagging lists, no token has two batches: 500 requests in full."""
        requests = 500 if soak else 100
        with Simulator(seed=11, clock=Clock(speed=1000)) as simulator:
            client = opened(
                key=simulator.api_key,
                base_url=simulator.base_url,
                patience=Patience(seconds=0.06, looks=3, creations=4),
            )
            file = client.upload(json_lines(line("a")))
            for name, rate in {
                "reset-after": 0.25,
                "reset-before": 0.15,
                "timeout-html": 0.15,
                "overloaded-string": 0.1,
                "rate-limited": 0.1,
                "server-error": 0.1,
            }.items():
                simulator.faults.add(name, "POST /batches", rate=rate)
            simulator.faults.add("list-lags", "GET /batches")
            simulator.faults.add("server-error", "GET /batches", rate=0.05)
            created, unknown = [], []
            while asked(simulator).count("POST /v1/batches") < requests:
                try:
                    created.append(client.create(file.id).token)
                except errors.CreateOutcomeUnknown as lost:
                    unknown.append(lost.token)

            existing = [batch.metadata or {} for batch in simulator.service.batches.values()]

        tokens = [metadata["siliconflow_batch_token"] for metadata in existing]
        assert len(tokens) == len(set(tokens))
        assert set(created) <= set(tokens)
        assert len(created) > 10 * len(unknown)


class TestIdempotencyKey:
    @pytest.fixture
    def connect(self, opened: Any, simulator: Simulator) -> Any:
        """Opens a client that remembers nothing, as in another process."""
        return lambda: opened(key=simulator.api_key, base_url=simulator.base_url)

    def test_the_same_key_returns_the_same_batch(self, connect: Any, simulator: Simulator) -> None:
        """The record on this machine has the batch, although the list shows no metadata."""
        simulator.faults.add("list-metadata-empty")
        file = connect().upload(json_lines(line("a")))

        first = connect().create(file.id, idempotency_key="nightly")
        again = connect().create(file.id, idempotency_key="nightly")
        other = connect().create(file.id, idempotency_key="weekly")

        assert first.id == again.id != other.id
        assert asked(simulator).count("POST /v1/batches") == 2

    def test_another_machine_finds_the_batch_in_the_list(
        self, connect: Any, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Without the record, the batch is found by the key's token in its metadata."""
        first = connect().submit(json_lines(line("a")), idempotency_key="nightly")
        monkeypatch.setenv("SILICONFLOW_STATE", str(tmp_path))

        again = connect().submit(json_lines(line("a")), idempotency_key="nightly")

        assert again.id == first.id
        assert asked(simulator).count("POST /v1/files") == 1

    def test_an_unreadable_list_before_anything_is_sent(
        self, connect: Any, simulator: Simulator
    ) -> None:
        """The error of the list is raised: nothing was sent, and the key can be used again."""
        simulator.faults.add("overloaded-object", "GET /batches")
        with pytest.raises(errors.ServiceUnavailable):
            connect().submit(json_lines(line("a")), idempotency_key="nightly")
        assert not {"POST /v1/files", "POST /v1/batches"} & set(asked(simulator))

        simulator.faults.clear()
        batch = connect().submit(json_lines(line("b")), idempotency_key="nightly")

        assert [listed.id for listed in connect().batches()] == [batch.id]

    def test_a_lost_response_in_another_process(self, connect: Any, simulator: Simulator) -> None:
        """After a `CreateOutcomeUnknown` the same key finds the batch without an upload."""
        simulator.faults.add("list-metadata-empty")
        simulator.faults.add("list-lags-a-minute")
        simulator.faults.add("reset-after", "POST /batches", times=1)
        with pytest.raises(errors.CreateOutcomeUnknown):
            connect().submit(json_lines(line("a")), idempotency_key="nightly")
        simulator.clock.advance(seconds=60)

        found = connect().submit(json_lines(line("a")), idempotency_key="nightly")

        assert list(simulator.service.batches) == [found.id]
        assert asked(simulator).count("POST /v1/files") == 1

    def test_a_key_of_another_request_is_refused(self, connect: Any, simulator: Simulator) -> None:
        """A key names one file with one set of options."""
        file = connect().upload(json_lines(line("a")))
        connect().create(file.id, idempotency_key="nightly")

        with pytest.raises(errors.ArgumentInvalid, match="belongs to another submission"):
            connect().create(file.id, window=48, idempotency_key="nightly")

        assert len(simulator.service.batches) == 1

    def test_the_key_of_a_refused_creation_can_be_used_again(self, connect: Any) -> None:
        """Where no batch can exist, the key is free."""
        with pytest.raises(errors.APIError):
            connect().create("file-unknown", idempotency_key="nightly")
        file = connect().upload(json_lines(line("a")))

        batch = connect().create(file.id, idempotency_key="nightly")

        assert batch.input_file_id == file.id

    @pytest.mark.parametrize("key", ["", " ", "half \ud800", 5])
    def test_an_invalid_key(self, connect: Any, key: Any) -> None:
        """A key is a text that is not empty and can be sent."""
        with pytest.raises(errors.ArgumentInvalid, match="idempotency_key"):
            connect().create("file-a", idempotency_key=key)


class TestSecrecy:
    def test_the_key_is_not_shown(
        self, client: Any, simulator: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Reprs, exceptions, their causes and logs do not contain it."""
        texts = [repr(client), repr(client.upload(b"{}"))]
        simulator.faults.add("reset-before")
        with caplog.at_level(logging.DEBUG):
            for call in (client.retrieve, client.cancel):
                try:
                    call("batch_x")
                except errors.SiliconFlowError as error:
                    texts += ["".join(traceback.format_exception(error)), repr(error)]

        assert len(texts) == 6
        assert simulator.api_key not in "".join(texts) + caplog.text

    def test_a_result_url_gets_no_key(self, client: Any, simulator: Simulator) -> None:
        """The key is sent with API requests only."""
        batch = client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)

        list(client.results(batch))

        authorized = {request.path[:9]: request.authorized for request in simulator.requests}
        assert authorized == {"/v1/files": True, "/v1/batch": True, "/results/": False}
