"""
Text that a service wrote, made fit to be shown: shortened, and without what moves the reader's eye.
"""

import re

INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
ILLEGAL_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, from both ends, and how many are left out between them."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    said = f"… {len(text) - limit:,} characters left out …"
    return "\n".join(
        part for part in (text[: limit - tail], said, text[len(text) - tail :]) if part
    )


def visible(text: str) -> str:
    """Control characters, and those that turn the direction of writing, as `\\x1b` and the like."""
    return INVISIBLE.sub(_sign, text.replace("\r\n", "\n"))


def in_one_line(text: str, limit: int) -> str:
    """The text without line breaks and runs of blanks, its end left out where it is long."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def xml(text: str) -> str:
    """Without the characters that no XML 1.0 document may contain."""
    return ILLEGAL_IN_XML.sub("", text)


def _sign(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
