"""The heads that can be trained. A new head is a folder, whose registration is listed here."""

from collections.abc import Mapping
from typing import Final

from foldin_model.errors import FoldinError

from foldin_trainer.learning.ranking_heads.ease.head import EASE
from foldin_trainer.learning.ranking_heads.encoder.head import ENCODER
from foldin_trainer.learning.ranking_heads.ensemble.head import ENSEMBLE
from foldin_trainer.learning.ranking_heads.ials.head import IALS
from foldin_trainer.learning.ranking_heads.ranking_head import RankingHead
from foldin_trainer.learning.rating_heads.bayes.head import BAYES
from foldin_trainer.learning.rating_heads.mf.head import MF
from foldin_trainer.learning.rating_heads.rating_head import RatingHead
from foldin_trainer.learning.registry.registration import AUTO, Registration, Registry

RATING_HEADS: Final[Registry[RatingHead]] = Registry("rating head", (MF, BAYES))
RANKING_HEADS: Final[Registry[RankingHead]] = Registry(
    "ranking head", (IALS, EASE, ENCODER, ENSEMBLE)
)
"""In the order in which `auto` tries them: quick ones first."""


def all_heads() -> Mapping[str, Registration]:
    """Returns the heads of both registries by name, rating heads first."""
    return {**RATING_HEADS, **RANKING_HEADS}


def head_named(name: str) -> Registration:
    """Returns the head of that name. Raises FoldinError where there is none."""
    heads = all_heads()
    if name not in heads:
        raise FoldinError(f"unknown head {name!r}; there are {', '.join(heads)}")
    return heads[name]


def ranking_choices() -> list[str]:
    """Returns the names that choose a ranking head: its own, or `auto`."""
    return [*RANKING_HEADS, AUTO]
