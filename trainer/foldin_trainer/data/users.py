"""What is known about users besides their ratings: age, occupation, or whatever a table tells.

Everything is words in the end; how numbers become words is here, the files are read in
`user_tables`.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

Words = tuple[tuple[str, ...], ...]
Attributes = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By the attribute's name: the words of every user who has some."""

FEWEST_USERS: Final = 2  # a word of one user's own is another name for the user
MOST_NUMBERS: Final = 8  # different ones that stay as they are, and bands of more
AGES: Final = (18, 25, 35, 45, 50, 56)  # the limits that MovieLens itself uses


@dataclass(frozen=True, slots=True)
class UserTable:
    """Attributes by name, as words of every user, aligned to `Ratings.user_ids`."""

    attributes: Mapping[str, Words] = field(default_factory=dict)

    @classmethod
    def align(cls, user_ids: Sequence[str], known: Attributes) -> Self:
        """The words of those users in that order, as far as two of them share one.

        A user that is not known has none. Attributes without any such word are left out.
        """
        table = {}
        for name, words in known.items():
            found = [words.get(user_id, ()) for user_id in user_ids]
            users = Counter(word for said in found for word in said)
            shared = {word for word, count in users.items() if count >= FEWEST_USERS}
            if shared:
                table[name] = tuple(tuple(w for w in said if w in shared) for said in found)
        return cls(table)


def column_words(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """A column as words: numbers in bands, where there are many; else what bars separate.

    The bands of more than eight different numbers hold about equally many rows each.
    """
    numbers = [_number(text) for text in texts]
    there = [number for number in numbers if number is not None]
    if len(there) < sum(bool(text.strip()) for text in texts) or len(set(there)) <= MOST_NUMBERS:
        return [_split(text) for text in texts]
    inner = np.quantile(there, np.arange(1, MOST_NUMBERS) / MOST_NUMBERS, method="higher")
    limits = sorted(set(inner.tolist()) - {min(there)})
    return [() if number is None else (band(number, limits),) for number in numbers]


def band(number: float, limits: Sequence[float]) -> str:
    """The interval between two limits that a number lies in, closed below: "18 to 25"."""
    place = bisect_right(limits, number)
    if place == 0:
        return f"under {limits[0]:g}"
    if place == len(limits):
        return f"{limits[-1]:g} and over"
    return f"{limits[place - 1]:g} to {limits[place]:g}"


def _split(text: str) -> tuple[str, ...]:
    parts = (" ".join(part.split()) for part in text.split("|"))
    return tuple(dict.fromkeys(filter(None, parts)))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
