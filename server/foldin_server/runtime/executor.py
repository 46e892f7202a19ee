"""Decides what runs on the event loop and what leaves it for a thread.

A hop to a thread costs about a tenth of a millisecond of everybody's time, so small work stays.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from foldin_server.runtime.threads import usable_cores

INLINE_MULTIPLICATIONS: Final = 2_000_000  # multiplications, about a millisecond of one core

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# More threads than cores compute no faster, but take the interpreter from the loop, which then
# neither takes calls nor refuses those that are too many. They are not those of asyncio, which
# wait for the store and for slow callers.
_computing: Final = ThreadPoolExecutor(usable_cores(), "computing")


async def offload(
    operations: float,
    work: Callable[Parameters, Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """The result of `work`, done here if it takes about that few multiplications."""
    if operations <= INLINE_MULTIPLICATIONS:
        return work(*args, **kwargs)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_computing, partial(work, *args, **kwargs))
