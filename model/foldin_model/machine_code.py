"""Functions made to machine code by numba when their module is first loaded.

The code is kept in __pycache__, or where NUMBA_CACHE_DIR says. numba makes it again where its own
file has changed: so whatever such a function calls stands in its module.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

import numba

VECTORS: Final = "Array(float32, 2, 'C', True)"
"""A matrix in float32. True: a read-only one will do."""
QUERIES: Final = "Array(float64, 2, 'C', True)"
DOUBLES: Final = "Array(float64, 1, 'C', True)"
ROWS: Final = "Array(int32, 1, 'C', True)"
STARTS: Final = "Array(int64, 1, 'C', True)"
log = logging.getLogger(__name__)
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(*signatures: str) -> Callable[[Kernel], Kernel]:
    """Makes machine code of a function for these types at once; without types, for its callers."""

    def compile_kernel(kernel: Kernel) -> Kernel:
        compiling = partial(numba.njit, list(signatures) or None, error_model="numpy")
        try:
            made: Any = compiling(cache=True)(kernel)
        except RuntimeError as error:  # there is no folder that can be written
            log.warning("machine code is not kept; set NUMBA_CACHE_DIR: %s", error)
            made = compiling()(kernel)
        return cast("Kernel", made)

    return compile_kernel
