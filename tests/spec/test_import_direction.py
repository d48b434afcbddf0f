"""
The modules of contract/ import each other in one direction.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import contract as package

FOLDER = Path(str(package.__file__)).parent
# The package's docstring lists the modules, each below those that it may import.
MODULES = [line.split()[0] for line in str(package.__doc__).splitlines() if line.startswith("    ")]


def imported_modules(module: str) -> Iterator[str]:
    """The modules of the package that a module imports."""
    source = (FOLDER / f"{module}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("contract.") and name.split(".")[1] in MODULES:
                yield name.split(".")[1]


def test_every_module_is_listed() -> None:
    """The docstring of the package lists every module."""
    assert sorted(MODULES) == sorted(
        path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"
    )


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_modules_above(module: str) -> None:
    """A module imports only modules that the docstring lists above it."""
    above = MODULES[: MODULES.index(module)]

    assert set(imported_modules(module)) <= set(above)
