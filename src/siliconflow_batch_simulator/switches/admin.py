"""
The simulator's control endpoints: `/simulator/faults` and `/simulator/clock`.

Rule: they need a key of the service, so that no web page can call them.
"""

from typing import Any

from attrs import asdict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..http.app import json_response
from ..http.request_bodies import read_json
from ..service.refusals import bad_request
from ..service.service import Service
from .switchboard import Switchboard

UNITS = {"seconds", "hours", "days"}


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
        raise bad_request(f"Invalid rule: {error}") from error


def _advance(service: Service, step: Any) -> None:
    if not isinstance(step, dict) or not step or not step.keys() <= UNITS:
        raise bad_request(f"The body must be an object with {', '.join(sorted(UNITS))}.")
    if not all(type(value) in (int, float) for value in step.values()):
        raise bad_request(f"{', '.join(sorted(UNITS))} must be numbers.")
    try:
        service.clock.advance(**step)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_request(f"The clock cannot be moved: {error}") from error
