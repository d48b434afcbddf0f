"""
Faults of isolation: what one account may see of another, and which keys open one.

The documents: a bearer token with every request, else 401 "Invalid token"; lists are the caller's
own. That another's objects are as unknown as none is the simulator's assumption.
"""

from collections.abc import Callable
from typing import Any

from attrs import evolve
from starlette.types import ASGIApp, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..http.app import label
from ..refusals import INVALID_TOKEN, Refused
from ..service import Service
from ..state.storage import File
from ..switches.switchboard import Behaviour
from .altering import CANCEL, CONTENT, CREATE, LIST, RETRIEVE, Answer, Replace, altering, asking


def _first(service: Service) -> str:
    return next(iter(service.accounts))


def _owning(sound: Any, service: Service) -> Any:
    """An operation on one batch is carried out for its owner, whoever asks."""

    def operation(account: str, batch_id: str) -> Any:
        batch = service.batches.get(batch_id)
        return sound(account if batch is None else batch.account, batch_id)

    return operation


def _content_shared(sound: Any, service: Service) -> Any:
    def content(account: str, file_id: str) -> Any:
        file = service.storage.files.get(file_id)
        return sound(account if file is None else file.account, file_id)

    return content


def _input_shared(sound: Any, service: Service) -> Any:
    def create(account: str, body: Any) -> Any:
        named = body.get("input_file_id") if isinstance(body, dict) else None
        file = service.storage.files.get(named) if isinstance(named, str) else None
        if file is None:
            return sound(account, body)
        service.storage.files[file.id] = evolve(file, account=account)
        try:
            return sound(account, body)
        finally:
            service.storage.files[file.id] = file

    return create


def _list_mixed(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        ids = list(service.batches)[::-1]
        if after is not None and after not in ids:
            return sound(account, limit, after)
        rest = ids[ids.index(after) + 1 if after else 0 :]
        for id in rest[:limit]:
            service.settle(service.batches[id])
        return [service.batches[id] for id in rest[:limit]], len(rest) > limit

    return list_batches


def _after_foreign(sound: Any, service: Service) -> Any:
    def list_batches(account: str, limit: int, after: str | None) -> Any:
        batch = service.batches.get(after or "")
        return sound(account, limit, None if batch and batch.account != account else after)

    return list_batches


def _batch_astray(sound: Any, service: Service) -> Any:
    def create(account: str, body: object) -> Batch:
        batch: Batch = sound(account, body)
        owner, other = service.accounts[account], service.accounts[_first(service)]
        if owner is not other:
            owner.batches.pop()
            other.positions[batch.id] = len(other.batches)
            other.batches.append(batch)
            batch.account = _first(service)
        return batch

    return create


def _upload_astray(sound: Any, service: Service) -> Any:
    def upload(file: File) -> Any:
        return sound(evolve(file, account=_first(service)))

    return upload


def _key(fits: Callable[[str, str], bool]) -> Replace:
    """A key that is sent opens the account of the first one that it fits."""

    def replace(sound: Any, service: Service) -> Any:
        def authenticate(header: str | None) -> Any:
            scheme, _, given = (header or "").partition(" ")
            fitting = [key for key in service.keys if fits(given, key)]
            known = given in service.keys or not fitting
            return sound(header if known else f"{scheme} {fitting[0]}")

        return authenticate

    return replace


def _sent(scope: Scope) -> str | None:
    found = dict(scope["headers"]).get(b"authorization")
    return None if found is None else found.decode("latin-1")


def _is_known(scope: Scope, service: Service) -> bool:
    try:
        return bool(service.authenticate(_sent(scope)))
    except Refused:
        return False


def _keyed(scope: Scope, service: Service) -> Scope:
    """The request, with the first account's key."""
    kept = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
    return {**scope, "headers": [*kept, (b"authorization", f"Bearer {service.keys[0]}".encode())]}


def _open(operation: str, *, to_wrong_keys: bool) -> Replace:
    """One operation is open to who brings no key, or to who brings a wrong one."""

    def change(scope: Scope, service: Service) -> Scope:
        meant = (_sent(scope) is not None) is to_wrong_keys and not _is_known(scope, service)
        return _keyed(scope, service) if meant else scope

    return asking(change, operation)


def _done_unkeyed(operation: str) -> Replace:
    """A request with a wrong key is carried out for the first account, and answered with 401."""

    def replace(sound: ASGIApp, service: Service) -> ASGIApp:
        def refuse(answer: Answer) -> None:
            answer.status, answer.json = INVALID_TOKEN

        refused = altering(refuse, operation, status=None)(sound, service)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if label(scope) != operation or _is_known(scope, service):
                await sound(scope, receive, send)
            else:
                await refused(_keyed(scope, service), receive, send)

        return app

    return replace


def _empty_page(answer: Answer) -> None:
    answer.status = 200
    answer.json = {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


FAULTS = {
    "list-shared": Behaviour(
        "every account sees the first one's batches",
        "list_batches",
        lambda sound, service: lambda account, limit, after: sound(_first(service), limit, after),
    ),
    "list-mixed": Behaviour(
        "the list of batches holds those of every account", "list_batches", _list_mixed
    ),
    "after-foreign": Behaviour(
        "`after` may be another account's batch", "list_batches", _after_foreign
    ),
    "retrieve-shared": Behaviour(
        "a batch can be read with another account's key", "retrieve", _owning
    ),
    "cancel-shared": Behaviour(
        "a batch can be cancelled with another account's key", "cancel", _owning
    ),
    "files-shared": Behaviour(
        "every account sees the first one's files",
        "list_files",
        lambda sound, service: lambda account, limit: sound(_first(service), limit),
    ),
    "content-shared": Behaviour(
        "a file can be read with another account's key", "content", _content_shared
    ),
    "input-shared": Behaviour(
        "a batch can be made of another account's file", "create", _input_shared
    ),
    "batch-astray": Behaviour("every batch belongs to the first account", "create", _batch_astray),
    "upload-astray": Behaviour(
        "every upload belongs to the first account", "upload", _upload_astray
    ),
    "any-key": Behaviour(
        "every key opens the first account",
        "authenticate",
        lambda sound, service: lambda header: _first(service),
    ),
    "no-key": Behaviour(
        "a request without a key opens the first account",
        "authenticate",
        lambda sound, service: lambda header: sound(header) if header else _first(service),
    ),
    "key-empty": Behaviour(
        "an empty key opens the first account",
        "authenticate",
        lambda sound, service: (
            lambda header: _first(service) if header in ("Bearer", "Bearer ") else sound(header)
        ),
    ),
    "key-longer": Behaviour(
        "a key may have more behind it",
        "authenticate",
        _key(lambda given, key: given.startswith(key)),
    ),
    "key-any-case": Behaviour(
        "capitals in a key do not matter",
        "authenticate",
        _key(lambda given, key: given.lower() == key.lower()),
    ),
    "scheme-any": Behaviour(
        "a key may be sent under any scheme",
        "authenticate",
        lambda sound, _: lambda header: sound(f"Bearer {(header or '').partition(' ')[2]}"),
    ),
    "scheme-missing": Behaviour(
        "a key may be sent without a scheme",
        "authenticate",
        lambda sound, _: (
            lambda header: sound(header if " " in (header or "") else f"Bearer {header}")
        ),
    ),
    "no-key-list": Behaviour(
        "batches are listed without a key", "app", _open(LIST, to_wrong_keys=False)
    ),
    "no-key-content": Behaviour(
        "a file is read without a key", "app", _open(CONTENT, to_wrong_keys=False)
    ),
    "wrong-key-retrieve": Behaviour(
        "a batch is read with a wrong key", "app", _open(RETRIEVE, to_wrong_keys=True)
    ),
    "wrong-key-empty-list": Behaviour(
        "a wrong key is answered with an empty list of batches",
        "app",
        altering(_empty_page, LIST, status=401),
    ),
    "refused-key-creates": Behaviour(
        "a creation with a wrong key is answered with 401, and done",
        "app",
        _done_unkeyed(CREATE),
    ),
    "refused-key-cancels": Behaviour(
        "a cancel with a wrong key is answered with 401, and done",
        "app",
        _done_unkeyed(CANCEL),
    ),
}
