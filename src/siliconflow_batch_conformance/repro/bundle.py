"""
The suite's own source, as here-documents of a script that judges where no suite is installed.

Rule: what is carried imports the standard library and what is carried.
"""

import ast
import importlib
import importlib.util
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator


class NotCarried(Exception):
    """A check that uses more than the standard library and the suite's plain modules."""

    def __init__(self, module: str, imported: str) -> None:
        super().__init__(module, imported)
        self.module, self.imported = module, imported

    def __str__(self) -> str:
        return (
            f"{self.module} imports {self.imported!r}, which is not there where a failure is "
            "repeated. Checks use the standard library and `exchange` only."
        )


def carried(module: str, check: Callable[..., str | None] | None) -> Iterator[str]:
    """The modules that the judgment needs, as here-documents at their places in a folder."""
    sources = _sources(module)
    sources |= _sources(check.__module__) if check else {}
    folders = {name.replace(".", "/").rpartition("/")[0] for name in sources} - {""}
    for folder in sorted(folders):
        yield f'mkdir -p "$work/{folder}"\n: >"$work/{folder}/__init__.py"'
    for name, source in sources.items():
        ends = (f"END-{n}" for n in itertools.count())
        end = next(end for end in ends if f"\n{end}\n" not in source)
        file = name.replace(".", "/")
        yield f"cat >\"$work/{file}.py\" <<'{end}'\n{source.rstrip()}\n{end}"


def _sources(name: str) -> dict[str, str]:
    """The source of a module and of all that it imports from the suite, by name."""
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module] = inspect.getsource(importlib.import_module(module))
            waiting += _imports(module, found[module])
    return found


def _imports(module: str, source: str) -> Iterator[str]:
    home, package = __name__.partition(".")[0], module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            relative = [dots + (node.module or alias.name) for alias in node.names]
            names = [importlib.util.resolve_name(name, package) for name in relative]
        for name in names:
            if name.startswith(home + "."):
                yield name
            elif name.partition(".")[0] not in sys.stdlib_module_names:
                raise NotCarried(module, name)
