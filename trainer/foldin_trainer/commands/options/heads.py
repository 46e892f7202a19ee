"""Options about heads: which ones are trained, and the few of their settings that are options.

All of them follow the registries of `learning.heads`; no head is named here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from foldin_trainer.learning.heads import (
    RANKING_HEADS,
    RATING_HEADS,
    all_heads,
    ranking_choices,
)
from foldin_trainer.learning.registry.limits import Within
from foldin_trainer.learning.registry.registration import AUTO, Registration
from foldin_trainer.learning.train_settings import TrainSettings

P = ParamSpec("P")
T = TypeVar("T")
DEFAULTS = TrainSettings()


class OneName(click.ParamType[str]):
    """One of some names, which are looked up at each call: heads can be registered later."""

    name = "name"

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self.names = names

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return click.Choice(self.names()).get_metavar(param, ctx)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        return click.Choice(self.names()).convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return click.Choice(self.names()).shell_complete(ctx, param, incomplete)


def takes_heads(command: Callable[P, T]) -> Callable[P, T]:
    """Gives the command the options --rating-head and --ranking-head."""
    ranking, rating = list(RANKING_HEADS.values()), list(RATING_HEADS.values())
    automatic = f"{AUTO}: the best of them on held-out users."
    for_lists = click.option(
        "--ranking-head",
        type=OneName(ranking_choices),
        default=DEFAULTS.ranking_head,
        show_default=True,
        help=f"Orders lists. {_summaries(ranking)} {automatic}",
    )
    for_ratings = click.option(
        "--rating-head",
        type=OneName(lambda: list(RATING_HEADS)),
        default=DEFAULTS.rating_head,
        show_default=True,
        help=f"Predicts ratings. {_summaries(rating)}",
    )
    return for_ratings(for_lists(command))


def takes_head_options(command: Callable[P, T]) -> Callable[P, T]:
    """Gives the command every setting of a head that is an option, unset by default."""
    for head in reversed(list(all_heads().values())):
        for name, help_text in reversed(list(head.options.items())):
            within = head.limits[name]
            low = int(within.low) if isinstance(within, Within) else 0
            default = getattr(head.settings(), name)
            command = click.option(
                f"--{name}", type=click.IntRange(low), help=f"{help_text}  [default: {default}]"
            )(command)
    return command


def with_head_options(settings: TrainSettings, given: Mapping[str, int | None]) -> TrainSettings:
    """Returns the settings with the values of these options; those that are None stay."""
    for head in all_heads().values():
        changes = {n: given[n] for n in head.options if given.get(n) is not None}
        if changes:
            settings = settings.with_heads(replace(settings.heads.of(head.settings), **changes))
    return settings


def _summaries(heads: Sequence[Registration]) -> str:
    return " ".join(f"{head.name}: {head.summary}." for head in heads)
