"""Compiles functions to machine code with numba when their module is first loaded.

The code is cached in __pycache__, or where NUMBA_CACHE_DIR says. numba notices only changes of the
function's own file, so a compiled function calls nothing outside its module.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

import numba

VECTORS: Final = "Array(float32, 2, 'C', True)"
"""A float32 matrix. True: it may be read-only."""
QUERIES: Final = "Array(float64, 2, 'C', True)"
DOUBLES: Final = "Array(float64, 1, 'C', True)"
ROWS: Final = "Array(int32, 1, 'C', True)"
STARTS: Final = "Array(int64, 1, 'C', True)"
log = logging.getLogger(__name__)
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(*signatures: str) -> Callable[[Kernel], Kernel]:
    """Returns a decorator that compiles for these types at once, or without types when called."""

    def compile_kernel(kernel: Kernel) -> Kernel:
        compiling = partial(numba.njit, list(signatures) or None, error_model="numpy")
        try:
            made: Any = compiling(cache=True)(kernel)
        except RuntimeError as error:  # no folder for the cache can be written
            log.warning("machine code is not cached; set NUMBA_CACHE_DIR: %s", error)
            made = compiling()(kernel)
        return cast("Kernel", made)

    return compile_kernel
