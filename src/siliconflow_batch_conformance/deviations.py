"""
The ledger of known deviations: what fails on a target, why, how that is known, and until when.

    the requirement    no entry    deviation    flaky      expired      expired flaky
    fails *)           fails       KNOWN        FLAKY      EXPIRED      EXPIRED
    holds              holds       STALE        holds      STALE        holds
    anything else      as it is    as it is     as it is   as it is     as it is

    *) or failed behind another one, and is blocked without an entry

Rule 1: an entry excuses a failure and nothing else: what was not seen is not known.
Rule 2: an entry that is wrong is a mistake like any other: STALE and EXPIRED are fatal.
Rule 3: a ledger that cannot be understood is refused whole, before anything is sent.
"""

from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from attrs import define, evolve

from .verdicts import FAILS, HOLDS, Run, Verdict

LEDGER = Path(__file__).with_name("deviations.yaml")
KNOWN, STALE, EXPIRED, FLAKY = "known", "stale", "expired", "flaky"
DEVIATION, ANY = "deviation", "*"
FIELDS = ("requirement", "kind", "reason", "evidence", "expires")
NULL = "tag:yaml.org,2002:null"
PORTS = {"http": 80, "https": 443}

# By kind of entry, whether it has expired, and outcome.
TURNED = {
    (DEVIATION, False, FAILS): KNOWN,
    (DEVIATION, False, HOLDS): STALE,
    (DEVIATION, True, FAILS): EXPIRED,
    (DEVIATION, True, HOLDS): STALE,
    (FLAKY, False, FAILS): FLAKY,
    (FLAKY, True, FAILS): EXPIRED,
}


class LedgerInvalid(Exception):
    """An entry that cannot be understood."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@define(frozen=True)
class Entry:
    """`expires` is the last day on which it counts; `place` is where it stands."""

    target: str
    requirement: str
    kind: str
    reason: str
    evidence: str
    expires: date
    place: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.evidence}; until {self.expires}; {self.place})"


def read(path: Path, known: Collection[str]) -> list[Entry]:
    """The entries of a ledger; `known` are the ids of all requirements. Raises `LedgerInvalid`."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LedgerInvalid(str(path), f"it cannot be read: {error}") from error
    entries: dict[tuple[str, str], Entry] = {}
    for target, listed in _pairs(path, root, "a ledger maps targets to lists of entries"):
        _check_target(_at(path, target), target.value)
        if not isinstance(listed, yaml.SequenceNode):
            raise LedgerInvalid(_at(path, listed), f"{target.value!r} needs a list of entries")
        for number, node in enumerate(listed.value, 1):
            place = f"{_at(path, node)}, entry {number} of {target.value}"
            entry = _entry(place, path, node, target.value, known)
            key = (str(_parts(target.value)), entry.requirement)
            if key in entries:
                first = entries[key].place
                raise LedgerInvalid(place, f"{key[1]} has an entry already, at {first}; remove one")
            entries[key] = entry
    return list(entries.values())


def of(ledger: list[Entry], base_url: str) -> dict[str, Entry]:
    """The entries that are about a target; of two the one that names it more closely."""
    matching = [entry for entry in ledger if _matches(entry.target, base_url)]
    matching.sort(key=lambda entry: _closeness(entry.target))
    return {entry.requirement: entry for entry in matching}


def apply(run: Run, ledger: list[Entry], today: date) -> Run:
    """The same run with the outcomes that the ledger turns them into; `run` stays as it is."""
    entries = of(ledger, run.target)
    turned = {
        id: _turn(verdict, entries[id], today) if id in entries else verdict
        for id, verdict in run.verdicts.items()
    }
    return evolve(run, verdicts=turned)


def _turn(verdict: Verdict, entry: Entry, today: date) -> Verdict:
    found = FAILS if verdict.behind else verdict.outcome
    outcome = TURNED.get((entry.kind, today > entry.expires, found))
    if outcome is None:
        return verdict
    words = {
        KNOWN: f"known: {entry}",
        FLAKY: f"fails now and then: {entry}",
        EXPIRED: f"was known, and nobody has looked again: {entry}",
        STALE: f"it holds: remove the entry at {entry.place}",
    }
    return evolve(verdict, outcome=outcome, reason=words[outcome])


def _entry(place: str, path: Path, node: yaml.Node, target: str, known: Collection[str]) -> Entry:
    fields: dict[str, str] = {}
    for name, value in _pairs(path, node, f"an entry has the fields {', '.join(FIELDS)}"):
        if name.value not in FIELDS:
            raise LedgerInvalid(place, f"{name.value!r} is no field; there are {', '.join(FIELDS)}")
        if not isinstance(value, yaml.ScalarNode) or value.tag == NULL or not value.value.strip():
            raise LedgerInvalid(place, f"{name.value!r} needs a word or a sentence")
        fields[name.value] = value.value.strip()
    if missing := [name for name in FIELDS if name not in fields]:
        raise LedgerInvalid(place, f"it lacks {', '.join(missing)}")
    if fields["requirement"] not in known:
        raise LedgerInvalid(place, f"there is no requirement {fields['requirement']!r}; see --list")
    if fields["kind"] not in (DEVIATION, FLAKY):
        raise LedgerInvalid(place, f"kind is {fields['kind']!r}; it is {DEVIATION} or {FLAKY}")
    try:
        expires = date.fromisoformat(fields.pop("expires"))
    except ValueError as error:
        raise LedgerInvalid(place, f"expires must be a day, as 2026-03-31: {error}") from error
    return Entry(target=target, place=place, expires=expires, **fields)


def _pairs(path: Path, node: Any, wanted: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The keys and values of a mapping, in which no key stands twice; an empty file has none."""
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise LedgerInvalid(_at(path, node), wanted)
    seen: set[str] = set()
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode):
            raise LedgerInvalid(_at(path, name), wanted)
        if name.value in seen:
            raise LedgerInvalid(_at(path, name), f"{name.value!r} stands here twice; remove one")
        seen.add(name.value)
        yield name, value


def _at(path: Path, node: yaml.Node) -> str:
    return f"{path.name}, line {node.start_mark.line + 1}"


def _check_target(place: str, target: str) -> None:
    try:
        host, _, _ = _parts(target)
    except ValueError:
        host = ""
    if not host or {*target} & {*"?#@ "}:
        reason = (
            f"{target!r} is no target; write a base URL, as https://api.siliconflow.cn/v1, or '*'"
        )
        raise LedgerInvalid(place, reason)


def _parts(url: str) -> tuple[str, int | None, list[str]]:
    """Host, port where it is told, and the path's segments; the scheme is nothing to go by."""
    if url == ANY:
        return ANY, None, []
    found = urlsplit(url if "://" in url else f"//{url}")
    path = [segment for segment in found.path.split("/") if segment]
    return found.hostname or "", found.port, path


def _closeness(target: str) -> tuple[bool, int, bool]:
    host, port, path = _parts(target)
    return host != ANY, len(path), port is not None


def _matches(target: str, base_url: str) -> bool:
    """A target without a port is that host on any."""
    host, port, path = _parts(target)
    its_host, its_port, its_path = _parts(base_url)
    default = PORTS.get(urlsplit(base_url).scheme)
    same_port = port in (None, its_port or default)
    return host == ANY or (host == its_host and same_port and its_path[: len(path)] == path)
