"""
The ledger of known deviations: the requirement that fails on a target, the reason, the evidence,
and the last day of the entry.

    the requirement    no entry    deviation    flaky      expired      expired flaky
    fails *)           fails       KNOWN        FLAKY      EXPIRED      EXPIRED
    holds              holds       STALE        holds      STALE        holds
    anything else      unchanged   unchanged    unchanged  unchanged    unchanged

    *) or failed and is blocked by another failure

Rule 1: an entry changes the failure that it names, and nothing else: a failure that was blocked by
it is a failure of its own then.
Rule 2: an entry that is out of date is a mistake: STALE and EXPIRED fail the run.
Rule 3: an invalid ledger is refused before the first request.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from attrs import define, evolve

from .verdicts import BLOCKED, FAILS, HOLDS, Run, Verdict

LEDGER = Path(__file__).with_name("deviations.yaml")
KNOWN, STALE, EXPIRED, FLAKY = "known", "stale", "expired", "flaky"
DEVIATION, ANY = "deviation", "*"
FIELDS = ("requirement", "kind", "reason", "evidence", "expires")
NULL = "tag:yaml.org,2002:null"
PORTS = {"http": 80, "https": 443}

# The new outcome, by kind of entry, whether it has expired, and outcome.
OUTCOMES = {
    (DEVIATION, False, FAILS): KNOWN,
    (DEVIATION, False, HOLDS): STALE,
    (DEVIATION, True, FAILS): EXPIRED,
    (DEVIATION, True, HOLDS): STALE,
    (FLAKY, False, FAILS): FLAKY,
    (FLAKY, True, FAILS): EXPIRED,
}


class LedgerInvalid(Exception):
    """A ledger or one of its entries is invalid."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@define(frozen=True)
class Entry:
    """`expires` is the last day of the entry; `place` is its file, line and number."""

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
    """The entries of a ledger; `known` are the ids of requirements. Raises `LedgerInvalid`."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LedgerInvalid(str(path), f"cannot be read: {error}") from error
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
                raise LedgerInvalid(place, f"{key[1]} already has an entry at {first}; remove one")
            entries[key] = entry
    return list(entries.values())


def of(ledger: list[Entry], base_url: str) -> dict[str, Entry]:
    """The entries of a target by requirement; of two the one with the more specific target."""
    matching = [entry for entry in ledger if _matches(entry.target, base_url)]
    matching.sort(key=lambda entry: _specificity(entry.target))
    return {entry.requirement: entry for entry in matching}


def apply(run: Run, ledger: list[Entry], today: date) -> Run:
    """A copy of the run with the outcomes that the ledger changes."""
    entries = of(ledger, run.target)
    verdicts = {
        id: _with_entry(verdict, entries[id], today) if id in entries else verdict
        for id, verdict in run.verdicts.items()
    }
    return evolve(run, verdicts={id: _unblocked(one, verdicts) for id, one in verdicts.items()})


def _unblocked(verdict: Verdict, verdicts: Mapping[str, Verdict]) -> Verdict:
    """A blocked failure whose causes are all excused is a failure."""
    is_excused = [verdicts[other].outcome in (KNOWN, FLAKY) for other in verdict.causes]
    if verdict.outcome != BLOCKED or not is_excused or not all(is_excused):
        return verdict
    return evolve(verdict, outcome=FAILS, reason="", causes=())


def _with_entry(verdict: Verdict, entry: Entry, today: date) -> Verdict:
    judged = FAILS if verdict.causes else verdict.outcome
    outcome = OUTCOMES.get((entry.kind, today > entry.expires, judged))
    if outcome is None:
        return verdict
    reasons = {
        KNOWN: f"known: {entry}",
        FLAKY: f"fails sometimes: {entry}",
        EXPIRED: f"the entry has expired: {entry}",
        STALE: f"the requirement holds: remove the entry at {entry.place}",
    }
    return evolve(verdict, outcome=outcome, reason=reasons[outcome])


def _entry(place: str, path: Path, node: yaml.Node, target: str, known: Collection[str]) -> Entry:
    fields: dict[str, str] = {}
    for name, value in _pairs(path, node, f"an entry has the fields {', '.join(FIELDS)}"):
        if name.value not in FIELDS:
            raise LedgerInvalid(place, f"unknown field {name.value!r}; use {', '.join(FIELDS)}")
        if not isinstance(value, yaml.ScalarNode) or value.tag == NULL or not value.value.strip():
            raise LedgerInvalid(place, f"{name.value!r} needs a text")
        fields[name.value] = value.value.strip()
    if missing := [name for name in FIELDS if name not in fields]:
        raise LedgerInvalid(place, f"missing {', '.join(missing)}")
    if fields["requirement"] not in known:
        raise LedgerInvalid(place, f"unknown requirement {fields['requirement']!r}; see --list")
    if fields["kind"] not in (DEVIATION, FLAKY):
        raise LedgerInvalid(place, f"unknown kind {fields['kind']!r}; use {DEVIATION} or {FLAKY}")
    try:
        expires = date.fromisoformat(fields.pop("expires"))
    except ValueError as error:
        raise LedgerInvalid(place, f"expires must be a date such as 2026-03-31: {error}") from error
    return Entry(target=target, place=place, expires=expires, **fields)


def _pairs(path: Path, node: Any, rule: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The keys and values of a mapping without duplicate keys; an empty file has none."""
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise LedgerInvalid(_at(path, node), rule)
    seen: set[str] = set()
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode):
            raise LedgerInvalid(_at(path, name), rule)
        if name.value in seen:
            raise LedgerInvalid(_at(path, name), f"duplicate key {name.value!r}; remove one")
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
        example = "a base URL such as https://api.siliconflow.cn/v1, or '*'"
        raise LedgerInvalid(place, f"invalid target {target!r}; use {example}")


def _parts(url: str) -> tuple[str, int | None, list[str]]:
    """The host, the port if there is one, and the segments of the path; schemes are ignored."""
    if url == ANY:
        return ANY, None, []
    parts = urlsplit(url if "://" in url else f"//{url}")
    path = [segment for segment in parts.path.split("/") if segment]
    return parts.hostname or "", parts.port, path


def _specificity(target: str) -> tuple[bool, int, bool]:
    host, port, path = _parts(target)
    return host != ANY, len(path), port is not None


def _matches(target: str, base_url: str) -> bool:
    """Whether an entry's target includes a base URL; without a port it includes every port."""
    host, port, path = _parts(target)
    base_host, base_port, base_path = _parts(base_url)
    default = PORTS.get(urlsplit(base_url).scheme)
    same_port = port in (None, base_port or default)
    return host == ANY or (host == base_host and same_port and base_path[: len(path)] == path)
