"""Finds items by the words of their titles, in any order and case, accents and articles forgiven.

It matches words and the beginning of the last one; it does not correct spelling.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Integers, Mask, Rows

_WORD: Final = re.compile(r"\w+")
_YEAR: Final = re.compile(r"\s*\(\d{4}\)\s*$")
_OTHER_NAME: Final = re.compile(r"\(([^()]*)\)")
_APOSTROPHE: Final = re.compile("['’`]")
_ARTICLES: Final = frozenset({"a", "an", "the"})


def words(text: str) -> tuple[str, ...]:
    """The words of a text, case-folded, without accents and apostrophes."""
    plain = text.casefold()
    if not plain.isascii():
        spread = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in spread if not unicodedata.combining(letter))
    return tuple(_WORD.findall(_APOSTROPHE.sub("", plain)))


@dataclass(frozen=True, slots=True, eq=False)
class TitleIndex:
    """Rows by word and by whole title; `popularity` (n,) is each row's place by rating count."""

    rows: Mapping[str, Sequence[int]]
    names: Mapping[str, Sequence[int]]
    vocabulary: Sequence[str]
    popularity: Integers

    @classmethod
    def build(cls, titles: Sequence[str], rating_counts: Integers) -> Self:
        """The index of (n,) titles; equal matches come by rating count, then by row."""
        rows: dict[str, list[int]] = {}
        names: dict[str, list[int]] = {}
        for row, title in enumerate(titles):
            for word in set(words(title)):
                rows.setdefault(word, []).append(row)
            for name in _names(title):
                names.setdefault(name, []).append(row)
        order = np.lexsort((np.arange(len(titles)), -rating_counts))
        popularity = np.empty(len(titles), np.int64)
        popularity[order] = np.arange(len(titles))
        return cls(rows, names, sorted(rows), popularity)

    def find(self, query: str) -> Rows:
        """All matching rows: whole titles first, then whole words, then a begun last word.

        An empty query matches everything.
        """
        asked = words(query)
        if not asked:
            everything = np.arange(len(self.popularity) if not query.strip() else 0)
            return self._ranked(everything, np.zeros(len(everything), np.int64))
        complete = self._having(asked)
        begun = self._having(asked[:-1]) & self._beginning(asked[-1])
        grades = np.where(complete, 1, 2)
        grades[list(self.names.get(_name(asked), ()))] = 0
        found = np.flatnonzero(complete | begun | (grades == 0))
        return self._ranked(found, grades[found])

    def _ranked(self, rows: Integers, grades: Integers) -> Rows:
        return rows[np.lexsort((self.popularity[rows], grades))].astype(np.int32)

    def _having(self, asked: Sequence[str]) -> Mask:
        mask = np.ones(len(self.popularity), np.bool_)
        for word in asked:
            mask &= self._mask(self.rows.get(word, ()))
        return mask

    def _beginning(self, start: str) -> Mask:
        place = bisect_left(self.vocabulary, start)
        begun = takewhile(lambda word: word.startswith(start), self.vocabulary[place:])
        return self._mask([row for word in begun for row in self.rows[word]])

    def _mask(self, rows: Sequence[int]) -> Mask:
        mask = np.zeros(len(self.popularity), np.bool_)
        mask[list(rows)] = True
        return mask


def _name(asked: Iterable[str]) -> str:
    """Words whose order does not matter, as one key."""
    return " ".join(sorted(set(asked)))


def _names(title: str) -> set[str]:
    """What a film is called: with and without year, other names and article."""
    undated = _YEAR.sub("", title)
    others = _OTHER_NAME.findall(undated)
    forms = [title, undated, *others]
    if others:
        forms.append(_OTHER_NAME.sub(" ", undated))
    called = [words(form) for form in forms]
    bare = [[word for word in form if word not in _ARTICLES] for form in called]
    return {_name(form) for form in (*called, *bare)}
