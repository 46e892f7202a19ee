"""Which of several ratings of one item by one user counts.

It decides over arrays; the report of what was dropped is made in `loader`.
"""

import numpy as np
import pandas as pd
from foldin_model.arrays import Integers

from foldin_trainer.data.files.rating_tables import RatingColumns


def last_of_each_pair(read: RatingColumns) -> Integers | None:
    """Positions, in file order, of the ratings that stay; None where all do.

    Of each (user, item) pair the last by time stays, ties and ratings without times by file order.
    """
    pairs = read.users.astype(np.int64) * len(read.item_ids) + read.items
    ascending = np.sort(pairs)  # several times faster than hashing where there is none
    if not (ascending[1:] == ascending[:-1]).any():
        return None
    order = np.arange(len(pairs))
    if read.timestamps is not None:
        order = np.argsort(read.timestamps, kind="stable")
    superseded = pd.Series(pairs[order]).duplicated(keep="last").to_numpy()
    return np.sort(order[~superseded])
