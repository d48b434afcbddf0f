"""Hand-written runs, with responses as the documents show them and hostile ones."""

import json
from dataclasses import replace

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.reports import as_html, as_json, as_junit, as_markdown
from siliconflow_batch_conformance.reports.records import FailureRecord, record
from siliconflow_batch_conformance.requirements import Requirement, load
from siliconflow_batch_conformance.verdicts import Failure, Run, Verdict

KEY = 'sk-"secret/ key+with\\é'
BEGAN = 1_790_000_000.0
CATALOGUE = load()
SMALL = {
    id: CATALOGUE[id]
    for id in (
        *("CREATE-2", "CREATE-6", "INPUT-1", "RETRIEVE-2", "LIFE-3", "LIFE-7"),
        *("LIST-2", "LIST-3", "CANCEL-4", "UPLOAD-3", "AUTH-2", "OWNER-1"),
    )
}
HOSTILE = (
    "</script><script>window.broken = true</script><img src=x onerror='window.broken = true'>"
    "\x1b[31mred\x1b[0m \x00 \u2028 \u202e backwards ` `` | a\\|b @everyone <!-- {{ 7 * 7 }} ]]> "
    "[a](javascript:alert) \ud800"
)
BATCH = {
    "id": "batch_zckbovgcbp",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-jkvytbjtow",
    "completion_window": "24h",
    "status": "in_queue",
    "metadata": {"description": "夜间批处理"},
}


def a_list(number: int, **query: str) -> Exchange:
    data = [{**BATCH, "id": f"batch_{place:010}"} for place in range(2)]
    body = json.dumps({"object": "list", "data": data, "has_more": True}, ensure_ascii=False)
    headers = {"content-type": "application/json", "x-trace": f"t{number}"}
    return Exchange(
        number, "GET", "/batches", 200, query, headers=headers, body=body.encode(), at=BEGAN
    )


def a_creation(number: int) -> Exchange:
    sent = json.dumps({"input_file_id": "file-jkvytbjtow", "completion_window": "24h"}).encode()
    response = json.dumps(BATCH).encode()
    return Exchange(number, "POST", "/batches", 200, {}, sent, "application/json", body=response)


def a_download(number: int) -> Exchange:
    """A response with a binary body."""
    body = bytes(range(256)) * 8
    return Exchange(number, "GET", "/files/file-1/content", 200, body=body, sender="stranger")


def a_long_story(length: int = 30) -> tuple[Exchange, ...]:
    early = [a_creation(number) for number in range(1, length - 1)]
    return (*early, a_list(length - 1, limit="2"), a_list(length, limit="2", after="batch_b"))


def paging() -> Failure:
    story = a_long_story()
    return Failure(
        case="test_after_begins_behind_the_named_batch",
        expected="the page after batch_zckbovgcbp is ['batch_cqcbycltbl', 'batch_kgtjntxirl']",
        actual="['batch_zckbovgcbp', 'batch_cqcbycltbl']",
        arguments=([story[1], story[-1]], {"after": "batch_b"}),
        story=story,
    )


def hostile() -> Failure:
    huge = replace(a_list(2), body=(HOSTILE.replace("\ud800", "") + "x" * 100_000).encode())
    bare = replace(a_list(3, limit="<b>"), authorization=None, status=401, awaited=True)
    story = (a_download(1), huge, bare)
    return Failure("test_hostile", "a string", HOSTILE, arguments=(huge,), story=story)


def simple(id: str) -> Failure:
    exchange = a_creation(1)
    return Failure(
        case=f"test_{id.lower().replace('-', '_')}",
        expected="metadata {'description': '夜间批处理'}",
        actual="metadata None",
        arguments=(exchange,),
        story=(exchange,),
    )


def a_run(target: str, catalogue: dict[str, Requirement], **outcomes: str) -> Run:
    """A run in which every requirement holds, except for the given outcomes: `LIST_3="fails"`."""
    verdicts = {}
    for id in catalogue:
        outcome = outcomes.get(id.replace("-", "_"), "holds")
        verdicts[id] = Verdict(id, outcome, cases=3)
        if outcome in ("fails", "known", "expired"):
            failure = {"LIST-3": paging, "RETRIEVE-2": hostile}.get(id)
            verdicts[id].failures = [failure() if failure else simple(id)]
        if outcome not in ("fails", "holds"):
            verdicts[id].reason = REASONS[outcome]
    return Run(target, 1, BEGAN, 12.345, 1234, verdicts)


REASONS = {
    "known": "the vendor's support confirmed it; accepted by the maintainers",
    "stale": "a known deviation, but the requirement holds now: remove it from the ledger",
    "expired": "known until 2026-03-01, which has passed",
    "flaky": "it failed in 2 of 9 runs",
    "blocked": "no batch was created: CREATE-2",
    "inconclusive": "the batch was still in_progress after 60 s",
    "not judged": "needs the key of a second account, in SILICONFLOW_API_KEY_2",
    "error": "ConnectionError: the service closed the connection",
}


def three_runs(catalogue: dict[str, Requirement]) -> list[Run]:
    china = a_run(
        "https://api.siliconflow.cn/v1",
        catalogue,
        **{"CREATE_2": "known", "CREATE_6": "stale", "LIST_3": "fails", "RETRIEVE_2": "fails"},
        **{"LIFE_7": "inconclusive", "OWNER_1": "not judged", "LIFE_3": "flaky"},
    )
    world = a_run(
        "https://api.siliconflow.com/v1",
        catalogue,
        **{"CREATE_2": "expired", "UPLOAD_3": "fails", "INPUT_1": "blocked", "LIFE_7": "error"},
    )
    world.errors = ["LIFE-7: ConnectionError: the service closed the connection"]
    simulator = a_run("http://127.0.0.1:40285/v1", catalogue)
    return [china, world, simulator]


def last_runs(catalogue: dict[str, Requirement]) -> list[Run]:
    """The previous runs of the three targets; the simulator had another port."""
    china = a_run("https://api.siliconflow.cn/v1", catalogue, CANCEL_4="fails", LIST_3="fails")
    world = a_run("https://api.siliconflow.com/v1", catalogue, UPLOAD_3="known")
    return [china, world, a_run("http://127.0.0.1:1/v1", catalogue, AUTH_2="fails")]


def crowded_runs(rows: int = len(CATALOGUE)) -> list[Run]:
    """Three targets on which every requirement fails, with long stories and bodies."""
    runs = []
    for target in ("https://one.invalid/v1", "https://two.invalid/v1", "https://three.invalid/v1"):
        run = a_run(target, dict(list(CATALOGUE.items())[:rows]))
        for verdict in run.verdicts.values():
            verdict.outcome = "fails"
            story = tuple(replace(each, body=each.body * 40) for each in a_long_story())
            text = HOSTILE * 20
            verdict.failures = [Failure(f"case {n}", text, text, None, story, story) for n in "12"]
        runs.append(run)
    return runs


SCRIPTS = {
    "LIST-3": "#!/bin/sh\nset -eu\n# LIST-3: a page with `after` starts after that batch\n"
    "curl -s -H \"Authorization: Bearer $SILICONFLOW_API_KEY\" '$BASE/batches?limit=2'\n",
    "RETRIEVE-2": "#!/bin/sh\necho '</script>'\n",
}


def all_reports(runs: list[Run], secrets: tuple[str, ...] = (), script: str = "") -> dict[str, str]:
    """All reports as text, by name."""
    scripts = dict.fromkeys(CATALOGUE, script)
    return {
        "json": json.dumps(as_json(runs, CATALOGUE, secrets=secrets), ensure_ascii=False),
        "html": as_html(runs, CATALOGUE, runs, scripts=scripts, secrets=secrets),
        "junit": as_junit(runs, CATALOGUE, secrets=secrets),
        "markdown": as_markdown(runs, CATALOGUE, secrets=secrets),
    }


def run_with_failure(failure: Failure, id: str = "LIST-3") -> Run:
    run = a_run("http://127.0.0.1:1/v1", CATALOGUE)
    run.verdicts[id].outcome, run.verdicts[id].failures = "fails", [failure]
    return run


def stored(failure: Failure, **options: tuple[str, ...]) -> FailureRecord:
    return record(run_with_failure(failure), **options).verdicts["LIST-3"].failures[0]
