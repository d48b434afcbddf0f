"""
Files on disk, and new ids.

Rule 1: the name of a file on disk is an id made here, never a name from outside.
Rule 2: bytes are copied as a stream; memory use does not grow with the size of a file.
"""

import random
import re
import shutil
import string
from pathlib import Path
from typing import BinaryIO

from attrs import define, field

from ..hooks import Hook
from .inspection import Inspection, inspect

INPUT_NAME = re.compile("file-[a-z]{10}")


@define(frozen=True)
class File:
    """
    A stored file: its bytes are at `path`; `name` is the name that it was uploaded with.

    An input file has an inspection; a result file has the token of its download URL.
    """

    id: str
    account: str
    name: str
    bytes: int
    created: float
    path: Path
    inspection: Inspection | None = None
    token: str | None = None


@define
class Storage:
    """With `seed`, ids are repeatable; without it, they cannot be guessed."""

    folder: Path
    seed: int | None = None
    files: dict[str, File] = field(factory=dict, init=False)
    tokens: dict[str, File] = field(factory=dict, init=False)
    _random: random.Random = field(init=False)
    _used_ids: set[str] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        seeded = self.seed is not None
        self._random = random.Random(self.seed) if seeded else random.SystemRandom()  # noqa: S311

    def new_id(self, prefix: str, length: int = 10) -> str:
        """Returns an unused id in the form of the documents' examples: lower-case letters."""
        while True:
            id = prefix + "".join(self._random.choices(string.ascii_lowercase, k=length))
            if id not in self._used_ids:
                self._used_ids.add(id)
                return id

    @Hook
    def keep_input(self, account: str, name: str, source: BinaryIO, at: float) -> File:
        """
        Copies and inspects an upload; may run in any thread. `add` makes the file available.

        Leaves nothing on disk if it raises `OSError`.
        """
        id = self.new_id("file-")
        path = self.folder / id
        try:
            with path.open("xb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            inspection = inspect(path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return File(id, account, name, path.stat().st_size, at, path, inspection)

    def keep_result(self, account: str, path: Path, at: float) -> File:
        """Adds the result file that was written to `path`."""
        id, token = self.new_id("file-"), self.new_id("", 32)
        size = path.stat().st_size
        return self.add(File(id, account, path.name, size, at, path, token=token))

    def add(self, file: File) -> File:
        self.files[file.id] = file
        self._used_ids.add(file.id)
        if file.token is not None:
            self.tokens[file.token] = file
        return file

    def remove_unknown(self, batch_ids: set[str]) -> None:
        """Deletes what interrupted uploads left, and reserves the ids of existing batches."""
        self._used_ids |= batch_ids
        known = {file.path.name for file in self.files.values()}
        for path in self.folder.iterdir():
            if path.is_file() and INPUT_NAME.fullmatch(path.name) and path.name not in known:
                path.unlink()
