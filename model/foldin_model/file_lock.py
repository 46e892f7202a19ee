"""Locks on files, which the kernel releases when their holder dies; POSIX only."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock of a file exclusively in the block; waits until it is free."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def share(file: IO[bytes]) -> None:
    """Takes a shared lock of an open file; waits while it is held exclusively."""
    fcntl.flock(file, fcntl.LOCK_SH)


def try_lock(file: IO[bytes]) -> bool:
    """Takes the lock of an open file exclusively if it is free; returns whether it did."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
