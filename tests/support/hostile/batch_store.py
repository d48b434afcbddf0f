"""
What exists at the hostile service: the files and batches of one account.

Rule 1: a batch exists from `since` on, in seconds of `time.monotonic()`. Work that is done late is
a batch whose `since` lies ahead.
Rule 2: ids tell nothing about the order.
"""

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any

HOUR = 3600
WINDOW = 24 * HOUR
TIMES = (
    "in_progress_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelling_at",
    "cancelled_at",
)


@dataclass(frozen=True)
class StoredBatch:
    id: str
    input_file_id: str
    metadata: dict[str, str]
    created_at: int
    since: float
    status: str = "in_queue"

    def as_dict(self) -> dict[str, Any]:
        """The batch as the service writes it after a creation."""
        times: dict[str, int | None] = dict.fromkeys(TIMES)
        if self.status == "completed":
            times["in_progress_at"] = self.created_at + 10
            times["finalizing_at"] = times["completed_at"] = self.created_at + 60
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": None,
            "input_file_id": self.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": None,
            "error_file_id": None,
            "created_at": self.created_at,
            "expires_at": self.created_at + WINDOW,
            **times,
            "request_counts": None,
            "metadata": self.metadata,
        }


@dataclass
class BatchStore:
    """`clock` is the difference between the clock of the service and that of this machine."""

    clock: int = 0
    old: list[StoredBatch] = field(default_factory=list)
    made: list[StoredBatch] = field(default_factory=list)  # by the requests of the client
    foreign: list[StoredBatch] = field(default_factory=list)  # by others, meanwhile
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_history(self, number: int) -> None:
        """Adds batches that are hours and days older than anything that follows."""
        for place in range(number):
            batch = self._new(
                self._id("file-"),
                {"siliconflow_batch_token": self._id("")} if place % 2 else {"job": "nightly"},
                age=(place + 1) * 1.7 * HOUR + place * 13,
                status="completed",
            )
            self.old.append(batch)

    def add_old_batch(self, input_file_id: str) -> StoredBatch:
        """A batch that another program made of this file ten minutes ago."""
        batch = self._new(
            input_file_id, {"siliconflow_batch_token": self._id("")}, age=600, status="in_progress"
        )
        self.old.insert(0, batch)
        return batch

    def upload(self, size: int) -> dict[str, Any]:
        with self._lock:
            file = {
                "id": self._id("file-"),
                "object": "file",
                "bytes": size,
                "createdAt": self._now(),
                "filename": "requests.jsonl",
                "purpose": "batch",
            }
            self.files[str(file["id"])] = file
        return file

    def create(self, body: dict[str, Any], delay: float = 0.0) -> StoredBatch:
        """Makes a batch that exists `delay` seconds from now."""
        with self._lock:
            metadata = body.get("metadata") or {}
            batch = self._new(body["input_file_id"], metadata, age=-delay, delay=delay)
            self.made.append(batch)
        return batch

    def create_foreign(self) -> None:
        """Makes a batch as another program of the account does it."""
        with self._lock:
            self.foreign.append(self._new(self._id("file-"), {"job": "other"}))

    def existing(self) -> list[StoredBatch]:
        """The batches that exist now, newest first."""
        now = time.monotonic()
        with self._lock:
            new = [batch for batch in [*self.made, *self.foreign] if batch.since <= now]
        new.sort(key=lambda batch: batch.since, reverse=True)
        return [*new, *self.old]

    def _new(
        self,
        input_file_id: str,
        metadata: dict[str, str],
        age: float = 0.0,
        delay: float = 0.0,
        status: str = "in_queue",
    ) -> StoredBatch:
        created_at = int(self._now() - age)
        since = time.monotonic() + delay
        return StoredBatch(self._id("batch_"), input_file_id, metadata, created_at, since, status)

    def _now(self) -> int:
        return int(time.time()) + self.clock

    def _id(self, prefix: str) -> str:
        self._number += 1
        digest = hashlib.sha256(f"{prefix}{self._number}".encode()).hexdigest()
        return prefix + digest[: 10 if prefix else 32]
