"""The open questions and the choices of contract/assumptions.yaml, and their page."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from siliconflow_batch_conformance.facts.assumptions import (
    ASSUMPTIONS,
    AssumptionsInvalid,
    load_assumptions,
    read_assumptions,
)
from siliconflow_batch_conformance.facts.assumptions_page import as_markdown
from support.alternatives import MATRIX

ROOT = Path(__file__).parents[2]

RED: dict[str, Any] = {"name": "red", "means": "Red."}
BLUE: dict[str, Any] = {
    "name": "blue",
    "means": "Blue.",
    "variant": "paint-blue",
    "not_judged": ["LIST-2"],
}
QUESTION: dict[str, Any] = {
    "id": "colour",
    "question": "Which colour?",
    "alternatives": [RED, BLUE],
    "why": "The simplest.",
    "sources": ["S1"],
    "requirements": ["LIST-2"],
    "client": "Nothing.",
}
CHOICE = {
    "id": "size",
    "area": "Requests",
    "what": "the size",
    "chosen": "large",
    "why": "no reason",
    "where": "siliconflow_batch/flows.py",
}


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def with_alternatives(*alternatives: dict[str, Any]) -> dict[str, Any]:
    return {**QUESTION, "alternatives": [*alternatives]}


MISTAKES = {
    "unknown-field": ({**QUESTION, "shade": "dark"}, "question 'colour': unknown field 'shade'"),
    "missing-field": (without(QUESTION, "why"), "question 'colour': missing why"),
    "no-id": (without(QUESTION, "id"), "question number 1: missing id"),
    "wrong-type": ({**QUESTION, "why": 1}, "question 'colour': 'why' must be a text, not 1"),
    "unknown-requirement": (
        {**QUESTION, "requirements": ["LIST-99"]},
        "question 'colour': unknown requirement 'LIST-99'",
    ),
    "first-with-variant": (
        with_alternatives({**RED, "variant": "paint-red"}, BLUE),
        "alternative 'red': the first alternative has no variant",
    ),
    "first-not-judged": (
        with_alternatives({**RED, "not_judged": ["LIST-2"]}, BLUE),
        "alternative 'red': the first alternative has no variant",
    ),
    "later-without-variant": (
        with_alternatives(RED, without(BLUE, "variant")),
        "alternative 'blue': every alternative but the first needs a variant",
    ),
    "not-judged-elsewhere": (
        with_alternatives(RED, {**BLUE, "not_judged": ["LIST-3"]}),
        "alternative 'blue': unknown requirement of the question 'LIST-3'",
    ),
    "unknown-field-of-alternative": (
        with_alternatives(RED, {**BLUE, "hue": 1}),
        "alternative 'blue': unknown field 'hue'",
    ),
    "name-twice": (with_alternatives(RED, {**BLUE, "name": "red"}), "the alternative 'red'"),
    "one-alternative": (with_alternatives(RED), "at least two alternatives"),
    "no-mapping": ("colour", "question number 1: expected a mapping"),
}


def saved(folder: Path, content: Any) -> Path:
    path = folder / "assumptions.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


class TestReading:
    def test_a_valid_file(self, tmp_path: Path) -> None:
        """A file is read into questions and choices by id."""
        path = saved(tmp_path, {"questions": [QUESTION], "choices": [CHOICE]})

        assumptions = read_assumptions(path, {"LIST-2"})

        question = assumptions.questions["colour"]
        assert question.chosen.name == "red"
        assert question.alternative("blue").variant == "paint-blue"
        assert question.alternative("blue").not_judged == ("LIST-2",)
        assert assumptions.choices["size"].where == "siliconflow_batch/flows.py"
        assert assumptions.of_requirement("LIST-2") == [question]

    @pytest.mark.parametrize(("question", "message"), MISTAKES.values(), ids=MISTAKES)
    def test_a_mistake_is_refused_with_its_place(
        self, tmp_path: Path, question: Any, message: str
    ) -> None:
        """The message for an invalid question names its place and the mistake."""
        path = saved(tmp_path, {"questions": [question], "choices": []})

        with pytest.raises(AssumptionsInvalid) as error:
            read_assumptions(path, {"LIST-2", "LIST-3"})

        assert str(error.value).startswith("assumptions.yaml, question ")
        assert message in str(error.value)

    def test_an_invalid_choice_is_refused(self, tmp_path: Path) -> None:
        """The message for an invalid choice names the choice and the mistake."""
        path = saved(tmp_path, {"questions": [], "choices": [without(CHOICE, "where")]})

        with pytest.raises(AssumptionsInvalid, match="choice 'size': missing where"):
            read_assumptions(path, ())

    def test_a_repeated_id_is_refused(self, tmp_path: Path) -> None:
        """Two questions cannot have the same id."""
        other = {**QUESTION, "alternatives": [RED, {**BLUE, "variant": "paint-green"}]}
        path = saved(tmp_path, {"questions": [QUESTION, other], "choices": []})

        with pytest.raises(AssumptionsInvalid, match="two rows have the id 'colour'"):
            read_assumptions(path, {"LIST-2"})

    @pytest.mark.parametrize("text", ["", "questions: [", "- a list\n", "questions: []\n"])
    def test_another_shape_is_refused(self, tmp_path: Path, text: str) -> None:
        """A file that is not a mapping of questions and choices is refused."""
        path = tmp_path / "assumptions.yaml"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(AssumptionsInvalid, match=r"^assumptions\.yaml: "):
            read_assumptions(path, ())


class TestTheFile:
    def test_every_module_of_a_choice_exists(self) -> None:
        """`where` of a choice is a module below src/."""
        missing = [
            choice.id
            for choice in load_assumptions().choices.values()
            if not (ROOT / "src" / choice.where).is_file()
        ]

        assert missing == []

    def test_the_checkout_uses_the_file_in_contract(self) -> None:
        """In a checkout the assumptions are read from contract/assumptions.yaml."""
        assert ASSUMPTIONS.samefile(ROOT / "contract" / "assumptions.yaml")

    def test_the_page_matches_the_file(self) -> None:
        """docs/assumptions.md is the output of `make assumptions`."""
        page = (ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8")

        assert page == as_markdown(load_assumptions(), MATRIX)
