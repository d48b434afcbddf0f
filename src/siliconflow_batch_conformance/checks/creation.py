"""
What of a creation must be refused, as the documents say.

Rule: each predicate looks at one field of the JSON object that was sent, and at nothing else.
"""

import re
from collections.abc import Callable
from typing import Any

ENDPOINT = "/v1/chat/completions"
REQUIRED = ("input_file_id", "endpoint", "completion_window")
HOURS = re.compile(r"(0|[1-9][0-9]*)h")


def _window_is_out_of_range(asked: dict[str, Any]) -> bool:
    hours = HOURS.fullmatch(str(asked.get("completion_window")))
    return hours is not None and not 24 <= int(hours[1]) <= 336


def _window_is_malformed(asked: dict[str, Any]) -> bool:
    window = asked.get("completion_window", "24h")
    return not isinstance(window, str) or HOURS.fullmatch(window) is None


def _notes(asked: dict[str, Any]) -> dict[Any, Any]:
    notes = asked.get("metadata")
    return notes if isinstance(notes, dict) else {}


def is_refused_for_certain(asked: dict[str, Any]) -> bool:
    """Whether a creation goes against the documents, whatever file it names."""
    return not asked or any(wrong(asked) for wrong in MUST_BE_REFUSED.values())


MUST_BE_REFUSED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "CREATE-8": _window_is_out_of_range,
    "CREATE-9": _window_is_malformed,
    "CREATE-10": lambda asked: len(_notes(asked)) > 16,
    "CREATE-11": lambda asked: any(len(key) > 64 for key in _notes(asked)),
    "CREATE-12": lambda asked: any(len(str(note)) > 512 for note in _notes(asked).values()),
    "CREATE-13": lambda asked: not all(isinstance(note, str) for note in _notes(asked).values()),
    "CREATE-14": lambda asked: asked.get("endpoint", ENDPOINT) != ENDPOINT,
    "CREATE-15": lambda asked: not all(name in asked for name in REQUIRED),
}
