"""
Who asked: accounts are told apart by their keys, and the keys are forgotten.
"""

from typing import Any, Self

from attrs import define, field

from ..checks.exchange import BEARER
from .entries import headers_of

REFUSED = (401, 403)
SHORTEST = 8  # of a key that is looked for in other places than its header


@define
class Accounts:
    """`names` says whose a key is: own, stranger, stranger-3, and refused for one never taken."""

    names: dict[str, str] = field(factory=dict, repr=False)
    redacted: bool = False

    @classmethod
    def of(cls, entries: list[dict[str, Any]]) -> Self:
        """
        In the order in which they come; a key that was never taken comes after the others.

        Browsers may leave the header out of what they save. Where no entry has it although some
        were answered well, all are taken for the first account's.
        """
        taken: dict[str, bool] = {}
        foreign = [entry for entry in entries if "_exchange" not in entry]
        given = [(_given(entry), entry["response"]["status"]) for entry in foreign]
        for header, status in given:
            scheme, _, key = (header or "").strip().partition(" ")
            if key.strip() and scheme.lower() == "bearer":
                taken[key.strip()] = taken.get(key.strip(), False) or status not in REFUSED
        sure = [key for key, was_taken in taken.items() if was_taken] or list(taken)
        names = {key: _name("own", "stranger", place) for place, key in enumerate(sure)}
        others = [key for key in taken if key not in names]
        names |= {key: _name("refused", "refused", place) for place, key in enumerate(others)}
        answered = any(status < 300 for _, status in given)
        return cls(names, answered and not any(header is not None for header, _ in given))

    def who(self, entry: dict[str, Any]) -> tuple[str, str | None]:
        """The sender of an entry, and the header with `{key}` for the key."""
        header, own = _given(entry), entry.get("_exchange")
        if own is not None:
            return own["sender"], header
        if header is None:
            return "own", BEARER if self.redacted else None
        scheme, space, key = header.partition(" ")
        for known in (key.strip(), *self._long()):
            if known in self.names and known in header:
                return self.names[known], header.replace(known, "{key}")
        if scheme.lower() == "bearer" and not key.strip():
            return "own", header
        return "refused", f"{scheme}{space}{{key}}" if space else "{key}"

    def hidden(self, text: str) -> str:
        """A text without the keys, should a service say them back."""
        for key in self._long():
            text = text.replace(key, "{key}")
        return text

    def hidden_bytes(self, raw: bytes) -> bytes:
        for key in self._long():
            raw = raw.replace(key.encode(), b"{key}")
        return raw

    def _long(self) -> list[str]:
        found = [key for key in self.names if len(key) >= SHORTEST]
        return sorted(found, key=len, reverse=True)


def _given(entry: dict[str, Any]) -> str | None:
    return headers_of(entry["request"]).get("authorization")


def _name(first: str, others: str, place: int) -> str:
    if place == 0:
        return first
    return others if place == 1 and others != first else f"{others}-{place + 1}"
