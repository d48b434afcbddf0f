"""
An OpenAPI document, or a part of one: the places in it, and what its schemas accept.

Rule 1: a place is a JSON Pointer that follows every `$ref` on its way, so that it survives the
moving of a schema into `components`.
Rule 2: nothing is fetched: a `$ref` that leaves the document leads nowhere.
Rule 3: documents come from outside, so any value may stand anywhere.
"""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import attrs
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
HOPS = 16
DOCUMENT_URI = "urn:document"

Document = Mapping[str, Any]


class Missing(Enum):
    """
    What stands at a place whose parent exists and which does not exist itself.
    """

    MISSING = "nothing"

    def __repr__(self) -> str:
        return self.value


MISSING: Final = Missing.MISSING


@attrs.frozen
class Nowhere(LookupError):
    """
    The place cannot be judged: what should hold it is not there.
    """

    pointer: str

    def __str__(self) -> str:
        return f"{self.pointer} is not in the document"


def escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _step(value: object, key: str) -> object:
    if isinstance(value, Mapping):
        return value.get(key, MISSING)
    if isinstance(value, list) and key.isdecimal() and key.isascii() and len(key) < 6:
        return value[int(key)] if int(key) < len(value) else MISSING
    return MISSING


def _follow(document: Document, pointer: str, value: object, hops: int) -> tuple[str, object]:
    if not isinstance(value, Mapping) or not isinstance(value.get("$ref"), str):
        return pointer, value
    reference: str = value["$ref"]
    if not reference.startswith("#/") or hops == 0:
        raise Nowhere(reference)
    return _walk(document, reference[1:], hops - 1)


def _walk(document: Document, pointer: str, hops: int) -> tuple[str, object]:
    here, value = "", document  # type: tuple[str, object]
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if key != "$ref":
            here, value = _follow(document, here, value, hops)
        if value is MISSING:
            raise Nowhere(pointer)
        here, value = f"{here}/{token}", _step(value, key)
    return _follow(document, here, value, hops)


def locate(document: Document, pointer: str) -> tuple[str, object]:
    """
    Where the pointer ends once every `$ref` is followed, and the value there, or `MISSING`.

    Raises `Nowhere` when more than the last step is missing.
    """
    return _walk(document, pointer, HOPS)


def unfollowed(document: Document, pointer: str) -> object:
    """
    The value at the pointer, itself a `$ref` perhaps.
    """
    parent, _, token = pointer.rpartition("/")
    _, value = locate(document, parent)
    return _step(value, token.replace("~1", "/").replace("~0", "~"))


def same(one: object, other: object) -> bool:
    """
    Equality as JSON has it: `false` is not 0.
    """
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _with_nulls(value: Any) -> Any:
    """
    OpenAPI 3.0's `nullable`, which JSON Schema does not know, as a union with null.
    """
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    plain = {key: _with_nulls(item) for key, item in value.items()}
    if plain.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def accepts(document: Document, pointer: str, instance: object) -> bool:
    """
    Whether the schema at the place accepts the instance; `Nowhere` when no schema stands there.
    """
    where, schema = locate(document, pointer)
    if not isinstance(schema, Mapping | bool):
        raise Nowhere(pointer)
    resource = DRAFT202012.create_resource(_with_nulls(document))
    registry: Registry[Any] = Registry().with_resource(DOCUMENT_URI, resource)
    validator = Draft202012Validator({"$ref": f"{DOCUMENT_URI}#{where}"}, registry=registry)
    try:
        return bool(validator.is_valid(instance))
    except Exception as error:  # each malformed schema breaks a validator in its own way
        raise Nowhere(pointer) from error


def operations(document: Document) -> Iterator[tuple[str, str]]:
    """
    Every operation as its method, in lower case, and its path.
    """
    paths = document.get("paths")
    if isinstance(paths, Mapping):
        for path, item in paths.items():
            if isinstance(item, Mapping):
                yield from ((method, path) for method in METHODS if method in item)


def calls(document: Document) -> set[str]:
    """
    What a client calls, as `POST https://…`: each server's address and each operation's path.
    """
    servers = document.get("servers")
    bases = [
        server["url"].rstrip("/")
        for server in (servers if isinstance(servers, list) else [])
        if isinstance(server, Mapping) and isinstance(server.get("url"), str)
    ]
    return {
        f"{method.upper()} {base}{path}" for base in bases for method, path in operations(document)
    }
