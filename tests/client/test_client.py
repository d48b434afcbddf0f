"""The methods of the client, with and without errors. Every test runs on both clients."""

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
        """Three calls turn a file of prompts into results."""
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

    def test_an_invalid_file_is_not_sent(self, client: Any, simulator: Simulator) -> None:
        """The exception lists every fault with its line, and no request is sent."""
        with pytest.raises(errors.InputFileInvalid, match="line 2") as invalid:
            client.submit(json_lines(line("a"), line("a"), {"custom_id": "b"}))

        assert {fault.line for fault in invalid.value.faults} == {2, 3}
        assert asked(simulator) == []

    def test_results_in_the_order_of_the_input(self, client: Any) -> None:
        """`order="input"` yields successes and failures in the order of their lines."""
        ids = ["c", "a", "d", "b"]
        data = json_lines(*(line(id, **({"top_p": 9} if id in "ad" else {})) for id in ids))
        batch = client.wait(client.submit(data).id, interval=0.01)

        results = list(client.results(batch, order="input"))

        assert [result.custom_id for result in results] == ids
        assert [result.ok for result in results] == [True, False, False, True]

    def test_a_completed_batch_may_have_failed_lines_only(
        self, client: Any, simulator: Simulator
    ) -> None:
        """`results` yields the failed lines; the missing output file is not an error."""
        simulator.faults.add("every-line-fails")
        batch = client.wait(client.submit(json_lines(line("a"), line("b"))).id, interval=0.01)

        assert batch.output_file_id is None
        assert [result.ok for result in client.results(batch)] == [False, False]

    def test_a_running_batch_has_no_results_yet(self, client: Any, simulator: Simulator) -> None:
        """`results` of a batch that is not final is an error, not an empty iterator."""
        simulator.pace.running = 1e6
        batch = client.submit(json_lines(line("a")))

        with pytest.raises(errors.ArgumentInvalid, match="wait for it first"):
            list(client.results(batch))

    def test_results_by_id(self, client: Any, simulator: Simulator) -> None:
        """The result files may be ids instead of URLs."""
        simulator.faults.add("result-ids")
        batch = client.wait(client.submit(json_lines(line("a"))).id, interval=0.01)

        assert not batch.output_file_id.startswith("http")
        assert [result.custom_id for result in client.results(batch)] == ["a"]

    def test_pages_are_followed(self, client: Any, simulator: Simulator) -> None:
        """Every batch is yielded once, newest first; a list that cannot be paged says so."""
        file = client.upload(json_lines(line("a")))
        created = [client.create(file.id).id for _ in range(5)]

        assert [batch.id for batch in client.batches(limit=2)] == created[::-1]
        simulator.faults.add("after-ignored")
        with pytest.raises(errors.ListIncomplete, match="ignores `after`"):
            list(client.batches(limit=2))


class TestTypes:
    def test_a_batch_has_datetimes_and_its_model(self, client: Any) -> None:
        """A batch has aware datetimes, the generated model with integers, and the response."""
        batch = client.submit(json_lines(line("a")), window=48, metadata={"description": "typed"})

        assert isinstance(batch, Batch)
        assert batch.expires_at is not None
        assert batch.created_at is not None
        assert batch.expires_at - batch.created_at == timedelta(hours=48)
        assert batch.created_at.tzinfo is UTC
        assert batch.model.created_at == int(batch.created_at.timestamp())
        assert batch.metadata["description"] == "typed"
        assert (batch.completed_at, batch.is_final) == (None, False)
        assert isinstance(batch.model, models.Batch)
        assert batch.response is not None
        assert batch.response.json()["id"] == batch.id

    def test_a_file_has_its_time_from_either_spelling(self, client: Any) -> None:
        """`createdAt` of an upload and `created_at` of a list are the same."""
        uploaded = client.upload(b"{}\n{}\n", name="two.jsonl")
        (listed,) = client.files()

        assert uploaded.created_at == listed.created_at
        assert abs(uploaded.created_at - datetime.now(UTC)) < timedelta(minutes=5)
        assert (uploaded.line_count, listed.line_count) == (None, 2)
        assert (listed.id, listed.name, listed.bytes) == (uploaded.id, "two.jsonl", 6)

    def test_an_unknown_status_is_not_final(self, client: Any, simulator: Simulator) -> None:
        """A status that no document names is kept, and does not end a wait."""
        simulator.pace.running = 1e6
        batch_id = client.submit(json_lines(line("a"))).id
        simulator.faults.add("status-unknown")
        batch = client.retrieve(batch_id)
        while batch.status == "in_queue":
            batch = client.retrieve(batch_id)

        assert (batch.status, batch.is_final) == ("throttled", False)


class TestUpload:
    @pytest.mark.parametrize("kind", ["path", "bytes", "file"])
    def test_every_byte_arrives(self, client: Any, kind: str, tmp_path: Path) -> None:
        """No content of a file can end the form or add a field to it."""
        path = tmp_path / "hostile.jsonl"
        path.write_bytes(HOSTILE)
        source = {"path": path, "bytes": HOSTILE, "file": io.BytesIO(HOSTILE)}[kind]

        file = client.upload(source)

        assert file.bytes == len(HOSTILE)
        assert client.download(file.id, tmp_path / "back").read_bytes() == HOSTILE

    def test_a_repeated_upload_starts_again(self, client: Any, simulator: Simulator) -> None:
        """After a refusal midway, the file is sent again from its first position."""
        simulator.faults.add("upload-refused-midway", times=2)
        source = io.BytesIO(b"skipped" + HOSTILE)
        source.seek(7)

        assert client.upload(source).bytes == len(HOSTILE)

    def test_a_missing_file(self, client: Any, tmp_path: Path) -> None:
        """The exception names the path."""
        with pytest.raises(errors.ArgumentInvalid, match="nowhere"):
            client.upload(tmp_path / "nowhere.jsonl")


class TestRetries:
    @pytest.mark.parametrize(
        "name", ["rate-limited", "server-error", "overloaded-object", "timeout-html", "reset-after"]
    )
    def test_a_temporary_failure_is_retried(
        self, client: Any, simulator: Simulator, name: str
    ) -> None:
        """After two failures the third attempt succeeds, and the caller gets its result."""
        batch_id = client.submit(json_lines(line("a"))).id
        simulator.faults.add(name, "GET /batches/{batch_id}", times=2)

        assert client.retrieve(batch_id).id == batch_id
        assert asked(simulator).count(f"GET /v1/batches/{batch_id}") == 3

    def test_a_lasting_failure_is_raised(self, opened: Any, simulator: Simulator) -> None:
        """After the last attempt its error is raised."""
        simulator.faults.add("overloaded-string")
        client = opened(
            key=simulator.api_key, base_url=simulator.base_url, retries=Retries(attempts=4)
        )

        with pytest.raises(errors.ServiceUnavailable, match="Model service overloaded"):
            client.retrieve("batch_x")

        assert len(simulator.requests) == 4

    def test_a_client_error_is_not_retried(self, client: Any, simulator: Simulator) -> None:
        """A 404 is raised after one attempt."""
        with pytest.raises(errors.NotFound):
            client.retrieve("batch_thereisnone")

        assert len(simulator.requests) == 1

    def test_a_long_retry_after_is_not_waited_for(self, opened: Any, simulator: Simulator) -> None:
        """A `Retry-After` that exceeds `Retries.seconds` raises the error at once."""
        simulator.faults.add("rate-limited-retry-after")
        client = opened(
            key=simulator.api_key, base_url=simulator.base_url, retries=Retries(seconds=0.5)
        )

        with pytest.raises(errors.RateLimited) as limited:
            client.retrieve("batch_x")

        assert limited.value.retry_after == 1
        assert len(simulator.requests) == 1

    def test_a_refused_connection(self, opened: Any) -> None:
        """It is a `TransportError` with `sent` False."""
        client = opened(key="sk-x", base_url="http://127.0.0.1:9/v1")

        for call in (client.retrieve, client.create):
            with pytest.raises(errors.TransportError, match="Check the connection") as failed:
                call("batch_x")
            assert failed.value.sent is False


class TestWait:
    def test_every_change_is_reported_once(self, client: Any, simulator: Simulator) -> None:
        """`on_update` is called with each state, including the last one."""
        simulator.pace.running = 0.2
        updates: list[Batch] = []
        batch_id = client.submit(json_lines(*(line(str(number)) for number in range(4)))).id

        client.wait(batch_id, interval=0.001, on_update=updates.append)

        states = [(batch.status, batch.counts) for batch in updates]
        assert states[-1][0] == "completed"
        assert len(states) == len(set(states)) > 2

    def test_an_outage_does_not_end_a_wait(self, client: Any, simulator: Simulator) -> None:
        """`wait` goes on when all attempts of a request have failed."""
        batch_id = client.submit(json_lines(line("a"))).id
        simulator.faults.add("overloaded-string", "GET /batches/{batch_id}", times=25)

        assert client.wait(batch_id, interval=0.001).status == "completed"

    def test_a_timeout(self, client: Any, simulator: Simulator) -> None:
        """`WaitTimedOut` says that the batch continues, and how to wait for it again."""
        simulator.pace.running = 1e6
        batch_id = client.submit(json_lines(line("a"))).id

        with pytest.raises(errors.WaitTimedOut, match=rf"wait\('{batch_id}'\)"):
            client.wait(batch_id, interval=0.001, timeout=0.05)

    def test_a_cancelled_batch_is_an_exception_unless_check_is_false(
        self, client: Any, simulator: Simulator
    ) -> None:
        """`check=False` returns the cancelled batch."""
        simulator.pace.running = 1e6
        batch_id = client.submit(json_lines(line("a"))).id
        client.cancel(batch_id)

        with pytest.raises(errors.BatchCancelled) as ended:
            client.wait(batch_id, interval=0.001)

        assert ended.value.batch_id == ended.value.batch.id == batch_id
        assert client.wait(batch_id, interval=0.001, check=False).status == "cancelled"

    def test_expired_and_failed_have_exceptions_of_their_own(
        self, client: Any, simulator: Simulator
    ) -> None:
        """They can be caught by name; the batch's `errors` are in the text."""
        simulator.pace.running = 1e6
        expiring = client.submit(json_lines(line("a"))).id
        client.retrieve(expiring)
        simulator.clock.advance(hours=25)
        simulator.faults.add("input-fails-late")
        failing = client.create(client.upload(b"[]\n").id).id

        with pytest.raises(errors.BatchExpired):
            client.wait(expiring, interval=0.001)
        with pytest.raises(errors.BatchFailed, match="line 1"):
            client.wait(failing, interval=0.001)


class TestDownload:
    def test_a_truncated_download_is_completed(
        self, client: Any, simulator: Simulator, tmp_path: Path
    ) -> None:
        """Only the second half is requested again, and the file is complete."""
        data = bytes(range(256)) * 4096
        file = client.upload(data)
        simulator.faults.add("download-truncated", times=1)

        path = client.download(file.id, tmp_path / "whole")

        assert path.read_bytes() == data
        ranges = [request.headers.get("range") for request in simulator.requests][-2:]
        assert ranges == [None, f"bytes={len(data) // 2}-"]

    def test_a_failed_download_leaves_no_file(
        self, client: Any, simulator: Simulator, tmp_path: Path
    ) -> None:
        """Neither the target nor a partial file exists after `DownloadTruncated`."""
        file = client.upload(b"x" * 1000)
        simulator.faults.add("download-truncated")

        with pytest.raises(errors.DownloadTruncated):
            client.download(file.id, tmp_path / "half")

        assert list(tmp_path.iterdir()) == []

    def test_a_missing_folder(self, client: Any, tmp_path: Path) -> None:
        """A target that cannot be written is refused before the download starts."""
        with pytest.raises(errors.ArgumentInvalid, match="Cannot write"):
            client.download("file-x", tmp_path / "nowhere" / "x")

    def test_a_failed_download_keeps_the_old_file(self, client: Any, tmp_path: Path) -> None:
        """The target is replaced only when the download is complete."""
        target = tmp_path / "results.jsonl"
        target.write_text("yesterday")

        with pytest.raises(errors.NotFound):
            client.download("file-thereisnone", target)

        assert target.read_text() == "yesterday"


class TestArguments:
    @pytest.mark.parametrize("id", ["", "..", "a/b", "a?b", "a b", "é", "x" * 201, None, 1])
    def test_an_invalid_id_is_not_sent(
        self, client: Any, simulator: Simulator, id: Any, tmp_path: Path
    ) -> None:
        """An id cannot change the path of a request."""
        for method in (client.retrieve, client.cancel, client.create):
            with pytest.raises(errors.ArgumentInvalid, match="Invalid id"):
                method(id)
        with pytest.raises(errors.ArgumentInvalid, match="Invalid id"):
            client.download(id, tmp_path / "x")

        assert asked(simulator) == []

    @pytest.mark.parametrize(
        "arguments",
        [
            {"window": "23h"},
            {"window": 337},
            {"window": "1d"},
            {"window": None},
            {"model": " "},
            {"model": "\ud83d"},
            {"metadata": {"k": "\ud83d"}},
            {"metadata": {"k": 1}},
            {"metadata": {"k" * 65: "v"}},
            {"metadata": {"k": "v" * 513}},
            {"metadata": {str(number): "" for number in range(16)}},
        ],
    )
    def test_a_creation_beyond_the_limits_is_not_sent(
        self, client: Any, simulator: Simulator, arguments: dict[str, Any]
    ) -> None:
        """The documented limits are checked before anything is sent."""
        with pytest.raises(errors.ArgumentInvalid):
            client.create("file-x", **arguments)

        with pytest.raises(errors.ArgumentInvalid):
            client.submit(json_lines(line("a")), **arguments)

        assert asked(simulator) == []

    @pytest.mark.parametrize("key", ["", " ", "sk-é", "sk\nx", "sk x"])
    def test_an_invalid_key(self, opened: Any, key: str) -> None:
        """It is refused at once, and the message does not contain it."""
        with pytest.raises(errors.KeyMissing) as missing:
            opened(key=key)

        assert not key.strip() or key not in str(missing.value)

    def test_key_and_site_come_from_the_environment(
        self, opened: Any, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No argument is needed with SILICONFLOW_API_KEY and SILICONFLOW_BASE_URL."""
        monkeypatch.setenv("SILICONFLOW_API_KEY", f"{simulator.api_key}\n")
        monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)

        assert list(opened().batches()) == []
