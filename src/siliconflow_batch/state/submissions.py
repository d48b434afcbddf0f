"""
What a submission has done so far, recorded so that the next process finishes it.

    submissions/<account>/<name>.jsonl   in the state folder

One file is one submission of one input file. Its name is a digest of an idempotency key, or of the
content and the options; the same command has the same name. Each record is the whole submission:

    {"version": 1, "pid": 4711, "host": "a", "submission": {"token": "…", "creating": null, …}}

Rule 1: a fact is on disk before the request that depends on it is sent.
Rule 2: `creating` is never lost. If a line cannot be read, a batch may exist.
Rule 3: at most one process has a submission. It has it until it closes the file, or ends.
Rule 4: no record contains a key, an idempotency key, metadata, or a line of the input file.
"""

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec
from attrs import asdict, define, evolve, field

from ..errors import ArgumentInvalid, InputError, StateUnusable
from . import command_files
from .command_files import FOLDER
from .locked_file import LockedFile, lines_of_another, state

VERSION = 1
FIRST_CHARACTERS = '{"version": 1, '
MEMORY = 30 * 86_400.0  # seconds; an entry that no process has opened for so long is deleted


class SubmissionBusy(InputError):
    """Another process has the submission. `pid` and `host` are None if it has not said so yet."""

    def __init__(self, pid: int | None, host: str | None) -> None:
        super().__init__(pid, host)
        self.pid, self.host = pid, host

    def __str__(self) -> str:
        process = f"Process {self.pid} on {self.host}" if self.pid else "Another process"
        return (
            f"{process} is submitting the same input. Nothing was sent.\n\n"
            "Wait until it ends, then submit again: that continues what is unfinished."
        )


class SubmissionUnreadable(StateUnusable):
    """The record of a submission cannot be read, so it is unknown whether a batch exists."""

    def __str__(self) -> str:
        return (
            f"Cannot read {self.path}: {self.reason}. It is the record of a submission, and its "
            "batch may exist. Nothing was sent.\n\n"
            "Look for the batch in the list of batches. Delete the file if there is none."
        )


@define(frozen=True)
class Submission:
    """
    What the records say. Times are Unix seconds.

    `token` is in the metadata of the batch, and `request` is a digest of what was asked for.
    `uploaded_at` is the service's time of the upload `file_id`. A batch may exist if `creating` is
    not None, the time before which no creation was sent. `source` is the name of the input file.
    `command` names the command that submits it, with its other files; see `command_files`.
    """

    token: str
    request: str
    began: float
    source: str = ""
    file_id: str | None = None
    uploaded_at: float | None = None
    creating: float | None = None
    batch_id: str | None = None
    command: str = ""

    @property
    def unresolved(self) -> bool:
        """Whether a batch may exist whose id is unknown."""
        return self.creating is not None and self.batch_id is None


@define
class SubmissionFile:
    """The record of a submission, locked by this process. As a context manager it is closed."""

    submission: Submission
    _file: LockedFile = field(repr=False)

    @classmethod
    def open(
        cls,
        account: str,
        name: str,
        request: str,
        *,
        token: str | None = None,
        source: str = "",
        command: str = "",
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """
        Continues the submission of that name, or begins it, with `token` or a new one.

        `account`, `name` and `request` are digests. Raises `SubmissionBusy` if another process has
        the submission, `ArgumentInvalid` if it was another `request`, `SubmissionUnreadable`, and
        `StateUnusable`. It also deletes entries of the account that were not used for 30 days,
        unless their batch may exist and has no known id.
        """
        file = _opened(account, name)
        with contextlib.ExitStack() as on_error:
            on_error.callback(lambda: file.close())
            submission = _read(file.path, file.lines())
            if submission is not None and _is_over(submission, file.path.parent):
                file.remove()
                file, submission = _opened(account, name), None
            if submission is None:
                on_error.callback(file.remove)
                submission = Submission(token or uuid.uuid4().hex, request, clock(), source)
            elif submission.request != request:
                raise ArgumentInvalid(_difference(submission, file.path))
            if not command_files.is_unfinished(file.path.parent, submission.command):
                submission = evolve(submission, command=command)
            self = cls(submission, file)
            self.record()
            _delete_old(file.path.parent, clock() - MEMORY)
            command_files.delete_old(file.path.parent, clock() - MEMORY)
            on_error.pop_all()
        return self

    @property
    def path(self) -> Path:
        return self._file.path

    def record(
        self,
        *,
        file_id: str | None = None,
        uploaded_at: float | None = None,
        creating: float | None = None,
        batch_id: str | None = None,
    ) -> None:
        """
        Adds what is given; it is on disk on return. The first `creating` is kept.

        If this raises `StateUnusable`, the next request must not be sent.
        """
        new = evolve(
            self.submission,
            file_id=file_id,
            uploaded_at=uploaded_at,
            creating=creating,
            batch_id=batch_id,
        )
        submission = _merged(self.submission, new)
        writer = {"version": VERSION, "pid": os.getpid(), "host": socket.gethostname()}
        self._file.append({**writer, "submission": asdict(submission)})
        self.submission = submission

    def forget(self) -> None:
        """Deletes the file: the submission is over, or nothing of it is left to finish."""
        self._file.remove()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_over(submission: Submission, folder: Path) -> bool:
    """Whether the command of a submission that has its batch is over."""
    is_made = submission.batch_id is not None and bool(submission.command)
    return is_made and not command_files.is_unfinished(folder, submission.command)


def _opened(account: str, name: str) -> LockedFile:
    file = LockedFile.open(FOLDER, account, name=f"{name}.jsonl")
    if file is None:
        raise _busy(state() / FOLDER / account / f"{name}.jsonl")
    return file


@define(frozen=True)
class _Record:
    version: int
    pid: int
    host: str
    submission: Submission


def _read(path: Path, lines: list[bytes]) -> Submission | None:
    """
    What the lines say together, in any order; None if nothing was begun.

    Raises `SubmissionUnreadable` if lines contradict each other, or say too little.
    """
    found: Submission | None = None
    unreadable = []
    for line in lines:
        record = _parsed(path, line)
        if record is None:
            unreadable.append(line)
        elif found is None:
            found = record.submission
        elif (found.token, found.request) == (record.submission.token, record.submission.request):
            found = _merged(found, record.submission)
        else:
            raise SubmissionUnreadable(path, "it contains two submissions")
    if found is None:
        if not all(map(_is_cut_off, unreadable)):
            raise SubmissionUnreadable(path, "it is damaged")
    elif unreadable and found.creating is None:  # a creation may have been recorded there
        found = evolve(found, creating=found.began)
    return found


def _parsed(path: Path, line: bytes) -> _Record | None:
    """A record of this version, or None; raises `SubmissionUnreadable` for a later version."""
    try:
        match msgspec.json.decode(line):
            case {"version": int(version)} if version > VERSION:
                raise SubmissionUnreadable(path, "a later version of this package has written it")
            case {"version": 1}:
                return msgspec.json.decode(line, type=_Record)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    return None


def _is_cut_off(line: bytes) -> bool:
    """Whether a line is the beginning of a record; what depends on one was never sent."""
    text = line.rstrip(b"\0").decode("latin-1")  # zeros follow a loss of power
    begins = text.startswith(FIRST_CHARACTERS) or FIRST_CHARACTERS.startswith(text)
    readable = text.isascii() and text.isprintable()
    return begins and readable and not text.endswith("}}") and not _is_json(text)


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _merged(old: Submission, new: Submission) -> Submission:
    """Adds what `new` knows. Facts are replaced by later ones, but never by nothing."""
    upload = new if new.file_id is not None else old
    times = [time for time in (old.creating, new.creating) if time is not None]
    return evolve(
        new,
        file_id=upload.file_id,
        uploaded_at=upload.uploaded_at,
        creating=min(times, default=None),
        batch_id=old.batch_id if new.batch_id is None else new.batch_id,
    )


def _busy(path: Path) -> SubmissionBusy:
    """Names the process that wrote the last record."""
    for line in reversed(lines_of_another(path)):
        with contextlib.suppress(SubmissionUnreadable):
            if record := _parsed(path, line):
                return SubmissionBusy(record.pid, record.host)
    return SubmissionBusy(None, None)


def _difference(submission: Submission, path: Path) -> str:
    began = datetime.fromtimestamp(submission.began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    source = f" of {submission.source!r}" if submission.source else ""
    return (
        f"The idempotency key belongs to another submission{source}, begun on {began} and recorded "
        f"in {path}. Nothing was sent.\n\n"
        "Use another key, or repeat that submission with the same content and options."
    )


def _delete_old(folder: Path, before: float) -> None:
    """Deletes the files that were last written `before`, if no batch of unknown id may exist."""
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(OSError, SubmissionUnreadable):
            if path.stat().st_mtime < before and (file := LockedFile.resume(path)):
                with contextlib.closing(file):
                    submission = _read(path, file.lines())
                    if submission is None or not submission.unresolved:
                        file.remove()
