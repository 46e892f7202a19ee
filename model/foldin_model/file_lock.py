"""Locks on files, which the kernel gives back when their holder dies; POSIX only."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else holds the lock of this file meanwhile; waits for those who do."""
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def share(file: IO[bytes]) -> None:
    """The lock of this open file is held together with all who share it."""
    fcntl.flock(file, fcntl.LOCK_SH)


def try_lock(file: IO[bytes]) -> bool:
    """Whether nobody else holds the lock of this open file; it is held alone then."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
