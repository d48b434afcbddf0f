"""Entries of HAR files, as tools write them."""

import json
from pathlib import Path
from typing import Any

BASE = "https://api.siliconflow.cn/v1"
KEY, OTHER, WRONG = "sk-one-1234567890", "sk-two-1234567890", "sk-wrong-1234567890"

Entry = dict[str, Any]


def entry(
    url: str = f"{BASE}/batches",
    *,
    method: str = "GET",
    key: str | None = KEY,
    status: int = 200,
    text: str | None = '{"object": "list"}',
    started: str = "2026-05-01T10:00:00.000Z",
    **more: Any,
) -> Entry:
    """An entry with the fields that every tool writes."""
    headers = [{"name": "Authorization", "value": f"Bearer {key}"}] if key else []
    content = {"mimeType": "application/json"} | ({} if text is None else {"text": text})
    return {
        "startedDateTime": started,
        "time": 250,
        "request": {"method": method, "url": url, "headers": headers, **more.pop("request", {})},
        "response": {"status": status, "headers": [], "content": content, **more},
    }


def saved(folder: Path, *entries: Entry, name: str = "traffic.har") -> Path:
    path = folder / name
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}))
    return path
