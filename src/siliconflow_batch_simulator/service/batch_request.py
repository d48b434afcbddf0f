"""
The body of POST /batches: its fields and their limits.
"""

import re
from typing import Any

from attrs import define

from .refusals import bad_request

ENDPOINT = "/v1/chat/completions"
WINDOW = re.compile(r"([1-9][0-9]{1,2})h", re.ASCII)
WINDOW_HOURS = range(24, 336 + 1)
METADATA_PAIRS, METADATA_KEY, METADATA_VALUE = 16, 64, 512


@define(frozen=True)
class Creation:
    """A valid request for a batch; `model` is `replace.model`."""

    input_file_id: str
    window_hours: int
    metadata: dict[str, str] | None
    model: str | None


def read_creation(body: object) -> Creation:
    """Raises `Refused` (400) at the first field that does not follow the documents."""
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object.")
    if body.get("endpoint") != ENDPOINT:
        raise bad_request(f"endpoint must be {ENDPOINT!r}, not {body.get('endpoint')!r}.")
    return Creation(
        input_file_id=_input_file_id(body.get("input_file_id")),
        window_hours=_window_hours(body.get("completion_window")),
        metadata=_metadata(body["metadata"]) if "metadata" in body else None,
        model=_replaced_model(body["replace"]) if "replace" in body else None,
    )


def _input_file_id(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise bad_request(f"input_file_id must be the id of an uploaded file, not {value!r}.")
    return value


def _window_hours(value: object) -> int:
    match = WINDOW.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) not in WINDOW_HOURS:
        raise bad_request(f"completion_window must be between '24h' and '336h', not {value!r}.")
    return int(match[1])


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise bad_request(f"metadata must be an object, not {value!r}.")
    if len(value) > METADATA_PAIRS:
        raise bad_request(f"metadata has {len(value)} pairs; at most {METADATA_PAIRS} are allowed.")
    for key, text in value.items():
        if not isinstance(text, str):
            raise bad_request(f"metadata[{key!r}] must be a string, not {text!r}.")
        if len(key) > METADATA_KEY:
            raise bad_request(f"The metadata key {key!r} is longer than {METADATA_KEY} characters.")
        if len(text) > METADATA_VALUE:
            raise bad_request(f"metadata[{key!r}] is longer than {METADATA_VALUE} characters.")
    return value


def _replaced_model(value: object) -> str | None:
    if not isinstance(value, dict):
        raise bad_request(f"replace must be an object, not {value!r}.")
    model = value.get("model")
    if "model" in value and (not isinstance(model, str) or not model):
        raise bad_request(f"replace.model must be the name of a model, not {model!r}.")
    return model
