"""Decides which of several ratings of one item by one user counts.

`loader` reports how many were dropped.
"""

import numpy as np
import pandas as pd
from foldin_model.arrays import Integers

from foldin_trainer.data.files.rating_tables import RatingColumns


def last_of_each_pair(read: RatingColumns) -> Integers | None:
    """Returns the positions of the ratings to keep, in file order; None to keep all.

    Of each (user, item) pair the last by time is kept; file order decides ties and ratings without
    times.
    """
    pairs = read.users.astype(np.int64) * len(read.item_ids) + read.items
    ascending = np.sort(pairs)  # without duplicates, several times faster than hashing
    if not (ascending[1:] == ascending[:-1]).any():
        return None
    order = np.arange(len(pairs))
    if read.timestamps is not None:
        order = np.argsort(read.timestamps, kind="stable")
    superseded = pd.Series(pairs[order]).duplicated(keep="last").to_numpy()
    return np.sort(order[~superseded])
