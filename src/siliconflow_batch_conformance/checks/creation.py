"""
The creations that a service must refuse, by requirement.

Rule: each predicate looks at one field of the JSON object in the request, and at nothing else.
"""

import re
from collections.abc import Callable
from typing import Any

ENDPOINT = "/v1/chat/completions"
REQUIRED = ("input_file_id", "endpoint", "completion_window")
HOURS = re.compile(r"(0|[1-9][0-9]*)h")


def _window_is_out_of_range(body: dict[str, Any]) -> bool:
    hours = HOURS.fullmatch(str(body.get("completion_window")))
    return hours is not None and not 24 <= int(hours[1]) <= 336


def _window_is_malformed(body: dict[str, Any]) -> bool:
    window = body.get("completion_window", "24h")
    return not isinstance(window, str) or HOURS.fullmatch(window) is None


def _metadata(body: dict[str, Any]) -> dict[Any, Any]:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def must_be_refused(body: dict[str, Any]) -> bool:
    """Whether the documents demand that a creation is refused, whichever file it names."""
    return not body or any(is_wrong(body) for is_wrong in MUST_BE_REFUSED.values())


MUST_BE_REFUSED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "CREATE-8": _window_is_out_of_range,
    "CREATE-9": _window_is_malformed,
    "CREATE-25": lambda body: len(_metadata(body)) > 16,
    "CREATE-26": lambda body: any(len(key) > 64 for key in _metadata(body)),
    "CREATE-27": lambda body: any(len(str(value)) > 512 for value in _metadata(body).values()),
    "CREATE-13": lambda body: not all(isinstance(text, str) for text in _metadata(body).values()),
    "CREATE-14": lambda body: body.get("endpoint", ENDPOINT) != ENDPOINT,
    "CREATE-15": lambda body: not all(name in body for name in REQUIRED),
}
