"""
Checks of method parameters, before anything is sent.

Each function returns its value in the form that is sent, or raises `ArgumentInvalid`.
"""

import re
from collections.abc import Mapping

from siliconflow_batch_api import models

from .errors import ArgumentInvalid

ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
WINDOW = re.compile(r"([1-9][0-9]{1,2})h")
LEAST_HOURS, MOST_HOURS = 24, 336
MOST_PAIRS, MOST_KEY, MOST_VALUE = 16, 64, 512


def checked_id(id: str) -> str:
    """The id of a batch or file; no other text can reach the path of a URL."""
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise ArgumentInvalid(f"Invalid id {id!r}: use letters, digits, '-' and '_'.")
    return id


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


def checked_metadata(metadata: Mapping[str, str]) -> models.BatchMetadata:
    """Metadata within the limits of the service; one of the 16 pairs is the client's token."""
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
