"""Chooses where torch computes, on how many threads, and with which random numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import torch
from foldin_model.errors import InvalidField, Violation
from threadpoolctl import threadpool_limits

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: Final[tuple[DeviceName, ...]] = ("auto", "cpu", "cuda", "mps")

WORTH_SHARING: Final = 2_000_000  # ratings


def choose_device(name: DeviceName) -> torch.device:
    """Returns the named device; "auto" is CUDA, else Apple's GPU, else the CPU.

    Raises InvalidField where this machine does not have the device.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    usable = [*(kind for kind, is_found in found.items() if is_found), "cpu"]
    if name not in ("auto", *usable):
        choices = " or ".join(("auto", *usable))
        raise InvalidField(Violation("device", f"torch finds no {name!r} here; choose {choices}"))
    return torch.device(usable[0] if name == "auto" else name)


def seeded(seed: int) -> torch.Generator:
    """Returns a generator on the CPU, so that every device starts from the same numbers."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def threads_for(ratings: int) -> Iterator[None]:
    """Limits the block to one thread unless there are millions of ratings.

    With fewer ratings the pieces of work are so small that threads mostly wait for one another: on
    a busy machine of two cores, training took four times the processor time, and longer.
    """
    if ratings >= WORTH_SHARING:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
