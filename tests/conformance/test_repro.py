"""Scripts that repeat a failure, run on faulty and on sound simulators."""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.verdicts import Failure
from siliconflow_batch_simulator import Pace, Simulator
from support import example_checks
from support.recorder import Recorder, line
from support.script_stories import (
    HOSTILE,
    KEYS,
    OTHER_KEYS,
    ROW,
    Story,
    cancelled_by_list,
    cancelled_twice,
    content_read_twice,
    exit_statuses,
    exit_statuses_on,
    file_renamed,
    has_more_wrong,
    input_used_twice,
    invalid_input_accepted,
    invalid_input_processed,
    keys,
    large_upload,
    list_changed_by_rejection,
    listed_as_completed,
    metadata_changed,
    never_finished,
    page_by_creation,
    page_by_id,
    record_failure,
    rejected_batch_listed,
    result_downloaded,
    run_script,
    seen_by_stranger,
    upload_overwritten,
    wrong_created_at,
    wrong_scheme_accepted,
)


class TestVerdict:
    @pytest.mark.parametrize(
        ("story", "fault"),
        [
            (page_by_creation, "after-inclusive"),
            (page_by_id, "after-ignored"),
            (result_downloaded, "line-lost"),
            (cancelled_twice, "cancel-finished"),
            (seen_by_stranger, "list-shared"),
            (invalid_input_accepted, "custom-id-twice"),
            (invalid_input_processed, "custom-id-twice"),
            (wrong_scheme_accepted, "any-key"),
            (file_renamed, "upload-renamed"),
            (metadata_changed, "metadata-lost"),
            (wrong_created_at, "milliseconds"),
            (large_upload, "custom-id-twice"),
            (has_more_wrong, "has-more-false"),
            (content_read_twice, "content-once"),
            (input_used_twice, "input-used-once"),
            (upload_overwritten, "upload-overwrites"),
            (list_changed_by_rejection, "create-refused-kept"),
        ],
        ids=lambda value: getattr(value, "__name__", value),
    )
    def test_the_script_distinguishes_faulty_and_sound_services(
        self, tmp_path: Path, story: Story, fault: str
    ) -> None:
        """It exits with 1 if the defect occurs and with 0 if not, and leaves no files."""
        with record_failure(story, fault) as (failure, faulty):
            found = exit_statuses(script(ROW, failure, faulty.base_url), faulty, tmp_path)

        assert found == (1, 0)
        assert [path.name for path in tmp_path.iterdir()] == ["repro.sh"]

    def test_the_script_waits_longer_than_the_run(self, tmp_path: Path) -> None:
        """A batch that never starts fails, and one that starts late does not."""
        pace = Pace(queued=0.5, running=0, finalizing=0, cancelling=0)
        with record_failure(never_finished, "never-started", pace=pace) as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
            on_faulty = run_script(text, tmp_path, **keys(faulty), SILICONFLOW_TRIES="3")
        with Simulator(keys=OTHER_KEYS, pace=pace) as sound:
            on_sound = run_script(text, tmp_path, sound.base_url, **keys(sound))

        assert (on_faulty.returncode, on_sound.returncode) == (1, 0)

    @pytest.mark.parametrize(
        ("story", "fault"),
        [
            (listed_as_completed, "completed-without-time"),
            (rejected_batch_listed, "refused-key-creates"),
            (cancelled_by_list, "list-cancels"),
        ],
    )
    def test_the_script_works_on_a_new_and_slower_service(
        self, tmp_path: Path, story: Story, fault: str
    ) -> None:
        """It repeats what led to the failure, and waits for the status that a list showed."""
        quick = Pace(queued=1, running=0, finalizing=0, cancelling=0)
        with record_failure(story, fault, pace=quick) as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
        slow = Pace(queued=1, running=0.1, finalizing=0.1, cancelling=1)
        with (
            Simulator(keys=KEYS, faults=(fault,), pace=slow) as other,
            Simulator(keys=KEYS, pace=slow) as sound,
        ):
            found = exit_statuses_on(text, other, sound, tmp_path)

        assert found == (1, 0)

    @pytest.mark.parametrize("shell", ["dash", "bash"])
    def test_every_byte_of_an_upload_is_sent(self, tmp_path: Path, shell: str) -> None:
        """The shell interprets nothing in the bodies."""
        data = bytes(range(256)) + HOSTILE

        def story(recorder: Recorder) -> tuple[Any, Any]:
            id = recorder.upload(data=data).json["data"]["id"]
            content = recorder.request("GET", f"/files/{id}/content")
            return example_checks.has_digest_and_status, (
                content,
                hashlib.sha256(data).hexdigest(),
                418,
            )

        with record_failure(story) as (failure, simulator):
            text = script(ROW, failure, simulator.base_url)
            done = run_script(text, tmp_path, shell=shell, **keys(simulator))

        assert done.returncode == 1, done.stdout + done.stderr
        assert not (tmp_path / "pwned").exists()

    def test_text_from_the_service_is_not_executed(self, tmp_path: Path) -> None:
        """In the script it occurs in comments and quoted strings only."""
        text = "\n$(touch pwned)\r`touch pwned`\x00'; touch pwned #\nEOF\nEND-0\ntouch pwned"

        with record_failure(wrong_scheme_accepted, "any-key") as (failure, simulator):
            hostile = Failure("case", text, text, failure.check, failure.arguments)
            done = run_script(script(ROW, hostile, simulator.base_url), tmp_path, **keys(simulator))

        assert done.returncode == 1, done.stdout + done.stderr
        assert not (tmp_path / "pwned").exists()


@pytest.fixture(scope="module")
def failure() -> Failure:
    with record_failure(page_by_id, "after-ignored") as (failure, _):
        return failure


class TestInconclusive:
    def test_no_response(self, tmp_path: Path, failure: Failure) -> None:
        """Without a response the exit status is 2."""
        text = script(ROW, failure, "http://127.0.0.1:9/v1")

        done = run_script(text, tmp_path, SILICONFLOW_API_KEY="sk-x")

        assert done.returncode == 2
        assert "The result is inconclusive" in done.stderr

    @pytest.mark.parametrize("key", ["", "sk\nX-Other: 1"])
    def test_a_missing_key(self, tmp_path: Path, failure: Failure, key: str) -> None:
        """The script names the variable, and sends no request."""
        with Simulator() as simulator:
            done = run_script(
                script(ROW, failure, simulator.base_url), tmp_path, SILICONFLOW_API_KEY=key
            )
            received = simulator.requests

        assert done.returncode == 2
        assert "Set SILICONFLOW_API_KEY " in done.stdout
        assert received == []

    def test_a_missing_second_key(self, tmp_path: Path) -> None:
        """A request of the second account needs its key."""
        with record_failure(seen_by_stranger, "list-shared") as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
            done = run_script(text, tmp_path, SILICONFLOW_API_KEY=KEYS[0])

        assert done.returncode == 2
        assert "Set SILICONFLOW_API_KEY_2 " in done.stdout

    def test_a_rejected_key(self, tmp_path: Path, failure: Failure) -> None:
        """A 401 is a problem of the key, and the script does not print the key."""
        with Simulator() as simulator:
            text = script(ROW, failure, simulator.base_url)
            done = run_script(text, tmp_path, SILICONFLOW_API_KEY="sk-wrong")

        assert done.returncode == 2
        assert "rejected the key in SILICONFLOW_API_KEY" in done.stdout
        assert "sk-wrong" not in done.stdout + done.stderr

    def test_a_wrong_base_url(self, tmp_path: Path, failure: Failure) -> None:
        """The script asks whether the base URL ends in /v1."""
        with Simulator() as simulator:
            url = simulator.base_url.removesuffix("/v1")
            done = run_script(script(ROW, failure, url), tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "Does the base URL end in /v1?" in done.stdout

    def test_a_busy_service(self, tmp_path: Path, failure: Failure) -> None:
        """An overload that the run did not see is not the defect."""
        with Simulator() as simulator:
            simulator.faults.add("overloaded-object", "POST /batches")
            done = run_script(script(ROW, failure, simulator.base_url), tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "The service is busy or broken: 503" in done.stdout

    def test_a_batch_that_does_not_complete(self, tmp_path: Path) -> None:
        """A check of a completed batch is not applied to an unfinished one."""
        slow = Simulator(faults=("never-started",))
        with record_failure(result_downloaded, "line-lost") as (failure, _), slow as stuck:
            text = script(ROW, failure, stuck.base_url)
            done = run_script(text, tmp_path, **keys(stuck), SILICONFLOW_TRIES="3")

        assert done.returncode == 2
        assert "is not completed after 3 attempts" in done.stdout

    def test_a_check_that_raises(self, tmp_path: Path) -> None:
        """A check that cannot read the responses gives no verdict."""
        with (
            record_failure(wrong_created_at, "milliseconds") as (failure, _),
            Simulator() as simulator,
        ):
            simulator.faults.add("rate-limited", "POST /batches")
            text = script(ROW, failure, simulator.base_url).replace("was 200", "was 429")
            done = run_script(text, tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "The script itself failed" in done.stdout
        assert "TypeError" in done.stdout

    def test_a_check_that_raised_in_the_run(self, tmp_path: Path) -> None:
        """If the check raised the same exception in the run, that is the defect."""

        def story(recorder: Recorder) -> tuple[Any, Any]:
            return example_checks.has_current_created_at, (
                recorder.create(recorder.upload(line())),
            )

        with Simulator(keys=KEYS) as faulty:
            faulty.faults.add("rate-limited", "POST /batches")
            recorder = Recorder(faulty)
            check, arguments = story(recorder)
            failure = Failure("case", "", "TypeError", check, arguments, tuple(recorder.story))
            found = exit_statuses(script(ROW, failure, faulty.base_url), faulty, tmp_path)

        assert found == (1, 0)

    @pytest.mark.parametrize("missing", ["curl", "python3"])
    def test_a_missing_tool(self, tmp_path: Path, failure: Failure, missing: str) -> None:
        """The script names what it requires."""
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in {"sh", "mktemp", "rm", "mkdir", "cat", "curl", "python3"} - {missing}:
            real = sys.executable if name == "python3" else shutil.which(name)
            (tools / name).symlink_to(real or name)

        done = run_script(
            script(ROW, failure, "http://127.0.0.1:9/v1"), tmp_path, PATH=str(tools), PYTHON=""
        )

        assert done.returncode == 2
        assert "required" in done.stderr
