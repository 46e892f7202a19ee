"""A training on its way, in one file that is always whole.

What is in it belongs to `training`; only its writing and reading are here.
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
"""What torch raises for a file that is none of its own, or one cut short."""


def save(path: Path, content: Content) -> None:
    """The file holds `content` now; at no moment does it hold part of it."""
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
    """What was saved there, None where nothing was.

    Raises FoldinError where the file is damaged, and where that was another training: other ratings
    or settings.
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
