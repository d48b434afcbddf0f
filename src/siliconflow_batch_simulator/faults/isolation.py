"""
Faults of isolation: what an account can see of another, and which keys give access.

The documents: every request needs a bearer token, otherwise 401 "Invalid token"; lists contain the
account's own objects. That objects of other accounts return 404 is the simulator's assumption.
"""

from collections.abc import Callable

from attrs import evolve
from starlette.types import ASGIApp, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..files.storage import File
from ..hooks import Hook, Replacement, replaces
from ..http.app import Application, label
from ..service.refusals import INVALID_TOKEN, Refused
from ..service.service import Service
from ..switches.altering import (
    CANCEL,
    CONTENT,
    CREATE,
    LIST,
    RETRIEVE,
    Body,
    Create,
    ListBatches,
    OneBatch,
    Page,
    Response,
    Upload,
    altering,
    altering_requests,
)
from ..switches.switchboard import Behaviour

Authenticate = Callable[[str | None], str]


def _first(service: Service) -> str:
    return next(iter(service.accounts))


@replaces(Service.list_batches)
def _list_shared(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    return original(_first(service), limit, after)


@replaces(Service.list_batches)
def _list_mixed(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    ids = list(service.batches)[::-1]
    if after is not None and after not in ids:
        return original(account, limit, after)
    rest = ids[ids.index(after) + 1 if after else 0 :]
    for id in rest[:limit]:
        service.settle(service.batches[id])
    return [service.batches[id] for id in rest[:limit]], len(rest) > limit


@replaces(Service.list_batches)
def _after_foreign(
    original: ListBatches, service: Service, account: str, limit: int, after: str | None
) -> Page:
    batch = service.batches.get(after or "")
    return original(account, limit, None if batch and batch.account != account else after)


def _as_owner(hook: Hook[Service, [str, str], Batch]) -> Replacement:
    """An operation on a batch is carried out as its owner's, with any key."""

    @replaces(hook)
    def operation(original: OneBatch, service: Service, account: str, batch_id: str) -> Batch:
        batch = service.batches.get(batch_id)
        return original(account if batch is None else batch.account, batch_id)

    return operation


@replaces(Service.list_files)
def _files_shared(
    original: Callable[[str, int], Body], service: Service, account: str, limit: int
) -> Body:
    return original(_first(service), limit)


@replaces(Service.content)
def _content_shared(
    original: Callable[[str, str], File], service: Service, account: str, file_id: str
) -> File:
    file = service.storage.files.get(file_id)
    return original(account if file is None else file.account, file_id)


@replaces(Service.create)
def _input_shared(original: Create, service: Service, account: str, body: object) -> Batch:
    file_id = body.get("input_file_id") if isinstance(body, dict) else None
    file = service.storage.files.get(file_id) if isinstance(file_id, str) else None
    if file is None:
        return original(account, body)
    service.storage.files[file.id] = evolve(file, account=account)
    try:
        return original(account, body)
    finally:
        service.storage.files[file.id] = file


@replaces(Service.create)
def _batch_astray(original: Create, service: Service, account: str, body: object) -> Batch:
    batch = original(account, body)
    owner, first = service.accounts[account], service.accounts[_first(service)]
    if owner is not first:
        owner.batches.pop()
        first.positions[batch.id] = len(first.batches)
        first.batches.append(batch)
        batch.account = _first(service)
    return batch


@replaces(Service.upload)
def _upload_astray(original: Upload, service: Service, file: File) -> Body:
    return original(evolve(file, account=_first(service)))


@replaces(Service.authenticate)
def _any_key(original: Authenticate, service: Service, authorization: str | None) -> str:
    return _first(service)


@replaces(Service.authenticate)
def _no_key(original: Authenticate, service: Service, authorization: str | None) -> str:
    return original(authorization) if authorization else _first(service)


@replaces(Service.authenticate)
def _key_empty(original: Authenticate, service: Service, authorization: str | None) -> str:
    is_empty = authorization in ("Bearer", "Bearer ")
    return _first(service) if is_empty else original(authorization)


@replaces(Service.authenticate)
def _scheme_any(original: Authenticate, _: Service, authorization: str | None) -> str:
    return original(f"Bearer {(authorization or '').partition(' ')[2]}")


@replaces(Service.authenticate)
def _scheme_missing(original: Authenticate, _: Service, authorization: str | None) -> str:
    has_scheme = " " in (authorization or "")
    return original(authorization if has_scheme else f"Bearer {authorization}")


def _accepting(matches: Callable[[str, str], bool]) -> Replacement:
    """A key also gives access if it `matches` a known key."""

    @replaces(Service.authenticate)
    def authenticate(original: Authenticate, service: Service, authorization: str | None) -> str:
        scheme, _, sent = (authorization or "").partition(" ")
        matching = [key for key in service.keys if matches(sent, key)]
        is_known = sent in service.keys or not matching
        return original(authorization if is_known else f"{scheme} {matching[0]}")

    return authenticate


def _authorization(scope: Scope) -> str | None:
    header = dict(scope["headers"]).get(b"authorization")
    return None if header is None else header.decode("latin-1")


def _has_known_key(scope: Scope, service: Service) -> bool:
    try:
        return bool(service.authenticate(_authorization(scope)))
    except Refused:
        return False


def _with_first_key(scope: Scope, service: Service) -> Scope:
    others = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
    header = (b"authorization", f"Bearer {service.keys[0]}".encode())
    return {**scope, "headers": [*others, header]}


def _open(operation: str, *, to_wrong_keys: bool) -> Replacement:
    """An operation accepts requests without a key, or those with a wrong key."""

    def change(scope: Scope, service: Service) -> Scope:
        has_key = _authorization(scope) is not None
        affected = has_key is to_wrong_keys and not _has_known_key(scope, service)
        return _with_first_key(scope, service) if affected else scope

    return altering_requests(change, operation)


def _refused_but_done(operation: str) -> Replacement:
    """A request with a wrong key is carried out for the first account; the response is 401."""

    @replaces(Application.respond)
    async def respond(
        original: ASGIApp, app: Application, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if label(scope) != operation or _has_known_key(scope, app.service):
            await original(scope, receive, send)
        else:
            accepted = _with_first_key(scope, app.service)
            await refusing.call(original, app, accepted, receive, send)

    refusing = altering(_refuse, operation, status=None)
    return respond


def _refuse(response: Response) -> None:
    response.status, response.json = INVALID_TOKEN


def _empty_page(response: Response) -> None:
    response.status = 200
    response.json = {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


FAULTS = {
    "list-shared": Behaviour("every account sees the first account's batches", _list_shared),
    "list-mixed": Behaviour("the list of batches has those of every account", _list_mixed),
    "after-foreign": Behaviour("`after` may name another account's batch", _after_foreign),
    "retrieve-shared": Behaviour(
        "a batch can be retrieved with another account's key", _as_owner(Service.retrieve)
    ),
    "cancel-shared": Behaviour(
        "a batch can be cancelled with another account's key", _as_owner(Service.cancel)
    ),
    "files-shared": Behaviour("every account sees the first account's files", _files_shared),
    "content-shared": Behaviour("a file can be read with another account's key", _content_shared),
    "input-shared": Behaviour("a batch can be created from another account's file", _input_shared),
    "batch-astray": Behaviour("every batch belongs to the first account", _batch_astray),
    "upload-astray": Behaviour("every upload belongs to the first account", _upload_astray),
    "any-key": Behaviour("every key gives access to the first account", _any_key),
    "no-key": Behaviour("a request without a key has access to the first account", _no_key),
    "key-empty": Behaviour("an empty key gives access to the first account", _key_empty),
    "key-longer": Behaviour(
        "a key may be followed by more characters",
        _accepting(lambda sent, key: sent.startswith(key)),
    ),
    "key-any-case": Behaviour(
        "the case of letters in a key is ignored",
        _accepting(lambda sent, key: sent.lower() == key.lower()),
    ),
    "scheme-any": Behaviour("a key may be sent under any scheme", _scheme_any),
    "scheme-missing": Behaviour("a key may be sent without a scheme", _scheme_missing),
    "no-key-list": Behaviour("batches are listed without a key", _open(LIST, to_wrong_keys=False)),
    "no-key-content": Behaviour(
        "a file can be read without a key", _open(CONTENT, to_wrong_keys=False)
    ),
    "wrong-key-retrieve": Behaviour(
        "a batch can be retrieved with a wrong key", _open(RETRIEVE, to_wrong_keys=True)
    ),
    "wrong-key-empty-list": Behaviour(
        "a wrong key returns an empty list of batches", altering(_empty_page, LIST, status=401)
    ),
    "refused-key-creates": Behaviour(
        "a creation with a wrong key returns 401 but is carried out", _refused_but_done(CREATE)
    ),
    "refused-key-cancels": Behaviour(
        "a cancel with a wrong key returns 401 but is carried out", _refused_but_done(CANCEL)
    ),
}
