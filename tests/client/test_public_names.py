"""The public names, and the page that documents them."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import siliconflow_batch
import siliconflow_batch_api.models
from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch, errors, models
from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
NAMES = siliconflow_batch.__all__


def test_the_page_documents_every_public_name() -> None:
    """docs/api.md, `__all__` and the table of lazy imports have the same names."""
    documented = re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)

    assert sorted(documented) == sorted(NAMES)
    assert sorted(siliconflow_batch.MODULES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_can_be_imported(name: str) -> None:
    """The table of lazy imports names the module that defines it."""
    value = getattr(siliconflow_batch, name)
    module = siliconflow_batch.MODULES[name]

    assert name in dir(siliconflow_batch)
    if not module:
        assert value is importlib.import_module(f"siliconflow_batch.{name}")
    elif hasattr(value, "__module__"):
        assert value.__module__ == f"siliconflow_batch{module}"


def test_models_are_the_generated_ones() -> None:
    """`siliconflow_batch.models` exports every generated model."""
    assert set(models.__all__) == set(siliconflow_batch_api.models.__all__)
    assert all(
        getattr(models, name) is getattr(siliconflow_batch_api.models, name)
        for name in models.__all__
    )


@pytest.mark.parametrize("cls", [SiliconFlowBatch, AsyncSiliconFlowBatch])
def test_the_page_documents_every_method(cls: type) -> None:
    """The table of methods has each method with the names of its parameters."""
    rows = dict(re.findall(r"^\| `(\w+)\((.*)\)` \|", PAGE, re.MULTILINE))

    methods = {name for name, _ in inspect.getmembers(cls) if not name.startswith("_")}
    assert rows.keys() == methods
    for name, documented in rows.items():
        parameters = list(inspect.signature(getattr(cls, name)).parameters)[1:]
        assert re.findall(r"\w+", documented) == parameters


@pytest.mark.parametrize("name", ["Retries", "Patience"])
def test_the_page_has_the_defaults(name: str) -> None:
    """The signatures of `Retries` and `Patience` are those of the code."""
    assert f"`{getattr(siliconflow_batch, name)()!r}`" in PAGE


def test_the_page_has_the_tree_of_exceptions() -> None:
    """It is the tree in the docstring of `errors`."""
    tree = re.search(r"```\n(SiliconFlowError\n.*?)\n```", PAGE, re.DOTALL)

    assert tree is not None
    assert tree[1] in inspect.cleandoc((errors.__doc__ or "").replace("\n    ", "\n"))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(example: str, site: Simulator) -> None:
    """Every example of the page runs against the simulator."""
    site.pace.queued = site.pace.running = site.pace.finalizing = 0
    Path("prompts.jsonl").write_bytes(json_lines(line("a")))
    names: dict[str, Any] = {"__name__": "example"}

    exec(example, names)  # noqa: S102 - the example is ours
