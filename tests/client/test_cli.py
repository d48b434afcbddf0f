"""status, list, files, cancel and wait, called in this process against a simulator."""

import json
from pathlib import Path
from threading import Thread

import pytest

from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.shell import Shell, until

GOOD = json_lines(line("a"), line("b", top_p=9), line("c"))


@pytest.fixture
def prompts(site: Simulator) -> str:
    """A valid file with three lines; the second line will fail."""
    Path("prompts.jsonl").write_bytes(GOOD)
    return "prompts.jsonl"


@pytest.fixture
def batch(shell: Shell, prompts: str) -> str:
    """The id of a completed batch of `prompts`."""
    id = shell("submit", prompts).out.strip()
    shell("wait", id, "--interval", "0.01")
    return id


@pytest.fixture
def running(shell: Shell, prompts: str, site: Simulator) -> str:
    """The id of a batch that does not end."""
    site.pace.running = 1e6
    return shell("submit", prompts).out.strip()


class TestStatus:
    def test_a_row_for_each_batch(self, shell: Shell, batch: str) -> None:
        """In a pipe rows are tab-separated, without a header."""
        result = shell("status", batch)

        assert result.status == 0
        assert result.rows[0][:5] == [batch, "completed", "3", "2", "1"]

    def test_an_unknown_batch_does_not_hide_the_others(self, shell: Shell, batch: str) -> None:
        """It is reported on stderr and in the exit status; the other batches are shown."""
        result = shell("status", "batch_nope", batch)

        assert result.status == 3
        assert [row[0] for row in result.rows] == [batch]
        assert "batch_nope" in result.err

    def test_json_is_the_response(self, shell: Shell, batch: str) -> None:
        """Each batch is printed as one line of JSON."""
        batch_json = json.loads(shell("status", batch, "--json").out)

        assert batch_json["id"] == batch
        assert batch_json["request_counts"] == {"total": 3, "completed": 2, "failed": 1}

    def test_an_unknown_token(self, shell: Shell, batch: str) -> None:
        """The message says that lists can lag, so that nobody pays twice."""
        result = shell("status", "--token", "0" * 32)

        assert result.status == 3
        assert "look again" in result.err

    def test_neither_ids_nor_a_token(self, shell: Shell) -> None:
        """Without an id or a token it is a usage error."""
        assert shell("status").status == 2


class TestList:
    def test_newest_first_up_to_the_limit(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """--limit N shows N batches and reports whether there are more; 0 shows all."""
        ids = [shell("submit", prompts).out.strip() for _ in range(3)]

        two, everything = shell("list", "--limit", "2"), shell("list", "--limit", "0")

        assert [row[0] for row in two.rows] == ids[:0:-1]
        assert "more than 2" in two.err
        assert [row[0] for row in everything.rows] == ids[::-1]
        assert everything.err == ""

    def test_by_status_and_by_input_file(self, shell: Shell, batch: str, running: str) -> None:
        """Filtered lists read further pages until the limit is reached."""
        file = json.loads(shell("status", batch, "--json").out)["input_file_id"]

        done = shell("list", "--status", "completed", "--status", "failed", "--limit", "1")

        assert [row[0] for row in done.rows] == [batch]
        assert [row[0] for row in shell("list", "--file", file).rows] == [batch]

    def test_files(self, shell: Shell, batch: str) -> None:
        """Uploaded files are shown as rows or as JSON."""
        result = shell("files")
        file = json.loads(shell("files", "--json").out)

        assert result.rows[0][1:3] == [str(len(GOOD)), "3"]
        assert result.rows[0][4] == "prompts.jsonl"
        assert (file["filename"], file["id"]) == ("prompts.jsonl", result.rows[0][0])


class TestCancel:
    def test_a_running_batch_is_cancelled(self, shell: Shell, running: str) -> None:
        """It is shown with its new status."""
        result = shell("cancel", running)

        assert result.status == 0
        assert result.rows[0][:2] == [running, "cancelling"]

    def test_a_batch_that_has_ended_is_refused(self, shell: Shell, batch: str) -> None:
        """The service's message is printed; the other batches are cancelled."""
        result = shell("cancel", batch, batch)

        assert result.status == 3
        assert result.err.count("Cannot cancel batch") == 1  # given twice, sent once


class TestWait:
    def test_several_batches(self, shell: Shell, prompts: str) -> None:
        """Each batch is printed when it ends; failed lines do not affect the exit status."""
        ids = [shell("submit", prompts).out.strip() for _ in range(3)]

        result = shell("wait", *ids, "--interval", "0.01")

        assert (result.status, result.err) == (0, "")
        assert sorted(row[0] for row in result.rows) == sorted(ids)
        assert {row[1] for row in result.rows} == {"completed"}

    def test_a_timeout(self, shell: Shell, batch: str, running: str) -> None:
        """The exit status is 6, and the command to wait again is printed."""
        result = shell("wait", running, batch, "--timeout", "0")

        assert result.status == 6
        assert [row[0] for row in result.rows] == [batch]
        assert f"siliconflow-batch wait {running}" in result.err

    def test_batches_are_watched_concurrently(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """Both batches end only after both were retrieved."""
        site.pace.queued = 1e6
        ids = [shell("submit", prompts).out.strip() for _ in range(2)]

        def end_batches() -> None:
            until(lambda: {f"GET /v1/batches/{id}" for id in ids} <= set(asked(site)))
            site.pace.queued = 0

        Thread(target=end_batches, daemon=True).start()
        result = shell("wait", *ids, "--timeout", "60", "--interval", "0.01")

        assert result.status == 0

    def test_the_highest_exit_status_is_returned(
        self, shell: Shell, batch: str, running: str
    ) -> None:
        """It does not depend on the order of the batches."""
        statuses = {
            shell("wait", *ids, "--timeout", "0").status
            for ids in ((running, "batch_nope", batch), (batch, "batch_nope", running))
        }

        assert statuses == {6}

    def test_commands_repeat_the_base_url(
        self, shell: Shell, running: str, site: Simulator
    ) -> None:
        """A printed command contains the --base-url of the call."""
        result = shell("wait", running, "--timeout", "0", "--base-url", site.base_url)

        assert f"siliconflow-batch wait {running} --base-url {site.base_url}\n" in result.err

    def test_a_batch_that_was_cancelled(self, shell: Shell, running: str, site: Simulator) -> None:
        """It ended without being completed, so the exit status is 5."""
        shell("cancel", running)

        result = shell("wait", running, "--interval", "0.01")

        assert result.status == 5
        assert result.rows[0][1] == "cancelled"
        assert f"siliconflow-batch results {running}" in result.err

    @pytest.mark.parametrize(
        "options", [["--timeout", "nan"], ["--timeout", "-1"], ["--interval", "0"]]
    )
    def test_invalid_seconds(self, shell: Shell, options: list[str]) -> None:
        """A time must be a positive, finite number."""
        assert shell("wait", "batch_a", *options).status == 2

    def test_no_response(self, shell: Shell) -> None:
        """The exit status is 4 after some retries."""
        result = shell("list", "--base-url", "http://127.0.0.1:1/v1")

        assert result.status == 4
        assert "Connection refused; trying again in" in result.err
        assert "Check the connection" in result.err
