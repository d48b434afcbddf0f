"""The ledger of known deviations, and what a run with it means for the exit status."""

from datetime import date
from pathlib import Path

import pytest

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.deviations import LEDGER, Entry, LedgerInvalid, apply, of, read
from siliconflow_batch_conformance.exit_status import exit_status
from siliconflow_batch_conformance.verdicts import Failure, Run, Verdict

TARGET = "https://api.siliconflow.cn/v1"
TODAY = date(2026, 3, 31)
YESTERDAY = date(2026, 3, 30)
FAILURE = Failure("a case", "this", "that")

# Every outcome with every entry: what it becomes, and the exit status of a run in which another
# requirement holds; each pair of numbers is without --strict and with it.
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

    behind        none              blocked        1 1   0 1     0 1
    behind        deviation         known          0 1   0 1     0 1
    behind        old deviation     expired        1 1   1 1     1 1
    behind        flaky             flaky          0 1   0 1     0 1
    behind        old flaky         expired        1 1   1 1     1 1

    blocked       none              blocked        0 0   0 0     0 0
    blocked       deviation         blocked        0 0   0 0     0 0
    blocked       old deviation     blocked        0 0   0 0     0 0
    blocked       flaky             blocked        0 0   0 0     0 0
    blocked       old flaky         blocked        0 0   0 0     0 0

    inconclusive  none              inconclusive   0 0   0 0     0 0
    inconclusive  deviation         inconclusive   0 0   0 0     0 0
    inconclusive  old deviation     inconclusive   0 0   0 0     0 0
    inconclusive  flaky             inconclusive   0 0   0 0     0 0
    inconclusive  old flaky         inconclusive   0 0   0 0     0 0

    not judged    none              not judged     0 0   0 0     0 0
    not judged    deviation         not judged     0 0   0 0     0 0
    not judged    old deviation     not judged     0 0   0 0     0 0
    not judged    flaky             not judged     0 0   0 0     0 0
    not judged    old flaky         not judged     0 0   0 0     0 0

    error         none              error          2 2   2 2     2 2
    error         deviation         error          2 2   2 2     2 2
    error         old deviation     error          2 2   2 2     2 2
    error         flaky             error          2 2   2 2     2 2
    error         old flaky         error          2 2   2 2     2 2
"""
HEAD, *ROWS = [line.strip() for line in TRUTH.splitlines() if line.strip()]
OUTCOMES = ("holds", "fails", "behind", "blocked", "inconclusive", "not judged", "error")
ENTRIES = ("none", "deviation", "old deviation", "flaky", "old flaky")


def cells(row: str) -> tuple[str, str, str, list[int]]:
    """A row: outcome, entry, what it becomes, and the six exit statuses."""
    outcome, entry, becomes, *exits = [cell.strip() for cell in row.split("  ") if cell.strip()]
    return outcome, entry, becomes, [int(number) for pair in exits for number in pair.split()]


def entry(requirement: str = "LIST-3", kind: str = "deviation", **fields: object) -> Entry:
    given = {"target": "*", "reason": "why", "evidence": "where", "expires": TODAY, **fields}
    return Entry(requirement=requirement, kind=kind, place="here", **given)  # type: ignore[arg-type]


def ledger(name: str) -> list[Entry]:
    """A column's name as a ledger."""
    if name == "none":
        return []
    expires = YESTERDAY if name.startswith("old ") else TODAY
    return [entry(kind=name.removeprefix("old "), expires=expires)]


def a_run(*errors: str, **outcomes: str) -> Run:
    """A run of requirements, named with an underscore, and their outcomes."""
    verdicts = {
        name.replace("_", "-"): Verdict(
            name.replace("_", "-"), outcome, [FAILURE] if outcome == "fails" else []
        )
        for name, outcome in outcomes.items()
    }
    return Run(TARGET, 1, 0.0, 1.0, 9, verdicts, list(errors))


def behind(run: Run, **others: str) -> Run:
    """The same run with failures blocked behind others, as LIST_3="LIST-5"."""
    for name, other in others.items():
        verdict = run.verdicts[name.replace("_", "-")]
        verdict.outcome, verdict.behind = "blocked", (other,)
    return run


class TestTruthTable:
    def test_it_is_complete(self) -> None:
        """Every outcome stands beside every entry, once."""
        pairs = [cells(row)[:2] for row in ROWS]

        assert HEAD.split() == ["outcome", "entry", "becomes", "must", "should", "hygiene"]
        assert sorted(pairs) == sorted((one, other) for one in OUTCOMES for other in ENTRIES)

    @pytest.mark.parametrize("row", ROWS)
    def test_a_row_is_what_happens(self, row: str) -> None:
        """The outcome becomes what the table says, and the run exits with its numbers."""
        outcome, column, becomes, exits = cells(row)

        run = a_run(LIST_3=outcome, LIST_4="holds")
        if outcome == "behind":  # a `should` that fails
            run = behind(a_run(LIST_3="fails", LIST_4="holds", LIST_5="fails"), LIST_3="LIST-5")
        judged = apply(run, ledger(column), TODAY)

        assert judged.verdicts["LIST-3"].outcome == becomes
        found = [
            exit_status(
                judged, {"LIST-3": tier, "LIST-4": "must", "LIST-5": "should"}, strict=strict
            )
            for tier in ("must", "should", "hygiene")
            for strict in (False, True)
        ]
        assert found == exits


class TestApply:
    def test_the_last_day_counts(self) -> None:
        """An entry is good through the day that it names."""
        known = [entry(expires=TODAY)]

        outcomes = [
            apply(a_run(LIST_3="fails"), known, day).verdicts["LIST-3"].outcome
            for day in (YESTERDAY, TODAY, date(2026, 4, 1))
        ]

        assert outcomes == ["known", "known", "expired"]

    def test_what_is_known_is_told_with_its_reason(self) -> None:
        """The failures stay, and the verdict says why they are no news."""
        verdict = apply(a_run(LIST_3="fails"), [entry()], TODAY).verdicts["LIST-3"]

        assert verdict.failures == [FAILURE]
        assert verdict.reason == "known: why (where; until 2026-03-31; here)"

    def test_a_stale_entry_is_named(self) -> None:
        """Whoever reads the report knows which lines to remove."""
        verdict = apply(a_run(LIST_3="holds"), [entry()], TODAY).verdicts["LIST-3"]

        assert verdict.reason == "it holds: remove the entry at here"

    def test_a_run_stays_as_it_was(self) -> None:
        """What was found is still there beside what the ledger makes of it; twice is once."""
        run = a_run(LIST_3="fails", LIST_4="holds")

        once = apply(run, [entry()], TODAY)

        assert run == a_run(LIST_3="fails", LIST_4="holds")
        assert apply(once, [entry()], TODAY) == once
        assert once.verdicts["LIST-4"] == run.verdicts["LIST-4"]

    def test_what_was_not_run_needs_no_entry(self) -> None:
        """An entry for a requirement that was left out is no mistake."""
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
        """Whole segments of the path, any port where none is named, whatever the scheme."""
        assert bool(of([entry(target=target)], base_url)) is matches

    def test_the_closest_entry_counts(self) -> None:
        """Of several entries for a requirement, the one that says most about the target."""
        targets = ["api.siliconflow.cn:443/v1", TARGET, "api.siliconflow.cn", "*"]

        for closest in range(len(targets)):
            for order in (1, -1):
                entries = [entry(target=target) for target in targets[closest:]][::order]
                assert of(entries, TARGET)["LIST-3"].target == targets[closest]


class TestExitStatus:
    @pytest.mark.parametrize("outcome", ["holds", "fails", "known", "flaky"])
    def test_one_judgement_is_enough(self, outcome: str) -> None:
        """A run that has seen something of the service can say something."""
        assert exit_status(a_run(LIST_3=outcome), {"LIST-3": "should"}) == 0

    @pytest.mark.parametrize("outcome", ["blocked", "inconclusive", "not judged", "error"])
    def test_nothing_judged_is_nothing_said(self, outcome: str) -> None:
        """What was not looked at does not conform."""
        assert exit_status(a_run(LIST_3=outcome), {"LIST-3": "must"}, strict=True) == 2
        assert exit_status(a_run(), {}) == 2

    def test_a_broken_rig_and_an_interruption_say_nothing(self) -> None:
        """However much held until then."""
        tiers = {"LIST-3": "must"}

        assert exit_status(a_run("no answer", LIST_3="holds"), tiers) == 2
        assert exit_status(a_run(LIST_3="holds"), tiers, interrupted=True) == 2

    @pytest.mark.parametrize("outcome", ["fails", "stale", "expired"])
    def test_what_was_seen_to_be_wrong_comes_first(self, outcome: str) -> None:
        """A failure is one, whatever broke behind it."""
        run = a_run("no answer", LIST_3=outcome, LIST_4="error")

        assert exit_status(run, {"LIST-3": "must", "LIST-4": "must"}, interrupted=True) == 1

    @pytest.mark.parametrize(("known", "status"), [("LIST-5", 0), ("LIST-4", 0), ("LIST-2", 1)])
    def test_a_known_cause_excuses_what_stands_behind_it(self, known: str, status: int) -> None:
        """However far behind; a failure elsewhere is no excuse."""
        failing = dict.fromkeys(("LIST_2", "LIST_3", "LIST_4", "LIST_5"), "fails")
        run = behind(a_run(**failing), LIST_3="LIST-4", LIST_4="LIST-5")
        tiers = dict.fromkeys(("LIST-2", "LIST-4", "LIST-5"), "should")

        judged = apply(run, [entry(known)], TODAY)

        assert exit_status(judged, tiers) == status

    def test_a_tier_that_is_not_told_is_a_must(self) -> None:
        """A forgotten line in a table lets no failure through."""
        assert exit_status(a_run(LIST_3="fails"), {}) == 1


GOOD = """\
https://api.siliconflow.cn/v1:
  - requirement: LIST-3
    kind: deviation
    reason: paging is not built yet
    evidence: the batch guide
    expires: 2026-03-31
"""


class TestLedger:
    def test_the_one_that_is_shipped_can_be_read(self) -> None:
        """Its entries name requirements that exist."""
        assert read(LEDGER, requirements.load()) == []

    def test_an_entry_is_read(self, tmp_path: Path) -> None:
        """With its place, so that whoever is told of it finds it."""
        (found,) = self._read(tmp_path, GOOD)

        assert found == Entry(
            TARGET,
            "LIST-3",
            "deviation",
            "paging is not built yet",
            "the batch guide",
            TODAY,
            f"deviations.yaml, line 2, entry 1 of {TARGET}",
        )

    def test_an_empty_ledger_is_one(self, tmp_path: Path) -> None:
        """Nothing is known of anybody."""
        assert self._read(tmp_path, "") == self._read(tmp_path, "# nothing\n{}\n") == []

    def test_one_requirement_may_deviate_on_two_targets(self, tmp_path: Path) -> None:
        """An entry counts for its own target."""
        other = GOOD.replace("siliconflow.cn", "siliconflow.com")

        assert len(self._read(tmp_path, GOOD + other)) == 2

    @pytest.mark.parametrize(
        ("old", "new", "line", "said"),
        [
            ("LIST-3", "LIST-99", 2, "there is no requirement 'LIST-99'; see --list"),
            ("kind: deviation", "kind: known", 2, "kind is 'known'; it is deviation or flaky"),
            ("2026-03-31", "2026-02-30", 2, "expires must be a day, as 2026-03-31"),
            ("2026-03-31", "2026-03-31 10:00:00", 2, "expires must be a day"),
            ("2026-03-31", "never", 2, "expires must be a day"),
            ("    evidence: the batch guide\n", "", 2, "it lacks evidence"),
            ("the batch guide", "", 2, "'evidence' needs a word or a sentence"),
            ("the batch guide", "null", 2, "'evidence' needs a word or a sentence"),
            ("the batch guide", '"  "', 2, "'evidence' needs a word or a sentence"),
            ("the batch guide", "[a, b]", 2, "'evidence' needs a word or a sentence"),
            ("evidence:", "proof:", 2, "'proof' is no field; there are requirement, kind"),
            ("kind:", "reason:", 4, "'reason' stands here twice; remove one"),
            (GOOD, GOOD + GOOD, 7, "stands here twice; remove one"),
            (GOOD, GOOD + GOOD.partition("\n")[2], 7, "LIST-3 has an entry already, at deviations"),
            (GOOD, GOOD + GOOD.replace("v1", "v1/", 1), 8, "line 2, entry 1 of"),
            (GOOD, "- LIST-3\n", 1, "a ledger maps targets to lists of entries"),
            (GOOD, "'*': LIST-3\n", 1, "'*' needs a list of entries"),
            (GOOD, "'*':\n  - LIST-3\n", 2, "an entry has the fields requirement, kind"),
            (GOOD, "'*':\n  - [a]: b\n", 2, "an entry has the fields"),
            ("https://api.siliconflow.cn", "https://", 1, "is no target; write a base URL"),
            ("siliconflow.cn", "siliconflow.cn:x", 1, "is no target"),
            ("siliconflow.cn/v1", "siliconflow.cn/v1?a=b", 1, "is no target"),
            ("api.siliconflow.cn", "sk-key@api.siliconflow.cn", 1, "is no target"),
            ("https://api.siliconflow.cn/v1", "**", 1, "cannot be read"),
            ("  - requirement", " - - : requirement", 2, ""),
            ("    kind", "  kind", 3, "cannot be read"),
        ],
    )
    def test_what_cannot_be_understood_is_refused(
        self, tmp_path: Path, old: str, new: str, line: int, said: str
    ) -> None:
        """Where, what, and what to do; a ledger is taken whole or not at all."""
        assert old in GOOD

        with pytest.raises(LedgerInvalid) as refused:
            self._read(tmp_path, GOOD.replace(old, new, 1))

        assert f"line {line}" in str(refused.value)
        assert said in str(refused.value)

    def test_a_ledger_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """A mistyped name is not an empty ledger; neither is a file that is no text."""
        (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

        for name in ("missing.yaml", "binary.yaml"):
            with pytest.raises(LedgerInvalid, match=rf"{name}: it cannot be read"):
                read(tmp_path / name, {"LIST-3"})

    def _read(self, folder: Path, text: str) -> list[Entry]:
        path = folder / "deviations.yaml"
        path.write_text(text, encoding="utf-8")
        return read(path, {"LIST-3", "LIST-4"})
