"""
The modules of the suite that a script contains, so that it needs no installed suite.

Rule: bundled modules import the standard library and each other only.
"""

import ast
import importlib
import importlib.util
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator


class NotBundled(Exception):
    """A check imports a module that a script cannot contain."""

    def __init__(self, module: str, imported: str) -> None:
        super().__init__(module, imported)
        self.module, self.imported = module, imported

    def __str__(self) -> str:
        return (
            f"{self.module} imports {self.imported!r}, which a script cannot contain. "
            "Checks may import the standard library and `exchange` only."
        )


def bundled(module: str, check: Callable[..., str | None] | None) -> Iterator[str]:
    """Yields shell code that writes the required modules into the folder `$work`."""
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
    """The sources of a module and of the suite's modules that it imports, by name."""
    sources: dict[str, str] = {}
    pending = [name]
    while pending:
        module = pending.pop()
        if module not in sources:
            sources[module] = inspect.getsource(importlib.import_module(module))
            pending += _imports(module, sources[module])
    return sources


def _imports(module: str, source: str) -> Iterator[str]:
    """The suite's modules that a module imports; raises `NotBundled` for other packages."""
    suite, package = __name__.partition(".")[0], module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            relative = [dots + (node.module or alias.name) for alias in node.names]
            names = [importlib.util.resolve_name(name, package) for name in relative]
        for name in names:
            if name.startswith(suite + "."):
                yield name
            elif name.partition(".")[0] not in sys.stdlib_module_names:
                raise NotBundled(module, name)
