"""State in a data folder, after a restart and after a crash."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Pace, Simulator, launcher
from siliconflow_batch_simulator.service.database import FolderUnusable
from support.account import Account, json_lines, line


@contextmanager
def opened(folder: Path, **options: object) -> Iterator[Account]:
    """A simulator with a stopped clock and a data folder."""
    settings = {"clock": Clock(0), "data_dir": folder, **options}
    with Simulator(**settings) as simulator:  # type: ignore[arg-type]
        base = simulator.base_url + "/"
        with httpx.Client(base_url=base, headers=simulator.headers()) as http:
            yield Account(simulator, http)


class TestRestart:
    def test_a_restart_keeps_everything(self, tmp_path: Path) -> None:
        """Files, batches, results, download URLs and the order of lists are the same."""
        with opened(tmp_path) as api:
            ids = [api.batch(line("a"), line("b", top_p=2)) for _ in range(3)]
            before = api.advance(ids[0], seconds=2)
            listed = api.http.get("batches").json()
            files = api.http.get("files").json()
            token = httpx.URL(before["output_file_id"]).path
            results = httpx.get(before["output_file_id"]).content

        with opened(tmp_path) as api:
            origin = api.simulator.base_url.removesuffix("/v1")
            after = api.retrieve(ids[0])

            assert httpx.get(origin + token).content == results
            assert api.http.get("files").json() == files
            assert [batch["id"] for batch in api.http.get("batches").json()["data"]] == [
                batch["id"] for batch in listed["data"]
            ]
            urls = ("output_file_id", "error_file_id")
            assert {**after, **dict.fromkeys(urls)} == {**before, **dict.fromkeys(urls)}

    def test_an_invalid_file_keeps_its_error(self, tmp_path: Path) -> None:
        """The result of inspecting an input file is the same after a restart."""
        with opened(tmp_path) as api:
            file_id = api.upload(json_lines({"custom_id": ""})).json()["data"]["id"]
            before = api.simulator.service.storage.files[file_id].inspection

        with opened(tmp_path) as api:
            assert api.simulator.service.storage.files[file_id].inspection == before
            assert "line 1: custom_id must be" in api.create(file_id).json()["message"]

    def test_a_running_batch_continues(self, tmp_path: Path) -> None:
        """Lines without a result are processed after a restart, and no line twice."""
        with opened(tmp_path) as api:
            batch_id = api.batch(*(line(str(number)) for number in range(10)))
            assert api.advance(batch_id, seconds=0.6)["request_counts"]["completed"] == 5

        with opened(tmp_path) as api:
            batch = api.advance(batch_id, seconds=2)
            records = api.records(batch["output_file_id"])

        assert [record["custom_id"] for record in records] == [str(n) for n in range(10)]

    def test_time_does_not_go_back(self, tmp_path: Path) -> None:
        """A clock that was moved forward is not earlier after a restart."""
        with opened(tmp_path) as api:
            batch_id = api.batch(line())
            late = api.advance(batch_id, hours=20)["completed_at"]
            api.simulator.clock.advance(days=2)
            created = api.retrieve(api.batch(line()))["created_at"]

        with opened(tmp_path) as api:
            assert api.retrieve(api.batch(line()))["created_at"] >= created > late

    def test_an_account_belongs_to_its_key(self, tmp_path: Path) -> None:
        """The order of keys does not matter; a key that is no longer given has no access."""
        with opened(tmp_path, keys=("sk-a", "sk-b")) as api:
            batch_id = api.batch(line())

        with opened(tmp_path, keys=("sk-b", "sk-a")) as api:
            other, owner = (api.simulator.headers(number) for number in (0, 1))
            assert api.http.get(f"batches/{batch_id}", headers=owner).status_code == 200
            assert api.http.get(f"batches/{batch_id}", headers=other).status_code == 404

        with opened(tmp_path, keys=("sk-b",)) as api:
            former = {"Authorization": "Bearer sk-a"}
            assert api.http.get("batches", headers=former).status_code == 401

    def test_no_key_is_stored(self, tmp_path: Path) -> None:
        """The data folder does not contain any key."""
        with opened(tmp_path, keys=("sk-not-to-be-stored",)) as api:
            api.advance(api.batch(line()), seconds=2)

        stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"sk-not-to-be-stored" not in stored

    def test_the_rest_of_an_interrupted_upload_is_removed(self, tmp_path: Path) -> None:
        """Files on disk that belong to no upload are deleted at the next start."""
        with opened(tmp_path) as api:
            kept = api.upload(b"{}").json()["data"]["id"]
        (tmp_path / "files" / "file-interrupte").write_bytes(b"half")

        with opened(tmp_path) as api:
            assert [path.name for path in (tmp_path / "files").iterdir()] == [kept]
            assert api.http.get(f"files/{kept}/content").content == b"{}"

    def test_other_files_in_the_folder_are_kept(self, tmp_path: Path) -> None:
        """Files that the simulator has not written are not deleted, whatever their names."""
        (tmp_path / "file-notes.txt").write_text("mine")
        (tmp_path / "file-abcdefghij").write_text("mine")
        (tmp_path / "files" / "file-folderlike").mkdir(parents=True)

        with opened(tmp_path) as api:
            api.upload(b"{}")

        assert (tmp_path / "file-notes.txt").exists()
        assert (tmp_path / "file-abcdefghij").exists()

    def test_an_unrecorded_line_in_the_other_file_is_removed(self, tmp_path: Path) -> None:
        """Results that were written but not recorded are removed from both result files."""
        with opened(tmp_path) as api:
            batch_id = api.batch(*(line(str(number)) for number in range(4)))
            api.advance(batch_id, seconds=0.6)
        errors = tmp_path / "files" / f"{batch_id}_error.jsonl"
        errors.write_bytes(b'{"custom_id": "2", "response": null, "error": {"code": "x"}}\n')

        with opened(tmp_path) as api:
            batch = api.advance(batch_id, seconds=2)

        assert (batch["request_counts"]["completed"], batch["error_file_id"]) == (4, None)
        assert errors.read_bytes() == b""

    def test_concurrent_requests_are_all_kept(self, tmp_path: Path) -> None:
        """Uploads and creations from many threads succeed and survive a restart."""
        with opened(tmp_path) as api:
            file_id = api.upload(json_lines(line())).json()["data"]["id"]
            with ThreadPoolExecutor(8) as pool:
                uploads = [pool.submit(api.upload, b"{}") for _ in range(40)]
                creations = [pool.submit(api.create, file_id) for _ in range(40)]
            files = {future.result().json()["data"]["id"] for future in uploads}
            batches = {future.result().json()["id"] for future in creations}

        with opened(tmp_path) as api:
            kept = api.http.get("files", params={"limit": 100}).json()["data"]["data"]
            listed = api.http.get("batches", params={"limit": 100}).json()["data"]
            assert {file["id"] for file in kept} == files | {file_id}
            assert {batch["id"] for batch in listed} == batches

    def test_an_unrecorded_line_is_written_once(self, tmp_path: Path) -> None:
        """A crash between writing a result and recording it repeats no line."""
        with opened(tmp_path) as api:
            batch_id = api.batch(*(line(str(number)) for number in range(4)))
            api.advance(batch_id, seconds=0.6)
        with (tmp_path / "files" / f"{batch_id}_output.jsonl").open("ab") as file:
            file.write(b'{"custom_id": "2", "id": "half of a li')

        with opened(tmp_path) as api:
            batch = api.advance(batch_id, seconds=2)
            records = api.records(batch["output_file_id"])

        assert [record["custom_id"] for record in records] == ["0", "1", "2", "3"]


class TestKill:
    def test_no_batch_is_lost_and_no_line_repeated(self, tmp_path: Path) -> None:
        """After several `kill -9` while batches run, every batch completes with each line once."""
        data = json_lines(*(line(str(number)) for number in range(50)))
        accepted: list[str] = []
        for _ in range(3):
            with subprocess.Popen(  # noqa: S603 - our own module
                [
                    *(sys.executable, "-m", "siliconflow_batch_simulator", "--port", "0"),
                    *("--data-dir", str(tmp_path), "--running", "0.2"),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as server:
                assert server.stdout is not None
                base = server.stdout.readline().strip() + "/"
                headers = {"Authorization": "Bearer sk-simulator"}
                with httpx.Client(base_url=base, headers=headers) as http:
                    files = {"file": ("in.jsonl", data)}
                    uploaded = http.post("files", data={"purpose": "batch"}, files=files).json()
                    body = {
                        "input_file_id": uploaded["data"]["id"],
                        "endpoint": "/v1/chat/completions",
                        "completion_window": "24h",
                    }
                    accepted += [http.post("batches", json=body).json()["id"] for _ in range(5)]
                    while http.get(f"batches/{accepted[-1]}").json()["status"] == "in_queue":
                        pass
                    for batch_id in accepted:
                        http.get(f"batches/{batch_id}")
                os.kill(server.pid, signal.SIGKILL)

        with opened(tmp_path, pace=Pace(running=0.2)) as api:
            api.simulator.clock.advance(seconds=5)
            for batch_id in accepted:
                batch = api.retrieve(batch_id)
                records = api.records(batch["output_file_id"])
                assert batch["request_counts"] == {"total": 50, "completed": 50, "failed": 0}
                assert [record["custom_id"] for record in records] == [str(n) for n in range(50)]


class TestFolder:
    def test_two_simulators_cannot_share_a_folder(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The second simulator fails to start, and the first continues."""
        with opened(tmp_path) as api:
            with pytest.raises(FolderUnusable, match="locked"):
                Simulator(data_dir=tmp_path)
            assert launcher.main(["--port", "0", "--data-dir", str(tmp_path)]) == 2
            assert api.http.get("batches").status_code == 200

        assert "cannot be used" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "damage",
        [
            lambda path: path.write_bytes(b"not a database" * 100),
            lambda path: newer(path),
        ],
        ids=["garbage", "newer"],
    )
    def test_an_unreadable_database_is_an_error(
        self, damage: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A damaged database, or one of a newer version, ends in an error that names the folder."""
        with opened(tmp_path) as api:
            api.batch(line())
        damage(tmp_path / "simulator.sqlite3")

        assert launcher.main(["--port", "0", "--data-dir", str(tmp_path)]) == 2

        assert f"{tmp_path} cannot be used" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda folder: (folder / "simulator.sqlite3").write_bytes(b""), "has no table"),
            (lambda folder: execute(folder, "drop table batches"), "has no table 'batches'"),
            (lambda folder: execute(folder, "delete from files"), "no longer names any file"),
            (
                lambda folder: (folder / "simulator.sqlite3").unlink(),
                "simulator.sqlite3 is missing",
            ),
            (lambda folder: shutil.rmtree(folder / "files"), "the folder 'files' is missing"),
            (lambda folder: min((folder / "files").iterdir()).unlink(), "is missing"),
        ],
        ids=["emptied", "table", "rows", "database", "folder", "file"],
    )
    def test_an_incomplete_folder_is_refused(
        self, damage: Any, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A folder that has lost a part of its state is refused, and what is left is kept."""
        with opened(tmp_path) as api:
            api.advance(api.batch(line()), seconds=2)
        damage(tmp_path)
        left = {path for path in tmp_path.rglob("*") if not path.name.endswith(("-wal", "-shm"))}

        assert launcher.main(["--port", "0", "--data-dir", str(tmp_path)]) == 2

        message = capsys.readouterr().err
        assert f"{tmp_path} cannot be used" in message
        assert reason in message
        assert "use an empty folder to start anew" in message
        assert left <= {*tmp_path.rglob("*")}

    def test_a_folder_without_uploads_can_be_used_again(self, tmp_path: Path) -> None:
        """A simulator that received nothing leaves a folder that the next one accepts."""
        for _ in range(2):
            with opened(tmp_path) as api:
                assert api.http.get("files").json()["data"]["data"] == []

    def test_a_folder_that_cannot_be_created_is_an_error(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """If the path is a file, the command prints an error, not a traceback."""
        (tmp_path / "file").write_text(json.dumps({}))

        assert launcher.main(["--port", "0", "--data-dir", str(tmp_path / "file")]) == 2

        assert "file" in capsys.readouterr().err


def execute(folder: Path, statement: str) -> None:
    database = sqlite3.connect(folder / "simulator.sqlite3")
    database.execute(statement)
    database.commit()
    database.close()


def newer(path: Path) -> None:
    """Adds an unknown field to the stored batches."""
    execute(path.parent, "update batches set row = json_set(row, '$.priority', 1)")
