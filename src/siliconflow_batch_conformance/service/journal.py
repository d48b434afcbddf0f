"""
The batches that a run creates, recorded before the creation is sent.

    conformance/<host>-<digest of base URL and key>/<run>.jsonl   in the state folder

Rule 1: an entry is on disk before its creation is sent. Its token is in the batch's metadata, so
that the batch can be found even if the response is lost.
Rule 2: a run locks its file until it ends; the process that gets the lock cleans up after it.
Rule 3: the journal contains no key, only a digest.

Input files are not recorded: the service has no operation that deletes one. They remain.
"""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from attrs import define

from siliconflow_batch.errors import StateUnusable
from siliconflow_batch.state.digests import account_digest
from siliconflow_batch.state.locked_file import JsonObject, LockedFile

from .budget import is_rejection

MARK = "siliconflow_conformance"
BEGINNING = b'{"event": '


@define
class Creation:
    """
    One request that creates a batch.

    `marked` means that its metadata contains the token; without it only the id in the response
    identifies the batch. `batch` is that id once it is known. A `closed` creation needs no cancel.
    """

    token: str
    at: float
    marked: bool = True
    batch: str | None = None
    closed: bool = False

    @property
    def metadata(self) -> dict[str, str]:
        return {MARK: self.token}


@define
class Journal:
    """
    One run's creations on one target with one key. `clock` is Unix seconds.

    `damaged` says that records cannot be read, so that creations may be missing. As a context
    manager it deletes its file on exit, unless a creation is still open or it is damaged.
    """

    file: LockedFile
    creations: dict[str, Creation]
    clock: Callable[[], float]
    damaged: bool = False

    @classmethod
    def open(cls, base_url: str, key: str, *, clock: Callable[[], float] = time.time) -> Self:
        """Creates the journal of a new run; raises `StateUnusable`."""
        folders = ("conformance", account_digest(base_url, key))
        file = LockedFile.create(*folders, name=f"{secrets.token_hex(8)}.jsonl")
        return cls(file, {}, clock)

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def run(self) -> str:
        return self.path.stem

    def others(self) -> Iterator[Self | StateUnusable | None]:
        """
        Yields the journals of other runs, locked meanwhile.

        None stands for one that is in use, and an error for one that cannot be opened.
        """
        for path in sorted(self.path.parent.glob("*.jsonl")):
            if path == self.path:
                continue
            if not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
                yield StateUnusable(path, "it cannot be read and written")
                continue
            if (file := LockedFile.resume(path)) is None:
                yield None
                continue
            damaged = any(map(_is_damaged, file.lines()))
            with type(self)(file, _read_creations(file.read()), self.clock, damaged) as journal:
                yield journal

    def intend(self, *, marked: bool = True) -> Creation:
        """
        Records a creation before it is sent.

        If this raises `StateUnusable`, the creation must not be sent.
        """
        creation = Creation(f"{self.run}-{secrets.token_hex(8)}", self.clock(), marked)
        self._append(creation, "intended", marked=marked)
        self.creations[creation.token] = creation
        return creation

    def intend_again(self, token: str) -> None:
        """Records that a rejected creation is about to be sent again."""
        creation = self.creations[token]
        self._append(creation, "intended", marked=creation.marked)
        creation.closed = False

    def record_response(self, token: str, status: int, body: object) -> None:
        """Records a batch or a rejection; any other response leaves the creation open."""
        id = body.get("id") if isinstance(body, dict) else None
        if 200 <= status < 300 and isinstance(id, str) and id:
            self.record_batch(token, id)
        elif is_rejection(status):
            self.close_creation(token)

    def record_batch(self, token: str, batch_id: str) -> None:
        self.creations[token].batch = batch_id
        self._append(self.creations[token], "made", batch=batch_id)

    def close_creation(self, token: str) -> None:
        self.creations[token].closed = True
        self._append(self.creations[token], "ended")

    def open_creations(self) -> list[Creation]:
        return [creation for creation in self.creations.values() if not creation.closed]

    def close(self) -> None:
        if self.damaged or self.open_creations():
            self.file.close()
        else:
            self.file.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, creation: Creation, event: str, **more: Any) -> None:
        self.file.append({"event": event, "token": creation.token, "at": creation.at, **more})


def _is_damaged(line: bytes) -> bool:
    """Whether a line is no record, and not the beginning of one that a crash has cut off."""
    if line.startswith(BEGINNING[: len(line)]) and not line.endswith(b"}"):
        return False
    try:
        return not isinstance(json.loads(line).get("token"), str)
    except (ValueError, RecursionError, AttributeError):
        return True


def _read_creations(records: Iterable[JsonObject]) -> dict[str, Creation]:
    creations: dict[str, Creation] = {}
    for record in records:
        match record:
            case {"event": str(event), "token": str(token), "at": int() | float() as at}:
                creation = creations.setdefault(token, Creation(token, at))
                creation.marked = bool(record.get("marked", creation.marked))
                creation.closed = event == "ended" or (creation.closed and event != "intended")
                if isinstance(batch := record.get("batch"), str):
                    creation.batch = batch
    return creations
