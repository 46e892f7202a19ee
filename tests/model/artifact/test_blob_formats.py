"""The bytes of a model and of its manifest, which other releases must still understand."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from foldin_model.artifact.model_blob import pack_model, schema_of, unpack_model
from foldin_model.artifact.sections import blob_of
from foldin_model.errors import ArtifactCorrupt
from foldin_model.fold_in.head import RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.ids import ItemId
from foldin_model.scale import Scale
from foldin_model.trained.catalog import Catalog, Cluster
from foldin_model.trained.content_map import ContentMap
from foldin_model.trained.manifest import Chunk, Manifest, Section
from foldin_model.trained.model import Model
from foldin_model.trained.uncertainty import Uncertainty
from numpy.typing import NDArray


def tiny() -> Model:
    """Returns a model of two items in two dimensions; each optional field is missing once."""
    return Model(
        catalog=Catalog(
            item_ids=(ItemId("1"), ItemId("é")),
            titles=("One", ""),
            genres=(("Drama", "Comedy"), ()),
            years=(1999, None),
            rating_counts=np.array([3, 0], np.int64),
            rating_means=np.array([3.5, np.nan], np.float32),
            cluster_ids=np.array([1, 2], np.int32),
            clusters=(Cluster(1, "Plays", ("Drama",), 1), Cluster(2, "Rest", (), 1)),
        ),
        items=np.arange(8, dtype=np.float32).reshape(2, 4),
        similarity=np.eye(2, dtype=np.float32),
        scale=Scale(0.5, 5.0),
        rating_mean=3.5,
        rating_weight=0.25,
        ranking_prior=np.array([0.5, -0.5]),
        rating_prior=np.array([0.0]),
        ranking_rule=RatingRule((0.5, 5.0), (1.0, 2.0), (0.0, 1.0)),
    )


def with_options() -> Model:
    """Returns the same two items in a model with every optional part."""
    return replace(
        tiny(),
        ranking_encoder=LinearEncoder(
            np.array([[1, 2], [3, 4]], np.float32), EncoderRule((0.5, 5.0), (-0.5, 1.0)), 0.25
        ),
        rating_encoder=LinearEncoder(
            np.array([[5], [6]], np.float32), EncoderRule((3.0,), (1.0,)), 0.5
        ),
        uncertainty=Uncertainty(
            np.array([0.5, 0.25], np.float32), np.array([0, 1], np.float32), 0.75, 6.0, 1.25
        ),
        content=ContentMap(
            names=("genre=comedy", "word=é"),
            weights=np.arange(18, dtype=np.float32).reshape(2, 9),
            embedding_weights=np.ones((3, 9), np.float32),
            intercept=np.zeros(9, np.float32),
        ),
    )


def tiny_manifest(sections: tuple[Section, ...], blob: bytes) -> Manifest:
    model = tiny()
    return Manifest(
        version="v1",
        created_at=1_700_000_000.5,
        method="tiny",
        user_count=1,
        item_count=2,
        rating_count=3,
        scale=model.scale,
        rating_mean=model.rating_mean,
        rating_weight=model.rating_weight,
        ranking_prior=(0.5, -0.5),
        rating_prior=(0.0,),
        ranking_rule=model.ranking_rule,
        ranking_dimension=2,
        rating_dimension=1,
        similarity_dimension=2,
        index_kind="flat",
        index_recall=1.0,
        sections=sections,
        chunks=(Chunk("items:0", len(blob), sha256(blob).hexdigest()),),
        metrics={"rmse": 0.85},
        settings={"epochs": 20, "device": None},
        seed=1,
        data_hash="abc",
        libraries={"numpy": "2"},
    )


def test_golden_blob() -> None:
    blob, sections = pack_model(tiny())
    table = [(section.name, section.dtype, section.shape, section.offset) for section in sections]
    assert table == [
        ("by_genre.bytes", "|u1", (11,), 64),
        ("by_genre.offsets", "<i8", (3,), 128),
        ("by_genre.rows", "<i4", (2,), 192),
        ("by_genre.starts", "<i8", (3,), 256),
        ("cluster_ids", "<i4", (2,), 320),
        ("clusters", "|u1", (112,), 384),
        ("genres.codes", "<i4", (2,), 512),
        ("genres.names.bytes", "|u1", (11,), 576),
        ("genres.names.offsets", "<i8", (3,), 640),
        ("genres.offsets", "<i8", (3,), 704),
        ("item_ids.bytes", "|u1", (3,), 768),
        ("item_ids.hashes", "<u8", (2,), 832),
        ("item_ids.offsets", "<i8", (3,), 896),
        ("item_ids.rows", "<i4", (2,), 960),
        ("items", "<f4", (2, 4), 1024),
        ("items.bounds", "<f8", (1, 3), 1088),
        ("rating_counts", "<i8", (2,), 1152),
        ("rating_means", "<f4", (2,), 1216),
        ("similarity", "<f4", (2, 2), 1280),
        ("similarity.bounds", "<f8", (1, 3), 1344),
        ("title_names.bytes", "|u1", (3,), 1408),
        ("title_names.offsets", "<i8", (3,), 1472),
        ("title_names.rows", "<i4", (2,), 1536),
        ("title_names.starts", "<i8", (3,), 1600),
        ("title_words.bytes", "|u1", (3,), 1664),
        ("title_words.offsets", "<i8", (2,), 1728),
        ("title_words.rows", "<i4", (1,), 1792),
        ("title_words.starts", "<i8", (2,), 1856),
        ("titles.bytes", "|u1", (3,), 1920),
        ("titles.offsets", "<i8", (3,), 1984),
        ("years", "<i4", (2,), 2048),
    ]
    assert blob[:64] == b"foldin\x1a\n\1" + bytes(7) + (2056).to_bytes(8, "little") + bytes(40)
    assert blob[64:75] == b"comedydrama"
    assert blob[256:280] == bytes.fromhex("0000000000000000 0100000000000000 0200000000000000")
    assert blob[768:771] == "1é".encode()
    assert blob[832:848] == bytes.fromhex("cb1abf8beff3192f f6fc42039fba3776")
    assert blob[896:920] == bytes.fromhex("0000000000000000 0100000000000000 0300000000000000")
    assert blob[960:968] == bytes.fromhex("01000000 00000000")
    assert blob[1024:1056] == np.arange(8, dtype="<f4").tobytes()
    lengths = np.frombuffer(blob, "<f8", 3, 1088)
    np.testing.assert_allclose(lengths, np.sqrt([126, 41, 85]), rtol=1e-11)
    assert (lengths > np.sqrt([126, 41, 85])).all()
    assert blob[1664:1667] == b"one"
    assert blob[2048:] == bytes.fromhex("cf070000 00000080")
    assert (
        sha256(blob).hexdigest()
        == "9fd1b355d4ab97e5c0e6d24bdf6a132b301dff6278f1d53338454084f805ee0e"
    )


def test_the_tiny_model_survives_its_blob() -> None:
    model = tiny()
    blob, sections = pack_model(model)
    again, _ = unpack_model(blob, tiny_manifest(sections, blob))
    assert again.catalog.item_ids == model.catalog.item_ids
    assert again.catalog.genres == model.catalog.genres
    assert again.catalog.years == model.catalog.years
    assert again.catalog.clusters == model.catalog.clusters
    assert np.isnan(again.catalog.rating_means[1])
    assert pack_model(again)[0] == blob


def test_golden_blob_of_a_model_with_options() -> None:
    blob, sections = pack_model(with_options())
    bare = {section.name for section in pack_model(tiny())[1]}
    table = [
        (section.name, section.dtype, section.shape, section.offset)
        for section in sections
        if section.name not in bare
    ]
    assert table == [
        ("content.embedding_weights", "<f4", (3, 9), 512),
        ("content.intercept", "<f4", (9,), 640),
        ("content.names.bytes", "|u1", (19,), 704),
        ("content.names.offsets", "<i8", (3,), 768),
        ("content.weights", "<f4", (2, 9), 832),
        ("ranking_lead.exponent", "<f8", (1,), 1600),
        ("ranking_lead.rule", "<f8", (2, 2), 1664),
        ("ranking_lead.vectors", "<f4", (2, 2), 1728),
        ("rating_lead.exponent", "<f8", (1,), 1856),
        ("rating_lead.rule", "<f8", (2, 1), 1920),
        ("rating_lead.vectors", "<f4", (2, 1), 1984),
        ("uncertainty.constants", "<f8", (3,), 2880),
        ("uncertainty.item_doubts", "<f4", (2,), 2944),
        ("uncertainty.item_noise", "<f4", (2,), 3008),
    ]
    assert (
        sha256(blob).hexdigest()
        == "109c8f0e01ba682f13aebac7a3d9d8114d847982ed452efcbf98dd59593f4431"
    )


def test_options_survive_the_blob() -> None:
    model = with_options()
    blob, sections = pack_model(model)
    again, _ = unpack_model(blob, tiny_manifest(sections, blob))
    assert again.ranking_encoder is not None
    assert again.ranking_encoder.rule == EncoderRule((0.5, 5.0), (-0.5, 1.0))
    assert again.ranking_encoder.exponent == 0.25
    assert again.uncertainty is not None
    assert (again.uncertainty.vector_variance, again.uncertainty.degrees) == (0.75, 6.0)
    assert again.uncertainty.trained_noise == 1.25
    assert again.uncertainty.item_noise.tolist() == [0.5, 0.25]
    assert again.content is not None
    assert again.content.names == ("genre=comedy", "word=é")
    np.testing.assert_array_equal(again.item_rows, model.item_rows)
    assert pack_model(again)[0] == blob


def test_a_model_with_options_has_a_schema_that_old_readers_refuse() -> None:
    assert schema_of(tiny()) == 1
    assert schema_of(with_options()) == 2


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("ranking_lead.vectors", np.zeros((2, 3), "<f4"), "ranking_lead.vectors is"),
        ("ranking_lead.rule", np.ones((2, 2), "<f8"), "increasing knots"),
        ("rating_lead.exponent", np.zeros(2, "<f8"), "rating_lead.exponent is"),
        ("rating_precisions", np.array([1, 1], "<f4"), "does not serve"),
        ("uncertainty.item_noise", np.array([1, 0], "<f4"), "not above 0"),
        ("uncertainty.item_doubts", np.array([0], "<f4"), "uncertainty.item_doubts is"),
        ("uncertainty.constants", np.array([1, 1, 0], "<f8"), "not above 0"),
        ("content.intercept", np.zeros(8, "<f4"), "content.intercept is"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    name: str, array: NDArray[np.generic], message: str
) -> None:
    blob, sections = pack_model(with_options())
    kept = {
        s.name: np.frombuffer(blob, s.dtype, int(np.prod(s.shape)), s.offset).reshape(s.shape)
        for s in sections
    }
    damaged, table = blob_of(kept | {name: array})
    with pytest.raises(ArtifactCorrupt, match=message):
        unpack_model(damaged, tiny_manifest(table, damaged))


def test_a_ranking_head_without_a_serving_kind_is_refused() -> None:
    blob, sections = pack_model(tiny())
    manifest = tiny_manifest(sections, blob)
    rule = replace(manifest.ranking_rule, weights=(0.0, 0.0))
    with pytest.raises(ArtifactCorrupt, match="no serving kind"):
        unpack_model(blob, replace(manifest, ranking_rule=rule))


def test_golden_manifest() -> None:
    manifest = tiny_manifest((Section("items", "<f4", (2, 4), 64),), b"blob")
    assert manifest.to_json().decode() == GOLDEN_MANIFEST
    assert Manifest.from_json(GOLDEN_MANIFEST.encode()) == manifest


GOLDEN_MANIFEST = """\
{
 "chunks": [
  {
   "name": "items:0",
   "sha256": "fa2c8cc4f28176bbeed4b736df569a34c79cd3723e9ec42f9674b4d46ac6b8b8",
   "size_bytes": 4
  }
 ],
 "created_at": 1700000000.5,
 "data_hash": "abc",
 "index_kind": "flat",
 "index_recall": 1.0,
 "item_count": 2,
 "libraries": {
  "numpy": "2"
 },
 "method": "tiny",
 "metrics": {
  "rmse": 0.85
 },
 "ranking_dimension": 2,
 "ranking_prior": [
  0.5,
  -0.5
 ],
 "ranking_rule": {
  "knots": [
   0.5,
   5.0
  ],
  "targets": [
   0.0,
   1.0
  ],
  "weights": [
   1.0,
   2.0
  ]
 },
 "rating_count": 3,
 "rating_dimension": 1,
 "rating_mean": 3.5,
 "rating_prior": [
  0.0
 ],
 "rating_weight": 0.25,
 "scale": {
  "high": 5.0,
  "low": 0.5
 },
 "schema": 1,
 "sections": [
  {
   "dtype": "<f4",
   "name": "items",
   "offset": 64,
   "shape": [
    2,
    4
   ]
  }
 ],
 "seed": 1,
 "settings": {
  "device": null,
  "epochs": 20
 },
 "similarity_dimension": 2,
 "user_count": 1,
 "version": "v1"
}"""
