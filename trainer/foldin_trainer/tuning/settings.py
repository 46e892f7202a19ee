"""Settings of a training by their flat names, such as "mf.l2": as a manifest and a file have them.

The file is JSON; what a search found and what a training is given look the same.
"""

import json
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from foldin_model.errors import FoldinError
from foldin_model.manifest import Setting

from foldin_trainer.learning.choosing import RankingHead
from foldin_trainer.learning.train_settings import RatingHead, TrainSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KEY: Final = "settings"
D = TypeVar("D", bound="DataclassInstance")


def changed(settings: TrainSettings, values: Mapping[str, Setting]) -> TrainSettings:
    """The settings with those values; "encoder.kept.0" is the first number of a tuple.

    Raises FoldinError, naming what is unknown or no number.
    """
    for name, value in values.items():
        head, _, rest = name.partition(".")
        field, _, place = rest.partition(".")
        part = getattr(settings, head, None)
        if not is_dataclass(part) or isinstance(part, type) or not hasattr(part, field):
            raise _unknown(name)
        present = getattr(part, field)
        fitting = _placed(name, value, present, place) if place else _fitting(name, value, present)
        settings = _with(settings, head, _with(part, field, fitting))
    return settings


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
    """The values of a file that a search wrote. Raises FoldinError where it is something else."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as failure:
        raise FoldinError(f"{path} can't be read as settings: {failure}") from failure
    found = document.get(KEY) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise FoldinError(f"{path} has no object {KEY!r}; give a file that `foldin tune` wrote")
    return found


def _with(whole: D, field: str, value: object) -> D:
    return replace(whole, **{field: value})


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
    if isinstance(present, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is type(present) or (present is None and isinstance(value, int)):
        return value
    raise FoldinError(f"{name} is {value!r}, not like its default {present!r}")
