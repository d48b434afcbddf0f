"""Digests, which name what must not be on disk: keys, and the content of input files."""

import hashlib
import re

import httpx


def account_digest(base_url: str, key: str) -> str:
    """
    Names an account at a site, as `<host>-<16 hexadecimal digits>`; the key cannot be read from it.

    Spellings of one base URL have one digest. The result is a safe name for a folder.
    """
    url = httpx.URL(base_url)
    normalized = f"{url.scheme}://{url.netloc.decode()}{url.path.rstrip('/')}"
    host = re.sub(r"[^a-z0-9.-]", "_", url.host)
    # These bytes name the folders of existing journals.
    key_digest = hashlib.sha256(b"siliconflow-batch conformance\0" + key.encode()).hexdigest()[:32]
    return f"{host}-{hashlib.sha256(f'{normalized} {key_digest}'.encode()).hexdigest()[:16]}"


def digest(*parts: str) -> str:
    """Names a sequence of texts by 32 hexadecimal digits; other sequences have other names."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        whole.update(b"%d:%b" % (len(raw), raw))
    return whole.hexdigest()[:32]
