"""Bad days that are legal: what each one does to a program, over a real socket."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from siliconflow_batch_simulator import Rule, Simulator
from siliconflow_batch_simulator.switches.variants import SLOW, VARIANTS
from support.account import Account, json_lines, line

RATE_LIMITED = b"Request was rejected due to rate limiting"
ANSWERS: dict[str, tuple[int, str, bytes, str | None]] = {
    "rate-limited": (429, "application/json", RATE_LIMITED, None),
    "rate-limited-plain": (429, "text/plain; charset=utf-8", RATE_LIMITED, None),
    "rate-limited-retry-after": (429, "application/json", RATE_LIMITED, "1"),
    "forbidden": (403, "application/json", b'"Forbidden"', None),
    "server-error": (500, "application/json", b'"Internal Server Error"', None),
    "overloaded-string": (503, "application/json", b'"Model service overloaded', None),
    "overloaded-object": (503, "application/json", b'{"code": 50505, "message": "Model', None),
    "timeout-string": (504, "application/json", b'"Gateway Timeout"', None),
    "timeout-html": (504, "text/html; charset=utf-8", b"<html>", None),
    "timeout-empty": (504, "text/plain; charset=utf-8", b"", None),
}


def having(*names: str) -> dict[str, str]:
    return {"X-Simulate": ", ".join(names)}


class TestAnswers:
    @pytest.mark.parametrize(("name", "answer"), ANSWERS.items(), ids=ANSWERS)
    def test_the_body_is_as_published_or_reported(
        self, api: Account, name: str, answer: tuple[int, str, bytes, str | None]
    ) -> None:
        """Status, media type, bytes and Retry-After are the variant's, and nothing is done."""
        status, media_type, body, retry_after = answer
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        api.http.headers.update(having(name))

        got = api.create(file_id)

        del api.http.headers["X-Simulate"]
        assert (got.status_code, got.headers["content-type"]) == (status, media_type)
        assert got.content.startswith(body)
        assert bool(got.content) == bool(body)
        assert got.headers.get("retry-after") == retry_after
        assert api.http.get("batches").json()["data"] == []

    def test_error_strings_may_lose_their_quotes(self, api: Account) -> None:
        """A 404 can be bare text under a JSON media type; what is well is left alone."""
        unknown = api.http.get("batches/batch_x", headers=having("errors-bare-text"))
        known = api.http.get("batches", headers=having("errors-bare-text"))

        assert unknown.headers["content-type"] == "application/json"
        assert unknown.content == b"404 page not found"
        assert known.json()["object"] == "list"


class TestConnections:
    def test_reset_before_the_work_leaves_nothing(self, api: Account) -> None:
        """The connection ends and no batch exists."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        api.simulator.faults.add("reset-before", "POST /batches", times=1)

        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            api.create(file_id)

        assert api.http.get("batches").json()["data"] == []

    def test_reset_after_the_work_loses_the_answer_alone(self, api: Account) -> None:
        """The connection ends although the batch exists: the day on which people pay twice."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        api.simulator.faults.add("reset-after", "POST /batches", times=1)

        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            api.create(file_id)

        assert len(api.http.get("batches").json()["data"]) == 1

    def test_a_download_may_end_half_way(self, api: Account) -> None:
        """Content-Length promises more than comes."""
        file_id = api.upload(b"x" * 1_000_000).json()["data"]["id"]
        path = f"files/{file_id}/content"

        with pytest.raises(httpx.RemoteProtocolError):
            api.http.get(path, headers=having("download-truncated"))

        assert len(api.http.get(path).content) == 1_000_000

    def test_a_result_url_may_end_half_way(self, api: Account) -> None:
        """Downloads by URL have the same bad day."""
        batch = api.advance(api.batch(line()), seconds=2)
        api.simulator.faults.add("download-truncated", "GET /results/{token}")

        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(batch["output_file_id"])

    def test_an_upload_may_be_refused_midway(self, api: Account) -> None:
        """503 comes before the body was read, and nothing is stored."""
        api.simulator.faults.add("upload-refused-midway", "POST /files", times=1)

        answer = api.upload(b"x" * 100_000)

        assert answer.status_code == 503
        assert api.http.get("files").json()["data"]["data"] == []

    def test_an_answer_may_be_slow(self, api: Account) -> None:
        """A caller with less patience than that gets a timeout of its own."""
        with pytest.raises(httpx.ReadTimeout):
            api.http.get("batches", headers=having("slow"), timeout=SLOW / 4)


class TestShapes:
    def test_the_list_may_lag(self, api: Account) -> None:
        """A batch that was just created is not listed yet, though it can be retrieved."""
        api.simulator.faults.add("list-lags", "GET /batches")
        batch_id = api.batch(line())

        fresh = api.http.get("batches").json()["data"]
        api.advance(batch_id, seconds=11)
        later = api.http.get("batches").json()["data"]

        assert (fresh, [batch["id"] for batch in later]) == ([], [batch_id])

    def test_a_lagging_list_hides_no_older_batch(self, api: Account) -> None:
        """The page is full of what is known already."""
        older = api.batch(line())
        api.advance(older, seconds=11)
        api.batch(line())

        page = api.http.get("batches", params={"limit": 1}, headers=having("list-lags")).json()

        assert [batch["id"] for batch in page["data"]] == [older]
        assert page["has_more"] is False

    def test_results_may_be_named_by_id(self, api: Account) -> None:
        """The same file is there under both names."""
        batch = api.advance(api.batch(line()), seconds=2)

        named = api.http.get(f"batches/{batch['id']}", headers=having("result-ids")).json()

        content = api.http.get(f"files/{named['output_file_id']}/content").content
        assert content == httpx.get(batch["output_file_id"]).content

    @pytest.mark.parametrize(
        ("name", "field", "value"),
        [
            ("error-file-empty-string", "error_file_id", ""),
            ("errors-empty-list", "errors", []),
            ("fields-missing", "cancelled_at", "missing"),
        ],
    )
    def test_a_field_may_look_otherwise(
        self, api: Account, name: str, field: str, value: Any
    ) -> None:
        """What is null in one document is empty or missing in another."""
        batch = api.advance(api.batch(line()), seconds=2)

        seen = api.http.get(f"batches/{batch['id']}", headers=having(name)).json()

        assert batch[field] is None
        assert seen.get(field, "missing") == value

    def test_counts_may_be_empty(self, api: Account) -> None:
        """Before the lines are counted there may be an object without counts."""
        batch_id = api.batch(line())

        seen = api.http.get(f"batches/{batch_id}", headers=having("counts-empty")).json()

        assert seen["request_counts"] == {}

    def test_a_status_may_be_new(self, api: Account) -> None:
        """A status that no document names must not end anything."""
        batch_id = api.batch(line())
        api.advance(batch_id, seconds=0.5)

        seen = api.http.get(f"batches/{batch_id}", headers=having("status-unknown")).json()

        assert seen["status"] == "throttled"

    def test_every_line_may_fail(self, api: Account) -> None:
        """Completed, and yet there is no output file."""
        api.simulator.faults.add("every-line-fails")

        batch = api.advance(api.batch(line("a"), line("b")), seconds=2)

        assert (batch["status"], batch["output_file_id"]) == ("completed", None)
        assert len(api.records(batch["error_file_id"])) == 2


class TestChoice:
    def test_every_variant_has_a_test(self) -> None:
        """A variant that nobody tries is not offered."""
        source = Path(__file__).read_text(encoding="utf-8")

        assert [name for name in VARIANTS if f'"{name}"' not in source] == []

    def test_a_rule_ends_after_its_times(self, api: Account) -> None:
        """`times` counts the requests of its operation, and others are untouched."""
        api.simulator.faults.add("rate-limited", "GET /batches", times=2)

        statuses = [api.http.get(path).status_code for path in ("batches", "files", "batches")]
        statuses.append(api.http.get("batches").status_code)

        assert statuses == [429, 200, 429, 200]

    def test_chance_repeats_with_the_seed(self) -> None:
        """With the same seed the same requests have a bad day."""

        def run(seed: int) -> list[int]:
            rules = (Rule("server-error", "GET /batches", rate=0.5),)
            with Simulator(seed=seed, faults=rules) as simulator:
                url, headers = simulator.base_url + "/batches", simulator.headers()
                with httpx.Client(headers=headers) as http:
                    return [http.get(url).status_code for _ in range(20)]

        first = run(1)
        assert set(first) == {200, 500}
        assert first == run(1) != run(2)

    def test_an_unknown_name_in_the_header_is_refused(self, api: Account) -> None:
        """A mistyped name does not pass for a good day."""
        answer = api.http.get("batches", headers=having("rate-limitted"))

        assert answer.status_code == 400
        assert "no fault or variant 'rate-limitted'" in answer.json()["message"]

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [
            (("nonsense",), "no fault or variant"),
            (("slow", "PUT /batches"), "no operation"),
            (("slow", "*", 0), "times"),
            (("slow", "*", 1.5), "times"),
            (("slow", "*", True), "times"),
            (("slow", "*", None, 1.5), "rate"),
        ],
    )
    def test_a_faulty_rule_is_refused(
        self, simulator: Simulator, rule: tuple[Any, ...], reason: str
    ) -> None:
        """What no request could ever meet is an error."""
        with pytest.raises(ValueError, match=reason):
            simulator.faults.add(*rule)


class TestControls:
    def url(self, api: Account, name: str) -> str:
        return api.simulator.base_url.removesuffix("/v1") + f"/simulator/{name}"

    def test_rules_are_added_shown_and_cleared(self, api: Account) -> None:
        """A program in any language can plan a bad day."""
        rule = {"name": "overloaded-string", "operation": "GET /files", "times": 1}

        added = api.http.post(self.url(api, "faults"), json=rule).json()
        shown = api.http.get(self.url(api, "faults")).json()
        cleared = api.http.delete(self.url(api, "faults")).json()

        assert added == shown == [{**rule, "rate": 1.0}]
        assert cleared == []
        assert api.http.get("files").status_code == 200

    @pytest.mark.parametrize("rule", [[], {}, {"name": "nonsense"}, {"name": "slow", "x": 1}, 1])
    def test_a_faulty_rule_is_a_400(self, api: Account, rule: Any) -> None:
        """The refusal says what is wrong with the rule."""
        answer = api.http.post(self.url(api, "faults"), json=rule)

        assert (answer.status_code, api.simulator.faults.rules) == (400, [])

    def test_the_clock_can_be_moved(self, api: Account) -> None:
        """An hour passes when it is told to."""
        before = api.http.get(self.url(api, "clock")).json()["now"]

        after = api.http.post(self.url(api, "clock"), json={"hours": 1, "seconds": 1}).json()

        assert after["now"] - before == 3601

    @pytest.mark.parametrize(
        "step", [{}, {"weeks": 1}, {"hours": -1}, {"hours": "1"}, {"days": "1" * 3000}, [1]]
    )
    def test_a_faulty_step_is_a_400(self, api: Account, step: Any) -> None:
        """The clock stays where it is."""
        before = api.simulator.clock.now()

        assert api.http.post(self.url(api, "clock"), json=step).status_code == 400
        assert api.simulator.clock.now() == before

    def test_they_need_a_key(self, api: Account) -> None:
        """No page in a browser moves the clock of somebody's tests."""
        del api.http.headers["authorization"]

        assert api.http.get(self.url(api, "faults")).status_code == 401
        assert api.http.post(self.url(api, "clock"), json={"hours": 1}).status_code == 401
