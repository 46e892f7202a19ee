"""`RatingHead`, the registration of a head that predicts ratings, and `RatingTask`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.users import UserTable
from foldin_trainer.learning.rating_heads.factors import Epoch, RatingFactors
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.registration import Registration


def _ignore(_: Epoch) -> None:
    pass


@dataclass(frozen=True, slots=True, eq=False)
class RatingTask:
    """What a rating head learns from, and the function that it calls with its progress.

    `validation` holds ratings of the same vocabularies that are watched and not learned from.
    `checkpoint` is a file that a head may keep its state in and resume from.
    """

    ratings: Ratings
    items: ItemTable
    users: UserTable | None = None
    validation: Ratings | None = None
    progress: Callable[[Epoch], None] = _ignore
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingHead(Registration):
    """A head that predicts ratings. Equal input gives equal bits on one machine."""

    learn_part: Callable[[RatingTask, HeadSettings], RatingFactors]
    """Learns from part of the ratings; the epochs of the result have the RMSE on `validation`.

    Constants are chosen by it, so that it may take less time than learning from everything.
    """
    learn_all: Callable[
        [RatingTask, HeadSettings, RatingFactors], tuple[RatingFactors, Mapping[str, float]]
    ]
    """Learns from every rating, given what `learn_part` found; returns metrics of its own too."""
    learn_alone: Callable[[RatingTask, HeadSettings, float], RatingFactors]
    """Learns from ratings without a ranking head, for a search; may watch that share of them."""
    knows_content: bool = False
    """Whether items without ratings have vectors by their content."""
    keeps_user_vectors: bool = False
    """Whether trained users are served by their trained vectors, which know more than fold-in.

    Otherwise their histories are folded in.
    """
