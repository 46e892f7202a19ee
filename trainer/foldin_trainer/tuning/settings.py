"""Settings of a training by their flat names, such as "mf.l2": as a manifest and a file have them.

The file is JSON; what a search found and what a training is given look the same.
"""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Final, get_args

from foldin_model.errors import FoldinError
from foldin_model.trained.manifest import Setting

from foldin_trainer.learning.head_choice import RankingHead
from foldin_trainer.learning.train_settings import RatingHead, TrainSettings

KEY: Final = "settings"
REFERENCE: Final = "reference-"
"""What names of methods begin with that are only measured against."""


def changed(settings: TrainSettings, values: Mapping[str, Setting]) -> TrainSettings:
    """The settings with those values; "encoder.kept.0" is the first number of a tuple.

    Raises FoldinError, naming what is unknown, no number, or outside its limits.
    """
    parts: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        head, _, rest = name.partition(".")
        field, _, place = rest.partition(".")
        part = getattr(settings, head, None)
        if not is_dataclass(part) or isinstance(part, type) or not hasattr(part, field):
            raise _unknown(name)
        fields = parts.setdefault(head, {})
        present = fields.get(field, getattr(part, field))
        fitting = _placed(name, value, present, place) if place else _fitting(name, value, present)
        fields[field] = fitting
    # All of a part at once: limits that hang together are for the whole.
    changes = {head: replace(getattr(settings, head), **fields) for head, fields in parts.items()}
    return replace(settings, **changes)


def heads_of(values: Mapping[str, Setting]) -> tuple[RatingHead | None, RankingHead | None]:
    """The one rating head and the one ranking head that the values are settings of."""
    parts = {name.partition(".")[0] for name in values}
    rating = [head for head in get_args(RatingHead) if head in parts]
    ranking = [head for head in get_args(RankingHead) if head in parts]
    return (
        rating[0] if len(rating) == 1 else None,
        ranking[0] if len(ranking) == 1 else None,
    )


def read_settings(path: Path) -> dict[str, Setting]:
    """The values of a file that a search wrote, for a head.

    Raises FoldinError where it is something else, and where the search was for a reference.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as failure:
        raise FoldinError(f"{path} can't be read as settings: {failure}") from failure
    found = document.get(KEY) if isinstance(document, dict) else None
    method = document.get("method") if isinstance(document, dict) else None
    if isinstance(method, str) and method.startswith(REFERENCE):
        raise FoldinError(
            f"{path} is for {method}, which models are compared with and which can't be trained "
            "to serve; tune a head"
        )
    if not isinstance(found, dict):
        raise FoldinError(f"{path} has no object {KEY!r}; give a file that `foldin tune` wrote")
    return found


def _unknown(name: str) -> FoldinError:
    return FoldinError(f"there is no setting {name!r}; `foldin tune` writes those that there are")


def _placed(name: str, value: Setting, present: object, place: str) -> tuple[object, ...]:
    """The tuple with the value at that place."""
    places = [str(at) for at in range(len(present))] if isinstance(present, tuple) else []
    if not isinstance(present, tuple) or place not in places:
        raise _unknown(name)
    at = places.index(place)
    return (*present[:at], _fitting(name, value, present[at]), *present[at + 1 :])


def _fitting(name: str, value: Setting, present: object) -> Setting:
    """The value where it is of the kind of the present one."""
    if isinstance(value, int) and not isinstance(value, bool):
        if isinstance(present, float):
            return float(value) if abs(value) < sys.float_info.max else math.inf
        if present is None:
            return value
    if type(value) is type(present):
        return value
    raise FoldinError(f"{name} is {value!r}, not like its default {present!r}")
