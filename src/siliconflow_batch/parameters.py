"""
Checks of method parameters, before anything is sent.

Each function returns its value in the form that is sent, or raises `ArgumentInvalid`.
"""

import math
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from siliconflow_batch_api import models

from .errors import ArgumentInvalid

ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
WINDOW = re.compile(r"([1-9][0-9]{1,2})h")
LEAST_HOURS, MOST_HOURS = 24, 336
MOST_PAIRS, MOST_KEY, MOST_VALUE = 16, 64, 512
TOKEN = "siliconflow_batch_token"  # noqa: S105 - the name of a metadata key


def checked_id(id: object) -> str:
    """The id of a batch or file, or that of a `Batch` or `File`; no other text reaches a path."""
    text = getattr(id, "id", id)
    if not isinstance(text, str):
        raise ArgumentInvalid(f"Invalid id {id!r}: pass a string, a Batch or a File.")
    if not ID.fullmatch(text):
        raise ArgumentInvalid(f"Invalid id {text!r}: use letters, digits, '-' and '_'.")
    return text


def checked_seconds(name: str, seconds: object) -> float:
    """A finite number of seconds, 0 or more."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds < math.inf:  # type: ignore[operator]
        hint = " Use its total_seconds()." if hasattr(seconds, "total_seconds") else ""
        raise ArgumentInvalid(f"Invalid {name} {seconds!r}: pass a number of seconds.{hint}")
    return float(seconds)  # type: ignore[arg-type]


def checked_limit(limit: object) -> int:
    """The number of objects to list, at least 1."""
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ArgumentInvalid(f"Invalid limit {limit!r}: pass a whole number from 1.")
    return limit


def checked_path(name: str, path: object) -> Path:
    """The path of a file, which need not exist."""
    if isinstance(path, str | PathLike) and not isinstance(path, bytes) and "\0" not in str(path):
        made = Path(path)
        if str(path) and not made.is_dir():
            return made
        what = "it is a folder; name a file" if str(path) else "it is empty; name a file"
        raise ArgumentInvalid(f"Invalid {name} {str(path)!r}: {what}.")
    raise ArgumentInvalid(f"Invalid {name} {path!r}: pass the path of a file.")


def checked_window(window: str | int) -> str:
    text = f"{window}h" if isinstance(window, int) else window
    match = WINDOW.fullmatch(text) if isinstance(text, str) else None
    if match is None or not LEAST_HOURS <= int(match[1]) <= MOST_HOURS:
        raise ArgumentInvalid(f"Invalid window {window!r}: use hours from '24h' to '336h'.")
    return text


def checked_model(model: str) -> str:
    if not isinstance(model, str) or not model.strip() or not _is_unicode(model):
        raise ArgumentInvalid(f"Invalid model {model!r}: pass the name of a model, or None.")
    return model


def checked_key(key: str) -> str:
    """An idempotency key: any text that is not empty."""
    if not isinstance(key, str) or not key.strip() or not _is_unicode(key):
        raise ArgumentInvalid(f"Invalid idempotency_key {key!r}: pass a text that is not empty.")
    return key


def checked_token(token: object) -> str:
    """The token of a `CreateOutcomeUnknown`."""
    if not isinstance(token, str) or not token.strip():
        raise ArgumentInvalid(
            f"Invalid token {token!r}: pass the token of a CreateOutcomeUnknown, or a batch's."
        )
    return token


def checked_metadata(metadata: Mapping[str, str], token: str) -> models.BatchMetadata:
    """Metadata within the limits of the service; one of the 16 pairs is the client's `token`."""
    if not isinstance(metadata, Mapping):
        raise ArgumentInvalid(f"Invalid metadata {metadata!r}: pass a dict of strings.")
    metadata = {**metadata, TOKEN: token}
    if len(metadata) > MOST_PAIRS:
        raise ArgumentInvalid(
            f"`metadata` has {len(metadata) - 1} pairs; pass at most {MOST_PAIRS - 1}, because the "
            "client adds its token."
        )
    for key, value in metadata.items():
        _check_pair(key, value)
    return models.BatchMetadata.from_dict(dict(metadata))


def _check_pair(key: object, value: object) -> None:
    if not isinstance(key, str) or not isinstance(value, str):
        raise ArgumentInvalid(f"metadata[{key!r}] must be a string, not {value!r}.")
    if len(key) > MOST_KEY or len(value) > MOST_VALUE:
        raise ArgumentInvalid(
            f"metadata[{key[:MOST_KEY]!r}] is too long: a key has at most {MOST_KEY} characters, "
            f"a value at most {MOST_VALUE}."
        )
    if not _is_unicode(key + value):
        raise ArgumentInvalid(f"metadata[{key!r}] has half of a surrogate pair; remove it.")


def _is_unicode(text: str) -> bool:
    """Whether the text can be sent as UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
