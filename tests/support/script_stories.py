"""Small stories that end in a failure, and runs of the scripts that repeat them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from siliconflow_batch_conformance.checks import bodies, history, pages
from siliconflow_batch_conformance.checks.creation import ENDPOINT
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.verdicts import Failure
from siliconflow_batch_simulator import Pace, Simulator
from support import example_checks
from support.recorder import Recorder, line

KEYS = ("sk-first-$(id)", "sk-second-'\"\\")
OTHER_KEYS = ("sk-other-first", "sk-other-second")
ROW = load()["LIST-3"]
QUICK = Pace(queued=0, running=0, finalizing=0, cancelling=0)
HOSTILE = b"' \" $(touch pwned) `id` \\0 \\\\c \x00 \xff\xfe \r\n %s \xe2\x80\xa8\nEND-0\n\xf0\x9f"

Story = Callable[[Recorder], tuple[Callable[..., str | None], tuple[Any, ...]]]


@contextmanager
def record_failure(
    story: Story, *faults: str, pace: Pace = QUICK
) -> Iterator[tuple[Failure, Simulator]]:
    """Runs a story on a simulator with faults; yields its failure and the simulator."""
    with Simulator(keys=KEYS, faults=faults, pace=pace) as simulator:
        recorder = Recorder(simulator)
        check, arguments = story(recorder)
        actual = check(*arguments)
        assert actual is not None
        failure = Failure("case", "as documented", actual, check, arguments, tuple(recorder.story))
        yield failure, simulator


def run_script(
    text: str, folder: Path, *arguments: str, shell: str = "sh", **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Runs a script with these environment variables, and without any other key."""
    process = start_script(write_script(text, folder), *arguments, shell=shell, **variables)
    stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def write_script(text: str, folder: Path) -> Path:
    path = folder / "repro.sh"
    path.write_text(text, encoding="utf-8")
    return path


def start_script(
    path: Path, *arguments: str, shell: str = "sh", **variables: str
) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if "SILICONFLOW" not in name}
    return subprocess.Popen(  # noqa: S603 - a generated script
        [shutil.which(shell) or shell, str(path), *arguments],
        env={**kept, "PYTHON": sys.executable, "TMPDIR": str(path.parent), **variables},
        cwd=path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def keys(simulator: Simulator) -> dict[str, str]:
    first, *others = simulator.keys
    second = {"SILICONFLOW_API_KEY_2": others[0]} if others else {}
    return {"SILICONFLOW_API_KEY": first, **second}


def exit_statuses(
    text: str, faulty: Simulator, folder: Path, pace: Pace = QUICK
) -> tuple[int, int]:
    """The exit statuses of a script on the faulty simulator of its run and on a sound one."""
    with Simulator(keys=OTHER_KEYS, pace=pace) as sound:
        return exit_statuses_on(text, faulty, sound, folder)


def exit_statuses_on(
    text: str, faulty: Simulator, sound: Simulator, folder: Path, **variables: str
) -> tuple[int, int]:
    """The exit statuses of a script that runs on two simulators at once, and prints no key."""
    path = write_script(text, folder)  # once: a shell reads its script while it runs
    processes = [
        start_script(path, simulator.base_url, **keys(simulator), **variables)
        for simulator in (faulty, sound)
    ]
    outputs = [process.communicate() for process in processes]
    printed = "".join(stream for output in outputs for stream in output)
    assert not any(key in text + printed for key in (*KEYS, *OTHER_KEYS))
    assert [stderr for _, stderr in outputs] == ["", ""]
    return processes[0].returncode, processes[1].returncode


def page_by_creation(recorder: Recorder) -> tuple[Any, Any]:
    """The check of a page receives the creations."""
    upload = recorder.upload(line())
    created = [recorder.create(upload, metadata={"n": str(n)}) for n in range(4)]
    recorder.request("GET", "/files")
    page = recorder.request("GET", "/batches", params={"limit": 2, "after": created[2].json["id"]})
    return example_checks.starts_after, (page, created, 2)


def page_by_id(recorder: Recorder) -> tuple[Any, Any]:
    """The check of a page receives ids."""
    upload = recorder.upload(line())
    ids = [recorder.create(upload).json["id"] for _ in range(4)]
    page = recorder.request("GET", "/batches", params={"limit": 2, "after": ids[2]})
    return example_checks.lists_ids, (page, [ids[1], ids[0]])


def result_downloaded(recorder: Recorder) -> tuple[Any, Any]:
    """A result is downloaded by its URL, without a key."""
    upload = recorder.upload(line("a"), line("b"))
    *_, end = recorder.watch(recorder.create(upload))
    output = recorder.request("GET", end.json["output_file_id"], authorization=None)
    return example_checks.has_every_line, (output, ["a", "b"])


def never_finished(recorder: Recorder) -> tuple[Any, Any]:
    """The run's patience ends before the batch does."""
    return example_checks.ends_with_status, (
        recorder.watch(recorder.create(recorder.upload(line())), 2),
        "completed",
    )


def cancelled_twice(recorder: Recorder) -> tuple[Any, Any]:
    """A finished batch is cancelled twice."""
    *_, end = recorder.watch(recorder.create(recorder.upload(line())))
    for _ in range(2):
        recorder.request("POST", f"/batches/{end.json['id']}/cancel")
    return example_checks.is_unchanged, (end, recorder.request("GET", f"/batches/{end.json['id']}"))


def seen_by_stranger(recorder: Recorder) -> tuple[Any, Any]:
    """The second account's list contains a batch of the first."""
    created = recorder.create(recorder.upload(line()))
    return example_checks.does_not_list, (recorder.stranger().request("GET", "/batches"), created)


def invalid_input_accepted(recorder: Recorder) -> tuple[Any, Any]:
    """A sound service rejects this creation, so it has no batch to wait for."""
    creation = recorder.create(recorder.upload(line(), line()))
    *_, end = recorder.watch(creation)
    return example_checks.is_rejected, (creation, end)


def invalid_input_processed(recorder: Recorder) -> tuple[Any, Any]:
    """As before, but the check receives a list of responses."""
    return example_checks.is_rejected_or_fails, (list(invalid_input_accepted(recorder)[1]),)


def wrong_scheme_accepted(recorder: Recorder) -> tuple[Any, Any]:
    """The key is sent with the wrong scheme."""
    return example_checks.status_is, (recorder.request("GET", "/batches", "Basic {key}"), 401)


def file_renamed(recorder: Recorder) -> tuple[Any, Any]:
    """A file name with special characters."""
    name = "It's $HOME größe %s.JSONL"
    return example_checks.has_filename, (recorder.upload(line(), name=name), name)


def metadata_changed(recorder: Recorder) -> tuple[Any, Any]:
    """The check compares the response with the request, ids included."""
    metadata = {"it's": "größe \u2028 $HOME `id` \\0 \x7f \U0001f600", "empty": ""}
    created = recorder.create(recorder.upload(line()), metadata=metadata)
    return example_checks.keeps_metadata, (created, metadata)


def wrong_created_at(recorder: Recorder) -> tuple[Any, Any]:
    """The check compares a time with that of the response."""
    return example_checks.has_current_created_at, (recorder.create(recorder.upload(line())),)


def large_upload(recorder: Recorder) -> tuple[Any, Any]:
    """Hundreds of lines; the last two have the same custom_id."""
    upload = recorder.upload(
        *(line(f"id-{n}", x="x" * n) for n in range(400)), line("z"), line("z")
    )
    return example_checks.is_rejected, (recorder.create(upload), None)


def has_more_wrong(recorder: Recorder) -> tuple[Any, Any]:
    """`has_more` depends on batches that the check does not receive."""
    upload = recorder.upload(line())
    for _ in range(2):
        recorder.create(upload)
    return example_checks.has_more_is_true, (
        recorder.request("GET", "/batches", params={"limit": 1}),
    )


def listed_as_completed(recorder: Recorder) -> tuple[Any, Any]:
    """A list contains a finished batch that the run did not wait for."""
    id = recorder.create(recorder.upload(line())).json["id"]
    while True:
        page = recorder.request("GET", "/batches", params={"limit": 5})
        if page.json["data"][0]["status"] == "completed":
            return bodies.timestamps_match_status, (page,)
        recorder.story.pop()
        assert page.json["data"][0]["id"] == id


def cancelled_by_list(recorder: Recorder) -> tuple[Any, Any]:
    """A list cancels a queued batch, which was created after another one had ended."""
    upload = recorder.upload(line())
    created = [recorder.create(upload)]
    recorder.watch(created[0])
    created.append(recorder.create(upload))
    page = recorder.request("GET", "/batches", params={"limit": 5})
    return history.only_named_batches_are_cancelled, (page, created, [])


def content_read_twice(recorder: Recorder) -> tuple[Any, Any]:
    """A file can be read only once."""
    id = recorder.upload(line()).json["data"]["id"]
    reads = [recorder.request("GET", f"/files/{id}/content") for _ in range(2)]
    return example_checks.status_is, (reads[1], 200)


def input_used_twice(recorder: Recorder) -> tuple[Any, Any]:
    """A file can be used for one batch only."""
    upload = recorder.upload(line())
    return example_checks.status_is, ([recorder.create(upload) for _ in range(2)][1], 200)


def upload_overwritten(recorder: Recorder) -> tuple[Any, Any]:
    """An upload replaces an earlier file with the same name."""
    first = recorder.upload(line("a"))
    recorder.upload(line("b"))
    id = first.json["data"]["id"]
    return history.content_equals_upload, (first, recorder.request("GET", f"/files/{id}/content"))


def list_changed_by_rejection(recorder: Recorder) -> tuple[Any, Any]:
    """A rejected creation changes the list."""
    file = recorder.upload(line())
    before = recorder.request("GET", "/batches", params={"limit": 5})
    recorder.create(file, completion_window="1h")
    return pages.is_the_same_page, (
        before,
        recorder.request("GET", "/batches", params={"limit": 5}),
    )


def rejected_batch_listed(recorder: Recorder) -> tuple[Any, Any]:
    """The check identifies a rejected creation by its metadata."""
    metadata, file = {"sent": "wrongly"}, recorder.upload(line()).json["data"]["id"]
    body = {"input_file_id": file, "endpoint": ENDPOINT, "completion_window": "24h"}
    recorder.request("POST", "/batches", "Bearer sk-no", json={**body, "metadata": metadata})
    return pages.lists_batches_with_metadata, (recorder.request("GET", "/batches"), metadata, 0)
