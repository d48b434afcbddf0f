"""This machine, reached without the proxies that the environment names."""

import contextlib
import os
from collections.abc import Iterator

VARIABLES = ("NO_PROXY", "no_proxy")  # programs read one or the other
HOSTS = ("127.0.0.1", "localhost", "::1")


@contextlib.contextmanager
def reached_directly() -> Iterator[None]:
    """Adds this machine to NO_PROXY: a proxy elsewhere cannot reach what runs here."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    named = ",".join(filter(None, dict.fromkeys([*before.values(), *HOSTS])))
    os.environ.update(dict.fromkeys(VARIABLES, named))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
