"""The scripts that repeat a failure, run by sh against simulators, faulty and sound."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import checks_for_tests as checks
import pytest
from recorder import ENDPOINT, Recorder, line

from siliconflow_batch_conformance import bodies, history, paging
from siliconflow_batch_conformance.carried import NotCarried
from siliconflow_batch_conformance.exchange import Exchange
from siliconflow_batch_conformance.repro import script
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.verdicts import Failure
from siliconflow_batch_simulator import Pace, Simulator

KEYS = ("sk-first-$(id)", "sk-second-'\"\\")
OTHER_KEYS = ("sk-other-first", "sk-other-second")
ROW = load()["LIST-3"]
QUICK = Pace(queued=0, running=0, finalizing=0, cancelling=0)
HOSTILE = b"' \" $(touch pwned) `id` \\0 \\\\c \x00 \xff\xfe \r\n %s \xe2\x80\xa8\nEND-0\n\xf0\x9f"

Story = Callable[[Recorder], tuple[Callable[..., str | None], tuple[Any, ...]]]


@contextmanager
def recorded(story: Story, *faults: str, pace: Pace = QUICK) -> Iterator[tuple[Failure, Simulator]]:
    """What a story comes to on a simulator with faults; another batch was there before."""
    with Simulator(keys=KEYS, faults=faults, pace=pace) as simulator:
        recorder = Recorder(simulator)
        check, arguments = story(recorder)
        said = check(*arguments)
        assert said is not None
        failure = Failure("case", "as documented", said, check, arguments, tuple(recorder.story))
        yield failure, simulator


def run(text: str, folder: Path, *arguments: str, shell: str = "sh", **more: str) -> Any:
    """Runs a script; a key is given only where the environment names one."""
    path = folder / "repro.sh"
    path.write_text(text, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if "SILICONFLOW" not in name}
    return subprocess.run(  # noqa: S603 - our own script
        [shutil.which(shell) or shell, str(path), *arguments],
        env={**kept, "PYTHON": sys.executable, "TMPDIR": str(folder), **more},
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def keys(simulator: Simulator) -> dict[str, str]:
    first, *others = simulator.keys
    second = {"SILICONFLOW_API_KEY_2": others[0]} if others else {}
    return {"SILICONFLOW_API_KEY": first, **second}


def statuses(text: str, faulty: Simulator, folder: Path, pace: Pace = QUICK) -> tuple[int, int]:
    """How a script ends on the faulty simulator of its run, and on a sound one elsewhere."""
    there = run(text, folder, **keys(faulty))
    with Simulator(keys=OTHER_KEYS, pace=pace) as sound:
        here = run(text, folder, sound.base_url, **keys(sound))
    told = there.stdout + there.stderr + here.stdout + here.stderr
    assert not any(key in text + told for key in (*KEYS, *OTHER_KEYS))
    assert (there.stderr, here.stderr) == ("", "")
    return there.returncode, here.returncode


def walked(recorder: Recorder) -> tuple[Any, Any]:
    """Pages: the check has the creations."""
    upload = recorder.upload(line())
    created = [recorder.create(upload, metadata={"n": str(n)}) for n in range(4)]
    recorder.request("GET", "/files")
    page = recorder.request("GET", "/batches", params={"limit": 2, "after": created[2].json["id"]})
    return checks.begins_behind, (page, created, 2)


def paged(recorder: Recorder) -> tuple[Any, Any]:
    """Pages: the check has ids as JSON."""
    upload = recorder.upload(line())
    ids = [recorder.create(upload).json["id"] for _ in range(4)]
    page = recorder.request("GET", "/batches", params={"limit": 2, "after": ids[2]})
    return checks.lists, (page, [ids[1], ids[0]])


def finished(recorder: Recorder) -> tuple[Any, Any]:
    """A result is downloaded by its URL, which no key may reach."""
    upload = recorder.upload(line("a"), line("b"))
    *_, end = recorder.watch(recorder.create(upload))
    output = recorder.request("GET", end.json["output_file_id"], authorization=None)
    return checks.is_whole, (output, ["a", "b"])


def stuck(recorder: Recorder) -> tuple[Any, Any]:
    """The run's patience ended; a sound service needs another moment."""
    return checks.ends_as, (
        recorder.watch(recorder.create(recorder.upload(line())), 2),
        "completed",
    )


def cancelled(recorder: Recorder) -> tuple[Any, Any]:
    """A cancel after the end, twice."""
    *_, end = recorder.watch(recorder.create(recorder.upload(line())))
    for _ in range(2):
        recorder.request("POST", f"/batches/{end.json['id']}/cancel")
    return checks.unmoved, (end, recorder.request("GET", f"/batches/{end.json['id']}"))


def overheard(recorder: Recorder) -> tuple[Any, Any]:
    """A stranger sees another's batch."""
    created = recorder.create(recorder.upload(line()))
    return checks.lists_without, (recorder.stranger().request("GET", "/batches"), created)


def taken(recorder: Recorder) -> tuple[Any, Any]:
    """A creation that is refused elsewhere has no end there."""
    creation = recorder.create(recorder.upload(line(), line()))
    *_, end = recorder.watch(creation)
    return checks.refused, (creation, end)


def taken_all_the_way(recorder: Recorder) -> tuple[Any, Any]:
    """As before; what cannot be asked for is missing in the list."""
    return checks.refused_some_day, (list(taken(recorder)[1]),)


def opened(recorder: Recorder) -> tuple[Any, Any]:
    """The key in the wrong words."""
    return checks.status_is, (recorder.request("GET", "/batches", "Basic {key}"), 401)


def renamed(recorder: Recorder) -> tuple[Any, Any]:
    """A file name of many letters."""
    name = "It's $HOME größe %s.JSONL"
    return checks.named, (recorder.upload(line(), name=name), name)


def lost(recorder: Recorder) -> tuple[Any, Any]:
    """What was sent is judged by, ids and all."""
    metadata = {"it's": "größe \u2028 $HOME `id` \\0 \x7f \U0001f600", "empty": ""}
    created = recorder.create(recorder.upload(line()), metadata=metadata)
    return checks.sent_as, (created, metadata)


def late(recorder: Recorder) -> tuple[Any, Any]:
    """A time is judged by when the answer came."""
    return checks.created_now, (recorder.create(recorder.upload(line())),)


def large(recorder: Recorder) -> tuple[Any, Any]:
    """Thousands of lines, the last two of them alike."""
    upload = recorder.upload(
        *(line(f"id-{n}", x="x" * n) for n in range(400)), line("z"), line("z")
    )
    return checks.refused, (recorder.create(upload), None)


def more(recorder: Recorder) -> tuple[Any, Any]:
    """A page of one has more behind it because there are others, which the check does not name."""
    upload = recorder.upload(line())
    for _ in range(2):
        recorder.create(upload)
    return checks.has_more, (recorder.request("GET", "/batches", params={"limit": 1}),)


def listed_at_its_end(recorder: Recorder) -> tuple[Any, Any]:
    """A list shows a batch that has ended, for which nobody waited."""
    id = recorder.create(recorder.upload(line())).json["id"]
    while True:
        page = recorder.request("GET", "/batches", params={"limit": 5})
        if page.json["data"][0]["status"] == "completed":
            return bodies.status_has_its_times, (page,)
        recorder.story.pop()
        assert page.json["data"][0]["id"] == id


def read_again(recorder: Recorder) -> tuple[Any, Any]:
    """A file that was read before is not there any more."""
    id = recorder.upload(line()).json["data"]["id"]
    read = [recorder.request("GET", f"/files/{id}/content") for _ in range(2)]
    return checks.status_is, (read[1], 200)


def used_again(recorder: Recorder) -> tuple[Any, Any]:
    """A file that a batch was made of is good for no other."""
    upload = recorder.upload(line())
    return checks.status_is, ([recorder.create(upload) for _ in range(2)][1], 200)


def overwritten(recorder: Recorder) -> tuple[Any, Any]:
    """A file is another one since there was an upload of its name."""
    first = recorder.upload(line("a"))
    recorder.upload(line("b"))
    id = first.json["data"]["id"]
    return history.reads_back, (first, recorder.request("GET", f"/files/{id}/content"))


def listed_before_and_after(recorder: Recorder) -> tuple[Any, Any]:
    """Between two lists there was a creation that was refused."""
    file = recorder.upload(line())
    before = recorder.request("GET", "/batches", params={"limit": 5})
    recorder.create(file, completion_window="1h")
    return paging.is_the_same, (before, recorder.request("GET", "/batches", params={"limit": 5}))


def noted(recorder: Recorder) -> tuple[Any, Any]:
    """The check knows a creation by its notes, and nothing else tells of it: it was refused."""
    notes, file = {"sent": "wrongly"}, recorder.upload(line()).json["data"]["id"]
    body = {"input_file_id": file, "endpoint": ENDPOINT, "completion_window": "24h"}
    recorder.request("POST", "/batches", "Bearer sk-no", json={**body, "metadata": notes})
    return paging.holds_one, (recorder.request("GET", "/batches"), notes, 0)


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
        [(listed_at_its_end, "completed-without-time"), (noted, "refused-key-creates")],
    )
    def test_a_service_that_knows_nothing_of_the_run_fails_as_well(
        self, tmp_path: Path, story: Story, fault: str
    ) -> None:
        """What led to the failure is sent again, and what a list showed is waited for."""
        with recorded(story, fault) as (failure, faulty):
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
        assert "judge checks_for_tests begins_behind" in top

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
        with pytest.raises(NotCarried, match=r"^test_repro imports"):
            script(ROW, Failure("case", "", "", check, (answer,), (answer,)), "http://h/v1")
