"""Attributes of users, such as age and occupation, as words.

Numbers become words here; `user_tables` reads the files.
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
"""By attribute, then by user id: the user's words."""

FEWEST_USERS: Final = 2  # a word of a single user only identifies that user
MOST_NUMBERS: Final = 8  # up to so many different numbers stay; more become so many bands
AGES: Final = (18, 25, 35, 45, 50, 56)  # MovieLens' own limits


@dataclass(frozen=True, slots=True)
class UserTable:
    """Attributes by name, each the words of every user, aligned to `Ratings.user_ids`."""

    attributes: Mapping[str, Words] = field(default_factory=dict)

    @classmethod
    def align(cls, user_ids: Sequence[str], known: Attributes) -> Self:
        """Returns the words of those users in that order, as far as two users share a word.

        An unknown user has none. Attributes without a shared word are left out.
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
    """Returns a column as words: bands of numbers if there are many, else words split at bars.

    More than eight different numbers become bands of about equally many rows each.
    """
    numbers = [_number(text) for text in texts]
    there = [number for number in numbers if number is not None]
    if len(there) < sum(bool(text.strip()) for text in texts) or len(set(there)) <= MOST_NUMBERS:
        return [_split(text) for text in texts]
    inner = np.quantile(there, np.arange(1, MOST_NUMBERS) / MOST_NUMBERS, method="higher")
    limits = sorted(set(inner.tolist()) - {min(there)})
    return [() if number is None else (band(number, limits),) for number in numbers]


def band(number: float, limits: Sequence[float]) -> str:
    """Returns the interval of `limits` that holds the number, closed below: "18 to 25"."""
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
