"""
Faults of limits: what lies just inside is refused, or what lies just outside is taken.

The documents: a window of 24 to 336 hours; up to 16 pairs of metadata, keys up to 64 characters,
values up to 512; one endpoint; one purpose; `limit` from 1 on. Those of input files are in `lines`.
"""

import codecs
import re
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..http.app import label
from ..inputs.batch_request import ENDPOINT
from ..refusals import bad_request
from ..service import Service
from ..state.storage import File
from ..switches.switchboard import Behaviour
from .altering import FILES, LIST, UPLOAD, Body, Replace, named_file, querying

PURPOSE = re.compile(rb'(name="?purpose"?\r\n(?:[^\r\n]+\r\n)*\r\n)[^\r\n]*')


def _refusing(wrong: Callable[[Any], bool], field: str = "metadata") -> Replace:
    """Creations are refused where a field of theirs is `wrong`."""

    def replace(sound: Any, _: Service) -> Any:
        def create(account: str, body: object) -> Any:
            if isinstance(body, dict) and field in body and wrong(body[field]):
                raise bad_request(f"{field} is not allowed.")
            return sound(account, body)

        return create

    return replace


def _taking(field: str, wrong: Callable[[Any], bool], legal: Any, **kept: Any) -> Replace:
    """Creations are carried out where a field is `wrong`, as if it were `legal`."""

    def replace(sound: Any, _: Service) -> Any:
        def create(account: str, body: object) -> Any:
            if not isinstance(body, dict) or not wrong(body.get(field)):
                return sound(account, body)
            batch = sound(account, {**body, field: legal})
            if field == "metadata":
                batch.metadata = body[field]
            for name, value in kept.items():
                setattr(batch, name, value)
            return batch

        return create

    return replace


def _bom_refused(sound: Any, _: Service) -> Any:
    def upload(file: File) -> Any:
        if file.path.read_bytes().startswith(codecs.BOM_UTF8):
            raise bad_request("The file begins with a byte order mark.")
        return sound(file)

    return upload


def _metadata_taken(wrong: Callable[[Body], bool]) -> Replace:
    return _taking("metadata", lambda given: isinstance(given, dict) and wrong(given), {})


def _metadata_refused(wrong: Callable[[Body], bool]) -> Replace:
    return _refusing(lambda given: isinstance(given, dict) and wrong(given))


def _texts(metadata: Body) -> list[str]:
    return [value for value in metadata.values() if isinstance(value, str)]


def _unknown_file(sound: Any, service: Service) -> Any:
    def create(account: str, body: Any) -> Batch:
        uploads = service.accounts[account].uploads
        named = body.get("input_file_id") if isinstance(body, dict) else None
        if isinstance(named, str) and named and named_file(service, body) is None and uploads:
            body = {**body, "input_file_id": uploads[-1].id}
        batch: Batch = sound(account, body)
        return batch

    return create


def _limit_one(sound: Any, _: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        if limit == 1:
            raise bad_request("limit must be at least 2.")
        return sound(account, limit, after)

    return list_batches


def _limit_taken(operation: str, wrong: bytes) -> Replace:
    return querying(
        lambda query: re.sub(rb"\blimit=" + wrong + rb"(?=&|$)", b"limit=1", query), operation
    )


def _purpose_any(sound: ASGIApp, _: Service) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def purposeful() -> Message:
            message, body = await receive(), bytearray()
            while message["type"] == "http.request":  # the field may be cut in two anywhere
                body += message.get("body", b"")
                if not message.get("more_body"):
                    return {"type": "http.request", "body": PURPOSE.sub(rb"\1batch", bytes(body))}
                message = await receive()
            return message

        await sound(scope, purposeful if label(scope) == UPLOAD else receive, send)

    return app


def _hours(given: object) -> int:
    found = re.fullmatch(r"([0-9]+)h", given) if isinstance(given, str) else None
    return int(found[1]) if found else 0


FAULTS = {
    "window-23-taken": Behaviour(
        "a window of 23h is taken",
        "create",
        _taking("completion_window", lambda given: given == "23h", "24h", window_hours=23),
    ),
    "window-337-taken": Behaviour(
        "a window of 337h is taken",
        "create",
        _taking("completion_window", lambda given: given == "337h", "336h", window_hours=337),
    ),
    "window-336-refused": Behaviour(
        "a window of 336h is refused",
        "create",
        _refusing(lambda given: given == "336h", "completion_window"),
    ),
    "window-25-refused": Behaviour(
        "a window that is no whole number of days is refused",
        "create",
        _refusing(lambda given: _hours(given) % 24 > 0, "completion_window"),
    ),
    "window-optional": Behaviour(
        "a creation needs no window",
        "create",
        _taking("completion_window", lambda given: given is None, "24h"),
    ),
    "endpoint-any": Behaviour(
        "every endpoint is taken",
        "create",
        _taking("endpoint", lambda given: isinstance(given, str), ENDPOINT),
    ),
    "unknown-file-taken": Behaviour(
        "a batch of an unknown file is made of the latest upload", "create", _unknown_file
    ),
    "metadata-17-taken": Behaviour(
        "17 pairs of metadata are taken", "create", _metadata_taken(lambda given: len(given) == 17)
    ),
    "metadata-16-refused": Behaviour(
        "16 pairs of metadata are refused",
        "create",
        _metadata_refused(lambda given: len(given) == 16),
    ),
    "key-65-taken": Behaviour(
        "a metadata key of 65 characters is taken",
        "create",
        _metadata_taken(lambda given: any(len(key) == 65 for key in given)),
    ),
    "key-64-refused": Behaviour(
        "a metadata key of 64 characters is refused",
        "create",
        _metadata_refused(lambda given: any(len(key) == 64 for key in given)),
    ),
    "value-513-taken": Behaviour(
        "a metadata value of 513 characters is taken",
        "create",
        _metadata_taken(lambda given: any(len(text) == 513 for text in _texts(given))),
    ),
    "value-512-refused": Behaviour(
        "a metadata value of 512 characters is refused",
        "create",
        _metadata_refused(lambda given: any(len(text) == 512 for text in _texts(given))),
    ),
    "value-bytes-counted": Behaviour(
        "the 512 of a metadata value are bytes, not characters",
        "create",
        _metadata_refused(lambda given: any(len(t.encode()) > 512 for t in _texts(given))),
    ),
    "value-number-taken": Behaviour(
        "a metadata value may be a number",
        "create",
        _metadata_taken(lambda given: any(type(value) is int for value in given.values())),
    ),
    "limit-0-taken": Behaviour("a limit of 0 is taken", "app", _limit_taken(LIST, b"0")),
    "limit-word-taken": Behaviour(
        "a limit may be a word", "app", _limit_taken(LIST, rb"[A-Za-z]+")
    ),
    "limit-1-refused": Behaviour("a limit of 1 is refused", "list_batches", _limit_one),
    "files-limit-0-taken": Behaviour(
        "a limit of 0 files is taken", "app", _limit_taken(FILES, b"0")
    ),
    "upload-bom-refused": Behaviour(
        "a file that begins with a byte order mark is refused", "upload", _bom_refused
    ),
    "purpose-any": Behaviour("a file may have any purpose", "app", _purpose_any),
}
