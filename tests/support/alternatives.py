"""The alternatives of contract/assumptions.yaml and combinations of them, as variants."""

import random
from pathlib import Path
from typing import Any

import yaml

CONTRACT = Path(__file__).parents[2] / "contract"
QUESTIONS: list[dict[str, Any]] = yaml.safe_load(
    (CONTRACT / "assumptions.yaml").read_text(encoding="utf-8")
)["questions"]
MATRIX: dict[str, Any] = yaml.safe_load((CONTRACT / "matrix.yaml").read_text(encoding="utf-8"))
SEEDS = range(1, 21)


def combination(seed: int) -> dict[str, dict[str, str]]:
    """An alternative for each question, chosen at random; the first one has no `variant`."""
    choose = random.Random(seed).choice  # noqa: S311 - not used for secrets
    rows = {question["id"]: choose(question["alternatives"]) for question in QUESTIONS}
    if rows["file-content"]["name"] == "missing":  # then results can only be URLs
        rows["result-reference"] = {"name": "url"}
    if rows["list-paging"]["name"] == "ignored":  # then every list is whole
        rows["list-default-limit"] = {"name": "all"}
    return rows


def variants(seed: int) -> tuple[str, ...]:
    """The variants of a combination."""
    rows = combination(seed).values()
    return tuple(row["variant"] for row in rows if "variant" in row)
