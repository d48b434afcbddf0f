"""The alternatives of contract/assumptions.yaml as variants, and how they are combined."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from siliconflow_batch_simulator import Clock, Simulator, launcher
from siliconflow_batch_simulator.variants import VARIANTS, by_question
from support.account import Account, json_lines, line

ASSUMPTIONS = Path(__file__).parents[2] / "contract" / "assumptions.yaml"


def questions() -> dict[str, set[str]]:
    """The variants of each question of contract/assumptions.yaml."""
    entries = yaml.safe_load(ASSUMPTIONS.read_text(encoding="utf-8"))["questions"]
    return {
        entry["id"]: {row["variant"] for row in entry["alternatives"] if "variant" in row}
        for entry in entries
    }


class TestCatalogue:
    def test_every_alternative_has_a_variant(self) -> None:
        """The simulator has exactly the variants that contract/assumptions.yaml names."""
        in_simulator = {
            question: {*rows} for question, rows in by_question().items() if question is not None
        }

        assert in_simulator == questions()

    def test_every_variant_has_a_test(self) -> None:
        """Every variant is named in a test of this folder."""
        sources = "".join(
            path.read_text(encoding="utf-8")
            for path in Path(__file__).parent.glob("test_*variants.py")
        )

        assert [name for name in VARIANTS if f'"{name}"' not in sources] == []


class TestOption:
    def test_variants_stay_when_rules_are_cleared(self) -> None:
        """`faults.clear()` ends rules, not the variants that the simulator was made with."""
        with Simulator(variants=("created-201",), faults=("forbidden",)) as simulator:
            base, headers = simulator.base_url + "/", simulator.headers()
            with httpx.Client(base_url=base, headers=headers) as http:
                api = Account(simulator, http)
                before = http.get("batches").status_code
                simulator.faults.clear()
                after = api.create(json_lines(line())).status_code

        assert (before, after) == (403, 201)

    @pytest.mark.parametrize(
        ("names", "reason"),
        [
            (
                ("list-oldest-first", "list-unordered"),
                "'list-oldest-first' and 'list-unordered' are alternatives of the question "
                "'list-order'",
            ),
            (("line-lost",), "There is no variant 'line-lost'"),
        ],
    )
    def test_invalid_variants_are_refused(
        self, names: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Two answers to one question, or the name of a fault, do not start the simulator."""
        arguments = [argument for name in names for argument in ("--variant", name)]

        assert launcher.main(["--port", "0", *arguments]) == 2
        with pytest.raises(ValueError, match=reason):
            Simulator(variants=names)

        assert reason in capsys.readouterr().err

    def test_a_variant_may_be_named_twice(self) -> None:
        """Repeating a variant changes nothing."""
        with Simulator(variants=("created-201", "created-201")) as simulator:
            assert simulator.faults.rules == []

    def test_variants_are_listed_under_their_question(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`--list-faults` prints the question above its alternatives."""
        launcher.main(["--list-faults"])

        _, _, rest = capsys.readouterr().out.partition("variants (list-order):\n")
        assert [row.split()[0] for row in rest.splitlines()[:2]] == [
            "list-oldest-first",
            "list-unordered",
        ]


class TestCombinations:
    NAMES = ("list-oldest-first", "page-capped", "list-metadata-absent", "list-lags")

    @pytest.mark.parametrize("names", [NAMES, NAMES[::-1]], ids=["forwards", "backwards"])
    def test_variants_of_the_list(self, api: Account, names: tuple[str, ...]) -> None:
        """Order, pages, metadata and lag of a list are combined, whatever the order of names."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        created = [api.create(file_id).json()["id"] for _ in range(23)]
        api.advance(created[0], seconds=11)
        api.create(file_id)

        first = listed(api, names, limit=100)
        second = listed(api, names, limit=100, after=first["last_id"])

        pages = [[batch["id"] for batch in page["data"]] for page in (first, second)]
        assert pages == [created[:20], created[20:]]
        assert (first["has_more"], second["has_more"]) == (True, False)
        assert all("metadata" not in batch for batch in first["data"])

    def test_missing_fields_are_missing_with_other_variants(self, api: Account) -> None:
        """A variant that removes fields applies to what the other variants return."""
        api.simulator.faults.add("nulls-missing")
        api.simulator.faults.add("error-file-empty-string")
        api.simulator.faults.add("output-delayed")
        batch_id = api.batch(line())

        early = api.advance(batch_id, seconds=1.3)
        late = api.advance(batch_id, seconds=2)

        assert early["status"] == "completed"
        assert {"output_file_id", "error_file_id"}.isdisjoint(early)
        assert late["output_file_id"].startswith("http")
        assert late["error_file_id"] == ""

    def test_a_compressed_file_without_length_behind_a_redirect(self) -> None:
        """Redirect, encoding, length and expiry of a result file are combined."""
        names = ("result-chunked", "result-gzip", "result-redirect", "result-url-expires")
        clock = Clock(speed=0)
        with Simulator(variants=(*names, "errors-as-error-bodies"), clock=clock) as simulator:
            base, headers = simulator.base_url + "/", simulator.headers()
            with httpx.Client(base_url=base, headers=headers) as http:
                api = Account(simulator, http)
                url = api.advance(api.batch(line()), seconds=2)["output_file_id"]

                response = httpx.get(url, follow_redirects=True)
                clock.advance(hours=2)
                expired = httpx.get(url, follow_redirects=True)

        assert [step.status_code for step in response.history] == [302]
        assert "content-length" not in response.headers
        assert response.headers["content-encoding"] == "gzip"
        assert response.json()["custom_id"] == "a"
        assert expired.status_code == 403
        assert expired.json() == {"code": 30001, "message": "Forbidden", "data": None}


def listed(api: Account, names: tuple[str, ...], **query: Any) -> dict[str, Any]:
    headers = {"X-Simulate": ", ".join(names)}
    return dict(api.http.get("batches", params=query, headers=headers).json())
