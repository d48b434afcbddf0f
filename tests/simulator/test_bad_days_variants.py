"""Bad days, and the rules that activate variants and faults."""

from typing import Any

import httpx
import pytest

from siliconflow_batch_simulator import Rule, Simulator
from siliconflow_batch_simulator.variants.bad_days import SLOW
from support.account import Account, json_lines, line

RATE_LIMITED = b"Request was rejected due to rate limiting"
RESPONSES: dict[str, tuple[int, str, bytes, str | None]] = {
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


def activate(*names: str) -> dict[str, str]:
    return {"X-Simulate": ", ".join(names)}


class TestErrors:
    @pytest.mark.parametrize(("name", "expected"), RESPONSES.items(), ids=RESPONSES)
    def test_the_response_is_as_published_or_reported(
        self, api: Account, name: str, expected: tuple[int, str, bytes, str | None]
    ) -> None:
        """The response has the variant's status, headers and body, and no batch is created."""
        status, media_type, body, retry_after = expected
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        api.http.headers.update(activate(name))

        response = api.create(file_id)

        del api.http.headers["X-Simulate"]
        assert (response.status_code, response.headers["content-type"]) == (status, media_type)
        assert response.content.startswith(body)
        assert bool(response.content) == bool(body)
        assert response.headers.get("retry-after") == retry_after
        assert api.http.get("batches").json()["data"] == []


class TestConnections:
    def test_reset_before_creates_nothing(self, api: Account) -> None:
        """The connection is reset and no batch exists."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        api.simulator.faults.add("reset-before", "POST /batches", times=1)

        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            api.create(file_id)

        assert api.http.get("batches").json()["data"] == []

    def test_reset_after_creates_the_batch(self, api: Account) -> None:
        """The connection is reset although the batch exists, so a retry would create a second."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        api.simulator.faults.add("reset-after", "POST /batches", times=1)

        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            api.create(file_id)

        assert len(api.http.get("batches").json()["data"]) == 1

    def test_a_truncated_download(self, api: Account) -> None:
        """The connection closes before Content-Length bytes were sent."""
        file_id = api.upload(b"x" * 1_000_000).json()["data"]["id"]
        path = f"files/{file_id}/content"

        with pytest.raises(httpx.RemoteProtocolError):
            api.http.get(path, headers=activate("download-truncated"))

        assert len(api.http.get(path).content) == 1_000_000

    def test_a_truncated_result_file(self, api: Account) -> None:
        """The variant affects downloads by URL too."""
        batch = api.advance(api.batch(line()), seconds=2)
        api.simulator.faults.add("download-truncated", "GET /results/{token}")

        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(batch["output_file_id"])

    def test_an_upload_refused_midway(self, api: Account) -> None:
        """The response is 503 before the whole body was read, and nothing is stored."""
        api.simulator.faults.add("upload-refused-midway", "POST /files", times=1)

        response = api.upload(b"x" * 100_000)

        assert response.status_code == 503
        assert api.http.get("files").json()["data"]["data"] == []

    def test_a_slow_response(self, api: Account) -> None:
        """A client with a shorter timeout raises `ReadTimeout`."""
        with pytest.raises(httpx.ReadTimeout):
            api.http.get("batches", headers=activate("slow"), timeout=SLOW / 4)


class TestBatches:
    def test_an_unknown_status(self, api: Account) -> None:
        """A running batch has a status that no document names."""
        batch_id = api.batch(line())
        api.advance(batch_id, seconds=0.5)

        body = api.http.get(f"batches/{batch_id}", headers=activate("status-unknown")).json()

        assert body["status"] == "throttled"

    def test_every_line_fails(self, api: Account) -> None:
        """A completed batch without a successful line has no output file."""
        api.simulator.faults.add("every-line-fails")

        batch = api.advance(api.batch(line("a"), line("b")), seconds=2)

        assert (batch["status"], batch["output_file_id"]) == ("completed", None)
        assert len(api.records(batch["error_file_id"])) == 2


class TestRules:
    def test_a_rule_ends_after_its_times(self, api: Account) -> None:
        """`times` counts the requests for the rule's operation; other requests are unaffected."""
        api.simulator.faults.add("rate-limited", "GET /batches", times=2)

        statuses = [api.http.get(path).status_code for path in ("batches", "files", "batches")]
        statuses.append(api.http.get("batches").status_code)

        assert statuses == [429, 200, 429, 200]

    def test_random_choices_repeat_with_the_seed(self) -> None:
        """With the same seed, a rule affects the same requests."""

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
        """A misspelled name in X-Simulate returns 400 with a message."""
        response = api.http.get("batches", headers=activate("rate-limitted"))

        assert response.status_code == 400
        assert "no fault or variant 'rate-limitted'" in response.json()["message"]

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
    def test_an_invalid_rule_is_refused(
        self, simulator: Simulator, rule: tuple[Any, ...], reason: str
    ) -> None:
        """A rule that can never apply raises `ValueError`."""
        with pytest.raises(ValueError, match=reason):
            simulator.faults.add(*rule)


class TestControls:
    def url(self, api: Account, name: str) -> str:
        return api.simulator.base_url.removesuffix("/v1") + f"/simulator/{name}"

    def test_rules_are_added_listed_and_removed(self, api: Account) -> None:
        """`/simulator/faults` adds, lists and removes rules."""
        rule = {"name": "overloaded-string", "operation": "GET /files", "times": 1}

        added = api.http.post(self.url(api, "faults"), json=rule).json()
        shown = api.http.get(self.url(api, "faults")).json()
        cleared = api.http.delete(self.url(api, "faults")).json()

        assert added == shown == [{**rule, "rate": 1.0}]
        assert cleared == []
        assert api.http.get("files").status_code == 200

    @pytest.mark.parametrize("rule", [[], {}, {"name": "nonsense"}, {"name": "slow", "x": 1}, 1])
    def test_an_invalid_rule_returns_400(self, api: Account, rule: Any) -> None:
        """An invalid rule returns 400 and is not added."""
        response = api.http.post(self.url(api, "faults"), json=rule)

        assert (response.status_code, api.simulator.faults.rules) == (400, [])

    def test_the_clock_can_be_moved(self, api: Account) -> None:
        """`/simulator/clock` moves the clock by the sum of the units."""
        before = api.http.get(self.url(api, "clock")).json()["now"]

        after = api.http.post(self.url(api, "clock"), json={"hours": 1, "seconds": 1}).json()

        assert after["now"] - before == 3601

    @pytest.mark.parametrize(
        "step", [{}, {"weeks": 1}, {"hours": -1}, {"hours": "1"}, {"days": "1" * 3000}, [1]]
    )
    def test_an_invalid_step_returns_400(self, api: Account, step: Any) -> None:
        """An invalid step returns 400 and does not move the clock."""
        before = api.simulator.clock.now()

        assert api.http.post(self.url(api, "clock"), json=step).status_code == 400
        assert api.simulator.clock.now() == before

    def test_control_endpoints_need_a_key(self, api: Account) -> None:
        """Requests to the control endpoints without a key return 401."""
        del api.http.headers["authorization"]

        assert api.http.get(self.url(api, "faults")).status_code == 401
        assert api.http.post(self.url(api, "clock"), json={"hours": 1}).status_code == 401
