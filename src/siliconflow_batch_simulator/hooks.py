"""
Hooks: methods that can be replaced for one request.

Rule 1: a replacement refers to its hook (`Service.create`), so a wrong name fails at import.
Rule 2: replacements apply to the request that is being served and to no other.
Rule 3: this module imports nothing else of the package; every other module may import it.

    @replaces(Service.create)
    def create_twice(original, service, account, body):
        original(account, body)
        return original(account, body)
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from attrs import define, field, validators

Owner = TypeVar("Owner")
P = ParamSpec("P")
R = TypeVar("R")


class Hook(Generic[Owner, P, R]):
    """A method that can be replaced; used as a decorator."""

    def __init__(self, method: Callable[Concatenate[Owner, P], R]) -> None:
        self._method: Callable[..., R] = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Owner]) -> Self: ...

    @overload
    def __get__(self, instance: Owner, owner: type[Owner]) -> Callable[P, R]: ...

    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Self | Callable[P, R]:
        if instance is None:
            return self
        method: Callable[P, R] = MethodType(self._method, instance)
        for replacement in _active.get():
            if replacement.hook is self:
                method = functools.partial(replacement.call, method, instance)
        return method


@define(frozen=True)
class Replacement:
    """A function together with the hook that it replaces; see `replaces`."""

    hook: object = field(validator=validators.instance_of(Hook))
    call: Callable[..., Any]


_active: ContextVar[tuple[Replacement, ...]] = ContextVar("active", default=())


def replaces(
    hook: Hook[Owner, P, R],
) -> Callable[[Callable[Concatenate[Callable[P, R], Owner, P], R]], Replacement]:
    """
    Decorates a function to make it a `Replacement` of `hook`.

    The function gets the original method, the object that the method belongs to, and the arguments
    of the call. Raises `TypeError` if `hook` is not a `Hook`.
    """
    return functools.partial(Replacement, hook)


@contextmanager
def replaced(replacements: tuple[Replacement, ...]) -> Iterator[None]:
    """Applies replacements within the context; each one wraps those before it."""
    token = _active.set(replacements)
    try:
        yield
    finally:
        _active.reset(token)
