"""The scripts that repeat a failure, run by sh against simulators, faulty and sound."""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.verdicts import Failure
from siliconflow_batch_simulator import Pace, Simulator
from support import example_checks as checks
from support.recorder import Recorder, line
from support.script_stories import (
    HOSTILE,
    KEYS,
    OTHER_KEYS,
    ROW,
    Story,
    cancelled,
    finished,
    keys,
    large,
    late,
    listed_at_its_end,
    listed_before_and_after,
    lost,
    more,
    noted,
    opened,
    overheard,
    overwritten,
    paged,
    read_again,
    recorded,
    renamed,
    run,
    statuses,
    stopped_by_a_list,
    stuck,
    taken,
    taken_all_the_way,
    used_again,
    walked,
)


class TestVerdict:
    @pytest.mark.parametrize(
        ("story", "fault"),
        [
            (walked, "after-inclusive"),
            (paged, "after-ignored"),
            (finished, "line-lost"),
            (cancelled, "cancel-finished"),
            (overheard, "list-shared"),
            (taken, "custom-id-twice"),
            (taken_all_the_way, "custom-id-twice"),
            (opened, "any-key"),
            (renamed, "upload-renamed"),
            (lost, "metadata-lost"),
            (late, "milliseconds"),
            (large, "custom-id-twice"),
            (more, "has-more-false"),
            (read_again, "content-once"),
            (used_again, "input-used-once"),
            (overwritten, "upload-overwrites"),
            (listed_before_and_after, "create-refused-kept"),
        ],
        ids=lambda value: getattr(value, "__name__", value),
    )
    def test_the_script_tells_the_faulty_service_from_a_sound_one(
        self, tmp_path: Path, story: Story, fault: str
    ) -> None:
        """It exits 1 where the defect is and 0 where it is not, and leaves nothing behind."""
        with recorded(story, fault) as (failure, faulty):
            found = statuses(script(ROW, failure, faulty.base_url), faulty, tmp_path)

        assert found == (1, 0)
        assert [path.name for path in tmp_path.iterdir()] == ["repro.sh"]

    def test_where_the_run_gave_up_the_script_waits_on(self, tmp_path: Path) -> None:
        """A batch that never started is told from one that is about to."""
        pace = Pace(queued=2, running=0, finalizing=0, cancelling=0)
        with recorded(stuck, "never-started", pace=pace) as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
            with Simulator(keys=KEYS, faults=("never-started",)) as again:
                more = {**keys(again), "SILICONFLOW_TRIES": "3"}
                there = run(text, tmp_path, again.base_url, **more)
        with Simulator(keys=OTHER_KEYS, pace=pace) as sound:
            here = run(text, tmp_path, sound.base_url, **keys(sound))

        assert (there.returncode, here.returncode) == (1, 0)

    @pytest.mark.parametrize(
        ("story", "fault"),
        [
            (listed_at_its_end, "completed-without-time"),
            (noted, "refused-key-creates"),
            (stopped_by_a_list, "list-cancels"),
        ],
    )
    def test_a_service_that_knows_nothing_of_the_run_fails_as_well(
        self, tmp_path: Path, story: Story, fault: str
    ) -> None:
        """What led to the failure is sent again, and what a list showed is waited for."""
        brief = Pace(queued=0.3, running=0, finalizing=0, cancelling=0)
        with recorded(story, fault, pace=brief) as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
        pace = Pace(queued=1, running=1, finalizing=1, cancelling=1)
        with Simulator(keys=KEYS, faults=(fault,), pace=pace) as slow:
            there = run(text, tmp_path, slow.base_url, **keys(slow))
        with Simulator(keys=KEYS, pace=pace) as slow:
            here = run(text, tmp_path, slow.base_url, **keys(slow))

        assert (there.returncode, here.returncode) == (1, 0)

    @pytest.mark.parametrize("shell", ["dash", "bash"])
    def test_no_byte_is_lost_on_the_way(self, tmp_path: Path, shell: str) -> None:
        """Uploads arrive as they were sent, whatever they look like to a shell."""
        data = bytes(range(256)) + HOSTILE

        def story(recorder: Recorder) -> tuple[Any, Any]:
            id = recorder.upload(data=data).json["data"]["id"]
            content = recorder.request("GET", f"/files/{id}/content")
            return checks.digested, (content, hashlib.sha256(data).hexdigest(), 418)

        with recorded(story) as (failure, simulator):
            text = script(ROW, failure, simulator.base_url)
            done = run(text, tmp_path, shell=shell, **keys(simulator))

        assert done.returncode == 1, done.stdout + done.stderr
        assert not (tmp_path / "pwned").exists()

    def test_words_of_the_service_run_nothing(self, tmp_path: Path) -> None:
        """What an answer said stands in the script as a comment and as data."""
        answer = "\n$(touch pwned)\r`touch pwned`\x00'; touch pwned #\nEOF\nEND-0\ntouch pwned"

        with recorded(opened, "any-key") as (failure, simulator):
            hostile = Failure("case", answer, answer, failure.check, failure.arguments)
            done = run(script(ROW, hostile, simulator.base_url), tmp_path, **keys(simulator))

        assert done.returncode == 1, done.stdout + done.stderr
        assert not (tmp_path / "pwned").exists()


class TestNothingCanBeSaid:
    @pytest.fixture
    def failure(self) -> Iterator[Failure]:
        with recorded(paged, "after-ignored") as (failure, _):
            yield failure

    def test_nobody_answers(self, tmp_path: Path, failure: Failure) -> None:
        """Who does not answer has no defect and no soundness."""
        text = script(ROW, failure, "http://127.0.0.1:9/v1")

        done = run(text, tmp_path, SILICONFLOW_API_KEY="sk-x")

        assert done.returncode == 2
        assert "Nothing can be said" in done.stderr

    @pytest.mark.parametrize("key", ["", "sk\nX-Other: 1"])
    def test_no_key(self, tmp_path: Path, failure: Failure, key: str) -> None:
        """The script says which variable is missing."""
        with Simulator() as simulator:
            done = run(script(ROW, failure, simulator.base_url), tmp_path, SILICONFLOW_API_KEY=key)
            received = simulator.requests

        assert done.returncode == 2
        assert "Set SILICONFLOW_API_KEY " in done.stdout
        assert received == []

    def test_no_second_key(self, tmp_path: Path) -> None:
        """A stranger's step needs the stranger's key; nothing is sent before it is there."""
        with recorded(overheard, "list-shared") as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
            done = run(text, tmp_path, SILICONFLOW_API_KEY=KEYS[0])

        assert done.returncode == 2
        assert "Set SILICONFLOW_API_KEY_2 " in done.stdout

    def test_a_key_that_is_not_taken(self, tmp_path: Path, failure: Failure) -> None:
        """A 401 says something about the key."""
        with Simulator() as simulator:
            text = script(ROW, failure, simulator.base_url)
            done = run(text, tmp_path, SILICONFLOW_API_KEY="sk-wrong")

        assert done.returncode == 2
        assert "does not take the key in SILICONFLOW_API_KEY" in done.stdout
        assert "sk-wrong" not in done.stdout + done.stderr

    def test_another_place(self, tmp_path: Path, failure: Failure) -> None:
        """A base URL without its /v1 is a mistake of the caller."""
        with Simulator() as simulator:
            url = simulator.base_url.removesuffix("/v1")
            done = run(script(ROW, failure, url), tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "Does it end in /v1?" in done.stdout

    def test_a_busy_service(self, tmp_path: Path, failure: Failure) -> None:
        """An answer of overload to a step that was answered in the run judges nothing."""
        with Simulator() as simulator:
            simulator.faults.add("overloaded-object", "POST /batches")
            done = run(script(ROW, failure, simulator.base_url), tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "The service is busy or broken for now: 503" in done.stdout

    def test_a_batch_that_does_not_get_there(self, tmp_path: Path) -> None:
        """What the run saw at its end is not judged at its beginning."""
        slow = Simulator(faults=("never-started",))
        with recorded(finished, "line-lost") as (failure, _), slow as stuck:
            more = {**keys(stuck), "SILICONFLOW_TRIES": "3"}
            done = run(script(ROW, failure, stuck.base_url), tmp_path, **more)

        assert done.returncode == 2
        assert "is not completed after 3 tries" in done.stderr

    def test_another_course_of_events(self, tmp_path: Path) -> None:
        """A check that cannot read what came has judged nothing."""
        with recorded(late, "milliseconds") as (failure, _), Simulator() as simulator:
            simulator.faults.add("rate-limited", "POST /batches")
            text = script(ROW, failure, simulator.base_url).replace("was 200", "was 429")
            done = run(text, tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "The replay itself came to nothing" in done.stdout
        assert "TypeError" in done.stdout

    def test_a_check_that_failed_at_reading_fails_again(self, tmp_path: Path) -> None:
        """An answer of another shape than documented is a defect as well."""

        def story(recorder: Recorder) -> tuple[Any, Any]:
            return checks.created_now, (recorder.create(recorder.upload(line())),)

        with Simulator(keys=KEYS) as faulty:
            faulty.faults.add("rate-limited", "POST /batches")
            recorder = Recorder(faulty)
            check, arguments = story(recorder)
            failure = Failure("case", "", "TypeError", check, arguments, tuple(recorder.story))
            found = statuses(script(ROW, failure, faulty.base_url), faulty, tmp_path)

        assert found == (1, 0)

    @pytest.mark.parametrize("missing", ["curl", "python3"])
    def test_a_missing_tool(self, tmp_path: Path, failure: Failure, missing: str) -> None:
        """What it needs and does not have is told."""
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in {"sh", "mktemp", "rm", "mkdir", "cat", "curl", "python3"} - {missing}:
            real = sys.executable if name == "python3" else shutil.which(name)
            (tools / name).symlink_to(real or name)

        done = run(
            script(ROW, failure, "http://127.0.0.1:9/v1"), tmp_path, PATH=str(tools), PYTHON=""
        )

        assert done.returncode == 2
        assert "needed" in done.stderr
