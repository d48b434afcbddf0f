"""
Files on disk, and the ids of everything.

Rule 1: a path is made of an id that was drawn here, never of a name that came from outside.
Rule 2: bytes are copied as a stream; memory does not grow with a file.
"""

import random
import re
import shutil
import string
from pathlib import Path
from typing import BinaryIO

from attrs import define, field

from ..inputs.inspection import Inspection, inspect

INPUT = re.compile("file-[a-z]{10}")


@define(frozen=True)
class File:
    """
    A stored file: its bytes are at `path`, its `name` is the caller's.

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


@define(slots=False)
class Storage:
    """`seed` makes ids repeatable; without it they cannot be guessed."""

    folder: Path
    seed: int | None = None
    files: dict[str, File] = field(factory=dict, init=False)
    tokens: dict[str, File] = field(factory=dict, init=False)
    _random: random.Random = field(init=False)
    _drawn: set[str] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        seeded = self.seed is not None
        self._random = random.Random(self.seed) if seeded else random.SystemRandom()  # noqa: S311

    def new_id(self, prefix: str, length: int = 10) -> str:
        """An id in the form of the documents' examples: ten lower-case letters."""
        while True:
            id = prefix + "".join(self._random.choices(string.ascii_lowercase, k=length))
            if id not in self._drawn:
                self._drawn.add(id)
                return id

    def keep_input(self, account: str, name: str, source: BinaryIO, at: float) -> File:
        """
        Copies and inspects an upload, in any thread; `add` makes it known.

        On an error of the disk nothing is left behind.
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
        """Makes a file of what an execution wrote to `path`."""
        id, token = self.new_id("file-"), self.new_id("", 32)
        size = path.stat().st_size
        return self.add(File(id, account, path.name, size, at, path, token=token))

    def add(self, file: File) -> File:
        self.files[file.id] = file
        self._drawn.add(file.id)
        if file.token is not None:
            self.tokens[file.token] = file
        return file

    def forget_all_but(self, batches: set[str]) -> None:
        """Removes what an interrupted upload left; results of the named batches stay."""
        self._drawn |= batches
        known = {file.path.name for file in self.files.values()}
        for path in self.folder.iterdir():
            if path.is_file() and INPUT.fullmatch(path.name) and path.name not in known:
                path.unlink()
