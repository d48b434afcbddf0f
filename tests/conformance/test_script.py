"""The contents of scripts that repeat a failure, and the requests that they send."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.repro.bundle import NotBundled
from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS, Failure
from siliconflow_batch_simulator import Simulator
from support import example_checks
from support.recorder import Recorder, line
from support.required_tools import required_tool
from support.script_stories import (
    KEYS,
    OTHER_KEYS,
    QUICK,
    ROW,
    Story,
    cancelled_twice,
    exit_statuses,
    file_renamed,
    invalid_input_accepted,
    keys,
    large_upload,
    metadata_changed,
    page_by_creation,
    record_failure,
    result_downloaded,
    run_script,
    seen_by_stranger,
    wrong_scheme_accepted,
)


class TestRequests:
    def test_only_the_necessary_requests_are_sent(self, tmp_path: Path) -> None:
        """Of a long story the script repeats the requests that the failure depends on."""

        def story(recorder: Recorder) -> tuple[Any, Any]:
            for n in range(5):
                recorder.create(recorder.upload(line(f"other-{n}")))
            return file_renamed(recorder)

        with record_failure(story, "upload-renamed") as (failure, _), Simulator() as sound:
            run_script(script(ROW, failure, sound.base_url), tmp_path, **keys(sound))
            sent = [f"{one.method} {one.path}" for one in sound.requests]

        assert sent == ["GET /v1/batches", "POST /v1/files"]

    def test_recorded_ids_are_replaced(self, tmp_path: Path) -> None:
        """No recorded id is sent to another service."""
        with record_failure(cancelled_twice, "cancel-finished") as (failure, _):
            ids = [one.json.get("id") or one.json["data"]["id"] for one in failure.story]
            with Simulator(pace=QUICK) as sound:
                run_script(script(ROW, failure, sound.base_url), tmp_path, **keys(sound))
                sent = [f"{one.path} {one.query} {one.json}" for one in sound.requests]

        assert sum("/cancel" in row for row in sent) == 2
        assert not [row for row in sent for id in ids if id in row]

    @pytest.mark.parametrize("now", [True, False], ids=["now by URL", "now by id"])
    @pytest.mark.parametrize("then", [True, False], ids=["then by URL", "then by id"])
    def test_a_result_is_downloaded_by_url_or_id(
        self, tmp_path: Path, then: bool, now: bool
    ) -> None:
        """Both services may name results by URL or by id; the key is sent with ids only."""

        def story(recorder: Recorder) -> tuple[Any, Any]:
            if then:
                return result_downloaded(recorder)
            *_, end = recorder.watch(recorder.create(recorder.upload(line("a"), line("b"))))
            path = f"/files/{end.json['output_file_id']}/content"
            return example_checks.has_every_line, (recorder.request("GET", path), ["a", "b"])

        ids = ("result-ids",)
        faulty = Simulator(
            keys=KEYS, faults=("line-lost",), pace=QUICK, variants=() if then else ids
        )
        with faulty, Simulator(pace=QUICK, variants=() if now else ids) as sound:
            recorder = Recorder(faulty)
            check, arguments = story(recorder)
            failure = Failure("case", "", "", check, arguments, tuple(recorder.story))
            done = run_script(script(ROW, failure, sound.base_url), tmp_path, **keys(sound))
            *_, download = sound.requests

        assert done.returncode == 0, done.stdout + done.stderr
        assert download.path.startswith("/results/" if now else "/v1/files/")
        assert download.authorized is not now

    def test_no_key_is_sent_outside_the_base_url(self, tmp_path: Path) -> None:
        """A URL that is not below the base URL gets no key, even if the run sent one."""
        with Simulator(keys=KEYS) as simulator:
            beside = simulator.base_url.removesuffix("/v1") + "/results/none"
            recorder = Recorder(simulator)
            response = recorder.request("GET", beside)
            failure = Failure("", "", "", example_checks.status_is, (response, 200), (response,))
            done = run_script(script(ROW, failure, simulator.base_url), tmp_path, **keys(simulator))
            *_, last = simulator.requests

        assert done.returncode == 1
        assert (last.path, last.authorized) == ("/results/none", False)

    def test_an_echoed_key_is_not_printed(self, tmp_path: Path) -> None:
        """A key in a response is replaced in the output."""
        with Simulator(keys=KEYS) as there, Simulator(keys=OTHER_KEYS) as here:
            response = Recorder(there).request("GET", "/batches", params={"after": OTHER_KEYS[0]})
            failure = Failure("", "", "", example_checks.status_is, (response, 200), (response,))
            done = run_script(script(ROW, failure, here.base_url), tmp_path, **keys(here))

        assert done.returncode == 1
        assert "after '…' names no batch" in done.stdout
        assert OTHER_KEYS[0] not in done.stdout + done.stderr

    def test_the_base_url_is_read_from_the_environment(self, tmp_path: Path) -> None:
        """SILICONFLOW_BASE_URL replaces the recorded base URL; a trailing slash is ignored."""
        with record_failure(wrong_scheme_accepted, "any-key") as (failure, _), Simulator() as sound:
            text = script(ROW, failure, "http://127.0.0.1:9/v1")
            done = run_script(
                text, tmp_path, SILICONFLOW_BASE_URL=sound.base_url + "/", **keys(sound)
            )

        assert done.returncode == 0

    def test_no_key_is_on_a_command_line(self, tmp_path: Path) -> None:
        """A list of processes shows no key."""
        spy = tmp_path / "spy"
        spy.mkdir()
        log = tmp_path / "arguments"
        for name, real in (("curl", shutil.which("curl")), ("python3", sys.executable)):
            path = spy / name
            path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{log}\nexec {real} "$@"\n')
            path.chmod(0o755)

        with record_failure(seen_by_stranger, "list-shared") as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
            done = run_script(
                text, tmp_path, PATH=f"{spy}:{os.environ['PATH']}", PYTHON="", **keys(faulty)
            )

        assert done.returncode == 1
        assert "--config" in log.read_text()
        assert not any(key in log.read_text() for key in KEYS)


class TestWithoutACheck:
    def test_an_identical_response_is_the_defect(self, tmp_path: Path) -> None:
        """A failure without a check is confirmed by the recorded response."""
        with Simulator(keys=KEYS, faults=("errors-as-objects",)) as faulty:
            recorder = Recorder(faulty)
            recorder.request("GET", "/batches/none")
            failure = Failure("case", "a string", "an object", story=tuple(recorder.story))
            found = exit_statuses(script(ROW, failure, faulty.base_url), faulty, tmp_path)

        assert found == (1, 2)

    def test_a_failure_without_requests_is_inconclusive(self, tmp_path: Path) -> None:
        """Without a recorded request there is nothing to repeat."""
        with Simulator() as simulator:
            text = script(ROW, Failure("case", "this", "that"), simulator.base_url)
            done = run_script(text, tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "No request was recorded" in done.stderr


def check_with_a_package(response: Exchange) -> str | None:
    """a check that a script cannot contain"""
    return "skipped" if pytest.skip else None


class TestText:
    def test_the_script_begins_with_the_failure(self) -> None:
        """It begins with the requirement, its source, the expectation and the actual result."""
        with record_failure(page_by_creation, "after-inclusive") as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)

        top = text.split("# ---- How")[0]
        assert top.startswith("#!/bin/sh\n# LIST-3  GET /batches: a page with `after` starts")
        for text_part in (
            'the "list batches" page',
            "expected:",
            "actual:",
            "limit=2&after=batch_",
        ):
            assert text_part in top
        assert "check support.example_checks starts_after" in top

    @pytest.mark.parametrize(
        "story",
        [
            result_downloaded,
            metadata_changed,
            large_upload,
            invalid_input_accepted,
            wrong_scheme_accepted,
        ],
    )
    def test_shellcheck_reports_nothing(self, tmp_path: Path, story: Story) -> None:
        """Every script is valid POSIX shell."""
        faults = ("line-lost", "metadata-lost", "custom-id-twice", "any-key")
        with record_failure(story, *(faults[:1] if story is result_downloaded else faults)) as (
            failure,
            faulty,
        ):
            (tmp_path / "repro.sh").write_text(script(ROW, failure, faulty.base_url))

        command = [required_tool("shellcheck"), "--shell=sh", str(tmp_path / "repro.sh")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.stdout == ""

    def test_a_check_that_imports_other_packages_is_refused(self) -> None:
        """A script can contain definitions of the suite's modules only."""

        def nested(response: Exchange) -> str | None:
            return "wrong"

        response = Exchange(1, "GET", "/batches", 200)
        for check in (nested, check_with_a_package):
            with pytest.raises(NotBundled, match=rf"^{__name__} imports"):
                script(ROW, Failure("case", "", "", check, (response,), (response,)), "http://h/v1")

    @pytest.mark.parametrize("fault", ["results-gone", "cancel-finished"])
    def test_it_is_short(self, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
        """At most 150 lines, most of them about the requests; the code is packed."""
        with Rig.simulated((fault,)) as rig, capsys.disabled():
            run = judge(rig, 1, selected(["RESULT-9", "CANCEL-4"])).run()
        (verdict,) = (one for one in run.verdicts.values() if one.outcome == FAILS)

        text = script(load()[verdict.requirement], verdict.failures[0], run.target)

        assert len(text.splitlines()) <= 150
