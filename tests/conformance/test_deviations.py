"""Known deviations: the outcomes that they change, and the exit status of runs with them."""

from datetime import date

import pytest

from siliconflow_batch_conformance.deviations import Entry, apply, of
from siliconflow_batch_conformance.exit_status import exit_status
from siliconflow_batch_conformance.verdicts import Failure, Run, Verdict

TARGET = "https://api.siliconflow.cn/v1"
TODAY = date(2026, 3, 31)
YESTERDAY = date(2026, 3, 30)
FAILURE = Failure("a case", "this", "that")

# Every outcome with every entry: the new outcome, and the exit status of a run in which another
# requirement holds; each pair of numbers is without and with --strict.
TRUTH = """
    outcome       entry             becomes        must  should  hygiene

    holds         none              holds          0 0   0 0     0 0
    holds         deviation         stale          1 1   1 1     1 1
    holds         old deviation     stale          1 1   1 1     1 1
    holds         flaky             holds          0 0   0 0     0 0
    holds         old flaky         holds          0 0   0 0     0 0

    fails         none              fails          1 1   0 1     0 1
    fails         deviation         known          0 0   0 0     0 0
    fails         old deviation     expired        1 1   1 1     1 1
    fails         flaky             flaky          0 0   0 0     0 0
    fails         old flaky         expired        1 1   1 1     1 1

    caused        none              blocked        1 1   0 1     0 1
    caused        deviation         known          0 1   0 1     0 1
    caused        old deviation     expired        1 1   1 1     1 1
    caused        flaky             flaky          0 1   0 1     0 1
    caused        old flaky         expired        1 1   1 1     1 1

    blocked       none              blocked        2 2   0 2     0 2
    blocked       deviation         blocked        2 2   0 2     0 2
    blocked       old deviation     blocked        2 2   0 2     0 2
    blocked       flaky             blocked        2 2   0 2     0 2
    blocked       old flaky         blocked        2 2   0 2     0 2

    inconclusive  none              inconclusive   2 2   0 2     0 2
    inconclusive  deviation         inconclusive   2 2   0 2     0 2
    inconclusive  old deviation     inconclusive   2 2   0 2     0 2
    inconclusive  flaky             inconclusive   2 2   0 2     0 2
    inconclusive  old flaky         inconclusive   2 2   0 2     0 2

    not judged    none              not judged     2 2   0 2     0 2
    not judged    deviation         not judged     2 2   0 2     0 2
    not judged    old deviation     not judged     2 2   0 2     0 2
    not judged    flaky             not judged     2 2   0 2     0 2
    not judged    old flaky         not judged     2 2   0 2     0 2

    excused       none              not judged     0 0   0 0     0 0
    excused       deviation         not judged     0 0   0 0     0 0
    excused       old deviation     not judged     0 0   0 0     0 0
    excused       flaky             not judged     0 0   0 0     0 0
    excused       old flaky         not judged     0 0   0 0     0 0

    error         none              error          2 2   2 2     2 2
    error         deviation         error          2 2   2 2     2 2
    error         old deviation     error          2 2   2 2     2 2
    error         flaky             error          2 2   2 2     2 2
    error         old flaky         error          2 2   2 2     2 2
"""
HEAD, *ROWS = [line.strip() for line in TRUTH.splitlines() if line.strip()]
OUTCOMES = ("holds", "fails", "caused", "blocked", "inconclusive", "not judged", "excused", "error")
ENTRIES = ("none", "deviation", "old deviation", "flaky", "old flaky")


def cells(row: str) -> tuple[str, str, str, list[int]]:
    """A row: the outcome, the entry, the new outcome, and the six exit statuses."""
    outcome, entry, becomes, *exits = [cell.strip() for cell in row.split("  ") if cell.strip()]
    return outcome, entry, becomes, [int(number) for pair in exits for number in pair.split()]


def entry(requirement: str = "LIST-3", kind: str = "deviation", **fields: object) -> Entry:
    values = {"target": "*", "reason": "why", "evidence": "where", "expires": TODAY, **fields}
    return Entry(requirement=requirement, kind=kind, place="here", **values)  # type: ignore[arg-type]


def ledger(name: str) -> list[Entry]:
    """The ledger for a column of the table."""
    if name == "none":
        return []
    expires = YESTERDAY if name.startswith("old ") else TODAY
    return [entry(kind=name.removeprefix("old "), expires=expires)]


def a_run(*errors: str, **outcomes: str) -> Run:
    """A run with the outcomes of requirements, whose ids have an underscore here."""
    verdicts = {
        name.replace("_", "-"): Verdict(
            name.replace("_", "-"), outcome, [FAILURE] if outcome == "fails" else []
        )
        for name, outcome in outcomes.items()
    }
    return Run(TARGET, 1, 0.0, 1.0, 9, verdicts, list(errors))


def with_causes(run: Run, **others: str) -> Run:
    """The run with failures that are blocked by others, such as LIST_3="LIST-5"."""
    for name, other in others.items():
        verdict = run.verdicts[name.replace("_", "-")]
        verdict.outcome, verdict.causes = "blocked", (other,)
    return run


class TestTruthTable:
    def test_it_is_complete(self) -> None:
        """The table has one row for every outcome and every entry."""
        pairs = [cells(row)[:2] for row in ROWS]

        assert HEAD.split() == ["outcome", "entry", "becomes", "must", "should", "hygiene"]
        assert sorted(pairs) == sorted((one, other) for one in OUTCOMES for other in ENTRIES)

    @pytest.mark.parametrize("row", ROWS)
    def test_outcome_and_exit_status(self, row: str) -> None:
        """The new outcome and the exit statuses are those of the table."""
        outcome, column, becomes, exits = cells(row)

        run = a_run(LIST_3="not judged" if outcome == "excused" else outcome, LIST_4="holds")
        run.verdicts["LIST-3"].excused = outcome == "excused"
        if outcome == "caused":  # by the failure of a `should`
            run = with_causes(
                a_run(LIST_3="fails", LIST_4="holds", LIST_5="fails"), LIST_3="LIST-5"
            )
        judged = apply(run, ledger(column), TODAY)

        assert judged.verdicts["LIST-3"].outcome == becomes
        statuses = [
            exit_status(
                judged, {"LIST-3": tier, "LIST-4": "must", "LIST-5": "should"}, strict=strict
            )
            for tier in ("must", "should", "hygiene")
            for strict in (False, True)
        ]
        assert statuses == exits


class TestApply:
    def test_the_last_day_is_included(self) -> None:
        """An entry is valid until the end of its last day."""
        known = [entry(expires=TODAY)]

        outcomes = [
            apply(a_run(LIST_3="fails"), known, day).verdicts["LIST-3"].outcome
            for day in (YESTERDAY, TODAY, date(2026, 4, 1))
        ]

        assert outcomes == ["known", "known", "expired"]

    def test_a_known_failure_has_the_reason_of_its_entry(self) -> None:
        """The verdict keeps its failures and has the text of the entry."""
        verdict = apply(a_run(LIST_3="fails"), [entry()], TODAY).verdicts["LIST-3"]

        assert verdict.failures == [FAILURE]
        assert verdict.reason == "known: why (where; until 2026-03-31; here)"

    def test_a_stale_entry_is_named(self) -> None:
        """The reason of a STALE verdict names the place of the entry."""
        verdict = apply(a_run(LIST_3="holds"), [entry()], TODAY).verdicts["LIST-3"]

        assert verdict.reason == "the requirement holds: remove the entry at here"

    def test_the_run_is_not_changed(self) -> None:
        """`apply` returns a new run, and applying it twice has the effect of once."""
        run = a_run(LIST_3="fails", LIST_4="holds")

        once = apply(run, [entry()], TODAY)

        assert run == a_run(LIST_3="fails", LIST_4="holds")
        assert apply(once, [entry()], TODAY) == once
        assert once.verdicts["LIST-4"] == run.verdicts["LIST-4"]

    def test_an_entry_for_another_requirement_has_no_effect(self) -> None:
        """An entry for a requirement that was not run is not STALE."""
        run = a_run(LIST_4="holds")

        assert apply(run, [entry("LIST-3")], TODAY) == run

    @pytest.mark.parametrize(
        ("target", "base_url", "matches"),
        [
            ("*", TARGET, True),
            (TARGET, TARGET, True),
            (TARGET, TARGET + "/", True),
            (TARGET, "https://API.siliconflow.cn/v1", True),
            ("api.siliconflow.cn", TARGET, True),
            ("https://api.siliconflow.cn", TARGET, True),
            (TARGET, "https://api.siliconflow.cn/v1/v1", True),
            (TARGET, "https://api.siliconflow.cn/v10", False),
            (TARGET, "https://api.siliconflow.cn", False),
            (TARGET, "https://api.siliconflow.com/v1", False),
            ("siliconflow.cn", TARGET, False),
            ("api.siliconflow.cn:443/v1", TARGET, True),
            ("api.siliconflow.cn:8443/v1", TARGET, False),
            ("127.0.0.1", "http://127.0.0.1:8700/v1", True),
            ("http://127.0.0.1:8700", "http://127.0.0.1:8700/v1", True),
            ("http://127.0.0.1:8701", "http://127.0.0.1:8700/v1", False),
        ],
    )
    def test_a_target_is_a_host_and_the_beginning_of_a_path(
        self, target: str, base_url: str, matches: bool
    ) -> None:
        """Path segments match as a whole, a missing port matches any, and schemes are ignored."""
        assert bool(of([entry(target=target)], base_url)) is matches

    def test_the_most_specific_entry_counts(self) -> None:
        """Of several entries for a requirement, the one with the most specific target is used."""
        targets = ["api.siliconflow.cn:443/v1", TARGET, "api.siliconflow.cn", "*"]

        for first in range(len(targets)):
            for order in (1, -1):
                entries = [entry(target=target) for target in targets[first:]][::order]
                assert of(entries, TARGET)["LIST-3"].target == targets[first]


class TestExitStatus:
    @pytest.mark.parametrize("outcome", ["holds", "fails", "known", "flaky"])
    def test_one_judged_requirement_is_a_verdict(self, outcome: str) -> None:
        """A run in which one requirement was judged has a verdict."""
        assert exit_status(a_run(LIST_3=outcome), {"LIST-3": "should"}) == 0

    @pytest.mark.parametrize("outcome", ["blocked", "inconclusive", "not judged", "error"])
    def test_nothing_judged_is_no_verdict(self, outcome: str) -> None:
        """A run in which no requirement was judged exits with 2."""
        assert exit_status(a_run(LIST_3=outcome), {"LIST-3": "must"}, strict=True) == 2
        assert exit_status(a_run(), {}) == 2

    def test_an_error_and_an_interruption_are_no_verdict(self) -> None:
        """A run with an error exits with 2, and so does an interrupted one."""
        tiers = {"LIST-3": "must"}

        assert exit_status(a_run("no response", LIST_3="holds"), tiers) == 2
        assert exit_status(a_run(LIST_3="holds"), tiers, interrupted=True) == 2

    @pytest.mark.parametrize("outcome", ["fails", "stale", "expired"])
    def test_a_failure_counts_before_an_error(self, outcome: str) -> None:
        """A run with a failure exits with 1, whatever happens later."""
        run = a_run("no response", LIST_3=outcome, LIST_4="error")

        assert exit_status(run, {"LIST-3": "must", "LIST-4": "must"}, interrupted=True) == 1

    def test_an_entry_excuses_nothing_that_it_blocked(self) -> None:
        """What a known failure blocked is a failure of its own; what that blocked stays blocked."""
        failing = dict.fromkeys(("LIST_3", "LIST_4", "LIST_5"), "fails")
        run = with_causes(a_run(**failing), LIST_3="LIST-4", LIST_4="LIST-5")

        judged = apply(run, [entry("LIST-5")], TODAY)

        outcomes = {id: verdict.outcome for id, verdict in judged.verdicts.items()}
        assert outcomes == {"LIST-3": "blocked", "LIST-4": "fails", "LIST-5": "known"}
        assert exit_status(judged, {"LIST-3": "should", "LIST-5": "should"}) == 1

    @pytest.mark.parametrize("outcome", ["blocked", "inconclusive", "not judged"])
    def test_open_requirements_can_be_allowed(self, outcome: str) -> None:
        """--allow-inconclusive exits with 0 if something was judged, and hides no failure."""
        tiers = {"LIST-3": "must", "LIST-4": "must"}

        for others, status in (({"LIST_4": "holds"}, 0), ({"LIST_4": "fails"}, 1), ({}, 2)):
            run = a_run(LIST_3=outcome, **others)
            assert exit_status(run, tiers, allow_inconclusive=True) == status

    def test_a_missing_tier_is_a_must(self) -> None:
        """A failed requirement without a tier makes the exit status 1."""
        assert exit_status(a_run(LIST_3="fails"), {}) == 1
