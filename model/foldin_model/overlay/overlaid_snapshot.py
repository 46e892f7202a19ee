"""Lays an overlay over a version: a new snapshot with the rows of new items behind the version's.

New items take rows in the order of their arrival, so that a row keeps its meaning while the version
serves. Nothing of the version changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import is_
from typing import Final

import numpy as np

from foldin_model.arrays import Floats, Rows
from foldin_model.fold_in.linear_encoder import LinearEncoder
from foldin_model.ids import ItemId, UserId
from foldin_model.index.index_with_tail import with_tail
from foldin_model.overlay.content_vectors import ContentVectors
from foldin_model.overlay.item_fold_in import fold_item
from foldin_model.overlay.stacked_rows import (
    StackedRows,
    stacked_matrix,
    stacked_postings,
    stacked_sequence,
)
from foldin_model.records.item_overlay import Overlay, OverlayEntry
from foldin_model.texts.text_array import HashTableRows, Postings
from foldin_model.texts.title_search import TitleIndex
from foldin_model.trained.catalog import Catalog, Years
from foldin_model.trained.content_map import Content
from foldin_model.trained.derived_tables import genre_postings
from foldin_model.trained.model import ItemRows, Model
from foldin_model.trained.snapshot import Snapshot

BLOCK_ITEMS: Final = 1_000
NewItem = tuple[ItemId, OverlayEntry, Content]


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """The look-up tables of some of the new items; their rows count from 0."""

    contents: tuple[Content, ...]
    titles: TitleIndex
    genres: Postings

    @classmethod
    def of(cls, contents: tuple[Content, ...], before: "_Block | None") -> "_Block":
        """Returns the block of these contents: `before` itself where the contents are the same."""
        old = () if before is None else before.contents
        if before is not None and len(old) == len(contents) and all(map(is_, old, contents)):
            return before
        unrated = np.zeros(len(contents), np.int64)
        titles = TitleIndex.build([content.title for content in contents], unrated)
        return cls(contents, titles, genre_postings([content.genres for content in contents]))


class Overlayer:
    """Lays one overlay after another over one version, and reuses what has not changed.

    Two threads must not use it at once.
    """

    def __init__(self, base: Snapshot) -> None:
        self.base = base
        self._content_vectors = ContentVectors(base)
        self._described: dict[ItemId, tuple[Content, Floats]] = {}
        self._folded: dict[ItemId, tuple[OverlayEntry, Floats]] = {}
        self._known: dict[ItemId, bool] = {}
        self._blocks: list[_Block] = []

    def apply(self, overlay: Overlay) -> Snapshot:
        """Returns the version with the overlay; the version itself where the overlay is empty."""
        if not overlay.entries:
            return self.base
        items = self._new_items(overlay)
        snapshot = self._with_new_items(items) if items else self.base
        return _without_hidden(snapshot, overlay, self.base)

    def absorbed(self, overlay: Overlay) -> list[ItemId]:
        """Returns the items whose content in the overlay is obsolete: the version has its own."""
        return [
            item_id
            for item_id, entry in overlay.entries.items()
            if entry.content is not None and self._is_known(item_id)
        ]

    def outdated(self, overlay: Overlay) -> list[tuple[ItemId, UserId]]:
        """Returns the ratings of new items that carry users' vectors of another version."""
        version = self.base.version
        return [
            (item_id, user_id)
            for item_id, entry, _ in self._new_items(overlay)
            for user_id, rating in entry.ratings.items()
            if rating.version != version
        ]

    def _new_items(self, overlay: Overlay) -> list[NewItem]:
        items = [
            (item_id, entry, entry.content)
            for item_id, entry in overlay.entries.items()
            if entry.content is not None and not self._is_known(item_id)
        ]
        return sorted(items, key=lambda item: (item[1].order, item[0]))

    def _is_known(self, item_id: ItemId) -> bool:
        if item_id not in self._known:
            self._known[item_id] = self.base.model.catalog.row(item_id) is not None
        return self._known[item_id]

    def _with_new_items(self, items: Sequence[NewItem]) -> Snapshot:
        base = self.base
        contents = [content for _, _, content in items]
        self._blocks = self._blocks_of(contents)
        cuts = range(len(base), len(base) + len(items), BLOCK_ITEMS)
        words = [block.titles.words for block in self._blocks]
        names = [block.titles.names for block in self._blocks]
        genres = [block.genres for block in self._blocks]
        catalog = _stacked_catalog(base.model.catalog, items)
        rows = self._rows(items)
        model = _stacked_model(base.model, rows, catalog)
        return replace(
            base,
            model=model,
            retrieval=with_tail(base.retrieval, model.items, rows.items),
            similarity=with_tail(base.similarity, model.similarity, rows.similarity),
            genres=stacked_postings(base.genres, zip(genres, cuts, strict=True)),
            years=np.concatenate((base.years, Years.of([c.year for c in contents]).numbers)),
            titles=TitleIndex(
                stacked_postings(base.titles.words, zip(words, cuts, strict=True)),
                stacked_postings(base.titles.names, zip(names, cuts, strict=True)),
                catalog.rating_counts,
            ),
        )

    def _blocks_of(self, contents: Sequence[Content]) -> list[_Block]:
        blocks = []
        for number, start in enumerate(range(0, len(contents), BLOCK_ITEMS)):
            before = self._blocks[number] if number < len(self._blocks) else None
            blocks.append(_Block.of(tuple(contents[start : start + BLOCK_ITEMS]), before))
        return blocks

    def _rows(self, items: Sequence[NewItem]) -> ItemRows:
        fresh = [
            (item_id, content)
            for item_id, _, content in items
            if item_id not in self._described or self._described[item_id][0] is not content
        ]
        rows = self._content_vectors.rows([content for _, content in fresh])
        for (item_id, content), row in zip(fresh, rows, strict=True):
            self._described[item_id] = (content, row)
        described = np.array([self._described[item_id][1] for item_id, _, _ in items], np.float32)
        parts = self._content_vectors.parts(described)
        folded = [
            self._folded_row(item_id, entry, row)
            for (item_id, entry, _), row in zip(items, parts.items, strict=True)
        ]
        return replace(parts, items=np.array(folded, np.float32))

    def _folded_row(self, item_id: ItemId, entry: OverlayEntry, row: Floats) -> Floats:
        if not entry.ratings:
            return row
        kept = self._folded.get(item_id)
        if kept is None or kept[0] is not entry:
            version = self.base.version
            usable = [pair for pair in entry.ratings.items() if pair[1].version == version]
            folded = fold_item(self.base.model, self._content_vectors.spread, row, usable)
            kept = self._folded[item_id] = (entry, folded)
        return kept[1]


def _stacked_catalog(base: Catalog, items: Sequence[NewItem]) -> Catalog:
    cut = len(base)
    values = [[rating.value for rating in entry.ratings.values()] for _, entry, _ in items]
    counts = np.array([len(own) for own in values], np.int64)
    means = np.array([np.mean(own) if own else np.nan for own in values], np.float32)
    item_ids = [item_id for item_id, _, _ in items]
    contents = [content for _, _, content in items]
    unrated = [cut + place for place, own in enumerate(values) if not own]
    return Catalog(
        item_ids=stacked_sequence(base.item_ids, item_ids),
        titles=stacked_sequence(base.titles, [content.title for content in contents]),
        genres=stacked_sequence(base.genres, [content.genres for content in contents]),
        years=stacked_sequence(base.years, [content.year for content in contents]),
        rating_counts=np.concatenate((base.rating_counts, counts)),
        rating_means=np.concatenate((base.rating_means, means)),
        cluster_ids=np.concatenate((base.cluster_ids, np.zeros(len(items), np.int32))),
        clusters=base.clusters,
        id_rows=StackedRows(base.rows_by_id, HashTableRows.of(item_ids), cut),
        described=frozenset(unrated),
    )


def _stacked_model(base: Model, rows: ItemRows, catalog: Catalog) -> Model:
    return replace(
        base,
        catalog=catalog,
        items=stacked_matrix(base.items, rows.items),
        similarity=stacked_matrix(base.similarity, rows.similarity),
        ranking_encoder=_stacked_encoder(base.ranking_encoder, rows.ranking_encoder),
        rating_encoder=_stacked_encoder(base.rating_encoder, rows.rating_encoder),
        uncertainty=base.uncertainty and base.uncertainty.with_new_items(len(rows.items)),
    )


def _stacked_encoder(base: LinearEncoder | None, vectors: Floats) -> LinearEncoder | None:
    if base is None:
        return None
    return replace(base, vectors=stacked_matrix(base.vectors, vectors))


def _without_hidden(snapshot: Snapshot, overlay: Overlay, base: Snapshot) -> Snapshot:
    catalog = snapshot.model.catalog
    hidden = [item_id for item_id, entry in overlay.entries.items() if not entry.available]
    rows: Rows = np.sort(catalog.rows(hidden))
    model = replace(snapshot.model, catalog=catalog.hiding(rows))
    return replace(snapshot, model=model, overlay_revision=overlay.revision, base=base)
