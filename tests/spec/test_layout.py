"""The tree: where modules lie, what they are called, and which way they import each other."""

import ast
import importlib.util
import subprocess
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "siliconflow_batch",
    "siliconflow_batch_simulator",
    "siliconflow_batch_conformance",
    "contract",
]
FOLDERS = ["src", "contract", "tests", "benchmarks"]
MODULE_LINES = 300
FOLDER_MODULES = 13  # __init__ included


def tracked(*folders: str) -> list[Path]:
    """The hand-written Python files that git knows below `folders`, or below the root."""
    command = ["git", "ls-files", "--", "*.py"]
    listing = subprocess.run(  # noqa: S603 - no input from outside
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [Path(name) for name in listing.stdout.split()]
    return [ROOT / path for path in paths if path.parts[0] in (folders or FOLDERS)]


def modules() -> dict[str, Path]:
    """The hand-written modules of the packages by dotted name."""
    names = {}
    for path in tracked("src", "contract"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[1:] if parts[0] == "src" else parts
        names[".".join(parts).removesuffix(".__init__")] = path
    return names


def imports(name: str, path: Path) -> Iterator[str]:
    """What a module imports when it is loaded, as dotted names."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _executed(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            resolved = importlib.util.resolve_name(origin, package) if node.level else origin
            yield resolved
            yield from (f"{resolved}.{alias.name}" for alias in node.names)


def _executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        for nested in ("body", "orelse", "handlers", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _executed(getattr(node, nested, []))


def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: {*imports(name, path)} & known.keys() - {name} for name, path in known.items()}


def test_no_two_modules_share_a_name() -> None:
    """A module's name means one thing in the whole repository."""
    ordinary = {"__init__", "__main__", "conftest"}
    names = Counter(
        path.stem
        for path in tracked()
        if path.stem not in ordinary and not path.stem.startswith("test_")
    )

    assert [name for name, number in names.items() if number > 1] == []


def test_modules_are_short() -> None:
    """A module of the packages has at most 300 lines."""
    long = {
        name: lines
        for name, path in modules().items()
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MODULE_LINES
    }

    assert long == {}


def test_folders_are_small() -> None:
    """A folder of the packages holds about a dozen modules."""
    sizes = Counter(path.parent.relative_to(ROOT) for path in tracked("src", "contract"))

    assert {str(folder): size for folder, size in sizes.items() if size > FOLDER_MODULES} == {}


def test_modules_import_in_one_direction() -> None:
    """No module imports one that imports it, at whatever distance."""
    order = [*TopologicalSorter(graph()).static_order()]

    assert {*order} == modules().keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_import_in_one_direction(package: str) -> None:
    """No folder of a package imports one that imports it; a top module counts as a folder."""
    rooms: dict[str, set[str]] = {}
    for name, imported in graph().items():
        if name.startswith(f"{package}."):
            inside = {other for other in imported if other.startswith(f"{package}.")}
            rooms.setdefault(_room(name), set()).update({*map(_room, inside)} - {_room(name)})

    assert {*TopologicalSorter(rooms).static_order()} == rooms.keys()


def _room(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("siliconflow_batch", PACKAGES[1:]),
        ("siliconflow_batch_simulator", [PACKAGES[0], *PACKAGES[2:]]),
        ("siliconflow_batch_conformance.checks", ["siliconflow_batch", *PACKAGES[1:2], "contract"]),
    ],
)
def test_rules_of_the_service_are_written_three_times(package: str, others: list[str]) -> None:
    """The client, the simulator and the suite's checks take no rule from each other."""
    foreign = {
        (name, imported)
        for name, imported_names in graph().items()
        if f"{name}.".startswith(f"{package}.")
        for imported in imported_names
        if imported.partition(".")[0] in others
    }

    assert foreign == set()


def test_the_suite_takes_only_its_memory_from_the_client() -> None:
    """The suite imports the client's exceptions and its room `state`; neither has rules."""
    imported = {
        _room(other)
        for name, imported_names in graph().items()
        if name.startswith("siliconflow_batch_conformance")
        for other in imported_names
        if other.startswith("siliconflow_batch.")
    }

    assert imported == {"errors", "state"}
