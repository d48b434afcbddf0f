"""Hooks: a replacement refers to the method that it replaces."""

from typing import Any

import pytest
from attrs import define

from siliconflow_batch_simulator.hooks import Hook, replaced, replaces
from siliconflow_batch_simulator.switches.switchboard import Behaviour


@define
class Greeter:
    name: str

    @Hook
    def greet(self, greeting: str) -> str:
        """Says hello."""
        return f"{greeting}, {self.name}"

    def greet_twice(self) -> list[str]:
        return [self.greet("Hello"), self.greet("Hi")]

    def leave(self) -> str:
        return "Goodbye"


@replaces(Greeter.greet)
def loudly(original: Any, greeter: Greeter, greeting: str) -> str:
    return str(original(greeting)).upper()


@replaces(Greeter.greet)
def politely(original: Any, greeter: Greeter, greeting: str) -> str:
    return f"{original(greeting)}, how do you do?"


class TestReplacing:
    def test_without_replacements_a_hook_is_a_method(self) -> None:
        """A hook without a replacement behaves as the method."""
        assert Greeter("Ada").greet_twice() == ["Hello, Ada", "Hi, Ada"]

    def test_replacements_apply_within_the_context(self) -> None:
        """A replacement also applies to calls inside the class, and ends with the context."""
        greeter = Greeter("Ada")

        with replaced((loudly,)):
            replies = greeter.greet_twice()

        assert replies == ["HELLO, ADA", "HI, ADA"]
        assert greeter.greet("Hello") == "Hello, Ada"

    def test_each_replacement_wraps_those_before_it(self) -> None:
        """With several replacements of a hook, the last one gets the result of the others."""
        with replaced((loudly, politely)):
            assert Greeter("Ada").greet("Hello") == "HELLO, ADA, how do you do?"
        with replaced((politely, loudly)):
            assert Greeter("Ada").greet("Hello") == "HELLO, ADA, HOW DO YOU DO?"

    def test_a_hook_keeps_its_docstring(self) -> None:
        """`help()` shows the docstring of the method."""
        assert Greeter.greet.__doc__ == "Says hello."


class TestTargets:
    def test_a_method_without_a_hook_cannot_be_replaced(self) -> None:
        """Decorating a replacement of a plain method raises `TypeError`, at import."""
        with pytest.raises(TypeError, match="hook"):

            @replaces(Greeter.leave)  # type: ignore[arg-type]
            def stay(original: Any, greeter: Greeter) -> str:
                return "No"

    def test_a_function_without_a_target_is_no_behaviour(self) -> None:
        """A behaviour needs a replacement, which has a target."""
        with pytest.raises(TypeError, match="replacement"):
            Behaviour("says nothing", lambda: None)  # type: ignore[arg-type]
