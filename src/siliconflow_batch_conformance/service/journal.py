"""
What a run creates, written down before the service is asked for it.

    conformance/<host>-<digest of base URL and key>/<run>.jsonl   in the state folder

Rule 1: an entry is on the disk before its creation is sent; its token stands in the batch's
metadata, so that the batch is found when the answer is lost.
Rule 2: a run keeps its file locked as long as it lives; who gets the lock cleans up behind it.
Rule 3: no key is in here, only a digest.

Input files are not in here: the service has no operation that deletes one. They stay.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
from attrs import define

from .budget import refused
from .locked_file import Record, Records

MARK = "siliconflow_conformance"


@define
class Entry:
    """
    One creation. `marked` says that it carries `metadata`; one that does not is known by the id in
    its answer alone. `batch` is that id, once it is known; `ended`: there is nothing left to do.
    """

    token: str
    at: float
    marked: bool = True
    batch: str | None = None
    ended: bool = False

    @property
    def metadata(self) -> dict[str, str]:
        return {MARK: self.token}


@define
class Journal:
    """
    One run's creations on one target with one key. `clock` is Unix seconds.

    A context manager: at its end the file stays if an entry is open, and else it goes.
    """

    records: Records
    entries: dict[str, Entry]
    clock: Callable[[], float]

    @classmethod
    def open(
        cls, base_url: str, key_digest: str, *, clock: Callable[[], float] = time.time
    ) -> Self:
        """A new run's journal; raises `StateUnusable`."""
        folders = ("conformance", _name(base_url, key_digest))
        records = Records.create(*folders, name=f"{secrets.token_hex(8)}.jsonl")
        return cls(records, {}, clock)

    @property
    def path(self) -> Path:
        return self.records.path

    @property
    def run(self) -> str:
        return self.path.stem

    def others(self) -> Iterator[Self | None]:
        """Other runs' journals, each locked while it is looked at; None for one that is in use."""
        for path in sorted(self.path.parent.glob("*.jsonl")):
            if path == self.path:
                continue
            if (records := Records.resume(path)) is None:
                yield None
                continue
            with type(self)(records, _entries(records.read()), self.clock) as journal:
                yield journal

    def intend(self, *, marked: bool = True) -> Entry:
        """Comes before a creation; raises `StateUnusable`, and then it must not be sent."""
        entry = Entry(f"{self.run}-{secrets.token_hex(8)}", self.clock(), marked)
        self._add(entry, "intended", marked=marked)
        self.entries[entry.token] = entry
        return entry

    def intend_again(self, token: str) -> None:
        """Comes before a creation that was refused is sent once more."""
        entry = self.entries[token]
        self._add(entry, "intended", marked=entry.marked)
        entry.ended = False

    def heard(self, token: str, status: int, body: object) -> None:
        """Takes the answer to a creation: a batch, a refusal, or nothing that says which."""
        id = body.get("id") if isinstance(body, dict) else None
        if 200 <= status < 300 and isinstance(id, str) and id:
            self.made(token, id)
        elif refused(status):
            self.ended(token)

    def made(self, token: str, batch_id: str) -> None:
        self.entries[token].batch = batch_id
        self._add(self.entries[token], "made", batch=batch_id)

    def ended(self, token: str) -> None:
        self.entries[token].ended = True
        self._add(self.entries[token], "ended")

    def left_open(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if not entry.ended]

    def close(self) -> None:
        if self.left_open():
            self.records.close()
        else:
            self.records.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, entry: Entry, event: str, **more: Any) -> None:
        self.records.add({"event": event, "token": entry.token, "at": entry.at, **more})


def digest(key: str) -> str:
    """What stands for a key in here."""
    return hashlib.sha256(b"siliconflow-batch conformance\0" + key.encode()).hexdigest()[:32]


def _name(base_url: str, key_digest: str) -> str:
    url = httpx.URL(base_url)
    place = f"{url.scheme}://{url.netloc.decode()}{url.path.rstrip('/')}"
    host = re.sub(r"[^a-z0-9.-]", "_", url.host)
    return f"{host}-{hashlib.sha256(f'{place} {key_digest}'.encode()).hexdigest()[:16]}"


def _entries(records: Iterable[Record]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for record in records:
        match record:
            case {"event": str(event), "token": str(token), "at": int() | float() as at}:
                entry = entries.setdefault(token, Entry(token, at))
                entry.marked = bool(record.get("marked", entry.marked))
                entry.ended = event == "ended" or (entry.ended and event != "intended")
                if isinstance(batch := record.get("batch"), str):
                    entry.batch = batch
    return entries
