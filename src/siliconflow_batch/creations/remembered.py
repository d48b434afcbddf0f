"""
What a client remembers of the account while it runs.
"""

from collections import OrderedDict
from datetime import datetime

from attrs import define, field

from ..objects import Batch, File

MOST = 1000  # of the batches; older ones are forgotten


@define
class Memory:
    """
    `uploads` are files of this client that no creation has used, `batches` those that it created;
    each with its time by the service's clock. Threads may share one.
    """

    uploads: dict[str, datetime | None] = field(factory=dict)
    batches: OrderedDict[str, datetime | None] = field(factory=OrderedDict)

    def add_file(self, file: File) -> None:
        self.uploads[file.id] = file.created_at

    def take_file(self, file_id: str | None) -> tuple[bool, datetime | None]:
        """Whether the file was uploaded here and not used before, and when; it is used now."""
        if file_id is None or file_id not in self.uploads:
            return False, None
        return True, self.uploads.pop(file_id, None)

    def add_batch(self, batch: Batch) -> None:
        self.batches[batch.id] = batch.created_at
        while len(self.batches) > MOST:
            self.batches.popitem(last=False)
