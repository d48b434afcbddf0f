"""
The suite's code that a script contains, so that it needs no installed suite.

Rule 1: bundled modules import the standard library and each other only.
Rule 2: of each module only the definitions that are used are bundled, without docstrings.
"""

import ast
import base64
import importlib
import importlib.util
import inspect
import json
import sys
import textwrap
import zlib
from collections.abc import Callable, Iterator

from attrs import define, field

WIDTH = 178  # of the packed code, which nobody reads


class NotBundled(Exception):
    """A check imports a module that a script cannot contain."""

    def __init__(self, module: str, imported: str) -> None:
        super().__init__(module, imported)
        self.module, self.imported = module, imported

    def __str__(self) -> str:
        return (
            f"{self.module} imports {self.imported!r}, which a script cannot contain. "
            "Checks may import the standard library and modules of their folder only."
        )


def bundled(main: Callable[..., int], check: Callable[..., str | None] | None, shell: str) -> str:
    """Shell code that writes the code into the folder `$work`; `shell` becomes `replay.sh`."""
    code = _Code()
    for function in filter(None, (main, check)):
        code.add_root(function.__module__, function.__name__)
    files = {name.replace(".", "/") + ".py": text for name, text in code.texts().items()}
    folders = {file.rpartition("/")[0] for file in files} - {""}
    files |= {f"{folder}/__init__.py": "" for folder in folders} | {"replay.sh": shell}
    packed = base64.b85encode(zlib.compress(json.dumps(files).encode(), 9)).decode()
    return "\n".join([UNPACK, *textwrap.wrap(packed, WIDTH, break_on_hyphens=False), "END"])


# Base 85 has no letter that ends the quoted text of the shell.
UNPACK = """\
"$python" -I -c 'import base64, json, pathlib, sys, zlib
packed = "".join(sys.stdin.read().split())
for name, text in json.loads(zlib.decompress(base64.b85decode(packed))).items():
    path = pathlib.Path(sys.argv[1], name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)' "$work" <<'END' || exit 2"""


@define
class _Module:
    """A module: its statements, the statement that defines each name, and what is used."""

    name: str
    tree: ast.Module
    defined: dict[str, ast.stmt]
    used: list[ast.stmt] = field(factory=list)


@define
class _Code:
    """The definitions that a function uses, directly or not, by module."""

    modules: dict[str, _Module] = field(factory=dict)

    def add_root(self, module: str, name: str) -> None:
        """Adds a function of a module and all that it uses; raises `NotBundled`."""
        if name not in self._module(module).defined:
            raise NotBundled(module, name)
        self.add(module, name)

    def add(self, module: str, name: str) -> None:
        """Adds a definition, if the module has one of this name, and all that it uses."""
        part = self._module(module)
        statement = part.defined.get(name)
        if statement is None or statement in part.used:
            return
        part.used.append(statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._add_imported(part, statement)
            return
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                self.add(module, node.id)

    def texts(self) -> dict[str, str]:
        """The source of each module, with its definitions in their order."""
        return {
            name: ast.unparse(
                ast.Module([_bare(one) for one in part.tree.body if one in part.used], [])
            )
            for name, part in self.modules.items()
        }

    def _module(self, name: str) -> _Module:
        if name not in self.modules:
            tree = ast.parse(inspect.getsource(importlib.import_module(name)))
            defined = {defined: one for one in tree.body for defined in _names(one)}
            self.modules[name] = _Module(name, tree, defined)
        return self.modules[name]

    def _add_imported(self, part: _Module, statement: ast.Import | ast.ImportFrom) -> None:
        suite, package = __name__.partition(".")[0], part.name.rpartition(".")[0]
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                module, name = alias.name, ""
            else:
                dots = "." * statement.level
                module = importlib.util.resolve_name(dots + (statement.module or ""), package)
                name = alias.name
            if module.startswith(suite):
                self.add(module, name)
            elif module.partition(".")[0] not in sys.stdlib_module_names:
                raise NotBundled(part.name, module)


def _names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module defines."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Import() | ast.ImportFrom():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        case ast.Assign():
            targets = [node for target in statement.targets for node in ast.walk(target)]
            yield from (node.id for node in targets if isinstance(node, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _bare(statement: ast.stmt) -> ast.stmt:
    """The statement without docstrings."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return statement
