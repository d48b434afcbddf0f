"""
Activates variants and faults while a request is served.

Rule: what is active is decided once, when a request arrives: by its X-Simulate header, then by the
rules.
"""

from attrs import define
from starlette.types import Receive, Scope, Send

from ..hooks import replaced
from ..http.app import Application, label, refusal_response
from ..service.refusals import Refused, bad_request
from .switchboard import Switchboard

HEADER = b"x-simulate"
CONTROLS = "/simulator/"  # never affected, so that a fault can always be removed


@define
class Switch:
    """ASGI middleware around an application."""

    _app: Application
    _board: Switchboard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            return await self._app(scope, receive, send)
        try:
            names = self._names(scope)
        except Refused as refused:
            return await refusal_response(refused)(scope, receive, send)
        with replaced(self._board.replacements(names) if names or self._board.variants else ()):
            return await self._app(scope, receive, send)

    def _names(self, scope: Scope) -> list[str]:
        by_header = self._named_in_header(scope)
        return [*by_header, *(self._board.choose(label(scope)) if self._board.rules else ())]

    def _named_in_header(self, scope: Scope) -> list[str]:
        """Raises `Refused` if the header contains an unknown name."""
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == HEADER]
        names = [name.strip() for value in values for name in value.split(",") if name.strip()]
        try:
            self._board.check(names)
        except ValueError as unknown:
            raise bad_request(f"X-Simulate: {unknown}") from unknown
        return names
