"""What is submitted: any kind of input, whole, and as it was checked. On real sockets and pipes."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import chat_lines, errors
from siliconflow_batch.input_files import sources, validation
from siliconflow_batch.transport import upload
from siliconflow_batch_simulator import Simulator
from support.account import asked, json_lines, line
from support.shell import Shell

LINES = [line(f"line-{number}") for number in range(40)]
DATA = json_lines(*LINES)


class PathObject:
    """A path of another library, such as py.path or importlib.resources."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


class Body:
    """A stream that has only `read`, as the body of a response."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1_000))


def written(data: bytes, path: Path) -> Path:
    path.write_bytes(data)
    return path


def after_a_header(path: Path) -> Any:
    """A file on disk whose first line was read."""
    file = written(b"a header\n" + DATA, path).open("rb")
    file.readline()
    return file


def close(source: Any) -> None:
    getattr(source, "close", lambda: None)()


def at_its_end(path: Path) -> Any:
    file = written(DATA, path).open("rb")
    file.read()
    return file


def closed(path: Path) -> Any:
    with written(DATA, path).open("rb") as file:
        return file


def linked(path: Path) -> Path:
    path.symlink_to(written(DATA, path.with_name("target")))
    return path


def fifo(path: Path, data: bytes = DATA) -> Path:
    """A named pipe into which another thread writes."""
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=[data], daemon=True).start()
    return path


def output_of_a_process() -> Any:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    process = subprocess.Popen(  # noqa: S603 - it ends when its input does
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(DATA)
    process.stdin.close()
    process.wait()  # all of it fits into the pipe
    return process.stdout


def spooled() -> Any:
    file = tempfile.SpooledTemporaryFile(max_size=100)  # noqa: SIM115 - read by the test
    file.write(DATA)
    file.seek(0)
    return file


SOURCES: dict[str, Callable[[Path], Any]] = {
    "a path": lambda path: written(DATA, path),
    "the text of a path": lambda path: str(written(DATA, path)),
    "an object with a path": lambda path: PathObject(written(DATA, path)),
    "a symbolic link": linked,
    "bytes": lambda _: DATA,
    "a bytearray": lambda _: bytearray(DATA),
    "a memoryview": lambda _: memoryview(DATA),
    "open()": lambda path: written(DATA, path).open("rb"),
    "open(), without a buffer": lambda path: written(DATA, path).open("rb", buffering=0),
    "open(), for reading and writing": lambda path: written(DATA, path).open("r+b"),
    "open(), after a header": after_a_header,
    "BytesIO": lambda _: io.BytesIO(DATA),
    "gzip.open()": lambda path: gzip.GzipFile(written(gzip.compress(DATA), path)),
    "bz2.open()": lambda path: bz2.BZ2File(written(bz2.compress(DATA), path)),
    "lzma.open()": lambda path: lzma.LZMAFile(written(lzma.compress(DATA), path)),  # noqa: SIM115 - closed below
    "SpooledTemporaryFile": lambda _: spooled(),
    "a stream with `read` alone": lambda _: Body(DATA),
    "a named pipe": fifo,
    "a named pipe, open": lambda path: fifo(path).open("rb"),
    "the output of a process": lambda _: output_of_a_process(),
    "dicts": lambda _: LINES,
    "a generator of dicts": lambda _: iter(LINES),
    "lines of a file, as bytes": lambda _: DATA.splitlines(keepends=True),
    "lines as text, without their ends": lambda _: DATA.decode().splitlines(),
}


def uploaded(simulator: Simulator) -> list[bytes]:
    """The contents of the input files that the simulator has."""
    batches = simulator.service.batches.values()
    return [
        simulator.service.storage.files[batch.input_file_id].path.read_bytes() for batch in batches
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_of_source_is_submitted(
    client: Any, simulator: Simulator, tmp_path: Path, name: str
) -> None:
    """The batch is made of all its lines, also after the first attempt to upload them failed."""
    simulator.faults.add("rate-limited", "POST /files", times=1)

    source = SOURCES[name](tmp_path / "input")

    batch = client.submit(source)
    close(source)

    assert [answer.custom_id for answer in client.results(client.wait(batch, interval=0.01))] == [
        line["custom_id"] for line in LINES
    ]
    if not name.endswith("dicts"):  # their JSON may be spaced otherwise
        assert uploaded(simulator) == [DATA]


def test_prompts_are_submitted_at_once(client: Any) -> None:
    """`chat_lines` can be passed to `submit` without a file."""
    batch = client.submit(chat_lines(["one", "two"], model="m"))

    results = list(client.results(client.wait(batch, interval=0.01)))

    assert [result.custom_id for result in results] == ["request-1", "request-2"]


def test_failed_lines_are_submitted_again(client: Any, simulator: Simulator) -> None:
    """`failed_lines` of one batch can be passed to `submit`, and read their input from a stream."""
    batch = client.wait(client.submit(LINES), interval=0.01)
    missing = json_lines(line("missing"))

    client.submit(client.failed_lines(batch, Body(DATA + missing)))

    assert uploaded(simulator)[1] == missing


def test_results_are_compared_with_a_stream(client: Any, simulator: Simulator) -> None:
    """The input that `results` compares with can be a stream, and gives the order."""
    batch = client.wait(client.submit(LINES), interval=0.01)

    ordered = list(client.results(batch, order="input", source=Body(DATA)))

    assert [result.custom_id for result in ordered] == [line["custom_id"] for line in LINES]
    with pytest.raises(errors.ResultsIncomplete):
        list(client.results(batch, source=Body(DATA + json_lines(line("another")))))


class Table:
    columns = ("prompt", "answer")

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


class Texts:
    """A stream of texts, though it is not open as text."""

    def read(self, size: int = -1) -> str:
        return "{}"[:size]


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "text": (lambda path: written(DATA, path).open(), "binary mode"),
    "StringIO": (lambda _: io.StringIO(DATA.decode()), "binary mode"),
    "JSON Lines in a string": (lambda _: DATA.decode(), r"source\.encode"),
    "a number": (lambda _: 5, "pass a path, bytes"),
    "one line": (lambda _: LINES[0], "iterable of lines"),
    "a table": (lambda _: Table(), "iterable of lines"),
    "a name and content": (lambda _: ("a.jsonl", DATA), "iterable of lines"),
    "numbers": (lambda _: [1, 2], "Line 1 is of type int"),
    "a line that is not JSON": (lambda _: [{"custom_id": {1}}], "line 1"),
    "a stream of texts": (lambda _: Texts(), "instead of bytes"),
    "a file at its end": (at_its_end, "seek"),
    "a closed file": (closed, "closed"),
    "half a gzip stream": (
        lambda path: gzip.GzipFile(written(gzip.compress(DATA)[:-20], path)),
        "Cannot read",
    ),
    "no gzip stream": (lambda path: gzip.GzipFile(written(DATA, path)), "Cannot read"),
    "a folder": (lambda path: path.parent, "folder"),
    "a missing file": (lambda path: path, "No such file"),
    "an empty path": (lambda _: "", "empty"),
    "a null byte": (lambda _: "a\0b", "Invalid source"),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_source_is_refused(
    client: Any, simulator: Simulator, tmp_path: Path, name: str
) -> None:
    """The error says what to pass instead, and nothing is sent."""
    make, message = WRONG[name]

    for method in (client.submit, client.upload):
        source = make(tmp_path / "input")
        with pytest.raises(errors.ArgumentInvalid, match=message):
            method(source)
        close(source)

    assert asked(simulator) == []


def test_a_file_name_that_is_not_utf_8(client: Any, tmp_path: Path) -> None:
    """The file is uploaded, with '?' for each byte of its name that is not UTF-8."""
    path = written(DATA, tmp_path / "\udcff.jsonl")

    assert client.upload(path).name == "?.jsonl"


def test_a_stream_that_is_too_large(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read to its end."""
    monkeypatch.setattr(sources, "MOST_BYTES", 100_000)
    endless = iter(lambda: LINES[0], None)

    with pytest.raises(errors.InputFileInvalid, match=r"more than 100,000 bytes; split it"):
        client.submit(endless)


def test_a_full_disk(client: Any, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that cannot be copied is an error that says why; nothing is sent."""
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(errors.FileNotWritten, match="No space left"):
            client.submit(Body(DATA))

    assert asked(simulator) == []


def rewrite(path: Path) -> None:
    """Writes other prompts of the same size, and keeps the time of the file."""
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"Say line-", b"Say enil-"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(json_lines(line("later")))


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    written(json_lines(line("another")), path.with_name("draft")).replace(path)


@pytest.mark.parametrize("change", [rewrite, append, shorten, replace])
def test_a_file_that_changes_before_it_is_sent(
    client: Any,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
) -> None:
    """If a file changes after it was checked, the service gets no file and no batch."""
    path = written(DATA, tmp_path / "prompts.jsonl")
    check = validation.validate

    def check_and_change(*arguments: Any, **options: Any) -> Any:
        checked = check(*arguments, **options)
        change(path)
        return checked

    monkeypatch.setattr(validation, "validate", check_and_change)

    with pytest.raises(errors.InputFileChanged, match=r"prompts\.jsonl has changed"):
        client.submit(path)

    assert simulator.service.storage.files == {}
    assert simulator.service.batches == {}


@pytest.mark.parametrize("change", [rewrite, append, shorten])
def test_a_file_that_changes_while_it_is_sent(
    client: Any,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
) -> None:
    """The upload breaks off, and the service gets no file."""
    monkeypatch.setattr(upload, "PIECE", 1)  # httpx asks for 64 kB
    data = json_lines(*(line(f"line-{number}") for number in range(3_000)))
    path = written(data, tmp_path / "prompts.jsonl")

    def on_progress(done: int, total: int | None) -> None:
        if done < 100_000:
            change(path)

    with pytest.raises(errors.InputFileChanged):
        client.submit(path, on_progress=on_progress)

    assert simulator.service.storage.files == {}
    client.submit(written(data, path))
    assert uploaded(simulator) == [data]


def test_an_error_of_on_progress_has_no_key(client: Any, simulator: Simulator) -> None:
    """The caller gets the exception of its own function; no frame of httpx is in its traceback."""

    def fail(done: int, total: int | None) -> None:
        raise LookupError(done, total)

    with pytest.raises(LookupError) as raised:
        client.submit(DATA, on_progress=fail)

    frames = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    libraries = {frame.f_globals["__name__"].partition(".")[0] for frame in frames}
    assert "siliconflow_batch" in libraries
    assert not libraries & {"httpx", "httpcore", "h11"}  # their frames hold the headers
    assert simulator.service.storage.files == {}


class TestCommandLine:
    @pytest.mark.parametrize("command", ["submit", "validate"])
    def test_standard_input(self, site: Simulator, tmp_path: Path, command: str) -> None:
        """`-` and /dev/stdin are standard input, as a pipe or as a file."""
        program = str(Path(sys.executable).with_name("siliconflow-batch"))
        path = written(DATA, tmp_path / "input")

        for name in ("-", "/dev/stdin"):
            subprocess.run([program, command, name], input=DATA, check=True)  # noqa: S603
            with path.open("rb") as file:
                subprocess.run([program, command, name], stdin=file, check=True)  # noqa: S603

        assert uploaded(site) == [DATA] * (4 if command == "submit" else 0)

    def test_pipes_of_a_shell(self, site: Simulator, tmp_path: Path) -> None:
        """Each process substitution and named pipe is read once, and sent whole."""
        program = str(Path(sys.executable).with_name("siliconflow-batch"))
        path, other = written(DATA, tmp_path / "input"), json_lines(line("other"))
        pipe = fifo(tmp_path / "pipe", other)

        command = f"{program} submit <(cat {path}) {pipe}"
        subprocess.run(["bash", "-c", command], check=True)  # noqa: S603, S607

        assert uploaded(site) == [DATA, other]

    def test_it_continues(self, shell: Shell, site: Simulator, tmp_path: Path) -> None:
        """After an error, the same command with pipes of the same content creates what is left."""
        site.faults.add("forbidden", "POST /files", times=1)
        second = json_lines(line("second"))

        first = shell("submit", str(fifo(tmp_path / "a")), str(fifo(tmp_path / "b", second)))
        again = shell("submit", str(fifo(tmp_path / "c")), str(fifo(tmp_path / "d", second)))

        assert (first.status, again.status) == (3, 0)
        assert {*again.out.split()} == {*site.service.batches}
        assert sorted(uploaded(site)) == sorted([DATA, second])

    def test_failed_lines_need_a_file(self, shell: Shell) -> None:
        """stdout has the results already, and no file is called "-"."""
        refused = shell("results", "batch_abc", "--failed-input", "-")

        assert (refused.status, Path("-").exists()) == (2, False)
        assert "--failed-input needs the path of a file" in refused.err

    def test_the_input_of_results(self, shell: Shell, tmp_path: Path) -> None:
        """`--input` can be a pipe; the lines that have no answer are written from it."""
        id = shell("submit", str(written(DATA, tmp_path / "input"))).out.strip()
        shell("wait", id, "--interval", "0.01")
        missing = json_lines(line("missing"))

        shell(
            "results",
            id,
            "--input",
            str(fifo(tmp_path / "pipe", DATA + missing)),
            "--failed-input",
            "again.jsonl",
        )

        assert Path("again.jsonl").read_bytes() == missing
