"""The modules of the client import in one direction."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import siliconflow_batch

ROOT = Path(siliconflow_batch.__path__[0])
# A module imports only from modules above it.
LAYERS = [
    "errors",
    "models",
    "operations",
    "objects",
    "parameters",
    "steps",
    "retries",
    "transport/typecheck",
    "transport/responses",
    "transport/connection",
    "transport/download",
    "transport/upload",
    "input_files/fast_lines",
    "input_files/validation",
    "input_files/prompts",
    "result_files/results",
    "result_files/ordering",
    "flows",
    "base_client",
    "client",
    "async_client",
]


def imported(module: str) -> Iterator[str]:
    """The modules of the client that a module imports at run time."""
    folder = (ROOT / f"{module}.py").parent
    tree = ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and id(node) not in typing_only:
            base = [folder, *folder.parents][node.level - 1].joinpath(
                *(node.module or "").split(".")
            )
            for path in [base, *(base / name.name for name in node.names)]:
                if path.with_suffix(".py").is_file():
                    yield path.relative_to(ROOT).as_posix()


def test_every_module_has_a_layer() -> None:
    """The command line, which uses all of them, has none."""
    modules = [path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.py")]

    without_layer = {"__init__", "console", *(name for name in modules if name.startswith("cli/"))}
    packages = {name for name in modules if name.endswith("/__init__")}
    assert set(modules) - without_layer - packages == set(LAYERS)


@pytest.mark.parametrize("module", LAYERS)
def test_imports_go_upwards(module: str) -> None:
    """No module imports from a layer below it, so that there is no cycle."""
    above = LAYERS[: LAYERS.index(module)]

    assert set(imported(module)) <= set(above)
