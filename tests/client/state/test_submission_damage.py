"""Damaged records of submissions: a batch that may exist is never forgotten."""

import itertools
import random
from pathlib import Path

import pytest

from siliconflow_batch.cli.exits import exit_status
from siliconflow_batch.state.submissions import Submission, SubmissionFile, SubmissionUnreadable

NOW = 1_741_685_413.0
GARBAGE = (
    *(b"\x01", b"[1]", b"{}", b'"x"', b"\xff\xfe{", b"[" * 20_000),
    *(b'{"version": 0}', b'{"version": 1, "pid": 1}', b'{"version": 1, \x01'),
)


def opened() -> SubmissionFile:
    return SubmissionFile.open("account", "name", "request", token="t", clock=lambda: NOW)


@pytest.fixture
def path() -> Path:
    """A file of four records: begun, uploaded, creating, created."""
    with opened() as file:
        file.record(file_id="file-1")
        file.record(creating=NOW + 2)
        file.record(batch_id="batch_a")
    return file.path


def reopened(path: Path, content: bytes) -> Submission:
    path.write_bytes(content)
    with opened() as file:
        return file.submission


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[1:]


def test_a_file_cut_off_anywhere_is_continued(path: Path) -> None:
    """Its complete records count. If one is cut off after others, a batch may exist."""
    whole = path.read_bytes()
    ends = list(itertools.accumulate(len(line) + 1 for line in lines(path)))

    for size in range(len(whole) + 1):
        found = reopened(path, whole[:size])
        complete = sum(size >= end for end in ends)
        cut_off = size not in {0, *ends, *(end + 1 for end in ends)} and size > 1

        assert found.file_id == ("file-1" if complete >= 2 else None), size
        assert found.batch_id == ("batch_a" if complete == 4 else None), size
        assert (found.creating is not None) == (complete >= 3 or (cut_off and complete >= 1)), size


@pytest.mark.parametrize("zeros", [1, 300])
def test_zeros_after_a_loss_of_power(path: Path, zeros: int) -> None:
    """A file of zero bytes was not begun; zeros after records mean that a batch may exist."""
    first = lines(path)[0]

    assert reopened(path, b"\0" * zeros) == Submission("t", "request", NOW)
    assert reopened(path, b"\n" + first + b"\n" + b"\0" * zeros).creating == NOW


def test_records_in_any_order_say_the_same(path: Path) -> None:
    """No order loses a fact."""
    records = lines(path)
    expected = Submission(
        "t", "request", NOW, file_id="file-1", creating=NOW + 2, batch_id="batch_a"
    )

    for order in itertools.permutations(records):
        assert reopened(path, b"\n" + b"\n".join(order)) == expected


@pytest.mark.parametrize("number", range(4))
def test_any_record_can_be_lost(path: Path, number: int) -> None:
    """A line that cannot be read takes nothing from the others, and may have been a creation."""
    records = lines(path)
    records[number] = b"\x01" * 40

    found = reopened(path, b"\n" + b"\n".join(records[:4]))

    assert found.token == "t"
    assert found.creating is not None


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_damaged_file_is_named(path: Path, garbage: bytes) -> None:
    """Without one readable record nothing can be concluded: the file is named, and it stays."""
    with pytest.raises(SubmissionUnreadable) as raised:
        reopened(path, b"\n" + garbage)

    assert path.read_bytes() == b"\n" + garbage
    assert str(raised.value) == (
        f"Cannot read {path}: it is damaged. It is the record of a submission, and its batch may "
        "exist. Nothing was sent.\n\n"
        "Look for the batch in the list of batches. Delete the file if there is none."
    )
    assert exit_status(raised.value) == 2


@pytest.mark.parametrize("records", ["later", "mixed"])
def test_a_file_of_a_later_version_is_refused(path: Path, records: str) -> None:
    """A later version may record facts that this one does not know."""
    later = lines(path)[0].replace(b'"version": 1', b'"version": 2')
    before = lines(path)[0] if records == "mixed" else b""

    with pytest.raises(SubmissionUnreadable, match="a later version of this package"):
        reopened(path, b"\n" + before + b"\n" + later)


@pytest.mark.parametrize("name", ["token", "request"])
def test_two_submissions_in_one_file_are_refused(path: Path, name: str) -> None:
    """Records of two tokens or two requests contradict each other."""
    first = lines(path)[0]
    value = {"token": b'"t"', "request": b'"request"'}[name]
    other = first.replace(b'"%b": %b' % (name.encode(), value), b'"%b": "other"' % name.encode())

    with pytest.raises(SubmissionUnreadable, match="it contains two submissions"):
        reopened(path, b"\n" + first + b"\n" + other)


def test_bytes_changed_at_random_never_lose_a_creation(path: Path) -> None:
    """Whatever is damaged in a file that records a creation, it is refused or still recorded."""
    chance = random.Random(7)  # noqa: S311 - not for secrets
    whole = b"\n" + b"\n".join(lines(path)[:3])
    outcomes = set()

    for _ in range(2000):
        damaged = bytearray(whole)
        begin = chance.randrange(len(whole))
        for place in range(begin, min(len(whole), begin + chance.randrange(1, 700))):
            damaged[place] = chance.randrange(256)
        try:
            outcomes.add(reopened(path, bytes(damaged)).creating is not None)
        except SubmissionUnreadable:
            outcomes.add(True)

    assert outcomes == {True}
