"""
The simulator's own controls, beside the service: `/simulator/faults` and `/simulator/clock`.

Rule: they take the same keys as the service, so that no web page can reach them unasked.
"""

from typing import Any

from attrs import asdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..refusals import bad_request
from ..service import Service
from ..switches.switchboard import Switchboard
from .app import json_response, read_json

STEPS = {"seconds", "hours", "days"}


def routes(service: Service, board: Switchboard) -> list[Route]:
    async def faults(request: Request) -> Response:
        service.authenticate(request.headers.get("authorization"))
        if request.method == "POST":
            _add(board, await read_json(request))
        elif request.method == "DELETE":
            board.clear()
        return json_response([asdict(rule) for rule in board.rules])

    async def clock(request: Request) -> Response:
        service.authenticate(request.headers.get("authorization"))
        if request.method == "POST":
            _advance(service, await read_json(request))
        return json_response({"now": service.clock.now(), "speed": service.clock.speed})

    return [
        Route("/simulator/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/simulator/clock", clock, methods=["GET", "POST"]),
    ]


def _add(board: Switchboard, rule: Any) -> None:
    try:
        board.add(**rule)
    except (TypeError, ValueError) as error:
        raise bad_request(f"That is no rule: {error}") from error


def _advance(service: Service, step: Any) -> None:
    if not isinstance(step, dict) or not step or not step.keys() <= STEPS:
        raise bad_request(f"Name how far the clock moves, in {', '.join(sorted(STEPS))}.")
    if not all(type(value) in (int, float) for value in step.values()):
        raise bad_request("How far the clock moves is told in numbers.")
    try:
        service.clock.advance(**step)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_request(f"The clock cannot move so: {error}") from error
