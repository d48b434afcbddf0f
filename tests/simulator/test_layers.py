"""The parts of the package import each other in one direction."""

import ast
from pathlib import Path

import pytest

import siliconflow_batch_simulator

ROOT = Path(siliconflow_batch_simulator.__file__).parent
LAYERS = ["hooks", "files", "batches", "service", "http", "switches", "faults", "server"]


def imported_parts(module: Path) -> set[str]:
    """The folders and modules of the package that a module imports from."""
    folder = module.relative_to(ROOT).parts[:-1]
    parts = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == len(folder) + 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            parts |= {str(name).partition(".")[0] for name in names}
    return parts


@pytest.mark.parametrize("part", LAYERS)
def test_a_part_imports_only_from_the_layers_below(part: str) -> None:
    """No folder imports from a folder that comes after it in the reading order."""
    modules = [*(ROOT / part).glob("*.py"), *ROOT.glob(f"{part}.py")]

    imported = set().union(*map(imported_parts, modules))

    assert modules
    assert imported - {part} <= set(LAYERS[: LAYERS.index(part)])
