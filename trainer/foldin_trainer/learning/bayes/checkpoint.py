"""A training on its way, in one file that is always whole.

What is in it belongs to `training`; only its writing and reading are here.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from foldin_model.errors import FoldinError

Content = dict[str, Any]


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

    Raises FoldinError where that was another training: other ratings or settings.
    """
    if not path.exists():
        return None
    content: Content = torch.load(path, map_location=device, weights_only=True)
    if content["fingerprint"] != fingerprint:
        raise FoldinError(
            f"{path} is the checkpoint of a training on other ratings or with other settings; "
            "remove it to start anew"
        )
    return content
