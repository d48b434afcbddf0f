"""
Faults of limits: what lies just inside is refused, or what lies just outside is taken.

The documents: a window of 24 to 336 hours; up to 16 pairs of metadata, keys up to 64 characters,
values up to 512; one endpoint; at most 5,000 lines, each with a custom_id of its own and messages
of three roles that end with the user's; `limit` from 1 on.
"""

import re
from collections.abc import Callable
from typing import Any

from attrs import evolve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..app import label
from ..creation import ENDPOINT
from ..lifecycle import Batch
from ..lines import Inspection
from ..refusals import bad_request
from ..service import Service
from ..storage import File
from ..switchboard import Behaviour
from .altering import FILES, LIST, UPLOAD, Body, Replace, querying

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


def _metadata_taken(wrong: Callable[[Body], bool]) -> Replace:
    return _taking("metadata", lambda given: isinstance(given, dict) and wrong(given), {})


def _metadata_refused(wrong: Callable[[Body], bool]) -> Replace:
    return _refusing(lambda given: isinstance(given, dict) and wrong(given))


def _texts(metadata: Body) -> list[str]:
    return [value for value in metadata.values() if isinstance(value, str)]


def _named(service: Service, body: object) -> File | None:
    """The input file that a creation names."""
    named = body.get("input_file_id") if isinstance(body, dict) else None
    file = service.storage.files.get(named) if isinstance(named, str) else None
    return file if file is not None and file.inspection is not None else None


def _judging(judge: Callable[[Inspection], Inspection | None]) -> Replace:
    """A creation sees of its input file what `judge` makes of it; None leaves it as it is."""

    def replace(sound: Any, service: Service) -> Any:
        def create(account: str, body: object) -> Any:
            file = _named(service, body)
            seen = judge(file.inspection) if file and file.inspection else None
            if file is None or seen is None:
                return sound(account, body)
            service.storage.files[file.id] = evolve(file, inspection=seen)
            try:
                return sound(account, body)
            finally:
                service.storage.files[file.id] = file

        return create

    return replace


def _overlooking(words: str, *, runs: bool = True) -> Replace:
    """A line's fault is overlooked; where it cannot run, only the lines before it do."""

    def judge(found: Inspection) -> Inspection | None:
        if words not in (found.fault or ""):
            return None
        number = re.match(r"line ([0-9]+)", found.fault or "")
        lines = int(number[1]) - 1 if number and not runs else found.lines
        return Inspection(lines, found.models if len(found.models) == 1 else {"a-model"})

    return _judging(judge)


def _url_required(sound: Any, service: Service) -> Any:
    def create(account: str, body: object) -> Any:
        file = _named(service, body)
        lines = file.path.read_bytes().splitlines() if file else []
        if any(b'"url"' not in line for line in lines):
            raise bad_request("Every line needs a url.")
        return sound(account, body)

    return create


def _unknown_file(sound: Any, service: Service) -> Any:
    def create(account: str, body: Any) -> Batch:
        uploads = service.accounts[account].uploads
        named = body.get("input_file_id") if isinstance(body, dict) else None
        if isinstance(named, str) and named and _named(service, body) is None and uploads:
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
            message = await receive()
            return {**message, "body": PURPOSE.sub(rb"\1batch", message.get("body", b""), count=1)}

        await sound(scope, purposeful if label(scope) == UPLOAD else receive, send)

    return app


def _hours(given: object) -> int:
    found = re.fullmatch(r"([0-9]+)h", given) if isinstance(given, str) else None
    return int(found[1]) if found else 0


def _too_long(found: Inspection) -> Inspection | None:
    return Inspection(found.lines, found.models, "too long") if found.lines == 5000 else None


def _models(found: Inspection) -> Inspection | None:
    return evolve(found, models={"a-model"}) if len(found.models - {None}) > 1 else None


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
    "purpose-any": Behaviour("a file may have any purpose", "app", _purpose_any),
    "lines-5001-taken": Behaviour(
        "a file of 5,001 lines is taken", "create", _overlooking("has 5001 lines")
    ),
    "lines-5000-refused": Behaviour(
        "a file of 5,000 lines is refused", "create", _judging(_too_long)
    ),
    "empty-file-taken": Behaviour(
        "a file without lines is taken", "create", _overlooking("has no lines")
    ),
    "custom-id-twice": Behaviour(
        "a custom_id may stand twice in a file", "create", _overlooking("in an earlier line")
    ),
    "custom-id-optional": Behaviour(
        "a file is run up to its first line without custom_id",
        "create",
        _overlooking("custom_id must be", runs=False),
    ),
    "messages-optional": Behaviour(
        "a file is run up to its first line without messages",
        "create",
        _overlooking("body.messages must be", runs=False),
    ),
    "line-broken-taken": Behaviour(
        "a file is run up to its first line that is not JSON",
        "create",
        _overlooking("not JSON", runs=False),
    ),
    "role-any": Behaviour("messages may have any role", "create", _overlooking("a message's role")),
    "last-role-any": Behaviour(
        "the last message may be anybody's", "create", _overlooking("the last message must")
    ),
    "url-required": Behaviour("a line without `url` is refused", "create", _url_required),
    "models-mixed": Behaviour("lines may name different models", "create", _judging(_models)),
}
