"""Uploads, downloads and result files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Simulator
from support.account import Account, json_lines, line

HOSTILE = b"\r\n--+++--\r\n\x00\xff" + "\u2028".encode() + b"\r\n--boundary--"


class TestUpload:
    def test_the_response_has_the_documented_envelope(self, api: Account) -> None:
        """The response to an upload has the shape of the vendor's example."""
        response = api.upload(json_lines(line()), "requests.jsonl").json()

        file = response.pop("data")
        assert response == {"code": 20000, "message": "Ok", "status": True}
        assert file.pop("id").startswith("file-")
        assert file == {
            "object": "file",
            "bytes": len(json_lines(line())),
            "createdAt": 1_741_685_413,
            "filename": "requests.jsonl",
            "purpose": "batch",
        }

    def test_the_list_has_created_at(self, api: Account) -> None:
        """The list has created_at and line_count, and starts with the newest file."""
        api.upload(b"1\n", "old.jsonl")
        api.upload(b"1\n2\n3", "new.jsonl")

        files = api.http.get("files", params={"purpose": "batch", "limit": 10}).json()["data"]

        assert files["object"] == "file"
        assert [file["filename"] for file in files["data"]] == ["new.jsonl", "old.jsonl"]
        assert files["data"][0]["line_count"] == 3
        assert files["data"][0]["created_at"] == 1_741_685_413

    @pytest.mark.parametrize(
        ("fields", "files"),
        [
            ({}, {"file": ("a", b"")}),
            ({"purpose": "fine-tune"}, {"file": ("a", b"")}),
            ({"purpose": "batch"}, {"other": ("a", b"")}),
            ({"purpose": "batch"}, {"file": (None, b"a field, not a file")}),
        ],
    )
    def test_an_incomplete_form_is_refused(
        self, api: Account, fields: dict[str, str], files: dict[str, tuple[str | None, bytes]]
    ) -> None:
        """Without the purpose or the file, nothing is stored."""
        response = api.http.post("files", data=fields, files=files)

        assert (response.status_code, response.json()["code"]) == (400, 20012)
        assert api.http.get("files").json()["data"]["data"] == []

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b"{}"),
            ("multipart/form-data", b"no boundary"),
            ("multipart/form-data; boundary=x", b"no part"),
            ("multipart/form-data; boundary=x", b"--x\r\n\r\nnameless\r\n--x--"),
        ],
    )
    def test_a_body_that_is_not_a_form_is_refused(
        self, api: Account, content_type: str, body: bytes
    ) -> None:
        """A body that is not a valid multipart form returns 400."""
        response = api.http.post("files", content=body, headers={"Content-Type": content_type})

        assert response.status_code == 400

    @pytest.mark.parametrize(
        ("disposition", "name"),
        [
            ("filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.jsonl", "Größe 1.jsonl"),
            ("filename*=iso-8859-1'en'%A3%20rates.jsonl", "£ rates.jsonl"),
            ("filename=\"plain.jsonl\"; filename*=UTF-8''other.jsonl", "plain.jsonl"),
        ],
    )
    def test_an_extended_file_name(self, api: Account, disposition: str, name: str) -> None:
        """A part with only `filename*` is a file with that name; `filename` has precedence."""
        response = self.post(api, disposition)

        assert response.json()["data"]["filename"] == name

    @pytest.mark.parametrize("value", ["UTF-8''%FF", "no-charset''a", "a.jsonl"])
    def test_a_malformed_extended_file_name(self, api: Account, value: str) -> None:
        """A part whose only name cannot be read is not a file."""
        response = self.post(api, f"filename*={value}")

        assert response.status_code == 400
        assert "a part with a file name" in response.json()["message"]

    def post(self, api: Account, disposition: str) -> httpx.Response:
        """Uploads a file whose part has this in its Content-Disposition."""
        part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
        body = part.format("purpose", "", "batch") + part.format("file", f"; {disposition}", "{}")
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        return api.http.post("files", content=f"{body}--x--\r\n", headers=headers)

    @pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a\\b", "größe 名.jsonl"])
    def test_a_file_name_is_never_used_as_a_path(self, api: Account, name: str) -> None:
        """The response has the name that was sent; on disk, the name is the id."""
        file = api.upload(b"{}\n", name).json()["data"]

        stored = [path.name for path in api.simulator.service.folder.iterdir()]
        assert file["filename"] == name
        assert stored == [file["id"]]


class TestContent:
    def test_content_is_returned_unchanged(self, api: Account) -> None:
        """Boundaries, null bytes and line separators in a file do not matter."""
        file_id = api.upload(HOSTILE).json()["data"]["id"]

        assert api.http.get(f"files/{file_id}/content").content == HOSTILE

    def test_a_range_can_be_downloaded(self, api: Account) -> None:
        """An interrupted download can be continued with a Range header."""
        file_id = api.upload(b"0123456789").json()["data"]["id"]

        response = api.http.get(f"files/{file_id}/content", headers={"Range": "bytes=4-"})

        assert (response.status_code, response.content) == (206, b"456789")


class TestResults:
    def test_successes_and_failures_are_in_separate_files(self, api: Account) -> None:
        """Each line has one record, in the output file or in the error file."""
        batch_id = api.batch(
            line("good"),
            line("low", max_tokens=0),
            line("budget", thinking_budget=127),
            line("requested", simulate={"status_code": 503, "message": "busy"}),
        )

        batch = api.advance(batch_id, seconds=2)

        output = api.records(batch["output_file_id"])
        errors = {record["custom_id"]: record for record in api.records(batch["error_file_id"])}
        assert [record["custom_id"] for record in output] == ["good"]
        assert errors.keys() == {"low", "budget", "requested"}
        assert errors["low"]["response"]["status_code"] == 400
        assert errors["requested"]["response"]["status_code"] == 503
        assert errors["requested"]["response"]["body"]["message"] == "busy"
        assert batch["request_counts"] == {"total": 4, "completed": 1, "failed": 3}

    def test_replace_model_overrides_the_lines(self, api: Account) -> None:
        """With replace.model, lines may name different models or none."""
        lines = [line("a"), line("b", model="n"), line("c", model=None)]

        batch = api.advance(api.batch(*lines, replace={"model": "r"}), seconds=2)

        bodies = [record["response"]["body"] for record in api.records(batch["output_file_id"])]
        assert [body["model"] for body in bodies] == ["r", "r", "r"]
        assert bodies[0]["choices"][0]["message"] == {
            "role": "assistant",
            "content": "Simulated answer to: Say a.",
        }
        usage = bodies[0]["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]

    def test_without_a_success_there_is_no_output_file(self, api: Account) -> None:
        """A batch whose lines all failed is completed and has only an error file."""
        batch = api.advance(api.batch(line("a", temperature=3)), seconds=2)

        assert (batch["status"], batch["output_file_id"]) == ("completed", None)
        assert len(api.records(batch["error_file_id"])) == 1

    def test_a_result_url_needs_no_key_and_cannot_be_guessed(self, api: Account) -> None:
        """A download URL works without a key; a changed URL returns 404."""
        batch = api.advance(api.batch(line()), seconds=2)

        assert httpx.get(batch["output_file_id"]).status_code == 200
        assert httpx.get(batch["output_file_id"] + "x").status_code == 404

    def test_results_can_be_named_by_id(self) -> None:
        """With `result-ids`, the owner can read result files by id, and others cannot."""
        with Simulator(
            variants=("result-ids",), clock=Clock(0), keys=("sk-a", "sk-b")
        ) as simulator:
            http = httpx.Client(base_url=simulator.base_url + "/", headers=simulator.headers())
            api = Account(simulator, http)
            batch = api.advance(api.batch(line()), seconds=2)
            path = f"files/{batch['output_file_id']}/content"

            assert b'"custom_id":"a"' in http.get(path).content
            assert http.get(path, headers=simulator.headers(1)).status_code == 404
            http.close()

    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        """The same seed, clock and requests give the same responses, including ids."""

        def run() -> list[bytes]:
            with Simulator(
                variants=("result-ids",), seed=7, clock=Clock(0, start=1e9)
            ) as simulator:
                base = simulator.base_url + "/"
                with httpx.Client(base_url=base, headers=simulator.headers()) as http:
                    api = Account(simulator, http)
                    batch_id = api.batch(line("a"), line("b", top_p=2))
                    batch = api.advance(batch_id, seconds=2)
                    names = batch["output_file_id"], batch["error_file_id"]
                    files = [http.get(f"files/{name}/content").content for name in names]
                    return [http.get("batches").content, *files]

        assert run() == run()


def test_a_large_upload_is_not_held_in_memory(tmp_path: Path) -> None:
    """An upload of 256 MB needs less than 64 MB of memory."""
    command = [sys.executable, "-m", "siliconflow_batch_simulator", "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    chunk = b"x" * (1 << 20)
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield part % (b"purpose", b"") + b"batch\r\n" + part % (b"file", b'; filename="big"')
        for _ in range(256):
            yield chunk
        yield b"\r\n--x--\r\n"

    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as server:
        try:
            assert server.stdout is not None
            base_url = server.stdout.readline().decode().strip()
            headers = {"Authorization": "Bearer sk-simulator"}
            httpx.get(base_url + "/files", headers=headers)
            before = peak_memory(server.pid)

            headers["Content-Type"] = "multipart/form-data; boundary=x"
            response = httpx.post(base_url + "/files", content=body(), headers=headers, timeout=120)

            assert response.json()["data"]["bytes"] == 256 << 20
            assert peak_memory(server.pid) - before < 64 << 20
        finally:
            server.terminate()


def peak_memory(pid: int) -> int:
    """The largest resident size so far, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("the peak memory of another process is read from /proc")
    (peak,) = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
    return int(peak.split()[1]) * 1024
