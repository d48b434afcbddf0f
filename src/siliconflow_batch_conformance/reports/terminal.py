"""
A run in words, for a terminal: the failures, each with what the documents say, and one line.
"""

import shlex
from collections.abc import Iterator, Mapping

import httpx

from ..checks.exchange import Exchange, form_parts
from ..deviations import EXPIRED, FLAKY, KNOWN, STALE
from ..requirements import SOURCES, Requirement
from ..verdicts import BLOCKED, BROKEN, FAILS, INCONCLUSIVE, NOT_JUDGED, Failure, Run, Verdict

VARIABLES = {"own": "SILICONFLOW_API_KEY", "stranger": "SILICONFLOW_API_KEY_2"}
STATUS = ("conformant", "not conformant", "nothing can be said")
TOLD_BY_REASON = (STALE, EXPIRED, KNOWN, FLAKY, BLOCKED, INCONCLUSIVE, NOT_JUDGED, BROKEN)


def report(run: Run, catalogue: Mapping[str, Requirement], status: int) -> Iterator[str]:
    """The lines to print."""
    by_outcome: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts.values():
        by_outcome.setdefault(verdict.outcome, []).append(verdict)
    for verdict in by_outcome.get(FAILS, ()):
        yield from _failure(catalogue[verdict.requirement], verdict.failures, run.target)
    yield from (f"ERROR  {error}\n" for error in run.errors[:10])
    for outcome in TOLD_BY_REASON:
        found = by_outcome.get(outcome, ())
        for reason in dict.fromkeys(verdict.reason for verdict in found):
            ids = ", ".join(v.requirement for v in found if v.reason == reason)
            yield f"{outcome}: {ids}\n  {reason}"
    counts = ", ".join(f"{len(rows)} {outcome}" for outcome, rows in by_outcome.items())
    yield f"{len(run.verdicts)} requirements: {counts}; {run.requests} requests"
    yield STATUS[status]


def _failure(row: Requirement, failures: list[Failure], base_url: str) -> Iterator[str]:
    failure, *others = failures
    yield f"{row.id}  {row.operation}: {row.says}  [{row.tier}]"
    yield f"  docs:      {SOURCES[row.source]}"
    yield f"  expected:  {failure.expected}"
    yield "  actual:    " + failure.actual.replace("\n", "\n             ")
    if last := _last(failure):
        yield f"  replay:    {replay(last, base_url)}"
    if others:
        yield f"  and so do: {len(others)} more cases of this requirement"
    yield ""


def replay(exchange: Exchange, base_url: str) -> str:
    """A command that sends a request again; keys are left to the environment."""
    url = exchange.path if "://" in exchange.path else base_url + exchange.path
    full = httpx.URL(url, params=exchange.query) if exchange.query else url
    words = ["curl", "-X", exchange.method, shlex.quote(str(full))]
    if exchange.authorization is not None and "://" not in exchange.path:
        variable = VARIABLES.get(exchange.sender, VARIABLES["own"])
        turned = f'$(printf %s "${variable}" | tr A-Za-z a-zA-Z)'
        shown = exchange.authorization.replace("{key}", f"${variable}").replace("{KEY}", turned)
        words.append(f'-H "Authorization: {shown}"')
    if exchange.request_type.startswith("multipart/"):
        words += _form(exchange)
    elif exchange.request_body:
        words.append("-H " + shlex.quote(f"Content-Type: {exchange.request_type}"))
        shortened = exchange.request_body[:2000].decode("utf-8", "replace")
        words.append("--data-binary " + shlex.quote(shortened))
    return " ".join(words)


def _form(exchange: Exchange) -> Iterator[str]:
    """The parts of a form as curl takes them; what a file holds is left out."""
    for name, file_name, content in form_parts(exchange):
        value = content.decode("utf-8", "replace")[:100]
        given = f"{name}={value}" if file_name is None else f"{name}=@…"
        yield "-F " + (given if given.endswith("=@…") and name.isalnum() else shlex.quote(given))


def _last(failure: Failure) -> Exchange | None:
    """The request whose answer was wrong."""
    flat = [one for argument in failure.arguments for one in _each(argument)]
    found = [one for one in flat if isinstance(one, Exchange)]
    return max(found, key=lambda one: one.number, default=None)


def _each(argument: object) -> list[object]:
    return argument if isinstance(argument, list) else [argument]
