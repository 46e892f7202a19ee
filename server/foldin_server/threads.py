"""Keeps the numeric libraries at one thread each, for a server gets its parallelism from processes.

It does not limit threads that the server itself starts.
"""

import os
from collections.abc import MutableMapping

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_before_import(environment: MutableMapping[str, str] = os.environ) -> None:
    """Libraries loaded from now on start with one thread. Call it before numpy is imported."""
    for variable in VARIABLES:
        environment[variable] = "1"


def limit_now() -> None:
    """The libraries that are loaded run with one thread each, whatever they started with."""
    import faiss  # noqa: PLC0415 (the caller chooses when the libraries are loaded)
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    faiss.omp_set_num_threads(1)
    threadpool_limits(limits=1)
