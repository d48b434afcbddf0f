"""Names other file formats and invalid lines, and says how to convert them."""

import json

ARRAY = "a JSON array; write each element on a line of its own: jq -c '.[]' FILE > lines.jsonl"
PRETTY = "JSON over several lines; write each object on one line: jq -c . FILE > lines.jsonl"
TABLE = "a table (CSV); make a line of each row, for example with chat_lines and write_lines"
STARTS = {
    b"\x1f\x8b": "compressed with gzip; decompress it: gunzip FILE",
    b"PK\x03\x04": "a spreadsheet or a zip archive; save it as CSV, and make a line of each row",
    b"PAR1": "a Parquet file; make a line of each row, for example with chat_lines and write_lines",
    b"\xff\xfe": "UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > lines.jsonl",
    b"\xfe\xff": "UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > lines.jsonl",
}
HALVES = (b"{\0", b"\0{")  # of a line in UTF-16 without a byte order mark


def other_kind(first: bytes) -> str:
    """The format of a file, by its first line; empty for JSON Lines and for unknown formats."""
    for start, kind in STARTS.items():
        if first.startswith(start):
            return kind
    if first.startswith(HALVES):
        return STARTS[b"\xff\xfe"]
    text = first.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"["):
        return ARRAY
    if text == b"{" or (text.startswith(b"{") and text.endswith(b",") and not _is_json(text)):
        return PRETTY
    separators = max(text.count(one) for one in (b",", b";", b"\t"))
    is_text = text.replace(b"\t", b"").decode(errors="replace").isprintable()
    if separators and is_text and text[:1] not in b"{\"'" + b"0123456789-":
        return TABLE
    return ""


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def why_not_json(raw: bytes) -> str:
    """Why a line is not JSON, and where."""
    if not raw.strip():
        return "the line is empty; remove it"
    try:
        json.loads(raw.decode())
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}"
    except RecursionError:
        return "nested too deeply"
    except ValueError as error:
        return str(error)
    return "not JSON: NaN, Infinity, a number out of range, or half of a surrogate pair (\\ud83d)"
