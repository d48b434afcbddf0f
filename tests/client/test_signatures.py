"""Both clients have the same methods, and each docstring is written once."""

import inspect
import re
from typing import Any

import pytest

from siliconflow_batch import AsyncSiliconFlowBatch, SiliconFlowBatch
from siliconflow_batch.base_client import BaseClient

METHODS = [name for name in vars(BaseClient) if not name.startswith("_")]


def public(cls: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(cls) if not name.startswith("_")}


def returned(cls: type, name: str) -> str:
    """What a method returns, with iterators and awaitables as their values."""
    function = getattr(cls, name)
    annotation = inspect.signature(function, eval_str=True).return_annotation
    return re.sub(r"[\w.]*(Async)?Iterator\[", "Iterator[", inspect.formatannotation(annotation))


def parameters(cls: type, name: str) -> list[Any]:
    """The name, kind, default and annotation of each parameter."""
    signature = inspect.signature(getattr(cls, name), eval_str=True)
    return list(signature.parameters.values())


def test_both_clients_have_the_documented_methods() -> None:
    """No client has a public method that the other one lacks."""
    assert public(SiliconFlowBatch) == public(AsyncSiliconFlowBatch) == set(METHODS)


@pytest.mark.parametrize("name", ["__init__", *METHODS])
def test_parameters_are_the_same(name: str) -> None:
    """Names, kinds, defaults and annotations agree, in both clients and in the documentation."""
    documented = parameters(BaseClient, name)

    assert parameters(SiliconFlowBatch, name) == documented
    assert parameters(AsyncSiliconFlowBatch, name) == documented


@pytest.mark.parametrize("name", METHODS)
def test_results_are_the_same(name: str) -> None:
    """A method returns the same type, or an iterator over it, and is awaited in one client."""
    method = getattr(AsyncSiliconFlowBatch, name)

    assert returned(SiliconFlowBatch, name) == returned(AsyncSiliconFlowBatch, name)
    assert inspect.iscoroutinefunction(method) is not inspect.isasyncgenfunction(method)


@pytest.mark.parametrize("name", METHODS)
def test_docstrings_are_inherited(name: str) -> None:
    """`help()` shows one docstring for both clients; neither has a copy of its own."""
    documented = inspect.getdoc(getattr(BaseClient, name))

    assert documented
    for cls in (SiliconFlowBatch, AsyncSiliconFlowBatch):
        assert inspect.getdoc(getattr(cls, name)) == documented
        assert vars(cls)[name].__doc__ is None
