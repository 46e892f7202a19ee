"""Computations beside the event loop: large ones run in a thread, small ones stay on the loop.

The move to a thread costs about a tenth of a millisecond, so that small work is faster on the loop.
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
# neither accepts calls nor refuses those over the limit. The threads of asyncio are others: they
# wait for the store and for slow callers.
_computing: Final = ThreadPoolExecutor(usable_cores(), "computing")


async def offload(
    multiplications: float,
    work: Callable[Parameters, Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """Returns the result of `work`, which takes about so many multiplications.

    Up to INLINE_MULTIPLICATIONS it runs here on the event loop, beyond that in a thread.
    """
    if multiplications <= INLINE_MULTIPLICATIONS:
        return work(*args, **kwargs)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_computing, partial(work, *args, **kwargs))
