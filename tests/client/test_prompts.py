"""From prompts to lines, and from lines to files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import write_lines
from siliconflow_batch.errors import ArgumentInvalid
from siliconflow_batch.input_files.prompts import chat_lines
from siliconflow_batch.input_files.validation import check, validate
from support.account import json_lines, line

USER = {"role": "user", "content": "Hi"}


class TestChatLines:
    def test_prompts_become_lines(self) -> None:
        """A prompt is a string, messages, or one of these with a custom_id."""
        prompts: list[Any] = ["One", [USER], ("id", "Three")]

        lines = list(chat_lines(prompts, model="m", system="Be kind", max_tokens=5, top_p=None))

        system = {"role": "system", "content": "Be kind"}
        assert [line["custom_id"] for line in lines] == ["request-1", "request-2", "id"]
        assert [line["body"]["messages"] for line in lines] == [
            [system, {"role": "user", "content": "One"}],
            [system, USER],
            [system, {"role": "user", "content": "Three"}],
        ]
        assert {(line["method"], line["url"]) for line in lines} == {
            ("POST", "/v1/chat/completions")
        }
        assert all(line["body"].keys() == {"model", "max_tokens", "messages"} for line in lines)
        assert list(check(json_lines(*lines))) == []

    def test_a_mapping_gives_the_ids(self) -> None:
        """The keys of a mapping are the custom_ids of its prompts."""
        prompts: Any = {"a": "One", "b": "Two"}

        assert [line["custom_id"] for line in chat_lines(prompts)] == ["a", "b"]

    def test_messages_keep_their_own_system_message(self) -> None:
        """`system` is added to messages without one, in a copy of the caller's list."""
        own = [{"role": "system", "content": "Own"}, USER]
        bare = [USER]

        first, second = chat_lines([own, bare], system="Other")

        assert first["body"]["messages"] == own
        assert len(second["body"]["messages"]) == 2
        assert bare == [USER]

    @pytest.mark.parametrize(
        ("prompts", "reason"),
        [
            ("Hi", "`prompts` must be a list of prompts, not str"),
            ([], "`prompts` is empty"),
            (["Hi", ""], "prompt 2: body.messages: must be a non-empty list of messages, not ''"),
            (["Hi", []], "prompt 2: body.messages: must be a non-empty list of messages"),
            (["Hi", 5], "prompt 2: body.messages: must be a non-empty list of messages, not 5"),
            ([("a", "x"), ("a", "y")], "prompt 2: custom_id: 'a' is already used in line 1"),
            ([("request-2", "x"), "y"], "prompt 2: custom_id: 'request-2' is already"),
            ([(5, "x")], "prompt 1: custom_id: must be a non-empty string, not 5"),
            (
                [("a", "b", "c")],
                "prompt 1: body.messages: must be a non-empty list of messages, not (",
            ),
            ([[USER, {"role": "assistant"}]], "prompt 1: body.messages: the last message must"),
        ],
    )
    def test_an_invalid_prompt_is_refused(self, prompts: Any, reason: str) -> None:
        """A prompt is refused if its line would be invalid."""
        with pytest.raises(ArgumentInvalid) as refused:
            list(chat_lines(prompts, system="Be kind"))

        assert str(refused.value).startswith(reason)

    def test_messages_are_no_parameter(self) -> None:
        """`messages` is refused when the function is called."""
        with pytest.raises(ArgumentInvalid, match="Remove the parameter `messages`"):
            chat_lines(["Hi"], messages=[])


class TestWriteLines:
    def test_written_lines_are_valid(self, tmp_path: Path) -> None:
        """Written lines pass the check, read back the same, and survive str.splitlines."""
        path = tmp_path / "requests.jsonl"
        prompts = ["\u2028 \u2029 \u0085 \u001c \r\n", "你好 😀"]

        assert write_lines(path, chat_lines(prompts, model="m")) == 2

        text = path.read_text(encoding="utf-8")
        assert validate(path).lines == len(text.splitlines()) == 2
        assert [
            json.loads(line)["body"]["messages"][0]["content"] for line in text.splitlines()
        ] == prompts
        assert "你好 😀" in text

    @pytest.mark.parametrize(
        "bad", [{"x": float("nan")}, {"x": "\ud83d"}, {"x": object()}, 5, None]
    )
    @pytest.mark.parametrize("before", [b"precious", None])
    def test_an_error_changes_nothing(self, bad: Any, before: bytes | None, tmp_path: Path) -> None:
        """An earlier file is kept, and no partial file is left."""
        path = tmp_path / "requests.jsonl"
        if before is not None:
            path.write_bytes(before)

        with pytest.raises(ArgumentInvalid, match="Cannot write line 2 as JSON"):
            write_lines(path, [line(), bad])

        assert [file.read_bytes() for file in tmp_path.iterdir()] == ([before] if before else [])

    def test_no_lines_are_refused(self, tmp_path: Path) -> None:
        """An empty input file is not written."""
        with pytest.raises(ArgumentInvalid, match="`lines` is empty"):
            write_lines(tmp_path / "requests.jsonl", [])

        assert list(tmp_path.iterdir()) == []

    def test_a_replaced_file_keeps_its_mode(self, tmp_path: Path) -> None:
        """A file that only its owner can read stays so."""
        path = tmp_path / "requests.jsonl"
        path.touch(mode=0o600)

        write_lines(path, [line()])

        assert path.stat().st_mode & 0o777 == 0o600


class Number:
    """A number of numpy, as far as JSON is concerned."""

    ndim, dtype = 0, "int64"

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value


class Table:
    """A data frame: an iterable of its columns' names."""

    columns = ("id", "prompt")

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


class NAType:
    """pandas.NA, whose truth is an error."""

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


def test_a_table_is_no_list_of_prompts() -> None:
    """Its columns' names would become the prompts; the message says what to pass."""
    table: Any = Table()

    with pytest.raises(ArgumentInvalid, match=r"'id', 'prompt'; pass one of them, such as table"):
        chat_lines(table, model="m")


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    """As parameters, and anywhere in a line."""
    (made,) = chat_lines(["Hi"], model="m", max_tokens=Number(5), temperature=Number(0.5))
    write_lines(tmp_path / "out.jsonl", [{**made, "extra": Number(7)}])

    written = json.loads((tmp_path / "out.jsonl").read_text())
    assert (written["body"]["max_tokens"], written["body"]["temperature"]) == (5, 0.5)
    assert written["extra"] == 7


@pytest.mark.parametrize("missing", [None, float("nan"), NAType()])
def test_a_missing_prompt_is_named_by_its_row(missing: Any) -> None:
    """With what is there instead."""
    with pytest.raises(ArgumentInvalid, match=r"prompt 2 is missing \(.*\): drop it or fill it in"):
        list(chat_lines(["Hi", missing], model="m"))
