"""
The accounts of a recording: they are distinguished by their keys, and the keys are not kept.
"""

from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field

from ..checks.exchange import BEARER
from .entries import headers_of

REFUSED = (401, 403)
SECRET_NAMES = {"key", "api_key", "apikey", "token", "access_token", "auth", "authorization"}
SHORTEST = 8  # characters of a key that is replaced outside its header


@define
class Accounts:
    """
    `names` maps each key to its account: own, stranger, stranger-3, or refused for a key that the
    service never accepted. `redacted` says that the recording has no Authorization headers, and
    `placeholder` is what a recorder put in the place of all of them. `secrets` are other keys,
    which a URL contains.
    """

    names: dict[str, str] = field(factory=dict, repr=False)
    redacted: bool = False
    placeholder: str | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, entries: list[dict[str, Any]]) -> Self:
        """
        Names the accounts in the order of their first request; refused keys come last.

        Browsers may leave the header out of what they save. Where no entry has one and the service
        accepted a request, every request is the first account's.
        """
        accepted: dict[str, bool] = {}
        secrets = frozenset(secret for entry in entries for secret in _secrets_of(entry))
        foreign = [entry for entry in entries if "_exchange" not in entry]
        requests = [(_authorization(entry), entry["response"]["status"]) for entry in foreign]
        for header, status in requests:
            scheme, _, key = (header or "").strip().partition(" ")
            if key.strip() and scheme.lower() == "bearer":
                accepted[key.strip()] = accepted.get(key.strip(), False) or status not in REFUSED
        keys = [key for key, was_accepted in accepted.items() if was_accepted] or list(accepted)
        names = {key: _name("own", "stranger", place) for place, key in enumerate(keys)}
        refused = [key for key in accepted if key not in names]
        names |= {key: _name("refused", "refused", place) for place, key in enumerate(refused)}
        if not any(status < 300 for _, status in requests):
            return cls(names, secrets=secrets)
        headers = {header for header, _ in requests if header is not None}
        if len(headers) == 1 and not names:  # a single header, without a bearer key
            return cls(placeholder=headers.pop(), secrets=secrets)
        return cls(names, not headers, secrets=secrets)

    def sender(self, entry: dict[str, Any]) -> tuple[str, str | None]:
        """The account of an entry, and its Authorization header with `{key}` for the key."""
        header, own = _authorization(entry), entry.get("_exchange")
        if own is not None:
            return own["sender"], header
        if header is None:
            return "own", BEARER if self.redacted else None
        if header == self.placeholder:
            return "own", BEARER
        scheme, space, key = header.partition(" ")
        for name in (key.strip(), *self._long_keys()):
            if name in self.names and name in header:
                return self.names[name], header.replace(name, "{key}")
        if scheme.lower() == "bearer" and not key.strip():
            return "own", header
        return "refused", f"{scheme}{space}{{key}}" if space else "{key}"

    def without_keys(self, text: str) -> str:
        """The text with `{key}` for each key, which a response may repeat."""
        for key in self._long_keys():
            text = text.replace(key, "{key}")
        return text

    def bytes_without_keys(self, raw: bytes) -> bytes:
        for key in self._long_keys():
            raw = raw.replace(key.encode(), b"{key}")
        return raw

    def _long_keys(self) -> list[str]:
        keys = (key for key in {*self.names, *self.secrets} if len(key) >= SHORTEST)
        return sorted(keys, key=len, reverse=True)


def _secrets_of(entry: dict[str, Any]) -> list[str]:
    """The values of parameters of the URL that are named like keys."""
    pairs = parse_qsl(urlsplit(entry["request"]["url"]).query)
    return [value for name, value in pairs if name.lower().replace("-", "_") in SECRET_NAMES]


def _authorization(entry: dict[str, Any]) -> str | None:
    return headers_of(entry["request"]).get("authorization")


def _name(first: str, others: str, place: int) -> str:
    if place == 0:
        return first
    return others if place == 1 and others != first else f"{others}-{place + 1}"
