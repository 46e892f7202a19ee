"""Where torch computes, and with which random numbers.

The choice of a device only; what is computed there belongs to the callers.
"""

from typing import Final, Literal

import torch

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: Final[tuple[DeviceName, ...]] = ("auto", "cpu", "cuda", "mps")


def choose_device(name: DeviceName) -> torch.device:
    """The named device; "auto" is CUDA, else Apple's GPU, else the CPU."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def seeded(seed: int) -> torch.Generator:
    """A generator on the CPU, so that every device starts from the same numbers."""
    return torch.Generator().manual_seed(seed)
