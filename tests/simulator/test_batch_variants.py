"""Variants of the operations on batches, and of the fields of a batch."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Simulator
from siliconflow_batch_simulator.variants.operation_variants import LATE
from support.account import Account, json_lines, line
from support.shell import until

INVALID = b"[]\n"


def with_variant(api: Account, name: str) -> Account:
    api.simulator.faults.add(name)
    return api


@pytest.fixture
def queued(api: Account) -> str:
    """The id of a batch that is in_queue."""
    return api.batch(line())


class TestStatusCodes:
    def test_an_unknown_batch_returns_400(self, api: Account, stranger: Account) -> None:
        """Retrieving and cancelling an unknown or foreign batch return 400 with an error body."""
        batch_id = with_variant(api, "unknown-batch-400").batch(line())

        responses = [
            api.http.get("batches/batch_x"),
            api.cancel("batch_x"),
            stranger.http.get(f"batches/{batch_id}"),
        ]

        assert [response.status_code for response in responses] == [400] * 3
        assert "'batch_x' does not exist" in responses[0].json()["message"]
        assert api.http.get("nothing").status_code == 404

    def test_a_creation_returns_201(self, api: Account) -> None:
        """Only creations return 201; a refused one returns 400."""
        with_variant(api, "created-201")

        created = api.create(json_lines(line()))

        assert created.status_code == 201
        assert api.http.get(f"batches/{created.json()['id']}").status_code == 200
        assert api.create("file-x").status_code == 400

    def test_a_cancel_of_a_finished_batch_returns_200(self, api: Account, queued: str) -> None:
        """The response is the batch as it was; an unfinished batch is cancelled."""
        finished = api.advance(queued, seconds=2)
        with_variant(api, "cancel-finished-200")

        response = api.cancel(queued)

        assert (response.status_code, response.json()) == (200, finished)
        assert api.cancel(api.batch(line())).json()["status"] == "cancelling"


class TestLateResponse:
    def test_the_response_to_a_creation_comes_late(self, api: Account) -> None:
        """The batch exists at once; the response comes after two simulated minutes."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        with_variant(api, "slow-after")

        with ThreadPoolExecutor(1) as pool:
            creation = pool.submit(api.create, file_id)
            until(lambda: bool(api.simulator.service.batches))
            (batch_id,) = api.simulator.service.batches
            assert api.http.get(f"batches/{batch_id}").status_code == 200
            assert not creation.done()
            api.simulator.clock.advance(seconds=LATE)

        assert creation.result().json()["id"] == batch_id

    def test_a_client_that_does_not_wait_has_created_a_batch(self, api: Account) -> None:
        """A timeout of the client leaves one batch, and the simulator can still be stopped."""
        file_id = api.upload(json_lines(line())).json()["data"]["id"]
        with_variant(api, "slow-after")
        api.http.timeout = httpx.Timeout(0.3)

        with pytest.raises(httpx.ReadTimeout):
            api.create(file_id)

        assert len(api.http.get("batches").json()["data"]) == 1

    def test_a_refusal_is_not_late(self, api: Account) -> None:
        """Nothing was carried out, so nothing takes long."""
        assert with_variant(api, "slow-after").create("file-x").status_code == 400


class TestInvalidInput:
    def test_an_invalid_file_is_refused_at_upload(self, api: Account) -> None:
        """The upload returns 400 with the line, and nothing is stored; valid files are accepted."""
        with_variant(api, "input-refused-at-upload")

        refused = api.upload(INVALID)

        assert refused.status_code == 400
        assert "line 1: the line must be a JSON object" in refused.json()["message"]
        assert api.http.get("files").json()["data"]["data"] == []
        assert [*api.simulator.service.storage.folder.iterdir()] == []
        assert api.create(json_lines(line())).status_code == 200

    def test_a_batch_from_an_invalid_file_fails(self, api: Account) -> None:
        """The batch is created, then becomes `failed` with the error and without results."""
        with_variant(api, "input-fails-late")

        created = api.create(INVALID)
        batch = api.advance(created.json()["id"], seconds=1)

        assert (created.status_code, created.json()["status"]) == (200, "in_queue")
        assert batch["status"] == "failed"
        assert batch["errors"] == ["line 1: the line must be a JSON object, not list"]
        assert isinstance(batch["failed_at"], int)
        assert batch["output_file_id"] is None

    @pytest.mark.parametrize("field", ["metadata", "replace"])
    def test_null_is_accepted(self, api: Account, field: str) -> None:
        """A field that is null counts as missing."""
        data = json_lines(line())
        refused = api.create(data, **{field: None})

        accepted = with_variant(api, "null-accepted").create(data, **{field: None})

        assert (refused.status_code, accepted.status_code) == (400, 200)
        assert accepted.json()["metadata"] is None


class TestErrorsOfABatch:
    def failed(self, api: Account, data: bytes, name: str) -> Any:
        api.simulator.faults.add("input-fails-late")
        api.simulator.faults.add(name)
        return api.advance(api.create(data).json()["id"], seconds=1)["errors"]

    def test_objects(self, api: Account) -> None:
        """Each error is an object; `line` is null for the file as a whole."""
        name = "errors-as-objects-in-batch"

        (of_a_line,) = self.failed(api, json_lines(line()) + INVALID, name)
        (of_the_file,) = self.failed(api, b"", name)

        message = "the line must be a JSON object, not list"
        assert of_a_line == {"code": 20071, "message": message, "line": 2}
        assert of_the_file == {"code": 20073, "message": "the file has no lines", "line": None}

    def test_a_list_object(self, api: Account) -> None:
        """`errors` has OpenAI's form."""
        errors = self.failed(api, INVALID, "errors-as-list-object")

        assert errors["object"] == "list"
        assert errors["data"][0].keys() == {"code", "line", "message", "param"}

    @pytest.mark.parametrize("name", ["errors-as-objects-in-batch", "errors-as-list-object"])
    def test_a_batch_without_errors(self, api: Account, queued: str, name: str) -> None:
        """`errors` stays null."""
        assert with_variant(api, name).retrieve(queued)["errors"] is None


class TestFields:
    @pytest.mark.parametrize(
        ("name", "field", "value"),
        [
            ("errors-empty-list", "errors", []),
            ("counts-empty", "request_counts", {}),
            ("counts-zero", "request_counts", {"total": 0, "completed": 0, "failed": 0}),
            ("fields-missing", "cancelled_at", "missing"),
            ("fields-missing", "failed_at", None),
            ("nulls-missing", "failed_at", "missing"),
            ("nulls-missing", "request_counts", "missing"),
            ("nulls-missing", "metadata", "missing"),
        ],
    )
    def test_a_field_without_a_value(
        self, api: Account, queued: str, name: str, field: str, value: Any
    ) -> None:
        """A field that is null by default is empty or missing where a batch is returned."""
        assert api.retrieve(queued)[field] is None
        with_variant(api, name)

        (listed,) = api.http.get("batches").json()["data"]
        bodies = [listed, api.retrieve(queued), api.create(json_lines(line())).json()]

        assert [body.get(field, "missing") for body in bodies] == [value] * 3

    def test_counts_are_shown_when_there_are_any(self, api: Account, queued: str) -> None:
        """`counts-zero` does not change the counts of a batch that has some."""
        batch = with_variant(api, "counts-zero").advance(queued, seconds=2)

        assert batch["request_counts"] == {"total": 1, "completed": 1, "failed": 0}


class TestTime:
    def test_a_new_batch_is_validating(self, api: Account) -> None:
        """The status is `validating`, then `in_queue`, then `in_progress`."""
        batch_id = with_variant(api, "validating-first").batch(line())

        statuses = [api.advance(batch_id, seconds=step)["status"] for step in (0, 0.2, 0.2)]

        assert statuses == ["validating", "in_queue", "in_progress"]

    def test_a_batch_expires_early(self, api: Account) -> None:
        """`expires_at` is 28,135 s after the creation, and the batch expires then."""
        api.simulator.pace.running = 1e6
        batch_id = with_variant(api, "expires-early").batch(line())

        before = api.advance(batch_id, seconds=28_134)
        after = api.advance(batch_id, seconds=2)

        assert before["expires_at"] == before["created_at"] + 28_135
        assert (before["status"], after["status"]) == ("in_progress", "expired")
        assert after["expired_at"] == after["expires_at"]

    def test_a_batch_that_ends_before_is_unaffected(self) -> None:
        """With `expires-early`, a batch that is completed in time stays completed."""
        with Simulator(variants=("expires-early",), clock=Clock(speed=0)) as simulator:
            base, headers = simulator.base_url + "/", simulator.headers()
            with httpx.Client(base_url=base, headers=headers) as http:
                api = Account(simulator, http)
                batch_id = api.batch(line())

                assert api.advance(batch_id, hours=100)["status"] == "completed"
