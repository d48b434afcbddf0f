"""
What a run costs at most, by the prices of the vendor's batch guide.
"""

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal

from attrs import define

THINKING_TOKENS = 32_768  # the guide allows a thinking_budget of 128 to 32768
PROMPT_TOKENS = 64  # of one of the suite's prompts, including the model's template


@define(frozen=True)
class Price:
    """Yuan for a million tokens in a batch; `thinks` adds THINKING_TOKENS to each result."""

    input: Decimal
    output: Decimal
    thinks: bool = False


# The batch guide's prices, half of the real-time ones.
PRICES = {
    "deepseek-ai/DeepSeek-R1": Price(Decimal(2), Decimal(8), thinks=True),
    "deepseek-ai/DeepSeek-V3": Price(Decimal(1), Decimal(4)),
    "Qwen/QwQ-32B": Price(Decimal("0.5"), Decimal(2), thinks=True),
    "deepseek-ai/DeepSeek-V3.1-Terminus": Price(Decimal(2), Decimal(6), thinks=True),
    "moonshotai/Kimi-K2-Instruct-0905": Price(Decimal(2), Decimal(8)),
}


def highest_price(lines: Mapping[str, int], max_tokens: int) -> str:
    """What so many lines of each model cost at most, as a sentence."""
    counts = " and ".join(f"{number} lines of {model}" for model, number in lines.items())
    if unknown := sorted(lines.keys() - PRICES.keys()):
        return f"{counts}; the price of {' and '.join(unknown)} is unknown"
    yuan = sum(number * _cost(PRICES[model], max_tokens) for model, number in lines.items())
    rounded = Decimal(yuan).quantize(Decimal("0.01"), ROUND_UP)
    return f"{counts} cost at most {rounded} yuan, by the batch guide's prices"


def _cost(row: Price, max_tokens: int) -> Decimal:
    """What one line costs at most, in yuan."""
    output = max_tokens + (THINKING_TOKENS if row.thinks else 0)
    return (PROMPT_TOKENS * row.input + output * row.output) / 1_000_000
