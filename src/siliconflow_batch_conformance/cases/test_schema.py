"""
Cases that schemathesis derives from openapi.yaml: examples, boundaries, random data, sequences.

Where the contract can only say "a string", valid requests get the id of something that is there, so
that a refusal of them is a deviation. Set SILICONFLOW_CONFORMANCE_SEED to repeat a run.
"""

import os
import time
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition

from ..checks import shapes
from ..checks.exchange import Exchange
from ..requirements import Deviation, Inconclusive, NotJudged, requirement
from ..service.target import Target, id_of

HERE = Path(__file__).parent
PACKAGED = HERE.parent / "openapi.yaml"  # put there by the wheel
CONTRACT = PACKAGED if PACKAGED.exists() else HERE.parents[2] / "openapi.yaml"

config = schemathesis.Config.from_path(HERE / "schemathesis.toml")
config.update(seed=int(os.environ.get("SILICONFLOW_CONFORMANCE_SEED", "1")), max_failures=None)
schema = schemathesis.openapi.from_path(CONTRACT, config=config)
ATTEMPTS = 3
FOR_THIS_MACHINE = "hundreds of generated requests are for services on this machine alone"
search = settings(
    max_examples=30,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


Case = schemathesis.Case[Any]

# Cases are made before the key is known; one that is meant to have it has this (schemathesis.toml).
PLACEHOLDER = "Bearer key"


def put_key(case: Case, key: str) -> None:
    if case.headers.get("Authorization") == PLACEHOLDER:
        case.headers["Authorization"] = f"Bearer {key}"


def observed(target: Target, answer: schemathesis.Response) -> Exchange:
    """Shows an exchange of schemathesis's to the observer."""
    request = answer.request
    url = httpx.URL(request.url or "")
    body: Any = request.body or b""
    sent: dict[str, Any] = dict(request.headers)
    given = sent.get("Authorization")
    exchange = Exchange(
        number=len(target.observer.exchanges),
        method=request.method or "",
        path=url.raw_path.decode().partition("?")[0].removeprefix(httpx.URL(target.base_url).path),
        query=dict(url.params),
        request_body=body.encode() if isinstance(body, str) else bytes(body),
        request_type=str(sent.get("Content-Type", "")),
        authorization=None if given is None else str(given).replace(target.key, "{key}"),
        status=answer.status_code,
        headers={name.lower(): ", ".join(texts) for name, texts in answer.headers.items()},
        body=answer.content,
        at=time.time(),
    )
    target.observer.observe(exchange)
    return exchange


def is_valid(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def names_what_is_there(case: Case, input_file: str, listed: list[Exchange]) -> bool:
    """Puts real ids into a case; False where a valid one may be refused all the same."""
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
    """A valid request is accepted, no other is, and every answer is as documented."""
    if not target.budget.loopback:
        raise NotJudged(FOR_THIS_MACHINE)
    accepted = is_valid(case) and names_what_is_there(case, input_file, listed)
    put_key(case, target.key)

    answer = case.call(base_url=target.base_url)
    seen = observed(target, answer)
    case.validate_response(answer)

    if accepted and (refused := shapes.status_is(seen, 200)):
        raise Deviation(shapes.status_is, (seen, 200), refused)


@requirement("SCHEMA-8")
def test_sequences(target: Target) -> None:
    """What one operation answers, the next one takes."""
    if not target.budget.loopback:
        raise NotJudged(FOR_THIS_MACHINE)

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
            # A sequence that hypothesis played again met the service in another state: no verdict.
            continue
        return
    raise Inconclusive(f"the service changed under {ATTEMPTS} runs of the sequences")
