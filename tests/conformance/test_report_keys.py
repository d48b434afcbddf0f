"""The removal of keys from reports."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from urllib.parse import quote, quote_plus

import pytest

from siliconflow_batch_conformance.reports import (
    as_html,
)
from siliconflow_batch_conformance.reports.records import record
from siliconflow_batch_conformance.verdicts import Failure
from support.report_runs import (
    CATALOGUE,
    KEY,
    a_list,
    all_reports,
    run_with_failure,
    stored,
)

LEAKED = "secret-tail"


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": in_json,
    "in JSON, beyond ASCII": lambda key: json.dumps(key, ensure_ascii=False)[1:-1],
    "in JSON in JSON": lambda key: in_json(in_json(key)),
    "in JSON, slashes escaped": lambda key: in_json(key).replace("/", "\\/"),
    "in JSON, all escaped": lambda key: "".join(f"\\u{ord(letter):04X}" for letter in key),
    "in a URL": lambda key: quote(key, safe=""),
    "in a URL, slashes kept": quote,
    "in a URL, lower case": lambda key: quote(key, safe="").lower(),
    "in a URL in a URL": lambda key: quote(quote(key, safe=""), safe=""),
    "in a form": quote_plus,
    "in HTML": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
}


class TestKeys:
    @pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
    def test_a_key_is_in_no_report(self, encode: Callable[[str], str]) -> None:
        """A key is removed from every field, however it is encoded."""
        encoded = f"{encode(KEY + LEAKED)}"
        exchange = replace(
            a_list(1),
            path=f"/batches/{encoded}",
            query={encoded: encoded},
            authorization=encoded,
            headers={encoded: encoded, "x": encoded},
            request_body=encoded.encode(),
            body=encoded.encode(),
        )
        binary = replace(a_list(2), body=b"\xff" + encoded.encode())
        failure = Failure(encoded, encoded, encoded, None, (), (exchange, binary))
        run = run_with_failure(failure)
        run.target += encoded
        run.errors = [encoded]
        run.verdicts["LIST-2"].outcome = "known"
        run.verdicts["LIST-2"].reason = encoded

        reports = all_reports([run], (KEY + LEAKED,), script=encoded)

        for name, report in reports.items():
            tail = encode(LEAKED)
            assert "…" in report, name
            assert tail not in report, name
            assert tail not in unescape(report), name
            assert LEAKED not in unescape(unescape(report)), name
        for text in re.findall(r'"text": "([A-Za-z0-9+/=]+)", "length"', reports["json"]):
            assert LEAKED.encode() not in base64.b64decode(text + "==")

    def test_a_key_at_the_cut_is_removed(self) -> None:
        """Keys are removed before a text is shortened."""
        key = "sk-" + "k" * 60
        for body in (b"x" * 3050 + key.encode() + b"x" * 9000, b"\xff" * 4070 + key.encode() * 50):
            step = replace(a_list(1), body=body)
            failure = stored(
                Failure("case", "", "x" * 6120 + key + "x" * 9000, story=(step,)), secrets=(key,)
            )
            text = failure.story[0].body.text

            assert "sk-" not in text
            assert "kkk" not in (text if failure.story[0].body.encoding == "text" else "")
            assert "kkk" not in failure.actual
            if failure.story[0].body.encoding == "base64":
                assert b"kkk" not in base64.b64decode(text)

    def test_the_longer_of_two_keys_is_removed_first(self) -> None:
        """A key that begins with another one is removed completely."""
        failure = stored(
            Failure("case", "sk-one-two sk-one", ""), secrets=("sk-one", "", "sk-one-two")
        )

        assert failure.expected == "… …"

    def test_keys_are_removed_from_earlier_reports(self) -> None:
        """A report that was read is redacted like a run."""
        earlier = record(run_with_failure(Failure("case", "sk-one", "")))

        assert "sk-one" in as_html([earlier], CATALOGUE)
        assert "sk-one" not in as_html([earlier], CATALOGUE, secrets=("sk-one",))
        assert "sk-one" not in as_html([], CATALOGUE, [earlier], secrets=("sk-one",))
