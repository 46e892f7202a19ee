"""Types of numbers for options, which refuse impossible values when they are parsed."""

import math
from typing import Final

import click

from foldin_trainer.learning.registry import limits


def _whole(within: limits.Within) -> click.IntRange:
    return click.IntRange(int(within.low), int(within.high))


SEED: Final = _whole(limits.SEED)
DIMENSION: Final = _whole(limits.DIMENSIONS)


class FiniteRange(click.FloatRange):
    """A FloatRange that refuses infinity and nan; nan passes any comparison with a limit."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number.", param, ctx)
        return number
