"""Which pairs of items follow each other in a user's history."""

import numpy as np
from foldin_trainer.evaluation.similar_items import next_pairs
from tiny import tiny_dataset


def test_next_pairs_follow_time_within_a_user() -> None:
    ratings = tiny_dataset(users=20, items=80).ratings
    firsts, seconds = next_pairs(ratings)
    assert ratings.timestamps is not None
    assert len(firsts) == len(ratings) - len(ratings.user_ids)
    user = np.flatnonzero(ratings.users == 0)
    ordered = ratings.items[user[np.argsort(ratings.timestamps[user], kind="stable")]]
    assert firsts[: len(ordered) - 1].tolist() == ordered[:-1].tolist()
    assert seconds[: len(ordered) - 1].tolist() == ordered[1:].tolist()
