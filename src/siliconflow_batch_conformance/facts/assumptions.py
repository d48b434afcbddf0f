"""
The open questions of `assumptions.yaml`, with their alternatives, and the choices of this project.

Rule 1: an invalid file is refused with the place of the mistake; nothing is guessed or skipped.
Rule 2: the first alternative of a question is the simulator's default, every other has a variant.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import attrs
import yaml

from ..requirements import load

HERE = Path(__file__).parent
PACKAGED = HERE.parent / "assumptions.yaml"  # the wheel contains it
ASSUMPTIONS = PACKAGED if PACKAGED.exists() else HERE.parents[2] / "contract" / "assumptions.yaml"

Row = TypeVar("Row", bound="Question | Alternative | Choice")


@attrs.frozen
class AssumptionsInvalid(Exception):
    """The file of assumptions has a mistake at `place`."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@attrs.frozen
class Alternative:
    """
    A possible answer. `variant` is the simulator's variant that shows it, None for the default.

    The alternative explains the failures of the requirements `not_judged`.
    """

    name: str
    means: str
    variant: str | None = None
    not_judged: tuple[str, ...] = attrs.field(default=(), converter=tuple)


@attrs.frozen
class Question:
    """
    What no document answers, or what two documents answer differently.

    The requirements `judged_if_answered` are not judged if the exchanges leave the question open.
    """

    id: str
    question: str
    alternatives: tuple[Alternative, ...]
    why: str
    client: str
    sources: tuple[str, ...] = attrs.field(converter=tuple)
    requirements: tuple[str, ...] = attrs.field(converter=tuple)
    judged_if_answered: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    @property
    def chosen(self) -> Alternative:
        return self.alternatives[0]

    def alternative(self, name: str) -> Alternative:
        """The alternative with a name; raises `KeyError`."""
        return {one.name: one for one in self.alternatives}[name]


@attrs.frozen
class Choice:
    """A decision of this project; `where` is the module below src/ that contains it."""

    id: str
    area: str
    what: str
    chosen: str
    why: str
    where: str


@attrs.frozen
class Assumptions:
    questions: Mapping[str, Question]
    choices: Mapping[str, Choice]

    def of_requirement(self, id: str) -> list[Question]:
        """The questions on which the verdict on a requirement depends."""
        return [one for one in self.questions.values() if id in one.requirements]


@cache
def load_assumptions() -> Assumptions:
    """The packaged file, checked against the catalogue of requirements."""
    return read_assumptions(ASSUMPTIONS, load())


def read_assumptions(path: Path, requirements: Collection[str]) -> Assumptions:
    """Reads a file; `requirements` are the known ids. Raises `AssumptionsInvalid`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AssumptionsInvalid(path.name, f"cannot be read: {error}") from error
    fields = _fields(path.name, content, {"questions": list, "choices": list})
    questions = [
        _question(f"{path.name}, question {_label(row, 'id', number)}", row, requirements)
        for number, row in enumerate(fields["questions"], 1)
    ]
    choices = [
        _row(f"{path.name}, choice {_label(row, 'id', number)}", row, Choice)
        for number, row in enumerate(fields["choices"], 1)
    ]
    variants = [one.variant for question in questions for one in question.alternatives]
    _refuse_duplicates(path.name, "variant", [name for name in variants if name])
    ids = [*(question.id for question in questions), *(choice.id for choice in choices)]
    _refuse_duplicates(path.name, "id", ids)
    return Assumptions({row.id: row for row in questions}, {row.id: row for row in choices})


def _question(place: str, row: Any, requirements: Collection[str]) -> Question:
    question = _row(place, row, Question)
    alternatives = tuple(
        _row(f"{place}, alternative {_label(one, 'name', number)}", one, Alternative)
        for number, one in enumerate(question.alternatives, 1)
    )
    if len(alternatives) < 2:
        raise AssumptionsInvalid(place, "a question needs at least two alternatives")
    _refuse_duplicates(place, "alternative", [one.name for one in alternatives])
    _refuse_unknown(place, question.requirements, requirements, "requirement")
    for number, one in enumerate(alternatives):
        at = f"{place}, alternative {one.name!r}"
        if number == 0 and (one.variant or one.not_judged):
            reason = "the first alternative has no variant and no not_judged"
            raise AssumptionsInvalid(at, reason)
        if number and not one.variant:
            raise AssumptionsInvalid(at, "every alternative but the first needs a variant")
        _refuse_unknown(at, one.not_judged, question.requirements, "requirement of the question")
    explained = {id for one in alternatives for id in one.not_judged}
    _refuse_unknown(place, question.judged_if_answered, explained, "requirement in a not_judged:")
    return attrs.evolve(question, alternatives=alternatives)


def _row(place: str, row: Any, model: type[Row]) -> Row:
    """A row of the file as an object, with exactly the fields of its class."""
    lists = ("alternatives", "sources", "requirements", "judged_if_answered", "not_judged")
    types = {one.name: list if one.name in lists else str for one in attrs.fields(model)}
    optional = {one.name for one in attrs.fields(model) if one.default is not attrs.NOTHING}
    return model(**_fields(place, row, types, optional))


def _fields(
    place: str, row: Any, types: Mapping[str, type], optional: Collection[str] = ()
) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise AssumptionsInvalid(place, f"expected a mapping with {', '.join(types)}")
    _refuse_unknown(place, map(str, row), types, "field")
    if missing := [name for name in types if name not in row and name not in optional]:
        raise AssumptionsInvalid(place, f"missing {', '.join(missing)}")
    for name, value in row.items():
        if not isinstance(value, types[name]) or value == "":
            kind = "a list" if types[name] is list else "a text"
            raise AssumptionsInvalid(place, f"{name!r} must be {kind}, not {value!r}")
    return row


def _refuse_unknown(place: str, names: Iterable[str], known: Collection[str], what: str) -> None:
    if unknown := [name for name in names if name not in known]:
        raise AssumptionsInvalid(place, f"unknown {what} {', '.join(map(repr, unknown))}")


def _refuse_duplicates(place: str, what: str, names: list[str]) -> None:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise AssumptionsInvalid(place, f"two rows have the {what} {twice!r}")


def _label(row: Any, name: str, number: int) -> str:
    """The name of a row for messages, or its number where it has none."""
    return repr(row[name]) if isinstance(row, dict) and name in row else f"number {number}"
