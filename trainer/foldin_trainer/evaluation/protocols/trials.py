"""The trials of each protocol: the ratings that methods learn from and those they are tested on.

`data.splits` divides the ratings; `trial_scores` scores the trials.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
from foldin_model.errors import FoldinError

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import (
    COLD_GROUPS,
    cold_items,
    held_out_users,
    kfold,
    random_split,
    temporal_leave_last,
)
from foldin_trainer.metrics.cases import Case, make_cases

PROTOCOLS: Final = (
    *("random", "kfold", "temporal", "leave-last-out", "held-out-users"),
    "cold-items",
)
"""The protocols that divide the ratings of one data set."""
COLD_ITEMS: Final = PROTOCOLS[-1]
GIVEN: Final = "given"
"""The protocol of a split in two files (`given_split`)."""
FOLD_IN: Final = "fold-in"
"""The protocol of the learning curve of fold-in (`learning_curve`); it has no trials."""
OPTION_PROTOCOLS: Final[Mapping[str, frozenset[str]]] = {
    "folds": frozenset({"kfold", "held-out-users", COLD_ITEMS, FOLD_IN}),
    "share": frozenset({"random"}),
    "leave_last": frozenset({"temporal"}),
    "methods": frozenset({*PROTOCOLS, GIVEN}),
}
"""The protocols that use an option; an option that is missing here is used by all."""
MASKING: Final = "Not recommended to a user: the items among their given ratings."
COLD_MASKING: Final = (
    "Not recommended to anybody: the items with a rating in the training part, and those without "
    "any rating; the cold items are left."
)


@dataclass(frozen=True, slots=True)
class ProtocolSettings:
    """How much is held out, and by which seed. The defaults are those of the published tables."""

    folds: int = 5
    """Folds of `kfold`, `held-out-users` and, at most ten, `cold-items`; one is of `fold-in`."""
    share: float = 0.2
    """Share of ratings that `random` hides."""
    leave_last: int = 5
    """Latest ratings of every user that `temporal` hides."""
    seed: int = 0

    def used_by(self, protocols: Collection[str]) -> dict[str, float]:
        """Returns the settings that one of those protocols uses, by name."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in OPTION_PROTOCOLS or not OPTION_PROTOCOLS[name].isdisjoint(protocols)
        }


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One training part, and the cases on which methods fitted to it are tested.

    Unless `valued`, the values of ratings mean nothing: none is predicted, and no item is liked.
    """

    train: Ratings
    cases: tuple[Case, ...]
    valued: bool = True


def trials(protocol: str, ratings: Ratings, settings: ProtocolSettings) -> Iterator[Trial]:
    """Yields the trials of a protocol of `PROTOCOLS`, one after the other.

    random: a random share of the ratings is hidden. kfold: every rating is hidden once. temporal:
    every user's latest ratings are hidden; leave-last-out: only the last one. In these, the given
    ratings of a case are the user's training ratings.
    held-out-users: every user is held out once; of their ratings in random order, the first 80%
    are given after training and the rest is hidden. cold-items: all ratings of a tenth of the items
    are hidden; only these items may be recommended, to the users who rated some of them. Ties among
    them go by row, so rows must not depend on how often an item is rated
    (`Dataset.with_items_shuffled`).

    Raises ValueError for another name, FoldinError if the data does not allow the split or nothing
    would be hidden.
    """
    match protocol:
        case "random":
            yield _of_random_share(ratings, settings)
        case "kfold":
            check_folds(settings.folds, len(ratings), "ratings")
            for train, test in kfold(ratings, settings.folds, settings.seed):
                yield _of_known_users(ratings, train, test)
        case "temporal":
            yield _of_last_ratings(ratings, settings.leave_last, "give a lower --leave-last")
        case "leave-last-out":
            yield _of_last_ratings(ratings, 1, "choose another protocol")
        case "held-out-users":
            check_folds(settings.folds, len(np.unique(ratings.users)), "users")
            for fold in held_out_users(ratings, settings.folds, settings.seed):
                given = np.concatenate([case.given_index for case in fold.cases])
                hidden = np.concatenate([case.hidden_index for case in fold.cases])
                yield Trial(
                    ratings.take(fold.train_index),
                    make_cases(ratings.take(given), ratings.take(hidden)),
                )
        case "cold-items":
            folds = min(settings.folds, COLD_GROUPS)
            check_folds(folds, len(np.unique(ratings.items)), "rated items")
            for train, test in cold_items(ratings, settings.folds, settings.seed):
                yield _of_cold_items(ratings.take(train), ratings.take(test))
        case _:
            raise ValueError(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")


def check_folds(
    folds: int, there: int, what: str, *, undivided: str = "choose another protocol"
) -> None:
    """Raises FoldinError if there are fewer of `what` than folds.

    `undivided` is the remedy if there is only one of them.
    """
    if folds > there:
        remedy = "give fewer --folds" if there > 1 else undivided
        raise FoldinError(f"{folds:,} folds need as many {what}, and there are {there:,}; {remedy}")


def _of_random_share(ratings: Ratings, settings: ProtocolSettings) -> Trial:
    train, test = random_split(ratings, settings.share, settings.seed)
    if len(test) == 0:
        raise FoldinError(
            f"nothing is hidden: a share of {settings.share:g} of {len(ratings):,} ratings is less "
            "than one; give a larger --share"
        )
    return _of_known_users(ratings, train, test)


def _of_last_ratings(ratings: Ratings, last: int, remedy: str) -> Trial:
    train, test = temporal_leave_last(ratings, last)
    if len(test) == 0:
        many = f"{last} ratings are" if last > 1 else "rating is"
        raise FoldinError(
            f"nothing is hidden: a user's last {many} hidden only if the user has more, and no "
            f"user has; {remedy}"
        )
    return _of_known_users(ratings, train, test)


def _of_known_users(ratings: Ratings, train_index: np.ndarray, test_index: np.ndarray) -> Trial:
    train = ratings.take(train_index)
    return Trial(train, make_cases(train, ratings.take(test_index)))


def _of_cold_items(train: Ratings, hidden: Ratings) -> Trial:
    known = np.setdiff1d(np.arange(len(train.item_ids)), hidden.items).astype(np.int32)
    cases = make_cases(train, hidden)
    return Trial(train, tuple(replace(case, masked_rows=known) for case in cases))
