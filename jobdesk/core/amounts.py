"""Amounts of money as people read them."""

from decimal import Decimal


def written(amount: int, decimals: int) -> str:
    """Minor units with so many decimal places."""
    return f"{Decimal(amount).scaleb(-decimals):.{decimals}f}"
