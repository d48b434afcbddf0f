"""Variants of error bodies."""

from typing import Any

import pytest

from support.account import Account, json_lines, line

TWICE = json_lines(line("a"), line("a"))


class TestCodes:
    @pytest.mark.parametrize(
        ("data", "code"),
        [(b"", 20073), (b"{}\n" * 5001, 20074), (TWICE, 20072), (b"[]\n", 20071)],
        ids=["empty", "too many lines", "custom_id repeated", "invalid line"],
    )
    def test_an_invalid_file_has_a_code(self, api: Account, data: bytes, code: int) -> None:
        """Each reason why an input file is refused has its own code."""
        api.simulator.faults.add("error-codes")

        assert api.create(data).json()["code"] == code

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("batches?limit=0", 20075),
            ("batches?after=batch_x", 20076),
            ("files?purpose=x", 20067),
        ],
    )
    def test_a_parameter_has_a_code(self, api: Account, path: str, code: int) -> None:
        """Each parameter that is refused has its own code."""
        api.simulator.faults.add("error-codes")

        assert api.http.get(path).json()["code"] == code

    def test_other_reasons_have_the_documented_code(self, api: Account) -> None:
        """A reason without a code of its own has 20012; an unknown file has 20078."""
        api.simulator.faults.add("error-codes")

        assert api.create(json_lines(line()), completion_window="1h").json()["code"] == 20012
        assert api.create("file-x").json()["code"] == 20078

    def test_no_code(self, api: Account) -> None:
        """The body of a 400 has `message` and `data` only."""
        api.simulator.faults.add("error-code-missing")

        assert api.create("file-x").json().keys() == {"message", "data"}


class TestShapes:
    @pytest.mark.parametrize(
        ("path", "names", "expected"),
        [
            ("batches/x", (), {"code": 20011, "message": "404 page not found", "data": None}),
            ("nothing", (), {"code": 20011, "message": "404 page not found", "data": None}),
            ("batches", ("forbidden",), {"code": 30001, "message": "Forbidden", "data": None}),
            (
                "batches",
                ("rate-limited",),
                {"message": "Request was rejected due to rate limiting", "data": None},
            ),
        ],
    )
    def test_objects(
        self, api: Account, path: str, names: tuple[str, ...], expected: dict[str, Any]
    ) -> None:
        """Errors that are strings, or bare text, are objects; some have a code."""
        headers = {"X-Simulate": ", ".join(("errors-as-error-bodies", *names))}

        response = api.http.get(path, headers=headers)

        assert response.json() == expected
        assert response.headers["content-type"] == "application/json"

    def test_an_object_for_a_wrong_key(self, api: Account) -> None:
        """The body of a 401 is an object without a code."""
        api.simulator.faults.add("errors-as-error-bodies")

        response = api.http.get("batches", headers={"Authorization": "Bearer x"})

        assert response.json() == {"message": "Invalid token", "data": None}

    def test_bare_text(self, api: Account) -> None:
        """A 404 is text without quotes under a JSON media type; other responses are unchanged."""
        api.simulator.faults.add("errors-bare-text")

        unknown = api.http.get("batches/batch_x")

        assert unknown.headers["content-type"] == "application/json"
        assert unknown.content == b"404 page not found"
        assert api.http.get("batches").json()["object"] == "list"
        assert api.create("file-x").json()["code"] == 20012
