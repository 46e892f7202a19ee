"""One model version as a server holds it: the model, its indexes, and what filters look up.

A snapshot is built once, beside the serving path, and never changes; a server swaps the reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from foldin_model.arrays import Doubles, Integers, Mask
from foldin_model.bounding import Bounds
from foldin_model.catalog import Catalog
from foldin_model.errors import ArtifactCorrupt
from foldin_model.folding import rounded
from foldin_model.ids import Version
from foldin_model.indexing import KINDS, Space
from foldin_model.manifest import Manifest
from foldin_model.model import Model
from foldin_model.titles import TitleIndex

NO_YEAR: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A loaded version.

    `retrieval` is the space of `model.items`, `similarity` that of `model.similarity`.
    `popular_query` is the query of a user nothing is known of. `genre_masks` maps case-folded
    genre names to (n,) masks; `years` is (n,), NO_YEAR where the year is missing.
    """

    manifest: Manifest
    model: Model
    retrieval: Space
    similarity: Space
    popular_query: Doubles
    genre_masks: Mapping[str, Mask]
    years: Integers
    titles: TitleIndex

    @classmethod
    def build(cls, manifest: Manifest, model: Model) -> Self:
        """The snapshot of `model`, indexed and ready to serve.

        Raises ArtifactCorrupt where the manifest asks for an index that is not known here.
        """
        if manifest.index_kind not in KINDS:
            raise ArtifactCorrupt(
                f"the manifest has index {manifest.index_kind!r}; this program has {[*KINDS]}"
            )
        catalog = model.catalog
        years = [NO_YEAR if year is None else year for year in catalog.years]
        return cls(
            manifest=manifest,
            model=model,
            retrieval=Space.of(model.items, _item_bounds(model), manifest.index_kind),
            similarity=Space.of(model.similarity),
            popular_query=model.query(rounded(model.ranking_prior), rounded(model.rating_prior)),
            genre_masks=_genre_masks(catalog),
            years=np.array(years, np.int64),
            titles=TitleIndex.build(catalog.titles, catalog.rating_counts),
        )

    @property
    def version(self) -> Version:
        """The version that every answer names."""
        return Version(self.manifest.version)

    @property
    def created_at(self) -> float:
        """When the model was made, in seconds since 1970."""
        return self.manifest.created_at

    def __len__(self) -> int:
        return len(self.model.catalog)


def _item_bounds(model: Model) -> Bounds:
    return Bounds.of(model.items, len(model.ranking_prior))


def _genre_masks(catalog: Catalog) -> dict[str, Mask]:
    rows: dict[str, list[int]] = {}
    for row, genres in enumerate(catalog.genres):
        for genre in genres:
            rows.setdefault(genre.casefold(), []).append(row)
    masks = {genre: np.zeros(len(catalog), np.bool_) for genre in rows}
    for genre, having in rows.items():
        masks[genre][having] = True
    return masks
