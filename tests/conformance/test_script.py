"""What stands in a script that repeats a failure, and what it sends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.repro.bundle import NotCarried
from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.verdicts import Failure
from siliconflow_batch_simulator import Simulator
from support import example_checks as checks
from support.recorder import Recorder, line
from support.script_stories import (
    KEYS,
    OTHER_KEYS,
    QUICK,
    ROW,
    Story,
    cancelled,
    finished,
    keys,
    large,
    lost,
    opened,
    overheard,
    recorded,
    renamed,
    run,
    statuses,
    taken,
    walked,
)


class TestRequests:
    def test_only_what_the_judgment_stands_on_is_sent(self, tmp_path: Path) -> None:
        """Of a long story the script repeats the few requests that matter."""

        def story(recorder: Recorder) -> tuple[Any, Any]:
            for n in range(5):
                recorder.create(recorder.upload(line(f"other-{n}")))
            return renamed(recorder)

        with recorded(story, "upload-renamed") as (failure, _), Simulator() as sound:
            run(script(ROW, failure, sound.base_url), tmp_path, **keys(sound))
            sent = [f"{one.method} {one.path}" for one in sound.requests]

        assert sent == ["GET /v1/batches", "POST /v1/files"]

    def test_ids_are_those_of_this_replay(self, tmp_path: Path) -> None:
        """No recorded id reaches another service."""
        with recorded(cancelled, "cancel-finished") as (failure, _):
            ids = [one.json.get("id") or one.json["data"]["id"] for one in failure.story]
            with Simulator(pace=QUICK) as sound:
                run(script(ROW, failure, sound.base_url), tmp_path, **keys(sound))
                sent = [f"{one.path} {one.query} {one.json}" for one in sound.requests]

        assert sum("/cancel" in row for row in sent) == 2
        assert not [row for row in sent for id in ids if id in row]

    @pytest.mark.parametrize("now", [True, False], ids=["now by URL", "now by id"])
    @pytest.mark.parametrize("then", [True, False], ids=["then by URL", "then by id"])
    def test_a_result_is_fetched_as_it_is_named(
        self, tmp_path: Path, then: bool, now: bool
    ) -> None:
        """One service names results by URL and one by id; the key goes with the id alone."""

        def story(recorder: Recorder) -> tuple[Any, Any]:
            if then:
                return finished(recorder)
            *_, end = recorder.watch(recorder.create(recorder.upload(line("a"), line("b"))))
            path = f"/files/{end.json['output_file_id']}/content"
            return checks.is_whole, (recorder.request("GET", path), ["a", "b"])

        faulty = Simulator(keys=KEYS, faults=("line-lost",), pace=QUICK, urls=then)
        with faulty, Simulator(pace=QUICK, urls=now) as sound:
            recorder = Recorder(faulty)
            check, arguments = story(recorder)
            failure = Failure("case", "", "", check, arguments, tuple(recorder.story))
            done = run(script(ROW, failure, sound.base_url), tmp_path, **keys(sound))
            *_, download = sound.requests

        assert done.returncode == 0, done.stdout + done.stderr
        assert download.path.startswith("/results/" if now else "/v1/files/")
        assert download.authorized is not now

    def test_no_key_goes_to_another_place(self, tmp_path: Path) -> None:
        """A URL beside the base URL gets no key, whoever sent one there."""
        with Simulator(keys=KEYS) as simulator:
            beside = simulator.base_url.removesuffix("/v1") + "/results/none"
            recorder = Recorder(simulator)
            answer = recorder.request("GET", beside)
            failure = Failure("", "", "", checks.status_is, (answer, 200), (answer,))
            done = run(script(ROW, failure, simulator.base_url), tmp_path, **keys(simulator))
            *_, last = simulator.requests

        assert done.returncode == 1
        assert (last.path, last.authorized) == ("/results/none", False)

    def test_a_key_that_is_said_back_is_not_told(self, tmp_path: Path) -> None:
        """What the service says of a key stays between the two."""
        with Simulator(keys=KEYS) as there, Simulator(keys=OTHER_KEYS) as here:
            answer = Recorder(there).request("GET", "/batches", params={"after": OTHER_KEYS[0]})
            failure = Failure("", "", "", checks.status_is, (answer, 200), (answer,))
            done = run(script(ROW, failure, here.base_url), tmp_path, **keys(here))

        assert done.returncode == 1
        assert "after '…' names no batch" in done.stdout
        assert OTHER_KEYS[0] not in done.stdout + done.stderr

    def test_the_base_url_may_come_from_the_environment(self, tmp_path: Path) -> None:
        """An argument is for once, a variable for many scripts; a slash at its end is nothing."""
        with recorded(opened, "any-key") as (failure, _), Simulator() as sound:
            text = script(ROW, failure, "http://127.0.0.1:9/v1")
            done = run(text, tmp_path, SILICONFLOW_BASE_URL=sound.base_url + "/", **keys(sound))

        assert done.returncode == 0

    def test_no_key_stands_on_a_command_line(self, tmp_path: Path) -> None:
        """Whoever lists the processes of the machine sees no key."""
        spy = tmp_path / "spy"
        spy.mkdir()
        log = tmp_path / "arguments"
        for name, real in (("curl", shutil.which("curl")), ("python3", sys.executable)):
            path = spy / name
            path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{log}\nexec {real} "$@"\n')
            path.chmod(0o755)

        with recorded(overheard, "list-shared") as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)
            done = run(
                text, tmp_path, PATH=f"{spy}:{os.environ['PATH']}", PYTHON="", **keys(faulty)
            )

        assert done.returncode == 1
        assert "--config" in log.read_text()
        assert not any(key in log.read_text() for key in KEYS)


class TestWithoutACheck:
    def test_the_same_answer_is_the_same_defect(self, tmp_path: Path) -> None:
        """What another tool found is there again when the answer is, to the letter."""
        with Simulator(keys=KEYS, faults=("errors-as-objects",)) as faulty:
            recorder = Recorder(faulty)
            recorder.request("GET", "/batches/none")
            failure = Failure("case", "a string", "an object", story=tuple(recorder.story))
            found = statuses(script(ROW, failure, faulty.base_url), faulty, tmp_path)

        assert found == (1, 2)

    def test_nothing_was_recorded(self, tmp_path: Path) -> None:
        """A failure without traffic can be read and not repeated."""
        with Simulator() as simulator:
            text = script(ROW, Failure("case", "this", "that"), simulator.base_url)
            done = run(text, tmp_path, **keys(simulator))

        assert done.returncode == 2
        assert "No request was recorded" in done.stderr


class TestText:
    def test_a_stranger_understands_the_top(self) -> None:
        """Requirement, source, expected and actual come first, then the steps."""
        with recorded(walked, "after-inclusive") as (failure, faulty):
            text = script(ROW, failure, faulty.base_url)

        top = text.split("# ---- How")[0]
        assert top.startswith("#!/bin/sh\n# LIST-3  GET /batches: a page with after begins")
        for word in ('the "list batches" page', "expected:", "actual:", "limit=2&after=batch_"):
            assert word in top
        assert "judge support.example_checks begins_behind" in top

    @pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
    @pytest.mark.parametrize("story", [finished, lost, large, taken, opened])
    def test_shellcheck_finds_nothing(self, tmp_path: Path, story: Story) -> None:
        """The script is plain POSIX shell."""
        faults = ("line-lost", "metadata-lost", "custom-id-twice", "any-key")
        with recorded(story, *(faults[:1] if story is finished else faults)) as (failure, faulty):
            (tmp_path / "repro.sh").write_text(script(ROW, failure, faulty.base_url))

        command = ["shellcheck", "--shell=sh", str(tmp_path / "repro.sh")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.stdout == ""

    def test_a_check_with_foreign_imports_is_refused(self) -> None:
        """What is not on the reader's machine cannot judge there."""

        def check(answer: Exchange) -> str | None:
            return "wrong"

        answer = Exchange(1, "GET", "/batches", 200)
        with pytest.raises(NotCarried, match=rf"^{__name__} imports"):
            script(ROW, Failure("case", "", "", check, (answer,), (answer,)), "http://h/v1")
