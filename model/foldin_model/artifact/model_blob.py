"""Packs a model into one blob of named arrays, and unpacks it.

Unpacked arrays are views into the blob; only the strings of a small catalog are copied. An optional
part of a model has sections only where the model has it.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.artifact.sections import (
    Arrays,
    Blob,
    Sections,
    blob_of,
    check_header,
    decoded,
    packed_texts,
)
from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.kinds import kind_of
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.texts.text_array import SortedHashRows
from foldin_model.texts.title_search import TitleIndex
from foldin_model.trained.catalog import Catalog, Cluster, Genres, Years
from foldin_model.trained.content_map import ContentMap
from foldin_model.trained.derived_tables import DerivedTables
from foldin_model.trained.manifest import SCHEMA, SCHEMA_WITH_OPTIONS, Manifest, Section
from foldin_model.trained.model import Model
from foldin_model.trained.uncertainty import Uncertainty

EAGER_ITEMS: Final = 50_000


def pack_model(
    model: Model, index: "NDArray[np.uint8] | None" = None
) -> tuple[bytes, tuple[Section, ...]]:
    """Returns the blob and the sections that say where its arrays are; equal models, equal bytes.

    `index` is an approximate index over the items, as bytes.
    """
    catalog = model.catalog
    derived = DerivedTables.of(model)
    genres = Genres.of(catalog.genres)
    hashed = SortedHashRows.of(catalog.item_ids)
    arrays: Arrays = {
        "items": model.items.astype("<f4", copy=False),
        "items.bounds": derived.item_bounds.lengths.astype("<f8", copy=False),
        "similarity": model.similarity.astype("<f4", copy=False),
        "similarity.bounds": derived.similarity_bounds.lengths.astype("<f8", copy=False),
        "rating_counts": catalog.rating_counts.astype("<i8", copy=False),
        "rating_means": catalog.rating_means.astype("<f4", copy=False),
        "cluster_ids": catalog.cluster_ids.astype("<i4", copy=False),
        "years": Years.of(catalog.years).numbers.astype("<i4", copy=False),
        "genres.codes": genres.codes.astype("<i4", copy=False),
        "genres.offsets": genres.offsets.astype("<i8", copy=False),
        "clusters": np.frombuffer(_clusters_json(catalog.clusters), np.uint8),
        "item_ids.hashes": hashed.hashes.astype("<u8", copy=False),
        "item_ids.rows": hashed.rows.astype("<i4", copy=False),
        **packed_texts("item_ids", catalog.item_ids),
        **packed_texts("titles", catalog.titles),
        **packed_texts("genres.names", genres.names),
    }
    for name, postings in (
        ("title_words", derived.titles.words),
        ("title_names", derived.titles.names),
        ("by_genre", derived.genres),
    ):
        arrays |= packed_texts(name, postings.keys)
        arrays[f"{name}.starts"] = postings.starts.astype("<i8", copy=False)
        arrays[f"{name}.rows"] = postings.rows.astype("<i4", copy=False)
    arrays |= _optional_arrays(model)
    if index is not None:
        arrays["index"] = index
    return blob_of(arrays)


def schema_of(model: Model) -> int:
    """Returns the manifest's schema, a higher one for a model with parts that old readers lack."""
    return SCHEMA_WITH_OPTIONS if _optional_arrays(model) else SCHEMA


def unpack_model(blob: Blob, manifest: Manifest) -> tuple[Model, DerivedTables]:
    """Returns the model, whose arrays are read-only views into the blob, and its derived tables.

    Raises ArtifactCorrupt where header, counts or shapes differ from the manifest. Hashes are
    checked in `foldin_model.artifact.chunks`, not here.
    """
    check_header(blob, manifest)
    sections = Sections(blob, {section.name: section for section in manifest.sections})
    n = manifest.item_count
    dimension = manifest.ranking_dimension + 1 + manifest.rating_dimension
    similar = manifest.similarity_dimension
    for name, prior in (("ranking", manifest.ranking_prior), ("rating", manifest.rating_prior)):
        wanted = getattr(manifest, f"{name}_dimension")
        if len(prior) != wanted:
            raise ArtifactCorrupt(f"the {name} prior has {len(prior)} numbers, not {wanted}")
    ranking_encoder = _encoder(sections, "ranking_lead", (n, manifest.ranking_dimension))
    _check_kind(sections, ranking_encoder, manifest)
    model = Model(
        catalog=_catalog(sections, n),
        items=sections.floats("items", (n, dimension)),
        similarity=sections.floats("similarity", (n, similar)),
        scale=manifest.scale,
        rating_mean=manifest.rating_mean,
        rating_weight=manifest.rating_weight,
        ranking_prior=np.array(manifest.ranking_prior, np.float64),
        rating_prior=np.array(manifest.rating_prior, np.float64),
        ranking_rule=manifest.ranking_rule,
        ranking_encoder=ranking_encoder,
        rating_encoder=_encoder(sections, "rating_lead", (n, manifest.rating_dimension)),
        uncertainty=_uncertainty(sections, n),
    )
    if sections.has("content.weights"):
        model = replace(model, content=_content(sections, sum(model.item_widths)))
    derived = DerivedTables(
        item_bounds=sections.bounds("items", n, manifest.ranking_dimension),
        similarity_bounds=sections.bounds("similarity", n, similar),
        titles=TitleIndex(
            sections.postings("title_words", n),
            sections.postings("title_names", n),
            model.catalog.rating_counts,
        ),
        genres=sections.postings("by_genre", n),
        index=_index(sections),
    )
    return model, derived


def _index(sections: Sections) -> "NDArray[np.uint8] | None":
    return sections.array("index", "|u1", (None,)).view(np.uint8) if sections.has("index") else None


def _catalog(sections: Sections, n: int) -> Catalog:
    """Reads the catalog; strings are decoded at once where they are few, which serves faster."""
    item_ids = sections.texts("item_ids", n)
    titles = sections.texts("titles", n)
    genres = sections.genres(n)
    years = Years(sections.array("years", "<i4", (n,)).view(np.int32))
    hashed = SortedHashRows(
        item_ids,
        sections.array("item_ids.hashes", "<u8", (n,)).view(np.uint64),
        sections.array("item_ids.rows", "<i4", (n,)).view(np.int32),
    )
    few = n <= EAGER_ITEMS
    return Catalog(
        item_ids=decoded("item_ids", item_ids) if few else item_ids,
        titles=decoded("titles", titles) if few else titles,
        genres=tuple(genres) if few else genres,
        years=tuple(years) if few else years,
        rating_counts=sections.array("rating_counts", "<i8", (n,)).view(np.int64),
        rating_means=sections.floats("rating_means", (n,)),
        cluster_ids=sections.array("cluster_ids", "<i4", (n,)).view(np.int32),
        clusters=sections.clusters(),
        id_rows=None if few else hashed,
    )


def _optional_arrays(model: Model) -> Arrays:
    arrays: Arrays = {}
    encoders = {"ranking_lead": model.ranking_encoder, "rating_lead": model.rating_encoder}
    for name, encoder in encoders.items():
        if encoder is not None:
            arrays[f"{name}.vectors"] = encoder.vectors.astype("<f4", copy=False)
            arrays[f"{name}.rule"] = np.array([encoder.rule.knots, encoder.rule.factors], "<f8")
            arrays[f"{name}.exponent"] = np.array([encoder.exponent], "<f8")
    if (unsure := model.uncertainty) is not None:
        arrays["uncertainty.item_noise"] = unsure.item_noise.astype("<f4", copy=False)
        arrays["uncertainty.item_doubts"] = unsure.item_variances.astype("<f4", copy=False)
        arrays["uncertainty.constants"] = np.array(
            [unsure.vector_variance, unsure.degrees, unsure.trained_noise], "<f8"
        )
    if model.content is not None:
        arrays |= packed_texts("content.names", model.content.names)
        arrays["content.weights"] = model.content.weights.astype("<f4", copy=False)
        arrays["content.embedding_weights"] = model.content.embedding_weights.astype(
            "<f4", copy=False
        )
        arrays["content.intercept"] = model.content.intercept.astype("<f4", copy=False)
    return arrays


def _encoder(sections: Sections, name: str, shape: tuple[int, int]) -> LinearEncoder | None:
    if not sections.has(f"{name}.vectors"):
        return None
    knots, factors = sections.doubles(f"{name}.rule", (2, None))
    if len(knots) == 0 or not (np.diff(knots) > 0).all() or not np.isfinite(factors).all():
        raise ArtifactCorrupt(f"section {name}.rule is not a function of increasing knots")
    return LinearEncoder(
        vectors=sections.floats(f"{name}.vectors", shape),
        rule=EncoderRule(tuple(knots.tolist()), tuple(factors.tolist())),
        exponent=float(sections.doubles(f"{name}.exponent", (1,))[0]),
    )


def _check_kind(sections: Sections, encoder: LinearEncoder | None, manifest: Manifest) -> None:
    """Raises ArtifactCorrupt unless the ranking head is of a kind that this program serves."""
    if sections.has("rating_precisions"):
        raise ArtifactCorrupt(
            "section rating_precisions is of a head that this program does not serve"
        )
    try:
        kind_of(encodes=encoder is not None, solves=any(manifest.ranking_rule.weights))
    except ValueError as error:
        raise ArtifactCorrupt(f"the ranking head cannot be served: {error}") from error


def _uncertainty(sections: Sections, n: int) -> Uncertainty | None:
    if not sections.has("uncertainty.constants"):
        return None
    constants = sections.doubles("uncertainty.constants", (3,))
    noise = sections.floats("uncertainty.item_noise", (n,))
    doubts = sections.floats("uncertainty.item_doubts", (n,))
    if not ((constants > 0).all() and (noise > 0).all() and (doubts >= 0).all()):
        raise ArtifactCorrupt("sections uncertainty.* have variances that are not above 0")
    return Uncertainty(noise, doubts, *constants.tolist())


def _content(sections: Sections, width: int) -> ContentMap:
    names = decoded("content.names", sections.texts("content.names", None))
    return ContentMap(
        names=names,
        weights=sections.floats("content.weights", (len(names), width)),
        embedding_weights=sections.floats("content.embedding_weights", (None, width)),
        intercept=sections.floats("content.intercept", (width,)),
    )


def _clusters_json(clusters: Sequence[Cluster]) -> bytes:
    documents = [
        {"id": c.id, "name": c.name, "genres": list(c.genres), "size": c.size} for c in clusters
    ]
    return json.dumps(documents, sort_keys=True).encode()
