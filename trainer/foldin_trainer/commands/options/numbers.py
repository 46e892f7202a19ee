"""The numbers that options take; one that no computation could bear is refused as it is read."""

import math
from typing import Final

import click

from foldin_trainer.learning.registry import limits


def _whole(within: limits.Within) -> click.IntRange:
    return click.IntRange(int(within.low), int(within.high))


SEED: Final = _whole(limits.SEED)
DIMENSION: Final = _whole(limits.DIMENSIONS)


class FiniteRange(click.FloatRange):
    """A FloatRange without infinity and nan, which no limit compares with."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not a finite number.", param, ctx)
        return number
