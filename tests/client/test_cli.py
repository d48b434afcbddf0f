"""The commands against a simulator on a real socket, in this process."""

import json
from pathlib import Path

import pytest

from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.shell import Shell

GOOD = json_lines(line("a"), line("b", top_p=9), line("c"))


@pytest.fixture
def prompts(site: Simulator) -> str:
    """A sound file of three lines, of which the second will fail."""
    Path("prompts.jsonl").write_bytes(GOOD)
    return "prompts.jsonl"


@pytest.fixture
def batch(shell: Shell, prompts: str) -> str:
    """The id of a batch of `prompts`, which has ended."""
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
        """Tab-separated in a pipe, without a head."""
        said = shell("status", batch)

        assert said.status == 0
        assert said.rows[0][:5] == [batch, "completed", "3", "2", "1"]

    def test_an_unknown_batch_does_not_hide_the_others(self, shell: Shell, batch: str) -> None:
        """It is named on stderr, and makes the exit status."""
        said = shell("status", "batch_nope", batch)

        assert said.status == 3
        assert [row[0] for row in said.rows] == [batch]
        assert "batch_nope" in said.err

    def test_json_is_what_the_service_said(self, shell: Shell, batch: str) -> None:
        """Whole objects, one a line."""
        told = json.loads(shell("status", batch, "--json").out)

        assert told["id"] == batch
        assert told["request_counts"] == {"total": 3, "completed": 2, "failed": 1}

    def test_a_token_that_no_batch_has(self, shell: Shell, batch: str) -> None:
        """It says that lists can lag, before anybody pays twice."""
        said = shell("status", "--token", "0" * 32)

        assert said.status == 3
        assert "look again" in said.err

    def test_nothing_named(self, shell: Shell) -> None:
        """Neither an id nor a token is no call."""
        assert shell("status").status == 2


class TestList:
    def test_newest_first_up_to_the_limit(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """--limit N shows N and says that there are more; 0 shows all."""
        ids = [shell("submit", prompts).out.strip() for _ in range(3)]

        two, everything = shell("list", "--limit", "2"), shell("list", "--limit", "0")

        assert [row[0] for row in two.rows] == ids[:0:-1]
        assert "more than 2" in two.err
        assert [row[0] for row in everything.rows] == ids[::-1]
        assert everything.err == ""

    def test_by_status_and_by_input_file(self, shell: Shell, batch: str, running: str) -> None:
        """Filters go through all pages until the limit is full."""
        file = json.loads(shell("status", batch, "--json").out)["input_file_id"]

        done = shell("list", "--status", "completed", "--status", "failed", "--limit", "1")

        assert [row[0] for row in done.rows] == [batch]
        assert [row[0] for row in shell("list", "--file", file).rows] == [batch]

    def test_files(self, shell: Shell, batch: str) -> None:
        """The uploaded files, as rows and as objects."""
        said, told = shell("files"), json.loads(shell("files", "--json").out)

        assert said.rows[0][1:3] == [str(len(GOOD)), "3"]
        assert said.rows[0][4] == "prompts.jsonl"
        assert (told["filename"], told["id"]) == ("prompts.jsonl", said.rows[0][0])


class TestCancel:
    def test_a_running_batch_is_stopped(self, shell: Shell, running: str) -> None:
        """It is shown as the service left it."""
        said = shell("cancel", running)

        assert said.status == 0
        assert said.rows[0][:2] == [running, "cancelling"]

    def test_a_batch_that_has_ended_is_refused(self, shell: Shell, batch: str) -> None:
        """In the service's words, and the others are stopped all the same."""
        said = shell("cancel", batch, batch)

        assert said.status == 3
        assert said.err.count("Cannot cancel batch") == 1  # named twice, asked once


class TestWait:
    def test_several_end_side_by_side(self, shell: Shell, prompts: str) -> None:
        """Each is printed as it ends; lines that failed are no failure of the batch."""
        ids = [shell("submit", prompts).out.strip() for _ in range(3)]

        said = shell("wait", *ids, "--interval", "0.01")

        assert (said.status, said.err) == (0, "")
        assert sorted(row[0] for row in said.rows) == sorted(ids)
        assert {row[1] for row in said.rows} == {"completed"}

    def test_the_time_is_over(self, shell: Shell, batch: str, running: str) -> None:
        """Exit status 6 and the command to wait again; what has ended is printed."""
        said = shell("wait", running, batch, "--timeout", "0")

        assert said.status == 6
        assert [row[0] for row in said.rows] == [batch]
        assert f"siliconflow-batch wait {running}" in said.err

    def test_nobody_waits_for_the_first_alone(
        self, shell: Shell, prompts: str, site: Simulator
    ) -> None:
        """Each batch is looked at while the others are waited for."""
        site.pace.queued = 1e6
        first, second = (shell("submit", prompts).out.strip() for _ in range(2))

        shell("wait", first, second, "--timeout", "0.5", "--interval", "0.01")

        looks = [look.rpartition("/")[2] for look in asked(site) if look.startswith("GET")]
        assert looks.index(second) < len(looks) - 1 - looks[::-1].index(first)

    def test_the_worst_counts(self, shell: Shell, batch: str, running: str) -> None:
        """Whatever the order of the batches."""
        ended = {
            shell("wait", *ids, "--timeout", "0").status
            for ids in ((running, "batch_nope", batch), (batch, "batch_nope", running))
        }

        assert ended == {6}

    def test_the_site_is_named_again(self, shell: Shell, running: str, site: Simulator) -> None:
        """A command to go on with is for the site of the call."""
        said = shell("wait", running, "--timeout", "0", "--base-url", site.base_url)

        assert f"siliconflow-batch wait {running} --base-url {site.base_url}\n" in said.err

    def test_a_batch_that_was_cancelled(self, shell: Shell, running: str, site: Simulator) -> None:
        """It has ended, and not as completed: 5."""
        shell("cancel", running)

        said = shell("wait", running, "--interval", "0.01")

        assert said.status == 5
        assert said.rows[0][1] == "cancelled"
        assert f"siliconflow-batch results {running}" in said.err

    @pytest.mark.parametrize(
        "options", [["--timeout", "nan"], ["--timeout", "-1"], ["--interval", "0"]]
    )
    def test_seconds_that_are_none(self, shell: Shell, options: list[str]) -> None:
        """Nobody waits for an amount of time that is none."""
        assert shell("wait", "batch_a", *options).status == 2

    def test_nobody_answers(self, shell: Shell) -> None:
        """Exit status 4; the address is in the command that goes on."""
        said = shell("list", "--base-url", "http://127.0.0.1:1/v1")

        assert said.status == 4
        assert "Connection refused; trying again in" in said.err
        assert "Check the connection" in said.err
