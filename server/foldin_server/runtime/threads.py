"""The threads of a process beside its loop's: how many there are, and whether they interrupt it.

Numeric libraries have one each, for a server gets its parallelism from processes.
"""

import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress

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


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def batch_scheduling() -> Iterator[None]:
    """Threads started inside the block, and theirs, never interrupt the thread that starts them.

    They are to hand over what comes, many calls at a time. Where processes share the cores, they
    would stop the loop that answers for each of them. Where another way of scheduling (sched(7))
    was chosen, all stays as it is.
    """
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    with suppress(OSError):  # a sandbox may forbid it: then they interrupt, and serve nonetheless
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
