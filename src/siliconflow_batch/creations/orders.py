"""
What a caller asks for: the creation of one batch, and how it ended.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal

from attrs import define, field

from siliconflow_batch_api import models
from siliconflow_batch_api.types import UNSET

from ..errors import CreateOutcomeUnknown, SiliconFlowError
from ..objects import Batch
from ..parameters import checked_id, checked_key, checked_metadata, checked_model, checked_window
from ..steps import Call, Record
from .evidence import Creation

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"


@define(frozen=True)
class BatchSettings:
    """The settings of a batch, checked; raises `ArgumentInvalid`."""

    window: str | int = "24h"
    metadata: Mapping[str, str] | None = None
    model: str | None = None

    def __attrs_post_init__(self) -> None:
        self.body("file-to-come", token="")

    def body(self, file_id: str, token: str) -> models.CreateBatchRequest:
        """The body that creates a batch; raises `ArgumentInvalid`."""
        return models.CreateBatchRequest(
            input_file_id=checked_id(file_id),
            endpoint=ENDPOINT,
            completion_window=checked_window(self.window),
            metadata=checked_metadata({} if self.metadata is None else self.metadata, token),
            replace=UNSET
            if self.model is None
            else models.ModelReplacement(model=checked_model(self.model)),
        )

    def digest(self, *content: str) -> str:
        """A digest of the settings and of `content`, the same in every process."""
        settings = [checked_window(self.window), dict(self.metadata or {}), self.model, *content]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def new_token(key: str | None = None) -> str:
    """The token of a creation: random, or a digest of the idempotency key."""
    if key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"siliconflow-batch {checked_key(key)}".encode()).hexdigest()[:32]


@define
class Order:
    """
    One batch to create, of a file that was uploaded, or of the upload that `source` opens.

    `is_keyed`: the token comes from an idempotency key, so an earlier batch may have it.
    `record`: where the progress is saved. `is_resumed`: an earlier process may have sent the
    creation, and this one has not. `made`: the id of the batch, if that process knew it.

    It ends with a `batch`, or with an `error`. `is_found`: the batch existed before.
    """

    settings: BatchSettings
    creation: Creation
    source: Callable[[], AbstractContextManager[Call]] | None = None
    is_keyed: bool = False
    record: Record | None = None
    is_resumed: bool = False
    made: str | None = None
    batch: Batch | None = None
    is_found: bool = False
    error: SiliconFlowError | OSError | None = None
    # The state of an outcome that is open, see `create_once`.
    is_open: bool = False
    attempts: int = 0
    reason: str = ""
    cause: SiliconFlowError | None = None
    named: list[str] = field(factory=list)

    @property
    def is_refused(self) -> bool:
        """Whether it ended with an error, and certainly without a batch."""
        is_new = self.made is None and not self.is_resumed and self.attempts < 2
        return (
            self.error is not None and is_new and not isinstance(self.error, CreateOutcomeUnknown)
        )
