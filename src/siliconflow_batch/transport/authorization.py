"""
The API key: checked, sent, and hidden everywhere else.

Rule: the key is the value of one attribute of one object. Requests, settings and the frames of a
call hold the object, whose repr hides it.
"""

import os
from typing import Any, TypeVar

from ..errors import ArgumentInvalid, InputError, KeyMissing, SiliconFlowError

VARIABLE = "SILICONFLOW_API_KEY"
HIDDEN = "…"
SHORTEST = 8  # characters; a shorter text is no key, and occurs in words
Error = TypeVar("Error", bound=SiliconFlowError)
# What makes a text no key, in words, the first match counts.
MISTAKES = (
    (lambda text: not text, "There is no API key."),
    (
        lambda text: text.lower().startswith("bearer "),
        "The API key begins with 'Bearer '; pass the key alone.",
    ),
    (
        lambda text: any(character.isspace() for character in text),
        "The API key has a blank or a line break inside; it was not copied whole.",
    ),
    (
        lambda text: not text.isascii(),
        "The API key has a character that is not ASCII, such as a full-width letter.",
    ),
    (lambda text: not text.isprintable(), "The API key has a control character inside."),
)


class Authorization:
    """
    An API key; as the `auth` of a request, it adds the header.

    `hide` replaces the key in a text that the service sent.
    """

    def __init__(self, key: object, api_key: object) -> None:
        """Takes the key that is not None, or else that of the environment; raises nothing."""
        self._mistake: InputError | None = None
        if key is not None and api_key is not None and key != api_key:
            self._mistake = ArgumentInvalid("`key` and `api_key` are synonyms; pass one of them.")
        given = api_key if key is None else key
        if given is not None and not isinstance(given, str):
            self._mistake = ArgumentInvalid(
                f"Invalid key: pass a string, not {type(given).__name__}."
            )
        text = given if isinstance(given, str) else os.environ.get(VARIABLE, "")
        self._key = text.strip()

    def __repr__(self) -> str:
        return f"Authorization({HIDDEN})"

    def check(self) -> None:
        """
        Raises `KeyMissing` if the text cannot be a key, or `ArgumentInvalid`.

        Callers hold no key in their frames when they call it.
        """
        if self._mistake is not None:
            raise self._mistake
        for is_wrong, reason in MISTAKES:
            if is_wrong(self._key):
                raise KeyMissing(reason)

    @property
    def key(self) -> str:
        return self._key

    def __call__(self, request: Any) -> Any:
        """Adds the header to a request, for httpx and httpx2."""
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def hide(self, text: str) -> str:
        return text.replace(self._key, HIDDEN) if len(self._key) >= SHORTEST else text

    def without_key(self, error: Error) -> Error:
        """The error without the key, and without the frames and causes that may hold it."""
        for name, value in vars(error).items():
            if isinstance(value, str):
                setattr(error, name, self.hide(value))
        error.args = tuple(self.hide(one) if isinstance(one, str) else one for one in error.args)
        return error.with_traceback(None)
