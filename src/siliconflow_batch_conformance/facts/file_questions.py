"""Open questions about uploads, the list of files, and the bodies of errors."""

from collections.abc import Iterator
from typing import Any

from ..checks.creation import must_be_refused
from ..checks.exchange import (
    BEARER,
    CREATE_BATCH,
    LIST_FILES,
    OPERATIONS,
    UPLOAD_FILE,
    Exchange,
    batches,
    files,
    form_parts,
    parsed_json,
    uploaded,
)
from .sightings import Exchanges, Sighting, by_order, shows, successes, with_key

MOST_LINES = 5_000
ROLES = ("system", "user", "assistant")
DOCUMENTED_CODE = 20012
STRING_STATUSES = (401, 403, 404, 429)


def files_order(exchanges: Exchanges) -> Iterator[Sighting]:
    lists = successes(exchanges, LIST_FILES)
    return by_order(
        (listing, [file.get("created_at") for file in files(listing).values()]) for listing in lists
    )


def files_purpose(exchanges: Exchanges) -> Iterator[Sighting]:
    names = {200: "accepted", 400: "refused"}
    for listing in with_key(exchanges, LIST_FILES):
        is_plain = not listing.query  # another parameter may be the reason of a refusal
        if is_plain and listing.status in names:
            yield shows(listing, names[listing.status])


def invalid_input(exchanges: Exchanges) -> Iterator[Sighting]:
    invalid: set[str] = set()
    created: set[str] = set()
    for exchange in exchanges:
        has_key = exchange.authorization == BEARER
        if has_key and exchange.operation == UPLOAD_FILE and _uploads_invalid_input(exchange):
            if exchange.status == 400:
                yield shows(exchange, "at-upload")
            elif files(exchange):
                yield shows(exchange, "at-creation", "as-failed-batch")
                invalid.update(files(exchange))
        body = exchange.request_json if exchange.operation == CREATE_BATCH else {}
        if has_key and str(body.get("input_file_id")) in invalid and not must_be_refused(body):
            if exchange.status == 400:
                yield shows(exchange, "at-creation")
            created.update(batches(exchange))
        for id, batch in batches(exchange).items():
            if id in created and batch.get("status") == "failed":
                yield shows(exchange, "as-failed-batch")


def _uploads_invalid_input(upload: Exchange) -> bool:
    """Whether an upload is right in form, and its file is not a valid input file."""
    purposes = [content for name, _, content in form_parts(upload) if name == "purpose"]
    file_name, content = uploaded(upload)
    return purposes == [b"batch"] and bool(file_name) and not _is_valid_input(content)


def _is_valid_input(content: bytes) -> bool:
    """Whether a file is valid by itself; several models may be valid with `replace.model`."""
    lines = [parsed_json(line) for line in content.split(b"\n") if line.strip()]
    ids = [line.get("custom_id") for line in lines if isinstance(line, dict)]
    bodies = [line.get("body") for line in lines if isinstance(line, dict)]
    return (
        0 < len(lines) <= MOST_LINES
        and len({id for id in ids if isinstance(id, str)}) == len(lines)
        and all(isinstance(body, dict) and _are_messages(body.get("messages")) for body in bodies)
    )


def _are_messages(messages: Any) -> bool:
    if not isinstance(messages, list) or not messages:
        return False
    roles = [message.get("role") for message in messages if isinstance(message, dict)]
    are_known = all(role in ROLES for role in roles)
    return len(roles) == len(messages) and are_known and roles[-1] == "user"


def error_code(exchanges: Exchanges) -> Iterator[Sighting]:
    """One code of several refused operations is the one code; of one operation it tells nothing."""
    refused = [one for one in with_key(exchanges, *OPERATIONS) if one.status == 400]
    bodies = [(one, one.json) for one in refused if isinstance(one.json, dict)]
    codes = {body["code"] for _, body in bodies if type(body.get("code")) is int}
    for exchange, body in bodies:
        if body.get("code") is None:
            yield shows(exchange, "no-code")
        elif codes - {DOCUMENTED_CODE} and type(body["code"]) is int:
            yield shows(exchange, "a-code-each")
    if codes == {DOCUMENTED_CODE}:
        with_code = [one for one, body in bodies if body.get("code") == DOCUMENTED_CODE]
        others = [one for one in with_code if one.operation != with_code[0].operation]
        yield from (shows(one, "the-documented-one") for one in others)


def error_shape(exchanges: Exchanges) -> Iterator[Sighting]:
    for exchange in exchanges:
        if exchange.status not in STRING_STATUSES or not exchange.operation:
            continue
        media_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
        if isinstance(exchange.json, str):
            yield shows(exchange, "strings")
        elif isinstance(exchange.json, dict):
            yield shows(exchange, "objects")
        elif exchange.json is None and exchange.body and media_type == "application/json":
            yield shows(exchange, "bare-text")
