"""The bytes under every key, which other releases and programs must still understand."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.folded_users import PackedUser
from foldin_model.records.item_overlay import ItemRating, pack_content, pack_deleted
from foldin_model.records.rating_history import RatingRecord
from foldin_model.store.keys import Keys, partition
from foldin_model.store.protocols import ImportedRating, RatingWrite
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.write_rule import request_digest
from foldin_model.trained.content_map import Content
from redis import Redis

ANN = UserId("ann")
V1 = Version("v1")
PAST_US = 1_500_000_000_000_000


@pytest.fixture
def client(valkey_url: str) -> Iterator[Redis]:
    with Redis.from_url(valkey_url, protocol=2) as made:
        yield made


def test_keys_have_fixed_names() -> None:
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


async def test_a_write_stores_exactly_the_documented_bytes(
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


def test_the_digest_of_a_request_is_fixed() -> None:
    write = RatingWrite(ANN, ItemId("item"), 4, PAST_US, UUID(int=1))
    assert request_digest(write) == bytes.fromhex("4161ef468c41483da68d210096ec8ee2")
    assert request_digest(replace(write, value=4.0, request_id=None)) == request_digest(write)


async def test_only_changes_are_logged(client: Redis, valkey_url: str, namespace: str) -> None:
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
        [(ANN, PackedUser(V1, 0, bytes.fromhex("01 0000000000000000 0200 7631") + b"..."))]
    )
    await store.close()
    assert 604_790 < client.ttl(Keys(namespace).folded(ANN)) <= 604_800


def test_a_namespace_is_created_by_the_first_of_many(
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


def test_an_overlay_stores_exactly_the_documented_bytes(
    client: Redis, valkey_url: str, namespace: str
) -> None:
    keys = Keys(namespace)
    assert keys.overlay == f"{{fi:{namespace}}}:overlay"
    assert keys.overlay_changed == f"{{fi:{namespace}}}:overlay:changed"
    assert keys.overlay_ratings(ItemId("a:b")) == f"{{fi:{namespace}}}:overlay:r:a:b"
    content = Content("Ü", ("Drama",), 1999, ("sad",), np.array([0.5], np.float32))
    document = '{"genres": ["Drama"], "tags": ["sad"], "title": "Ü", "year": 1999}'.encode()
    packed = len(document).to_bytes(4, "little") + document + bytes.fromhex("0000003f")
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
    assert pack_deleted(4) == bytes.fromhex("01 00 0400000000000000") + bytes(14)
    models.overlay.rate(ItemId("item"), ANN, rating)
    assert client.hgetall(keys.overlay_ratings(ItemId("item"))) == {b"ann": rating}
    models.close()
