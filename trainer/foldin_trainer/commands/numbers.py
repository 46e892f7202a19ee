"""The numbers that options take; one that no computation could bear is refused as it is read."""

import math
from typing import Final

import click

SEED: Final = click.IntRange(0, 2**32 - 1)
"""What NumPy and scikit-learn both take."""


class FiniteRange(click.FloatRange):
    """A FloatRange without infinity and nan, which no limit compares with."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number.", param, ctx)
        return number
