"""
An OpenAPI document: the values at its JSON Pointers, its operations, what its schemas accept.

Rule 1: every pointer follows the `$ref`s on its way, so that it stays valid when a schema moves to
`components`.
Rule 2: nothing is fetched: a `$ref` to another document is an error.
Rule 3: documents come from outside, so any value can appear anywhere.
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
MAX_REFERENCES = 16
DOCUMENT_URI = "urn:document"

Document = Mapping[str, Any]


class Missing(Enum):
    """Stands for the value at a pointer when its parent exists and the value does not."""

    MISSING = "nothing"

    def __repr__(self) -> str:
        return self.value


MISSING: Final = Missing.MISSING


@attrs.frozen
class PointerNotFound(LookupError):
    """The pointer leads to nothing that could be examined."""

    pointer: str

    def __str__(self) -> str:
        return f"{self.pointer} is not in the document"


def escape(key: str) -> str:
    """The key as it is written in a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _child(value: object, key: str) -> object:
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
        raise PointerNotFound(reference)
    return _walk(document, reference[1:], hops - 1)


def _walk(document: Document, pointer: str, hops: int) -> tuple[str, object]:
    current, value = "", document  # type: tuple[str, object]
    for token in pointer.split("/")[1:]:
        key = _unescape(token)
        if key != "$ref":
            current, value = _follow(document, current, value, hops)
        if value is MISSING:
            raise PointerNotFound(pointer)
        current, value = f"{current}/{token}", _child(value, key)
    return _follow(document, current, value, hops)


def locate(document: Document, pointer: str) -> tuple[str, object]:
    """
    The resolved pointer, without a `$ref` on its way, and the value there or `MISSING`.

    Raises `PointerNotFound` when the parent of the value does not exist.
    """
    return _walk(document, pointer, MAX_REFERENCES)


def value_before_reference(document: Document, pointer: str) -> object:
    """The value at the pointer; a `$ref` in that place is returned and not followed."""
    parent, _, token = pointer.rpartition("/")
    _, value = locate(document, parent)
    return _child(value, _unescape(token))


def json_equal(one: object, other: object) -> bool:
    """Compare as JSON does: `false` and 0 are different."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _with_null_types(value: Any) -> Any:
    """Replace the `nullable` of OpenAPI 3.0, which JSON Schema lacks, by the type `null`."""
    if isinstance(value, list):
        return [_with_null_types(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    copied = {key: _with_null_types(item) for key, item in value.items()}
    if copied.get("nullable") is True and isinstance(copied.get("type"), str):
        copied["type"] = [copied["type"], "null"]
    return copied


def accepts(document: Document, pointer: str, instance: object) -> bool:
    """
    Whether the schema at the pointer accepts the instance.

    Raises `PointerNotFound` unless the pointer leads to a valid schema.
    """
    schema_pointer, schema = locate(document, pointer)
    if not isinstance(schema, Mapping | bool):
        raise PointerNotFound(pointer)
    resource = DRAFT202012.create_resource(_with_null_types(document))
    registry: Registry[Any] = Registry().with_resource(DOCUMENT_URI, resource)
    validator = Draft202012Validator(
        {"$ref": f"{DOCUMENT_URI}#{schema_pointer}"}, registry=registry
    )
    try:
        return bool(validator.is_valid(instance))
    except Exception as error:  # a malformed schema can raise anything
        raise PointerNotFound(pointer) from error


def operations(document: Document) -> Iterator[tuple[str, str]]:
    """Each operation as its method, in lower case, and its path."""
    paths = document.get("paths")
    if isinstance(paths, Mapping):
        for path, item in paths.items():
            if isinstance(item, Mapping):
                yield from ((method, path) for method in METHODS if method in item)


def operation_urls(document: Document) -> set[str]:
    """The method and URL of each operation at each server, as `POST https://…`."""
    servers = document.get("servers")
    bases = [
        server["url"].rstrip("/")
        for server in (servers if isinstance(servers, list) else [])
        if isinstance(server, Mapping) and isinstance(server.get("url"), str)
    ]
    return {
        f"{method.upper()} {base}{path}" for base in bases for method, path in operations(document)
    }


def response_schema(operation: str, status: int, media_type: str = "application/json") -> str:
    """The pointer to the schema of an operation's response."""
    method, path = operation.split()
    media_type, path = escape(media_type), escape(path)
    return f"/paths/{path}/{method.lower()}/responses/{status}/content/{media_type}/schema"
