"""
What a run costs at most, by the prices of the vendor's batch guide.
"""

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


def price(lines: int, max_tokens: int, model: str) -> str:
    """The highest price of `lines` lines, as a sentence to print before the run."""
    if (row := PRICES.get(model)) is None:
        return f"{lines} lines of {model}: the price of this model is unknown"
    output = max_tokens + (THINKING_TOKENS if row.thinks else 0)
    yuan = lines * (PROMPT_TOKENS * row.input + output * row.output) / 1_000_000
    rounded = yuan.quantize(Decimal("0.01"), ROUND_UP)
    return (
        f"{lines} lines of {model}: at most {rounded} yuan, by the batch guide's prices "
        f"({row.input}/{row.output} yuan for a million tokens of input/output)"
    )
