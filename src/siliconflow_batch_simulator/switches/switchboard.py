"""
Rules: which variants and faults are active for which request.

Rule 1: a behaviour is one or more `Replacement`s with a description; the original code knows none.
Rule 2: the rules are evaluated once per request, in the order in which they were added.
Rule 3: the order of the table decides which behaviour wraps which, not the order of the names.
"""

import difflib
import random
import threading
from collections.abc import Iterable, Mapping

from attrs import define, evolve, field, validators

from ..hooks import Replacement

ANY = "*"
LISTED = "`siliconflow-batch simulate --list-faults` lists all."


def _as_tuple(value: Replacement | tuple[Replacement, ...]) -> tuple[Replacement, ...]:
    return value if isinstance(value, tuple) else (value,)


@define(frozen=True)
class Behaviour:
    """
    A variant or a fault; raises `TypeError` if one of `replacements` is not a `Replacement`.

    `question` is the open question that a variant answers, by its id in contract/assumptions.yaml.
    """

    description: str
    replacements: tuple[Replacement, ...] = field(
        converter=_as_tuple, validator=validators.deep_iterable(validators.instance_of(Replacement))
    )
    question: str | None = field(default=None, kw_only=True)


@define(frozen=True)
class Rule:
    """
    Activates a behaviour for an operation (`POST /batches`), or with `*` for every request.

    `times` limits it to that many requests, None is unlimited; `rate` is the share of requests,
    chosen at random.
    """

    name: str
    operation: str = ANY
    times: int | None = field(default=None)
    rate: float = field(default=1.0, validator=[validators.gt(0), validators.le(1)])

    @times.validator
    def _check_times(self, _: object, times: int | None) -> None:
        if times is not None and (type(times) is not int or times < 1):
            raise ValueError(f"times must be a whole number of at least 1, not {times!r}.")


@define
class Switchboard:
    """
    The active rules; `operations` are the labels that a rule may name.

    `variants` are active for every request; they are not rules, and `clear` keeps them. Rules may
    be added in any thread while the server evaluates them in its own.
    """

    behaviours: Mapping[str, Behaviour]
    operations: frozenset[str]
    seed: int | None = None
    variants: tuple[str, ...] = ()
    rules: list[Rule] = field(factory=list, init=False)
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self.check(self.variants)
        self._check_questions()
        self._random = random.Random(self.seed)  # noqa: S311 - not used for secrets

    def add(
        self, name: str, operation: str = ANY, times: int | None = None, rate: float = 1.0
    ) -> Rule:
        """Adds a rule; raises `ValueError` for an unknown name or operation, or a bad value."""
        self.check([name])
        if operation != ANY and operation not in self.operations:
            known = ", ".join(sorted(self.operations))
            raise ValueError(f"There is no operation {operation!r}. There are: {known}.")
        rule = Rule(name, operation, times, rate)
        with self._lock:
            self.rules = [*self.rules, rule]
        return rule

    def clear(self) -> None:
        """Removes every rule."""
        with self._lock:
            self.rules = []

    def check(self, names: Iterable[str]) -> None:
        """Raises `ValueError` for the first name that is no behaviour."""
        for name in names:
            if name not in self.behaviours:
                near = difflib.get_close_matches(name, self.behaviours, n=5, cutoff=0.5)
                hint = f" Did you mean {' or '.join(near)}?" if near else ""
                raise ValueError(f"There is no fault or variant {name!r}.{hint} {LISTED}")

    def replacements(self, names: Iterable[str]) -> tuple[Replacement, ...]:
        """The replacements of these behaviours and of the variants, the innermost first."""
        active = {*names, *self.variants}
        return tuple(
            replacement
            for name, behaviour in self.behaviours.items()
            if name in active
            for replacement in behaviour.replacements
        )

    def _check_questions(self) -> None:
        """Raises `ValueError` for two variants that answer the same question."""
        answers: dict[str, str] = {}
        for name in dict.fromkeys(self.variants):
            question = self.behaviours[name].question
            if question is not None and (other := answers.setdefault(question, name)) != name:
                raise ValueError(
                    f"{other!r} and {name!r} are alternatives of the question {question!r}: "
                    "choose one of them."
                )

    def choose(self, operation: str | None) -> tuple[str, ...]:
        """The names that the rules activate for one request, which counts against `times`."""
        chosen: list[str] = []
        remaining: list[Rule] = []
        with self._lock:
            for rule in self.rules:
                active = rule.operation in (ANY, operation) and self._random.random() < rule.rate
                if active:
                    chosen.append(rule.name)
                if not active or rule.times is None:
                    remaining.append(rule)
                elif rule.times > 1:
                    remaining.append(evolve(rule, times=rule.times - 1))
            self.rules = remaining
        return tuple(chosen)
