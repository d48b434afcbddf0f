"""Failures of small stories, and how their scripts end on simulators, faulty and sound."""

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
from support import example_checks as checks
from support.recorder import Recorder, line

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
            return bodies.timestamps_match_status, (page,)
        recorder.story.pop()
        assert page.json["data"][0]["id"] == id


def stopped_by_a_list(recorder: Recorder) -> tuple[Any, Any]:
    """A list stops a batch in the queue; another one had ended before that one was created."""
    upload = recorder.upload(line())
    made = [recorder.create(upload)]
    recorder.watch(made[0])
    made.append(recorder.create(upload))
    page = recorder.request("GET", "/batches", params={"limit": 5})
    return history.only_named_batches_are_cancelled, (page, made, [])


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
    return history.content_equals_upload, (first, recorder.request("GET", f"/files/{id}/content"))


def listed_before_and_after(recorder: Recorder) -> tuple[Any, Any]:
    """Between two lists there was a creation that was refused."""
    file = recorder.upload(line())
    before = recorder.request("GET", "/batches", params={"limit": 5})
    recorder.create(file, completion_window="1h")
    return pages.is_the_same_page, (
        before,
        recorder.request("GET", "/batches", params={"limit": 5}),
    )


def noted(recorder: Recorder) -> tuple[Any, Any]:
    """The check knows a creation by its notes, and nothing else tells of it: it was refused."""
    notes, file = {"sent": "wrongly"}, recorder.upload(line()).json["data"]["id"]
    body = {"input_file_id": file, "endpoint": ENDPOINT, "completion_window": "24h"}
    recorder.request("POST", "/batches", "Bearer sk-no", json={**body, "metadata": notes})
    return pages.lists_batches_with_metadata, (recorder.request("GET", "/batches"), notes, 0)
