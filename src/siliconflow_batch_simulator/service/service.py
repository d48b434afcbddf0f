"""
The operations on files and batches, without HTTP.

Rule 1: an account sees its own objects only; those of other accounts do not exist for it.
Rule 2: a refused request (`Refused`) changes nothing.
Rule 3: a method marked with `Hook` can be replaced by a variant or a fault; nothing here knows one.
"""

import contextlib
import hashlib
import hmac
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import define, field

from ..batches import lifecycle
from ..batches.execution import Execution
from ..batches.lifecycle import Batch, Pace
from ..files.storage import File, Storage
from ..hooks import Hook
from .batch_request import read_creation
from .clock import Clock
from .database import Journal
from .input_check import input_error, input_reason
from .refusals import Reason, Refused, bad_request, invalid_token, not_found, rate_limited

RESULT_DAYS = 30
MAX_UPLOADS = 16  # at the same time


@define
class Account:
    """
    The uploads and batches of one API key, oldest first.

    `positions` maps the id of a batch to its index in `batches`.
    """

    uploads: list[File] = field(factory=list)
    batches: list[Batch] = field(factory=list)
    positions: dict[str, int] = field(factory=dict)


@define(eq=False)
class Service:
    """
    `folder` is where the contents of files are stored; each of `keys` is an account.

    With `backed`, a backend processes the lines. With a `journal`, the state survives the process.
    """

    folder: Path
    keys: tuple[str, ...] = field(repr=False)
    clock: Clock = field(factory=Clock)
    pace: Pace = field(factory=Pace)
    seed: int | None = None
    backed: bool = False
    journal: Journal | None = None
    storage: Storage = field(init=False)
    execution: Execution = field(init=False)
    batches: dict[str, Batch] = field(factory=dict, init=False)
    accounts: dict[str, Account] = field(init=False)
    open_uploads: int = field(default=0, init=False)
    _digests: list[str] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.storage = Storage(self.folder, self.seed)
        self.execution = Execution(self.storage, self.pace, self.backed)
        self._digests = [_digest(key) for key in self.keys]
        self.accounts = {digest: Account() for digest in self._digests}
        if self.journal is not None:
            self._restore(self.journal)

    @Hook
    def authenticate(self, authorization: str | None) -> str:
        """The account of an Authorization header; compares every key in constant time."""
        scheme, _, key = (authorization or "").partition(" ")
        digest = _digest(key)
        matches = [account for account in self._digests if hmac.compare_digest(digest, account)]
        if scheme.lower() != "bearer" or not matches:
            raise invalid_token()
        return matches[0]

    @contextlib.contextmanager
    def uploading(self) -> Iterator[None]:
        """Counts uploads in progress and refuses those over the limit."""
        if self.open_uploads >= MAX_UPLOADS:
            raise rate_limited()
        self.open_uploads += 1
        try:
            yield
        finally:
            self.open_uploads -= 1

    @Hook
    def upload(self, file: File) -> dict[str, Any]:
        """Adds a file that the storage has written; returns the body of the response."""
        self._commit(file)
        self.storage.add(file)
        self.accounts[file.account].uploads.append(file)
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

    @Hook
    def list_files(self, account: str, limit: int) -> dict[str, Any]:
        newest = itertools.islice(reversed(self.accounts[account].uploads), limit)
        return _envelope({"data": [_listed_file(file) for file in newest], "object": "file"})

    @Hook
    def content(self, account: str, file_id: str) -> File:
        file = self.storage.files.get(file_id)
        if file is None or file.account != account or self._is_gone(file):
            raise not_found()
        return file

    @Hook
    def result(self, token: str) -> File:
        """The file of a download URL, which needs no key."""
        file = self.storage.tokens.get(token)
        if file is None or self._is_gone(file):
            raise not_found()
        return file

    @Hook
    def create(self, account: str, body: object) -> Batch:
        creation = read_creation(body)
        file = self.storage.files.get(creation.input_file_id)
        if file is None or file.account != account or file.inspection is None:
            message = f"input_file_id {creation.input_file_id!r} names no uploaded file."
            raise bad_request(message, Reason.FILE_ID)
        errors = self.input_errors(file, creation.model)
        batch = Batch(
            id=self.storage.new_id("batch_"),
            account=account,
            input_file_id=file.id,
            file_name=file.name,
            total=file.inspection.lines,
            window_hours=creation.window_hours,
            created=self.clock.now(),
            metadata=creation.metadata,
            model=creation.model,
            errors=errors,
        )
        self._commit(batch)
        self._add(batch)
        return batch

    @Hook
    def input_errors(self, file: File, model: str | None) -> list[str] | None:
        """The errors that a batch from `file` is created with; `model` is `replace.model`."""
        if error := input_error(file, model):
            message = f"The input file {file.id!r} is invalid: {error}."
            raise bad_request(message, input_reason(file))
        return None

    @Hook
    def retrieve(self, account: str, batch_id: str) -> Batch:
        batch = self._owned(account, batch_id)
        if batch is None:
            raise not_found()
        self.settle(batch)
        return batch

    @Hook
    def cancel(self, account: str, batch_id: str) -> Batch:
        batch = self.retrieve(account, batch_id)
        try:
            lifecycle.move(batch, "cancel", self.clock.now())
        except lifecycle.TransitionRefused as refused:
            raise bad_request(str(refused)) from refused
        self._commit(batch)
        return batch

    @Hook
    def list_batches(self, account: str, limit: int, after: str | None) -> tuple[list[Batch], bool]:
        """A page, newest first, that starts after the batch `after`; and whether more follow."""
        owner = self.accounts[account]
        end = len(owner.batches)
        if after is not None:
            if self._owned(account, after) is None:
                raise bad_request(f"after {after!r} names no batch.", Reason.AFTER)
            end = owner.positions[after]
        begin = max(0, end - limit)
        page = owner.batches[begin:end][::-1]
        for batch in page:
            self.settle(batch)
        return page, begin > 0

    @Hook
    def view(self, batch: Batch, link: Callable[[str], str]) -> dict[str, Any]:
        """The batch as sent to clients; `link` makes a download URL from a token."""
        body = lifecycle.view(batch)
        for name in ("output_file_id", "error_file_id"):
            file = self.storage.files.get(getattr(batch, name) or "")
            if file is not None and file.token is not None:
                body[name] = link(file.token)
        return body

    @Hook
    def refusal_body(self, refused: Refused) -> Any:
        """The body of the response to a request that was refused."""
        return refused.body

    def settle(self, batch: Batch) -> None:
        """Brings a batch up to date."""
        if not batch.final and self.execution.settle(batch, self.clock.now()):
            self._commit(batch)

    def settle_open(self) -> list[Batch]:
        """Brings the batches that have not ended up to date and returns them."""
        still_open = [batch for batch in self.batches.values() if not batch.final]
        for batch in still_open:
            self.settle(batch)
        return still_open

    def record(self, batch: Batch, result: dict[str, Any], offset: int) -> None:
        """Records a backend's result of the next line, which ends at `offset` in the input."""
        self.execution.record(batch, [result], offset)
        if batch.done == batch.total:
            batch.answered = self.clock.now()
        self._commit(batch)

    def _is_gone(self, file: File) -> bool:
        """Result files are kept for 30 days (batch guide)."""
        return file.token is not None and self.clock.now() >= file.created + RESULT_DAYS * 86_400

    def _owned(self, account: str, batch_id: str) -> Batch | None:
        batch = self.batches.get(batch_id)
        return batch if batch is not None and batch.account == account else None

    def _add(self, batch: Batch) -> None:
        owner = self.accounts.setdefault(batch.account, Account())
        self.batches[batch.id] = batch
        owner.positions[batch.id] = len(owner.batches)
        owner.batches.append(batch)

    def _commit(self, changed: File | Batch) -> None:
        """Writes a changed object to the journal, a batch together with its result files."""
        if self.journal is None:
            return
        files, batches = ([changed], []) if isinstance(changed, File) else ([], [changed])
        for batch in batches:
            for name in {batch.output_file_id, batch.error_file_id} - {None}:
                files.append(self.storage.files[str(name)])
        self.journal.put(files, batches, self.clock.now())

    def _restore(self, journal: Journal) -> None:
        """Loads the state of an earlier process; an account without a key stays inaccessible."""
        self.clock.advance(seconds=max(0.0, journal.now() - self.clock.now()))
        for file in journal.files():
            self.storage.add(file)
            if file.inspection is not None:
                self.accounts.setdefault(file.account, Account()).uploads.append(file)
        for batch in journal.batches():
            self._add(batch)
            self.execution.trim(batch)
        self.storage.remove_unknown(set(self.batches))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


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
