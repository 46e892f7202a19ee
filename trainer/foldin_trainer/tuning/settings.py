"""Settings of a training by their flat names, such as "mf.l2", as manifests and files have them.

A file is JSON. What a search found and what a training takes look the same.
"""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from foldin_model.errors import FoldinError
from foldin_model.trained.manifest import Setting

from foldin_trainer.learning.heads import RANKING_HEADS, RATING_HEADS, head_named
from foldin_trainer.learning.train_settings import TrainSettings

KEY: Final = "settings"
REFERENCE: Final = "reference-"
"""The names of methods that models are only compared with begin with this."""


def changed(settings: TrainSettings, values: Mapping[str, Setting]) -> TrainSettings:
    """Returns the settings with those values; "encoder.kept.0" is the first number of a tuple.

    Raises FoldinError, naming the value, where its head or setting is unknown, where it has the
    wrong type, and where it is outside its limits.
    """
    changes: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        head, _, rest = name.partition(".")
        field, _, place = rest.partition(".")
        try:
            part = settings.heads.of(head_named(head).settings)
        except FoldinError as unknown:
            raise FoldinError(f"there is no setting {name!r}: {unknown}") from unknown
        if field not in {one.name for one in fields(part)}:
            raise _unknown(name)
        present = changes.setdefault(head, {}).get(field, getattr(part, field))
        fitting = _placed(name, value, present, place) if place else _fitting(name, value, present)
        changes[head][field] = fitting
    # All settings of a head at once: some limits depend on several of them.
    parts = (
        replace(settings.heads.of(head_named(head).settings), **values_)
        for head, values_ in changes.items()
    )
    return settings.with_heads(*parts)


def heads_of(values: Mapping[str, Setting]) -> tuple[str | None, str | None]:
    """Returns the one rating head and the one ranking head that the values are settings of."""
    parts = {name.partition(".")[0] for name in values}
    rating = [head for head in RATING_HEADS if head in parts]
    ranking = [head for head in RANKING_HEADS if head in parts]
    return (
        rating[0] if len(rating) == 1 else None,
        ranking[0] if len(ranking) == 1 else None,
    )


def read_settings(path: Path) -> dict[str, Setting]:
    """Returns the values of a file that a search wrote, for a head.

    Raises FoldinError where it is another kind of file, and where the search was for a reference
    or for an unknown head.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as failure:
        raise FoldinError(f"{path} can't be read as settings: {failure}") from failure
    found = document.get(KEY) if isinstance(document, dict) else None
    method = document.get("method") if isinstance(document, dict) else None
    if isinstance(method, str):
        _check_method(path, method)
    if not isinstance(found, dict):
        raise FoldinError(f"{path} has no object {KEY!r}; give a file that `foldin tune` wrote")
    return found


def _check_method(path: Path, method: str) -> None:
    if method.startswith(REFERENCE):
        raise FoldinError(
            f"{path} is for {method}, which models are compared with and which can't be trained "
            "to serve; tune a head"
        )
    try:
        head_named(method)
    except FoldinError as unknown:
        raise FoldinError(f"{path}: {unknown}") from unknown


def _unknown(name: str) -> FoldinError:
    return FoldinError(
        f"there is no setting {name!r}; files that `foldin tune` wrote show which there are"
    )


def _placed(name: str, value: Setting, present: object, place: str) -> tuple[object, ...]:
    """Returns the tuple with the value at that place."""
    places = [str(at) for at in range(len(present))] if isinstance(present, tuple) else []
    if not isinstance(present, tuple) or place not in places:
        raise _unknown(name)
    at = places.index(place)
    return (*present[:at], _fitting(name, value, present[at]), *present[at + 1 :])


def _fitting(name: str, value: Setting, present: object) -> Setting:
    """Returns the value if it has the type of the present one."""
    if isinstance(value, int) and not isinstance(value, bool):
        if isinstance(present, float):
            return float(value) if abs(value) < sys.float_info.max else math.inf
        if present is None:
            return value
    if type(value) is type(present):
        return value
    raise FoldinError(f"{name} is {value!r}, not like its default {present!r}")
