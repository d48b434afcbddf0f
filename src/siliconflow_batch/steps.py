"""
What a flow yields to the client, and what it gets back.

A flow is a generator. It yields a `Call` or a `Pause`; the client carries it out and sends back the
`Reply`, or throws the `SiliconFlowError` into the generator.
"""

from collections.abc import Generator, Mapping
from types import ModuleType
from typing import Any, Protocol, TypeAlias, TypeVar

import httpx
from attrs import define


@define(frozen=True)
class Call:
    """
    One operation of the service and its arguments.

    `repeatable`: the call may be sent again when its outcome is unknown.
    `closes_connection`: no later request uses its connection, because a second response to the call
    would be taken for the response to that request.
    """

    operation: ModuleType
    arguments: Mapping[str, Any]
    repeatable: bool = True
    closes_connection: bool = False

    @property
    def name(self) -> str:
        """The operation in words, such as "create batch"."""
        return self.operation.__name__.rpartition(".")[2].replace("_", " ")

    def request(self) -> dict[str, Any]:
        """The method, URL, parameters, headers and body, from the generated client."""
        # The generated `sync_detailed` returns no response when parsing fails, so only its request
        # is used; `transport.responses` reads the response.
        request: dict[str, Any] = self.operation._get_kwargs(**self.arguments)
        return request


@define(frozen=True)
class Pause:
    seconds: float


@define(frozen=True)
class Reply:
    """The JSON of a response with a 2xx status, and the response."""

    body: Any
    response: httpx.Response


class Record(Protocol):
    """Where a creation is recorded for the next process: a `SubmissionFile`."""

    def record(
        self,
        *,
        file_id: str | None = None,
        uploaded_at: float | None = None,
        creating: float | None = None,
        batch_id: str | None = None,
    ) -> None: ...

    def forget(self) -> None: ...


@define(frozen=True)
class Save:
    """Fields to save in the record of a creation; they are on disk when the flow goes on."""

    record: Record
    fields: Mapping[str, Any]


Step = Call | Pause | Save
Value = TypeVar("Value")
Flow: TypeAlias = Generator[Step, Any, Value]
