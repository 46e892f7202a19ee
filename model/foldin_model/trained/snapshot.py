"""A snapshot: one model version as a server holds it, with indexes and the tables of filters.

It is built once, off the serving path, and never changes; a server swaps the reference.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from foldin_model.arrays import Doubles, Rows
from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.fold_in import rounded
from foldin_model.ids import Version
from foldin_model.index.exact_index import KINDS, PrunedIndex, Space, exact_kind
from foldin_model.index.index_builder import APPROXIMATE_KINDS
from foldin_model.texts.text_array import Postings
from foldin_model.texts.title_search import TitleIndex
from foldin_model.trained.catalog import Years
from foldin_model.trained.derived_tables import DerivedTables
from foldin_model.trained.manifest import Manifest
from foldin_model.trained.model import Model

USUAL_COUNT: Final = 10


class Edition(NamedTuple):
    """A version and the revision of the overlay over it; equal editions give equal answers."""

    version: Version
    overlay_revision: int


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A loaded version, with or without an overlay over it.

    `retrieval` is the space of `model.items`, `similarity` that of `model.similarity`.
    `popular_query` is the query of an unknown user. `genres` has the rows of case-folded genre
    names; `years` is (n,), NO_YEAR where the year is missing. With an overlay
    (`foldin_model.overlay.overlaid_snapshot`), `base` is the version alone and its rows come first.
    """

    manifest: Manifest
    model: Model
    retrieval: Space
    similarity: Space
    popular_query: Doubles
    genres: Postings
    years: Rows
    titles: TitleIndex
    overlay_revision: int = 0
    base: "Snapshot | None" = None
    version: Version = field(init=False)
    edition: Edition = field(init=False)

    def __post_init__(self) -> None:
        version = Version(self.manifest.version)
        object.__setattr__(self, "version", version)
        object.__setattr__(self, "edition", Edition(version, self.overlay_revision))

    @classmethod
    def build(cls, manifest: Manifest, model: Model, derived: DerivedTables | None = None) -> Self:
        """Returns the snapshot of `model`, indexed and ready to serve.

        `derived` is computed where it is missing. Raises ArtifactCorrupt where the manifest names
        an unknown index.
        """
        derived = derived or DerivedTables.of(model)
        kind = exact_kind(manifest.index_kind)
        popular = model.query(rounded(model.ranking_prior), rounded(model.rating_prior))
        retrieval = _retrieval(manifest.index_kind, model, derived)
        return cls(
            manifest=manifest,
            model=model,
            retrieval=retrieval.prepared(popular, USUAL_COUNT),
            similarity=Space.of(model.similarity, derived.similarity_bounds, kind),
            popular_query=popular,
            genres=derived.genres,
            years=Years.of(model.catalog.years).numbers,
            titles=derived.titles,
        )

    @property
    def created_at(self) -> float:
        """When the model was made, in seconds since 1970."""
        return self.manifest.created_at

    @property
    def without_overlay(self) -> "Snapshot":
        """The snapshot of the version alone."""
        return self.base or self

    def is_in_version(self, row: int) -> bool:
        """Whether the item at a row is the version's own, not a new one of the overlay."""
        return row < len(self.without_overlay)

    def __len__(self) -> int:
        return len(self.model.catalog)


def _retrieval(kind: str, model: Model, derived: DerivedTables) -> Space:
    """Returns the space of the items with the index that the manifest names."""
    if kind in KINDS:
        return Space.of(model.items, derived.item_bounds, kind, quantized=True)
    if kind not in APPROXIMATE_KINDS:
        known = [*KINDS, *APPROXIMATE_KINDS]
        raise ArtifactCorrupt(f"the manifest has index {kind!r}; this program has {known}")
    if derived.index is None:
        raise ArtifactCorrupt(f"the manifest has index {kind!r}, but the model holds none")
    from foldin_model.index.approximate_index import ApproximateIndex  # noqa: PLC0415 (it imports faiss)

    scan = PrunedIndex(model.items, derived.item_bounds)
    index = ApproximateIndex(kind, model.items, derived.index, scan)
    return Space(model.items, index, derived.item_bounds.longest)
