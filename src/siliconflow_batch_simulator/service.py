"""
The seven operations on files and batches, without HTTP.

Rule 1: an account sees its own objects; another's are as unknown as none.
Rule 2: a refusal (`Refused`) leaves everything as it was.
"""

import hmac
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, field

from . import lifecycle
from .clock import Clock
from .creation import read_creation
from .execution import Execution
from .lifecycle import Batch, Pace
from .lines import Inspection
from .refusals import bad_request, invalid_token, not_found
from .storage import File, Storage


@define
class Account:
    """What belongs to one API key, oldest first; `positions` finds a batch in `batches`."""

    uploads: list[File] = field(factory=list)
    batches: list[Batch] = field(factory=list)
    positions: dict[str, int] = field(factory=dict)


@define(slots=False)
class Service:
    """
    `folder` takes the files' bytes; `keys` are the API keys, an account each.

    With `urls` a finished batch names its results by download URL, else by file id. With
    `late_validation` a faulty input file is not refused at creation: its batch becomes `failed`.
    """

    folder: Path
    keys: tuple[str, ...] = field(repr=False)
    clock: Clock = field(factory=Clock)
    pace: Pace = field(factory=Pace)
    seed: int | None = None
    urls: bool = True
    late_validation: bool = False
    storage: Storage = field(init=False)
    execution: Execution = field(init=False)
    batches: dict[str, Batch] = field(factory=dict, init=False)
    accounts: list[Account] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.storage = Storage(self.folder, self.seed)
        self.execution = Execution(self.storage, self.pace)
        self.accounts = [Account() for _ in self.keys]

    def authenticate(self, authorization: str | None) -> int:
        """The account of an Authorization header; every key is compared, in constant time."""
        scheme, _, key = (authorization or "").partition(" ")
        matches = [hmac.compare_digest(key.encode(), known.encode()) for known in self.keys]
        if scheme.lower() != "bearer" or True not in matches:
            raise invalid_token()
        return matches.index(True)

    def upload(self, account: int, name: str, source: BinaryIO) -> dict[str, Any]:
        file = self.storage.keep_input(account, name, source, self.clock.now())
        self.accounts[account].uploads.append(file)
        return _envelope(
            {
                "id": file.id,
                "object": "file",
                "bytes": file.bytes,
                "createdAt": int(file.created),
                "filename": file.name,
                "purpose": "batch",
            }
        )

    def list_files(self, account: int, limit: int) -> dict[str, Any]:
        newest = itertools.islice(reversed(self.accounts[account].uploads), limit)
        return _envelope({"data": [_listed_file(file) for file in newest], "object": "file"})

    def content(self, account: int, file_id: str) -> File:
        file = self.storage.files.get(file_id)
        if file is None or file.account != account:
            raise not_found()
        return file

    def result(self, token: str) -> File:
        """The file behind a download URL; whoever has the URL may read it."""
        file = self.storage.tokens.get(token)
        if file is None:
            raise not_found()
        return file

    def create(self, account: int, body: object) -> Batch:
        asked = read_creation(body)
        file = self.storage.files.get(asked.input_file_id)
        if file is None or file.account != account or file.inspection is None:
            raise bad_request(f"input_file_id {asked.input_file_id!r} names no uploaded file.")
        fault = file.inspection.fault or _model_fault(file.inspection, asked.model)
        if fault and not self.late_validation:
            raise bad_request(f"The input file {file.id!r} cannot be used: {fault}.")
        batch = Batch(
            id=self.storage.new_id("batch_"),
            account=account,
            input_file_id=file.id,
            file_name=file.name,
            total=file.inspection.lines,
            window_hours=asked.window_hours,
            created=self.clock.now(),
            metadata=asked.metadata,
            model=asked.model,
            errors=[fault] if fault else None,
        )
        self._add(batch)
        return batch

    def retrieve(self, account: int, batch_id: str) -> Batch:
        batch = self._owned(account, batch_id)
        if batch is None:
            raise not_found()
        self.execution.settle(batch, self.clock.now())
        return batch

    def cancel(self, account: int, batch_id: str) -> Batch:
        batch = self.retrieve(account, batch_id)
        try:
            lifecycle.move(batch, "cancel", self.clock.now())
        except lifecycle.TransitionRefused as refused:
            raise bad_request(str(refused)) from refused
        return batch

    def list_batches(self, account: int, limit: int, after: str | None) -> tuple[list[Batch], bool]:
        """A page, newest first, and whether more follow; `after` is exclusive."""
        owner = self.accounts[account]
        end = len(owner.batches)
        if after is not None:
            if self._owned(account, after) is None:
                raise bad_request(f"after {after!r} names no batch.")
            end = owner.positions[after]
        begin = max(0, end - limit)
        page = owner.batches[begin:end][::-1]
        for batch in page:
            self.execution.settle(batch, self.clock.now())
        return page, begin > 0

    def view(self, batch: Batch, link: Callable[[str], str]) -> dict[str, Any]:
        """A batch as it is answered; `link` makes the download URL of a result file's token."""
        body = lifecycle.view(batch)
        for name in ("output_file_id", "error_file_id"):
            file = self.storage.files.get(getattr(batch, name) or "")
            if file is not None and file.token is not None:
                body[name] = link(file.token) if self.urls else file.id
        return body

    def _owned(self, account: int, batch_id: str) -> Batch | None:
        batch = self.batches.get(batch_id)
        return batch if batch is not None and batch.account == account else None

    def _add(self, batch: Batch) -> None:
        owner = self.accounts[batch.account]
        self.batches[batch.id] = batch
        owner.positions[batch.id] = len(owner.batches)
        owner.batches.append(batch)


def _model_fault(inspection: Inspection, replaced: str | None) -> str | None:
    if replaced is not None or (len(inspection.models) == 1 and None not in inspection.models):
        return None
    if inspection.models == {None}:
        return "no line names a model, and replace.model is not given"
    named = sorted(str(model) for model in inspection.models)
    return f"without replace.model every line must name the same model, not {named}"


def _envelope(data: dict[str, Any]) -> dict[str, Any]:
    return {"code": 20000, "message": "Ok", "status": True, "data": data}


def _listed_file(file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created),
        "filename": file.name,
        "purpose": "batch",
        "line_count": file.inspection.lines if file.inspection else 0,
    }
