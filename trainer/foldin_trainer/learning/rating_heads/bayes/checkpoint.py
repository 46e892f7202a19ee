"""Writes and reads the state of an unfinished training in one file that is always complete.

`run` decides what is in it.
"""

import os
import tempfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from foldin_model.errors import FoldinError

Content = dict[str, Any]
DAMAGED: Final = (
    *(EOFError, KeyError, IndexError, AttributeError, TypeError, ValueError, OSError),
    *(RuntimeError, UnpicklingError),
)
"""What torch raises for a foreign file, or for one that was cut short."""


def save(path: Path, content: Content) -> None:
    """Writes `content` to the file, which never holds only part of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def load(path: Path, fingerprint: str, device: torch.device) -> Content | None:
    """Returns what was saved there, or None if there is no file.

    Raises FoldinError if the file is damaged, or belongs to a training with other ratings or
    settings.
    """
    if not path.exists():
        return None
    try:
        content: Content = torch.load(path, map_location=device, weights_only=True)
        found = content["fingerprint"]
    except DAMAGED as failure:
        raise FoldinError(
            f"{path} can't be read as a checkpoint: it is damaged or something else; "
            "remove it to start anew"
        ) from failure
    if found != fingerprint:
        raise FoldinError(
            f"{path} is the checkpoint of a training on other ratings or with other settings; "
            "remove it to start anew"
        )
    return content
