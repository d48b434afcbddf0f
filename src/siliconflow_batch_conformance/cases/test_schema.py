"""
Cases that schemathesis derives from openapi.yaml: examples, boundaries, random data, sequences.

Where the contract can only say "a string", valid requests get the id of an existing object, so that
a refusal is a deviation. Set SILICONFLOW_CONFORMANCE_SEED to repeat a run.
"""

import os
import time
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.core.failures import AcceptedNegativeData, Failure

from ..checks import shapes
from ..checks.exchange import Exchange
from ..requirements import Deviation, Inconclusive, NotJudged, requirement
from ..service.target import Target, id_of

HERE = Path(__file__).parent
PACKAGED = HERE.parent / "openapi.yaml"  # the wheel contains it
CONTRACT = PACKAGED if PACKAGED.exists() else HERE.parents[2] / "openapi.yaml"

config = schemathesis.Config.from_path(HERE / "schemathesis.toml")
config.update(seed=int(os.environ.get("SILICONFLOW_CONFORMANCE_SEED", "1")), max_failures=None)
schema = schemathesis.openapi.from_path(CONTRACT, config=config)


@schema.hooks.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """
    Drops one failure: a list of files without `purpose` that is accepted.

    The vendor's page requires the parameter, and its sample call leaves it out.
    """
    is_list = (case.method.upper(), case.path) == ("GET", "/files")
    is_only_mutation = {*case.query} <= {"limit"} and is_valid_limit(case.query.get("limit", 1))
    is_accepted = isinstance(failure, AcceptedNegativeData)
    return not (is_list and is_accepted and is_only_mutation)


def is_valid_limit(limit: object) -> bool:
    return str(limit).isdecimal() and int(str(limit)) >= 1


ATTEMPTS = 3
UNMETERED_ONLY = (
    "generated requests, which are hundreds, need --unmetered: a service that costs nothing"
)
search = settings(
    max_examples=30,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


Case = schemathesis.Case[Any]

# Cases are generated before the key is known; valid ones have this header (schemathesis.toml).
PLACEHOLDER = "Bearer key"


def put_key(case: Case, key: str) -> None:
    if case.headers.get("Authorization") == PLACEHOLDER:
        case.headers["Authorization"] = f"Bearer {key}"


def observed(target: Target, response: schemathesis.Response) -> Exchange:
    """Converts a request and its response, and shows them to the observer."""
    request = response.request
    url = httpx.URL(request.url or "")
    body: Any = request.body or b""
    headers: dict[str, Any] = dict(request.headers)
    authorization = headers.get("Authorization")
    exchange = Exchange(
        number=len(target.observer.exchanges),
        method=request.method or "",
        path=url.raw_path.decode().partition("?")[0].removeprefix(httpx.URL(target.base_url).path),
        query=dict(url.params),
        request_body=body.encode() if isinstance(body, str) else bytes(body),
        request_type=str(headers.get("Content-Type", "")),
        authorization=None
        if authorization is None
        else str(authorization).replace(target.key, "{key}"),
        status=response.status_code,
        headers={name.lower(): ", ".join(texts) for name, texts in response.headers.items()},
        body=response.content,
        at=time.time(),
    )
    target.observer.observe(exchange)
    return exchange


def is_valid(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def name_existing_objects(case: Case, input_file: str, listed: list[Exchange]) -> bool:
    """Puts existing ids into a case; returns False where a valid case may still be refused."""
    match case.operation.definition.raw["operationId"]:
        case "createBatch" if isinstance(case.body, dict):
            case.body = {**case.body, "input_file_id": input_file}
        case "listBatches" if "after" in case.query:
            case.query["after"] = id_of(listed[-1])
        case "retrieveBatch" | "cancelBatch" | "downloadFile":
            return False
    return True


@schema.parametrize()
@search
def test_operation(case: Case, target: Target, input_file: str, listed: list[Exchange]) -> None:
    """Valid requests are accepted, others are refused, and every response is as documented."""
    if not target.budget.unmetered:
        raise NotJudged(UNMETERED_ONLY)
    must_succeed = is_valid(case) and name_existing_objects(case, input_file, listed)
    put_key(case, target.key)

    response = case.call(base_url=target.base_url)
    exchange = observed(target, response)
    case.validate_response(response)

    if must_succeed and (refusal := shapes.status_is(exchange, 200)):
        raise Deviation(shapes.status_is, (exchange, 200), refusal)


@requirement("SCHEMA-8")
def test_sequences(target: Target) -> None:
    """An operation accepts the ids that another operation returned."""
    if not target.budget.unmetered:
        raise NotJudged(UNMETERED_ONLY)

    class Sequence(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Case) -> None:
            put_key(case, target.key)

        def after_call(self, response: schemathesis.Response, case: Case) -> None:
            observed(target, response)

        def get_call_kwargs(self, case: Case) -> dict[str, str]:
            return {"base_url": target.base_url}

    for _ in range(ATTEMPTS):
        try:
            Sequence.run(settings=settings(search, max_examples=25, stateful_step_count=8))
        except FlakyStrategyDefinition:
            # hypothesis repeated a sequence, and the service was in another state: no verdict.
            continue
        return
    raise Inconclusive(f"the service changed during {ATTEMPTS} runs of the sequences")
