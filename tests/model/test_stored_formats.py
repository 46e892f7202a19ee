"""The bytes under every key, which other releases and programs must still understand."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import numpy as np
import pytest
from foldin_model.artifact import pack, schema_of, unpack
from foldin_model.catalog import Catalog, Cluster
from foldin_model.content import Content, ContentMap
from foldin_model.errors import ArtifactCorrupt
from foldin_model.heads import RatingRule, Scale
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.leading import Lead, LeadRule
from foldin_model.manifest import Chunk, Manifest, Section
from foldin_model.model import Model
from foldin_model.overlay import ItemRating, pack_content, pack_taken_back
from foldin_model.ratings import RatingRecord
from foldin_model.sections import lay_out
from foldin_model.store.keys import Keys, partition
from foldin_model.store.protocols import FoldedState, ImportedRating, RatingWrite
from foldin_model.store.redis_models import RedisModelStore
from foldin_model.store.redis_ratings import RedisRatingStore
from foldin_model.store.rule import request_digest
from foldin_model.uncertainty import Uncertainty
from numpy.typing import NDArray
from redis import Redis

ANN = UserId("ann")
V1 = Version("v1")
PAST_US = 1_500_000_000_000_000


@pytest.fixture
def client(valkey_url: str) -> Iterator[Redis]:
    with Redis.from_url(valkey_url, protocol=2) as made:
        yield made


def test_keys_are_named_as_ever() -> None:
    keys = Keys("ns")
    request = UUID(int=1)
    assert partition(ANN) == 51
    assert keys.control == "{fi:ns}:ctl"
    assert keys.versions == "{fi:ns}:versions"
    assert keys.manifest(V1) == "fi:ns:v:v1:manifest"
    assert keys.chunk(V1, "items:0") == "fi:ns:v:v1:items:0"
    assert keys.trained(V1, ANN) == "fi:ns:v:v1:u:{51}:ann"
    assert keys.ratings(ANN) == "fi:ns:{51}:r:ann"
    assert keys.revision(ANN) == "fi:ns:{51}:rev:ann"
    assert keys.folded(ANN) == "fi:ns:{51}:f:ann"
    assert keys.request(ANN, request) == f"fi:ns:{{51}}:req:ann:{request}"
    assert keys.log(ANN) == "fi:ns:{51}:log"


async def test_a_write_leaves_exactly_what_the_formats_say(
    client: Redis, valkey_url: str, namespace: str
) -> None:
    keys = Keys(namespace)
    request = UUID(bytes=bytes(range(16)))
    write = RatingWrite(ANN, ItemId("item"), 4.5, PAST_US, request)
    store = RedisRatingStore(valkey_url, namespace)
    revision = (await store.write(write)).revision
    await store.close()
    record = RatingRecord(4.5, PAST_US, revision, request.bytes).pack()
    assert client.hgetall(keys.ratings(ANN)) == {b"item": record}
    assert client.get(keys.revision(ANN)) == str(revision).encode()
    entries = client.xrange(keys.log(ANN))
    assert entries is not None
    assert [fields for _, fields in entries] == [{b"u": b"ann", b"i": b"item", b"r": record}]
    kept = request_digest(write) + revision.to_bytes(8, "little") + b"\0"
    name = keys.request(ANN, request)
    assert client.get(name) == kept
    assert 3_590 < client.ttl(name) <= 3_600
    names = sorted(client.scan_iter(f"*{namespace}*"))
    assert len(names) == 5


def test_what_a_request_asks_has_one_name() -> None:
    write = RatingWrite(ANN, ItemId("item"), 4, PAST_US, UUID(int=1))
    assert request_digest(write) == bytes.fromhex("4161ef468c41483da68d210096ec8ee2")
    assert request_digest(replace(write, value=4.0, request_id=None)) == request_digest(write)


async def test_only_what_changes_is_logged(client: Redis, valkey_url: str, namespace: str) -> None:
    store = RedisRatingStore(valkey_url, namespace)
    past = [ImportedRating(ItemId(item), 3.0, PAST_US) for item in "abc"]
    await store.import_ratings(ANN, past)
    await store.import_ratings(ANN, past)
    await store.write(RatingWrite(ANN, ItemId("a"), 1.0, PAST_US - 1))
    await store.write(RatingWrite(ANN, ItemId("a"), None))
    await store.close()
    assert client.xlen(Keys(namespace).log(ANN)) == 4


async def test_a_fold_is_kept_for_a_week(client: Redis, valkey_url: str, namespace: str) -> None:
    store = RedisRatingStore(valkey_url, namespace)
    await store.keep_folded(
        V1, [FoldedState(ANN, 0, bytes.fromhex("01 0000000000000000 0200 7631") + b"...")]
    )
    await store.close()
    assert 604_790 < client.ttl(Keys(namespace).folded(ANN)) <= 604_800


def test_a_namespace_is_made_by_the_first_of_many(
    client: Redis, valkey_url: str, namespace: str
) -> None:
    async def ping() -> None:
        stores = [RedisRatingStore(valkey_url, namespace) for _ in range(8)]
        await asyncio.gather(*(store.ping() for store in stores))
        await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(ping())
    models = RedisModelStore(valkey_url, namespace)
    control = client.hgetall(Keys(namespace).control)
    assert control == {b"partitions": b"64", b"page_key": models.page_key()}
    models.close()


def tiny() -> Model:
    """Two items of two dimensions, with everything that can be missing missing once."""
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
    """The same two items in a model that has everything it could do without."""
    return replace(
        tiny(),
        ranking_lead=Lead(
            np.array([[1, 2], [3, 4]], np.float32), LeadRule((0.5, 5.0), (-0.5, 1.0)), 0.25
        ),
        rating_lead=Lead(np.array([[5], [6]], np.float32), LeadRule((3.0,), (1.0,)), 0.5),
        rating_precisions=np.array([0.5, 2.0], np.float32),
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
    blob, sections = pack(tiny())
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
    blob, sections = pack(model)
    again, _ = unpack(blob, tiny_manifest(sections, blob))
    assert again.catalog.item_ids == model.catalog.item_ids
    assert again.catalog.genres == model.catalog.genres
    assert again.catalog.years == model.catalog.years
    assert again.catalog.clusters == model.catalog.clusters
    assert np.isnan(again.catalog.rating_means[1])
    assert pack(again)[0] == blob


def test_golden_blob_of_a_model_with_options() -> None:
    blob, sections = pack(with_options())
    bare = {section.name for section in pack(tiny())[1]}
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
        ("rating_precisions", "<f4", (2,), 2112),
        ("uncertainty.constants", "<f8", (3,), 2944),
        ("uncertainty.item_doubts", "<f4", (2,), 3008),
        ("uncertainty.item_noise", "<f4", (2,), 3072),
    ]
    assert (
        sha256(blob).hexdigest()
        == "5f826c474e744bf4090ee2071406c90663d8011aa5fc9b894480e42135cc0363"
    )


def test_options_survive_the_blob() -> None:
    model = with_options()
    blob, sections = pack(model)
    again, _ = unpack(blob, tiny_manifest(sections, blob))
    assert again.ranking_lead is not None
    assert again.ranking_lead.rule == LeadRule((0.5, 5.0), (-0.5, 1.0))
    assert again.ranking_lead.exponent == 0.25
    assert again.uncertainty is not None
    assert (again.uncertainty.vector_variance, again.uncertainty.degrees) == (0.75, 6.0)
    assert again.uncertainty.trained_noise == 1.25
    assert again.uncertainty.item_noise.tolist() == [0.5, 0.25]
    assert again.content is not None
    assert again.content.names == ("genre=comedy", "word=é")
    np.testing.assert_array_equal(again.item_rows, model.item_rows)
    assert pack(again)[0] == blob


def test_a_reader_of_the_first_schema_is_not_given_a_model_that_it_would_serve_otherwise() -> None:
    assert schema_of(tiny()) == 1
    assert schema_of(with_options()) == 2


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("ranking_lead.vectors", np.zeros((2, 3), "<f4"), "ranking_lead.vectors is"),
        ("ranking_lead.rule", np.ones((2, 2), "<f8"), "increasing knots"),
        ("rating_lead.exponent", np.zeros(2, "<f8"), "rating_lead.exponent is"),
        ("rating_precisions", np.array([1, -1], "<f4"), "below 0"),
        ("uncertainty.item_noise", np.array([1, 0], "<f4"), "not above 0"),
        ("uncertainty.item_doubts", np.array([0], "<f4"), "uncertainty.item_doubts is"),
        ("uncertainty.constants", np.array([1, 1, 0], "<f8"), "not above 0"),
        ("content.intercept", np.zeros(8, "<f4"), "content.intercept is"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    name: str, array: NDArray[np.generic], told: str
) -> None:
    blob, sections = pack(with_options())
    kept = {
        s.name: np.frombuffer(blob, s.dtype, int(np.prod(s.shape)), s.offset).reshape(s.shape)
        for s in sections
    }
    damaged, table = lay_out(kept | {name: array})
    with pytest.raises(ArtifactCorrupt, match=told):
        unpack(damaged, tiny_manifest(table, damaged))


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


def test_an_overlay_leaves_exactly_what_the_formats_say(
    client: Redis, valkey_url: str, namespace: str
) -> None:
    keys = Keys(namespace)
    assert keys.overlay == f"{{fi:{namespace}}}:overlay"
    assert keys.overlay_changed == f"{{fi:{namespace}}}:overlay:changed"
    assert keys.overlay_ratings(ItemId("a:b")) == f"{{fi:{namespace}}}:overlay:r:a:b"
    content = Content("Ü", ("Drama",), 1999, ("sad",), np.array([0.5], np.float32))
    told = '{"genres": ["Drama"], "tags": ["sad"], "title": "Ü", "year": 1999}'.encode()
    packed = len(told).to_bytes(4, "little") + told + bytes.fromhex("0000003f")
    assert pack_content(content) == packed
    models = RedisModelStore(valkey_url, namespace)
    models.overlay.upsert([(ItemId("item"), packed)])
    hidden = models.overlay.set_availability([ItemId("item")], available=False)
    entry = bytes.fromhex("01 03 0100000000000000") + packed
    assert client.hgetall(keys.overlay) == {b"item": entry}
    assert client.zrange(keys.overlay_changed, 0, -1, withscores=True) == [(b"item", hidden)]
    assert client.hmget(keys.control, "overlay", "overlay_items", "overlay_order") == [
        str(hidden).encode(),
        b"1",
        b"1",
    ]
    rating = ItemRating(3, V1, 4.5, np.array([1.0]), np.array([2.0, 3.0])).pack()
    assert rating == bytes.fromhex(
        "01 01 0300000000000000 0000000000001240 0200 0100 0200 7631 0000803f 00000040 00004040"
    )
    assert pack_taken_back(4) == bytes.fromhex("01 00 0400000000000000") + bytes(14)
    models.overlay.rate(ItemId("item"), ANN, rating)
    assert client.hgetall(keys.overlay_ratings(ItemId("item"))) == {b"ann": rating}
    models.close()
