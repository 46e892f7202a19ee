"""The number and the scheduling of a process's threads other than the event loop's.

Numeric libraries use one thread each, since a server gets its parallelism from processes.
"""

import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_before_import(environment: MutableMapping[str, str] = os.environ) -> None:
    """Makes libraries loaded from now on start with one thread. Call it before importing numpy."""
    for variable in VARIABLES:
        environment[variable] = "1"


def limit_now() -> None:
    """Makes the libraries that are loaded already run with one thread each."""
    import faiss  # noqa: PLC0415 (the caller chooses when the libraries are loaded)
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    faiss.omp_set_num_threads(1)
    threadpool_limits(limits=1)


def usable_cores() -> int:
    """Returns the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def batch_scheduling() -> Iterator[None]:
    """Threads started inside the block, and their own threads, are scheduled by SCHED_BATCH.

    Such a thread never interrupts the thread that started it (see sched(7)). Threads that receive
    calls then hand over many at a time; where processes share the cores, they would otherwise stop
    the event loop for every single call. If the process runs under another policy than the usual
    one, nothing is changed.
    """
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    with suppress(OSError):  # a sandbox may forbid it; the server works without it, only slower
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
