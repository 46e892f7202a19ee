"""Decides what runs on the event loop and what leaves it for a thread.

A hop to a thread costs about a tenth of a millisecond of everybody's time, so small work stays.
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

INLINE_OPERATIONS: Final = 2_000_000  # multiplications, about a millisecond of one core

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def offload(
    operations: float,
    work: Callable[Parameters, Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """The result of `work`, done here if it takes about that few multiplications."""
    if operations <= INLINE_OPERATIONS:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
