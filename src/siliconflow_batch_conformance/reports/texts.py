"""
Text from a service, made safe to show: shortened, and with invisible characters escaped.
"""

import re

INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
ILLEGAL_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def cut(text: str, limit: int) -> str:
    """Shortens a text to `limit` characters from both ends, with a note between them."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    note = f"… {len(text) - limit:,} characters omitted …"
    return "\n".join(
        part for part in (text[: limit - tail], note, text[len(text) - tail :]) if part
    )


def visible(text: str) -> str:
    """Escapes control characters and marks of the writing direction, as in `\\x1b`."""
    return INVISIBLE.sub(_escape, text.replace("\r\n", "\n"))


def in_one_line(text: str, limit: int) -> str:
    """The text on one line, cut at `limit` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def xml(text: str) -> str:
    """The text without the characters that XML 1.0 forbids."""
    return ILLEGAL_IN_XML.sub("", text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
