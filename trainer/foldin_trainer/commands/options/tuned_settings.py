"""Merges the settings that `foldin tune` found with the options of `foldin train`.

`foldin_trainer.tuning.settings` reads the file.
"""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource
from foldin_model.errors import FoldinError

from foldin_trainer.learning.heads import all_heads
from foldin_trainer.learning.registry.registration import AUTO
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.tuning.settings import changed, heads_of, read_settings

SHARED: Final = ("dimension", "seed", "device")
"""Options that set the setting of this name of every head."""


def with_tuned_settings(settings: TrainSettings, path: Path) -> TrainSettings:
    """Returns the settings with the file's values and heads; options that were given win.

    Raises FoldinError if the file is for another head than an option names.
    """
    values = read_settings(path)
    rating, ranking = heads_of(values)
    if rating is not None and rating != settings.rating_head:
        _refuse_if_given("rating_head", rating, settings.rating_head)
        settings = replace(settings, rating_head=rating)
    if ranking is not None and settings.ranking_head not in {ranking, AUTO}:
        _refuse_if_given("ranking_head", ranking, settings.ranking_head)
        settings = replace(settings, ranking_head=ranking)
    given = [pattern for option, pattern in _settings_of_options() if _is_given(option)]
    left = {n: value for n, value in values.items() if not any(fnmatchcase(n, p) for p in given)}
    try:
        return changed(settings, left)
    except FoldinError as wrong:
        raise FoldinError(f"{path}: {wrong}") from wrong


def _settings_of_options() -> Iterator[tuple[str, str]]:
    """Yields the options of the command and the flat names of the settings that they set."""
    for option in SHARED:
        yield option, f"*.{option}"
    for head in all_heads().values():
        for option in head.options:
            yield option, f"{head.name}.{option}"


def _is_given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is not ParameterSource.DEFAULT


def _refuse_if_given(option: str, found: str, head: str) -> None:
    if _is_given(option):
        name = f"--{option.replace('_', '-')}"
        raise FoldinError(f"--settings is for {name} {found}, not for {head}; leave one out")
