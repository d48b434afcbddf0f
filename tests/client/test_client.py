"""What people do with the client, on good days and on bad ones; every test runs on both clients."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Batch, Retries, errors, models
from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line

HOSTILE = (
    b'a\r\n--+++\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nx\r\n--+++--\r\n\xff\x00'
)


class TestFlow:
    def test_submit_wait_results(self, client: Any, tmp_path: Path) -> None:
        """A file of prompts becomes answers, in three calls."""
        source = tmp_path / "prompts.jsonl"
        source.write_bytes(json_lines(line("a"), line("b", max_tokens=0), line("c")))

        batch = client.submit(source, model="deepseek-ai/DeepSeek-V3")
        batch = client.wait(batch.id, interval=0.01)
        results = {result.custom_id: result for result in client.results(batch)}

        assert batch.status == "completed"
        assert (batch.counts.total, batch.counts.completed, batch.counts.failed) == (3, 2, 1)
        assert results["a"].text == "Simulated answer to: Say a."
        assert results["a"].body["model"] == "deepseek-ai/DeepSeek-V3"
        assert not results["b"].ok
        assert [result.custom_id for result in client.errors(batch)] == ["b"]

    def test_a_faulty_file_is_not_sent(self, client: Any, simulator: Simulator) -> None:
        """Every fault is told by line, and nothing leaves the machine."""
        with pytest.raises(errors.InputFileInvalid, match="line 2") as refused:
            client.submit(json_lines(line("a"), line("a"), {"custom_id": "b"}))

        assert {fault.line for fault in refused.value.faults} == {2, 3}
        assert asked(simulator) == []

    def test_results_in_the_order_of_the_input(self, client: Any) -> None:
        """Successes and failures stand where their lines stood."""
        ids = ["c", "a", "d", "b"]
        data = json_lines(*(line(id, **({"top_p": 9} if id in "ad" else {})) for id in ids))
        batch = client.wait(client.submit(data).id, interval=0.01)

        results = list(client.results(batch, order="input"))

        assert [result.custom_id for result in results] == ids
        assert [result.ok for result in results] == [True, False, False, True]

    def test_without_an_answer_there_are_failures_alone(
        self, client: Any, simulator: Simulator
    ) -> None:
        """Completed with every line failed is a plain answer."""
        simulator.faults.add("every-line-fails")
        batch = client.wait(client.submit(json_lines(line("a"), line("b"))).id, interval=0.01)

        assert batch.output_file_id is None
        assert [result.ok for result in client.results(batch)] == [False, False]

    def test_results_that_are_still_to_come(self, client: Any, simulator: Simulator) -> None:
        """An unfinished batch is not taken for one without results."""
        simulator.pace.running = 1e6
        batch = client.submit(json_lines(line("a")))

        with pytest.raises(errors.ArgumentInvalid, match="wait for it first"):
            list(client.results(batch))

    def test_results_by_id(self, client: Any, simulator: Simulator) -> None:
        """A service that names results by id is read as one that names URLs."""
        simulator.faults.add("result-ids")
        batch = client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)

        assert not batch.output_file_id.startswith("http")
        assert [result.custom_id for result in client.results(batch)] == ["a"]

    def test_pages_are_walked(self, client: Any, simulator: Simulator) -> None:
        """Every batch comes once, newest first; a service without paging does not make it spin."""
        file = client.upload(json_lines(line("a")))
        created = [client.create(file.id).id for _ in range(5)]

        assert [batch.id for batch in client.batches(limit=2)] == created[::-1]
        simulator.faults.add("after-ignored")
        assert [batch.id for batch in client.batches(limit=2)] == created[:2:-1]


class TestTypes:
    def test_a_batch_has_times_and_the_model_beneath(self, client: Any) -> None:
        """Aware datetimes beside the raw integers, the generated model, and the raw answer."""
        batch = client.submit(json_lines(line("a")), window=48, metadata={"description": "typed"})

        assert isinstance(batch, Batch)
        assert batch.expires_at - batch.created_at == timedelta(hours=48)
        assert batch.created_at.tzinfo is UTC
        assert batch.model.created_at == int(batch.created_at.timestamp())
        assert batch.metadata["description"] == "typed"
        assert (batch.completed_at, batch.is_final) == (None, False)
        assert isinstance(batch.model, models.Batch)
        assert batch.response is not None
        assert batch.response.json()["id"] == batch.id

    def test_a_file_has_one_time_whatever_its_spelling(self, client: Any) -> None:
        """`createdAt` and `created_at` are one."""
        uploaded = client.upload(b"{}\n{}\n", name="two.jsonl")
        (listed,) = client.files()

        assert uploaded.created_at == listed.created_at
        assert abs(uploaded.created_at - datetime.now(UTC)) < timedelta(minutes=5)
        assert (uploaded.line_count, listed.line_count) == (None, 2)
        assert (listed.id, listed.name, listed.bytes) == (uploaded.id, "two.jsonl", 6)

    def test_a_new_status_is_kept_and_is_no_end(self, client: Any, simulator: Simulator) -> None:
        """A status that nobody knows does not stop a wait."""
        simulator.pace.running = 1e6
        batch_id = client.submit(json_lines(line("a"))).id
        simulator.faults.add("status-unknown")
        seen = client.retrieve(batch_id)
        while seen.status == "in_queue":
            seen = client.retrieve(batch_id)

        assert (seen.status, seen.is_final) == ("throttled", False)


class TestUpload:
    @pytest.mark.parametrize("kind", ["path", "bytes", "file"])
    def test_every_byte_arrives(self, client: Any, kind: str, tmp_path: Path) -> None:
        """Whatever a file contains, it cannot end the upload or add to it."""
        path = tmp_path / "hostile.jsonl"
        path.write_bytes(HOSTILE)
        source = {"path": path, "bytes": HOSTILE, "file": io.BytesIO(HOSTILE)}[kind]

        file = client.upload(source)

        assert file.bytes == len(HOSTILE)
        assert client.download(file.id, tmp_path / "back").read_bytes() == HOSTILE

    def test_a_repeated_upload_begins_again(self, client: Any, simulator: Simulator) -> None:
        """After a refusal half-way the file is sent from where it began."""
        simulator.faults.add("upload-refused-midway", times=2)
        source = io.BytesIO(b"skipped" + HOSTILE)
        source.seek(7)

        assert client.upload(source).bytes == len(HOSTILE)

    def test_a_file_that_is_not_there(self, client: Any, tmp_path: Path) -> None:
        """A wrong path is named."""
        with pytest.raises(errors.ArgumentInvalid, match="nowhere"):
            client.upload(tmp_path / "nowhere.jsonl")


class TestRetries:
    @pytest.mark.parametrize(
        "name", ["rate-limited", "server-error", "overloaded-object", "timeout-html", "reset-after"]
    )
    def test_what_passes_is_sat_out(self, client: Any, simulator: Simulator, name: str) -> None:
        """Two bad answers, then a good one: the caller sees the good one."""
        batch_id = client.submit(json_lines(line("a"))).id
        simulator.faults.add(name, "GET /batches/{batch_id}", times=2)

        assert client.retrieve(batch_id).id == batch_id
        assert asked(simulator).count(f"GET /v1/batches/{batch_id}") == 3

    def test_what_stays_ends(self, opened: Any, simulator: Simulator) -> None:
        """The number of attempts is bounded, and the last answer is the one that is told."""
        simulator.faults.add("overloaded-string")
        client = opened(
            key=simulator.api_key, base_url=simulator.base_url, retries=Retries(attempts=4)
        )

        with pytest.raises(errors.ServiceUnavailable, match="Model service overloaded"):
            client.retrieve("batch_x")

        assert len(simulator.requests) == 4

    def test_what_will_not_change_is_not_repeated(self, client: Any, simulator: Simulator) -> None:
        """A refusal is an answer."""
        with pytest.raises(errors.NotFound):
            client.retrieve("batch_thereisnone")

        assert len(simulator.requests) == 1

    def test_the_servers_patience_counts(self, opened: Any, simulator: Simulator) -> None:
        """Who is told to wait for longer than there is time gives up at once."""
        simulator.faults.add("rate-limited-retry-after")
        client = opened(
            key=simulator.api_key, base_url=simulator.base_url, retries=Retries(seconds=0.5)
        )

        with pytest.raises(errors.RateLimited) as limited:
            client.retrieve("batch_x")

        assert limited.value.retry_after == 1
        assert len(simulator.requests) == 1

    def test_nobody_there(self, opened: Any) -> None:
        """A connection that fails is an exception of this package."""
        client = opened(key="sk-x", base_url="http://127.0.0.1:9/v1")

        for call in (client.retrieve, client.create):
            with pytest.raises(errors.TransportError, match="Check the connection") as failed:
                call("batch_x")
            assert failed.value.sent is False


class TestWait:
    def test_every_change_is_told_once(self, client: Any, simulator: Simulator) -> None:
        """`on_update` hears of each state, the last one included."""
        simulator.pace.running = 0.2
        told: list[Batch] = []
        batch_id = client.submit(json_lines(*(line(str(number)) for number in range(4)))).id

        client.wait(batch_id, interval=0.001, on_update=told.append)

        states = [(batch.status, batch.counts) for batch in told]
        assert states[-1][0] == "completed"
        assert len(states) == len(set(states)) > 2

    def test_an_outage_is_sat_out(self, client: Any, simulator: Simulator) -> None:
        """More failures than there are attempts do not end a wait that has time left."""
        batch_id = client.submit(json_lines(line("a"))).id
        simulator.faults.add("overloaded-string", "GET /batches/{batch_id}", times=25)

        assert client.wait(batch_id, interval=0.001).status == "completed"

    def test_time_runs_out(self, client: Any, simulator: Simulator) -> None:
        """A batch that is not done in time goes on, and the exception says how to go on."""
        simulator.pace.running = 1e6
        batch_id = client.submit(json_lines(line("a"))).id

        with pytest.raises(errors.WaitTimedOut, match=rf"wait\('{batch_id}'\)"):
            client.wait(batch_id, interval=0.001, timeout=0.05)

    def test_another_end_is_an_exception_unless_it_may_be(
        self, client: Any, simulator: Simulator
    ) -> None:
        """Cancelled is not completed; who expects it gets the batch."""
        simulator.pace.running = 1e6
        batch_id = client.submit(json_lines(line("a"))).id
        client.cancel(batch_id)

        with pytest.raises(errors.BatchCancelled) as ended:
            client.wait(batch_id, interval=0.001)

        assert ended.value.batch_id == batch_id
        assert client.wait(batch_id, interval=0.001, check=False).status == "cancelled"

    def test_expired_and_failed_have_exceptions_of_their_own(
        self, client: Any, simulator: Simulator
    ) -> None:
        """How a batch ended can be caught by name; `errors` of the service are in the text."""
        simulator.pace.running = 1e6
        expiring = client.submit(json_lines(line("a"))).id
        client.retrieve(expiring)
        simulator.clock.advance(hours=25)
        simulator.service.late_validation = True
        failing = client.create(client.upload(b"[]\n").id).id

        with pytest.raises(errors.BatchExpired):
            client.wait(expiring, interval=0.001)
        with pytest.raises(errors.BatchFailed, match="line 1"):
            client.wait(failing, interval=0.001)


class TestDownload:
    def test_a_truncated_download_is_completed(
        self, client: Any, simulator: Simulator, tmp_path: Path
    ) -> None:
        """The second half is fetched, not the first one again, and the file is whole."""
        data = bytes(range(256)) * 4096
        file = client.upload(data)
        simulator.faults.add("download-truncated", times=1)

        path = client.download(file.id, tmp_path / "whole")

        assert path.read_bytes() == data
        ranges = [request.headers.get("range") for request in simulator.requests][-2:]
        assert ranges == [None, f"bytes={len(data) // 2}-"]

    def test_a_download_that_never_ends_well_leaves_nothing(
        self, client: Any, simulator: Simulator, tmp_path: Path
    ) -> None:
        """Half a file is no file."""
        file = client.upload(b"x" * 1000)
        simulator.faults.add("download-truncated")

        with pytest.raises(errors.DownloadTruncated):
            client.download(file.id, tmp_path / "half")

        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there(self, client: Any, tmp_path: Path) -> None:
        """A target that cannot be written is named before anything is asked for."""
        with pytest.raises(errors.ArgumentInvalid, match="cannot be written"):
            client.download("file-x", tmp_path / "nowhere" / "x")

    def test_what_was_there_stays_until_it_is_replaced(self, client: Any, tmp_path: Path) -> None:
        """A failed download does not cost the file of the day before."""
        target = tmp_path / "results.jsonl"
        target.write_text("yesterday")

        with pytest.raises(errors.NotFound):
            client.download("file-thereisnone", target)

        assert target.read_text() == "yesterday"


class TestArguments:
    @pytest.mark.parametrize("given", ["", "..", "a/b", "a?b", "a b", "é", "x" * 201, None, 1])
    def test_an_id_that_is_none_is_not_sent(
        self, client: Any, simulator: Simulator, given: Any
    ) -> None:
        """Nothing from outside becomes another path."""
        for method in (client.retrieve, client.cancel, client.create):
            with pytest.raises(errors.ArgumentInvalid):
                method(given)

        assert asked(simulator) == []

    @pytest.mark.parametrize(
        "arguments",
        [
            {"window": "23h"},
            {"window": 337},
            {"window": "1d"},
            {"model": " "},
            {"metadata": {"k": 1}},
            {"metadata": {"k" * 65: "v"}},
            {"metadata": {"k": "v" * 513}},
            {"metadata": {str(number): "" for number in range(16)}},
        ],
    )
    def test_a_creation_beyond_the_limits_is_not_sent(
        self, client: Any, simulator: Simulator, arguments: dict[str, Any]
    ) -> None:
        """The limits of the documents are known before anything is sent."""
        with pytest.raises(errors.ArgumentInvalid):
            client.create("file-x", **arguments)

        with pytest.raises(errors.ArgumentInvalid):
            client.submit(json_lines(line("a")), **arguments)

        assert asked(simulator) == []

    @pytest.mark.parametrize("key", ["", " ", "sk-é", "sk\nx", "sk x"])
    def test_a_key_that_cannot_be_sent(self, opened: Any, key: str) -> None:
        """It is found at once, and not repeated."""
        with pytest.raises(errors.KeyMissing) as missing:
            opened(key=key)

        assert not key.strip() or key not in str(missing.value)

    def test_key_and_site_come_from_the_environment(
        self, opened: Any, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SILICONFLOW_API_KEY and SILICONFLOW_BASE_URL are enough."""
        monkeypatch.setenv("SILICONFLOW_API_KEY", f"{simulator.api_key}\n")
        monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)

        assert list(opened().batches()) == []
