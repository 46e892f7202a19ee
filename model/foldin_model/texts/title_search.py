"""Title search: finds items by the words of their titles.

The order of words, case, accents and articles do not matter. The last word may be incomplete.
Spelling is not corrected.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Integers, Mask, Rows
from foldin_model.texts.text_array import Postings

_WORD: Final = re.compile(r"\w+")
_YEAR: Final = re.compile(r"\s*\(\d{4}\)\s*$")
_OTHER_NAME: Final = re.compile(r"\(([^()]*)\)")
_APOSTROPHE: Final = re.compile("['’`]")
_ARTICLES: Final = frozenset({"a", "an", "the"})


def words(text: str) -> tuple[str, ...]:
    """Returns the words of a text, case-folded, without accents and apostrophes."""
    plain = text.casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return tuple(_WORD.findall(_APOSTROPHE.sub("", plain)))


@dataclass(frozen=True, slots=True, eq=False)
class TitleIndex:
    """Rows by word and by whole title; `rating_counts` (n,) orders equal matches."""

    words: Postings
    names: Postings
    rating_counts: Integers

    @classmethod
    def build(cls, titles: Sequence[str], rating_counts: Integers) -> Self:
        """Returns the index of (n,) titles with their rating counts (n,)."""
        rows: dict[str, list[int]] = {}
        names: dict[str, list[int]] = {}
        for row, title in enumerate(titles):
            for word in set(words(title)):
                rows.setdefault(word, []).append(row)
            for name in _names(title):
                names.setdefault(name, []).append(row)
        return cls(Postings.of(rows), Postings.of(names), rating_counts)

    def find(self, query: str) -> Rows:
        """Returns all matching rows: whole titles, then whole words, then an incomplete last word.

        Equal matches come by rating count, the highest first, then by row. An empty query matches
        everything.
        """
        wanted = words(query)
        if not wanted:
            everything = np.arange(len(self.rating_counts) if not query.strip() else 0)
            return self._ranked(everything, np.zeros(len(everything), np.int64))
        complete = self._with_words(wanted)
        prefixed = self._with_words(wanted[:-1]) & self._mask(self.words.beginning(wanted[-1]))
        grades = np.where(complete, 1, 2)
        grades[self.names.find(_name(wanted))] = 0
        found = np.flatnonzero(complete | prefixed | (grades == 0))
        return self._ranked(found, grades[found])

    def _ranked(self, rows: Integers, grades: Integers) -> Rows:
        return rows[np.lexsort((rows, -self.rating_counts[rows], grades))].astype(np.int32)

    def _with_words(self, wanted: Sequence[str]) -> Mask:
        mask = np.ones(len(self.rating_counts), np.bool_)
        for word in wanted:
            mask &= self._mask(self.words.find(word))
        return mask

    def _mask(self, rows: Rows) -> Mask:
        mask = np.zeros(len(self.rating_counts), np.bool_)
        mask[rows] = True
        return mask


def _name(wanted: Iterable[str]) -> str:
    """Returns the words as one key that does not depend on their order."""
    return " ".join(sorted(set(wanted)))


def _names(title: str) -> set[str]:
    """Returns the names of a film: with and without year, other names and articles."""
    undated = _YEAR.sub("", title)
    others = _OTHER_NAME.findall(undated)
    forms = [title, undated, *others]
    if others:
        forms.append(_OTHER_NAME.sub(" ", undated))
    called = [words(form) for form in forms]
    bare = [[word for word in form if word not in _ARTICLES] for form in called]
    return {_name(form) for form in (*called, *bare)}
