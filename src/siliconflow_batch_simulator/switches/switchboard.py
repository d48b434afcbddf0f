"""
Which variants and faults are on, for which request.

Rule 1: a behaviour replaces one method of the service, or the application around it, and nothing
of the sound code knows.
Rule 2: what is on is decided once a request, when it comes in: by its X-Simulate header, and by the
rules, in the order in which they were added.
"""

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from attrs import define, evolve, field, validators
from starlette.types import ASGIApp, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..refusals import Refused, bad_request
from ..service import Service

HEADER = b"x-simulate"
ANY = "*"
CONTROLS = "/simulator/"  # bad days are for the service; it must stay possible to end them
_active: ContextVar[tuple[str, ...]] = ContextVar("active", default=())


@define(frozen=True)
class Behaviour:
    """
    `target` is a method of the service, of its `storage` or `execution`, or `app`, the application;
    `replace` gets the sound one, and the service, and returns what takes its place.
    """

    description: str
    target: str
    replace: Callable[[Any, Service], Any]


@define(frozen=True)
class Rule:
    """
    A behaviour that is on for an operation (`POST /batches`), or with `*` for every request.

    `times` is for how many requests, None for ever; `rate` is the share of them, drawn by chance.
    """

    name: str
    operation: str = ANY
    times: int | None = field(default=None)
    rate: float = field(default=1.0, validator=[validators.gt(0), validators.le(1)])

    @times.validator
    def _whole(self, _: object, times: int | None) -> None:
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError(f"times must be a whole number from 1 on, not {times!r}.")


@define
class Switchboard:
    """
    The rules in force; `operations` are the labels that a rule may name.

    Rules may be added in any thread while the server counts them down in its own.
    """

    behaviours: Mapping[str, Behaviour]
    operations: frozenset[str]
    seed: int | None = None
    rules: list[Rule] = field(factory=list, init=False)
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - chance, not secrecy

    def add(
        self, name: str, operation: str = ANY, times: int | None = None, rate: float = 1.0
    ) -> Rule:
        """Switches a behaviour on; `ValueError` says which names and operations there are."""
        self.check([name])
        if operation != ANY and operation not in self.operations:
            known = ", ".join(sorted(self.operations))
            raise ValueError(f"There is no operation {operation!r}. The operations are: {known}.")
        rule = Rule(name, operation, times, rate)
        with self._lock:
            self.rules = [*self.rules, rule]
        return rule

    def clear(self) -> None:
        """Switches everything off."""
        with self._lock:
            self.rules = []

    def check(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.behaviours:
                known = ", ".join(self.behaviours)
                raise ValueError(f"There is no fault or variant {name!r}. There are: {known}.")

    def choose(self, operation: str | None) -> tuple[str, ...]:
        """The behaviours that the rules have on for one request; counts it against `times`."""
        chosen: list[str] = []
        left: list[Rule] = []
        with self._lock:
            for rule in self.rules:
                hit = rule.operation in (ANY, operation) and self._random.random() < rule.rate
                if hit:
                    chosen.append(rule.name)
                if not hit or rule.times is None:
                    left.append(rule)
                elif rule.times > 1:
                    left.append(evolve(rule, times=rule.times - 1))
            self.rules = left
        return tuple(chosen)


def saying(change: Callable[[dict[str, Any], Batch], None]) -> Callable[[Any, Service], Any]:
    """What takes the place of the service's `view`, so that `change` alters a batch's body."""

    def replace(sound: Any, _: Service) -> Any:
        def view(batch: Batch, link: Callable[[str], str]) -> dict[str, Any]:
            body: dict[str, Any] = sound(batch, link)
            change(body, batch)
            return body

        return view

    return replace


def install(switchboard: Switchboard, service: Service) -> None:
    """Puts a switch in front of every method that a behaviour may replace."""
    for target in {behaviour.target for behaviour in switchboard.behaviours.values()} - {"app"}:
        part, _, method = target.rpartition(".")
        owner = getattr(service, part) if part else service
        setattr(owner, method, _switched(switchboard, service, target, getattr(owner, method)))


def _switched(board: Switchboard, service: Service, target: str, sound: Any) -> Any:
    def call(*arguments: Any) -> Any:
        active = _active.get()
        return (_replaced(board, service, target, sound, active) if active else sound)(*arguments)

    return call


def _replaced(
    board: Switchboard, service: Service, target: str, sound: Any, active: Iterable[str]
) -> Any:
    for name in active:
        behaviour = board.behaviours[name]
        if behaviour.target == target:
            sound = behaviour.replace(sound, service)
    return sound


class Switch:
    """
    The application with what is on for each request.

    `label` names a request's operation, `refuse` makes a response of a refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        board: Switchboard,
        label: Callable[[Scope], str | None],
        refuse: Callable[[Refused], ASGIApp],
    ) -> None:
        self._app, self._service, self._board = app, service, board
        self._label, self._refuse = label, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            return await self._app(scope, receive, send)
        try:
            active = (
                *self._asked(scope),
                *(self._board.choose(self._label(scope)) if self._board.rules else ()),
            )
        except Refused as refused:
            return await self._refuse(refused)(scope, receive, send)
        if not active:
            return await self._app(scope, receive, send)
        token = _active.set(active)
        try:
            app = _replaced(self._board, self._service, "app", self._app, active)
            await app(scope, receive, send)
        finally:
            _active.reset(token)

    def _asked(self, scope: Scope) -> list[str]:
        """The names in the request's header; `Refused` where one does not exist."""
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
        names = [name.strip() for value in values for name in value.split(",") if name.strip()]
        try:
            self._board.check(names)
        except ValueError as unknown:
            raise bad_request(f"X-Simulate: {unknown}") from unknown
        return names
