"""
The report on the terminal: a line for each failure, the first ones in full, then a summary.
"""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import httpx

from ..causes import fundamental_first
from ..checks.exchange import Exchange
from ..checks.listed import Row
from ..deviations import EXPIRED, FLAKY, KNOWN, STALE
from ..requirements import Requirement
from ..verdicts import (
    BLOCKED,
    BROKEN,
    FAILS,
    HOLDS,
    INCONCLUSIVE,
    NOT_JUDGED,
    Failure,
    Run,
    Verdict,
)
from .texts import in_one_line

VARIABLES = {"own": "SILICONFLOW_API_KEY", "stranger": "SILICONFLOW_API_KEY_2"}
STATUS = ("conformant", "not conformant", "inconclusive")
REASONS = 3  # why requirements were not judged
OPEN = frozenset({BLOCKED, INCONCLUSIVE, NOT_JUDGED, BROKEN})
IN_FULL = 20  # failures that are printed with all details
ITEMS = 20  # of a list
GROUPED_BY_REASON = (STALE, EXPIRED, KNOWN, FLAKY, BLOCKED, INCONCLUSIVE, NOT_JUDGED, BROKEN)


def report(
    run: Run,
    catalogue: Mapping[str, Requirement],
    status: int,
    notes: Sequence[str] = (),
    again: str = "",
) -> Iterator[str]:
    """
    The lines to print; `notes` follow the findings.

    `again` is the command that repeats the run, if curl cannot: the simulator of the run is gone.
    """
    by_outcome: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts.values():
        by_outcome.setdefault(verdict.outcome, []).append(verdict)
    failed = {verdict.requirement: verdict for verdict in by_outcome.get(FAILS, ())}
    ordered = fundamental_first(failed, catalogue)
    yield from _summary([catalogue[id] for id in ordered])
    for id in ordered[:IN_FULL]:
        yield from _failure(catalogue[id], failed[id].failures, run.target, again)
    if len(ordered) > IN_FULL:
        yield f"{len(ordered) - IN_FULL} more failures in full: --report FOLDER\n"
    yield from (f"ERROR  {error}\n" for error in run.errors[:10])
    for outcome in GROUPED_BY_REASON:
        verdicts = by_outcome.get(outcome, ())
        for reason in dict.fromkeys(verdict.reason for verdict in verdicts):
            ids = ", ".join(v.requirement for v in verdicts if v.reason == reason)
            yield f"{outcome}: {ids}\n  {reason}"
    yield from notes
    counts = ", ".join(_number(len(rows), outcome) for outcome, rows in by_outcome.items())
    yield f"{_number(run.requests, 'requests')}: {counts}"
    yield f"{STATUS[status]}: {_judged(run)}"


def _number(number: int, word: str) -> str:
    """A number with a word for it: "1 fails", "2 fail", "2 requests"."""
    if word in (HOLDS, FAILS, "requests"):
        is_verb = word != "requests"
        word = word if (number == 1) == is_verb else word[:-1]
    return f"{number:,} {word}"


def _judged(run: Run) -> str:
    """How many requirements were judged, and the most common reasons why others were not."""
    reasons = Counter(one.reason for one in run.verdicts.values() if one.outcome in OPEN)
    judged = len(run.verdicts) - reasons.total()
    text = f"{judged} of {len(run.verdicts)} requirements judged"
    for reason, number in reasons.most_common(REASONS):
        text += f"; {number} not: {in_one_line(reason, 80)}" if reason else ""
    return text


def _summary(rows: list[Requirement]) -> Iterator[str]:
    """A line for each failure; the first is the most fundamental."""
    for row in rows:
        yield f"  {row.id:<11} {row.tier:<8} {row.operation}: {row.says}"
    if rows:
        yield ""


def _lists(rows: Sequence[Row]) -> Iterator[str]:
    """Two lists, one item in a line: `-` is expected and missing, `+` is there unexpectedly."""
    label = "actual:  "
    for expected, actual in rows[:ITEMS]:
        mark = " " if expected == actual else "-" if actual is None else "+"
        yield f"  {label}{mark} {actual if expected is None else expected}"
        label = " " * len(label)
    if len(rows) > ITEMS:
        yield f"  {label}  … {len(rows) - ITEMS} more"
    yield f"  {label}  (- is missing, + is unexpected)"


def _failure(row: Requirement, failures: list[Failure], base_url: str, again: str) -> Iterator[str]:
    failure, *others = failures
    yield f"{row.id}  {row.operation}: {row.says}  [{row.tier}]"
    yield f"  docs:      {row.provenance} ({row.confidence} confidence)"
    yield f"  expected:  {failure.expected}"
    if failure.rows:
        yield from _lists(failure.rows)
    else:
        yield "  actual:    " + failure.actual.replace("\n", "\n             ")
    if again:
        yield f"  replay:    {again} --only {row.id}"
    elif last := _last(failure):
        yield f"  replay:    {replay(last, base_url)}"
    if others:
        yield f"  more:      {len(others)} more cases fail"
    yield ""


def replay(exchange: Exchange, base_url: str) -> str:
    """A curl command that repeats a request; it reads keys from environment variables."""
    url = exchange.path if "://" in exchange.path else base_url + exchange.path
    full = httpx.URL(url, params=exchange.query) if exchange.query else url
    command = ["curl", "-X", exchange.method, shlex.quote(str(full))]
    if exchange.authorization is not None and "://" not in exchange.path:
        variable = VARIABLES.get(exchange.sender, VARIABLES["own"])
        swapped = f'$(printf %s "${variable}" | tr A-Za-z a-zA-Z)'
        header = exchange.authorization.replace("{key}", f"${variable}").replace("{KEY}", swapped)
        command.append(f'-H "Authorization: {header}"')
    if exchange.request_type.startswith("multipart/"):
        command += _form(exchange)
    elif exchange.request_body:
        command.append("-H " + shlex.quote(f"Content-Type: {exchange.request_type}"))
        shortened = exchange.request_body[:2000].decode("utf-8", "replace")
        command.append("--data-binary " + shlex.quote(shortened))
    return " ".join(command)


def _form(exchange: Exchange) -> Iterator[str]:
    """The parts of a form as curl options, without the contents of files."""
    boundary = exchange.request_type.partition("boundary=")[2].strip('"').encode()
    for part in exchange.request_body.split(b"--" + boundary)[1:-1] if boundary else ():
        head, _, data = part.partition(b"\r\n\r\n")
        name = head.decode("utf-8", "replace").partition(' name="')[2].partition('"')[0]
        value = data.strip().decode("utf-8", "replace")[:100]
        part_text = f"{name}=@…" if b'filename="' in head else f"{name}={value}"
        is_plain = part_text.endswith("=@…") and name.isalnum()
        yield "-F " + (part_text if is_plain else shlex.quote(part_text))


def _last(failure: Failure) -> Exchange | None:
    """The latest exchange among the check's arguments."""
    flat = [one for argument in failure.arguments for one in _each(argument)]
    exchanges = [one for one in flat if isinstance(one, Exchange)]
    return max(exchanges, key=lambda one: one.number, default=None)


def _each(argument: object) -> list[object]:
    return argument if isinstance(argument, list) else [argument]
