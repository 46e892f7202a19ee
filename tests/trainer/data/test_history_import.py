"""Imported ratings become histories at their own times, and newer ratings are kept."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.store.memory.ratings import MemoryRatingStore
from foldin_model.store.protocols import RatingWrite
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.write_rule import Limits
from foldin_trainer.commands.ratings import ratings as command
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.data.history_import import event_times_us, import_histories
from tiny import write_movielens

VERSION = Version("v1")


def quiet(_done: int, _total: int) -> None:
    """Shows nothing."""


async def test_every_rating_becomes_history_at_its_own_time(tiny: Dataset) -> None:
    store, ratings = MemoryRatingStore(), tiny.ratings
    amounts: list[tuple[int, int]] = []
    report = await import_histories(
        ratings, store, lambda done, total: amounts.append((done, total))
    )
    assert (report.users, report.stored) == (len(ratings.user_ids), len(ratings))
    assert (report.unchanged, report.left_out) == (0, 0)
    assert amounts[-1] == (len(ratings), len(ratings))
    times = event_times_us(ratings)
    for user in range(0, 300, 37):
        state = await store.read(UserId(ratings.user_ids[user]), VERSION, history=True)
        assert state.history is not None
        index = np.flatnonzero(ratings.users == user)
        expected = {
            ratings.item_ids[ratings.items[i]]: (ratings.values[i], times[i]) for i in index
        }
        history = state.history
        found = zip(history.values, history.event_times_us, strict=True)
        assert dict(zip(history.item_ids, found, strict=True)) == expected


async def test_a_second_import_changes_nothing(tiny: Dataset) -> None:
    store = MemoryRatingStore()
    await import_histories(tiny.ratings, store, quiet)
    user = UserId(tiny.ratings.user_ids[0])
    before = (await store.read(user, VERSION)).revision
    report = await import_histories(tiny.ratings, store, quiet)
    assert (report.stored, report.unchanged) == (0, len(tiny.ratings))
    assert (await store.read(user, VERSION)).revision == before


@pytest.mark.parametrize("timed", [True, False])
async def test_a_newer_rating_is_kept(tiny: Dataset, *, timed: bool) -> None:
    ratings = tiny.ratings if timed else replace(tiny.ratings, timestamps=None)
    user = UserId(ratings.user_ids[ratings.users[0]])
    item = ItemId(ratings.item_ids[ratings.items[0]])
    store = MemoryRatingStore()
    await store.write(RatingWrite(user, item, 0.5 if ratings.values[0] > 2 else 5.0))
    report = await import_histories(ratings, store, quiet)
    assert (report.stored, report.unchanged) == (len(ratings) - 1, 1)


def test_without_times_event_times_follow_the_lines_and_are_long_ago(tiny: Dataset) -> None:
    times = event_times_us(replace(tiny.ratings, timestamps=None))
    assert (np.diff(times) > 0).all()
    assert 0 < times[0] < times[-1] < 10**9


async def test_a_full_history_is_left_out_and_counted(tiny: Dataset) -> None:
    ratings: Ratings = tiny.ratings
    counts = np.bincount(ratings.users)
    limit = int(np.median(counts))
    report = await import_histories(ratings, MemoryRatingStore(limits=Limits(limit)), quiet)
    assert report.left_out == counts[counts > limit].sum()
    assert report.stored == counts[counts <= limit].sum()


def test_the_command_fills_a_real_store_and_repeats_without_change(
    tiny: Dataset, tmp_path: Path, valkey_url: str, namespace: str
) -> None:
    folder = str(write_movielens(tiny, tmp_path / "ml"))
    options = ["--redis-url", valkey_url, "--namespace", namespace, "--json"]
    outcomes = []
    for _ in range(2):
        result = CliRunner().invoke(command, ["import", folder, *options])
        assert result.exit_code == 0, result.stderr
        outcomes.append(json.loads(result.stdout))
    size = len(tiny.ratings)
    assert [(o["stored"], o["unchanged"]) for o in outcomes] == [(size, 0), (0, size)]

    async def count(user_id: str) -> int:
        store = RedisRatingStore(valkey_url, namespace)
        state = await store.read(UserId(user_id), VERSION, history=True)
        await store.close()
        return 0 if state.history is None else len(state.history)

    counts = np.bincount(tiny.ratings.users)
    assert asyncio.run(count(tiny.ratings.user_ids[5])) == counts[5]


def test_the_command_names_a_store_that_it_cannot_reach(tiny: Dataset, tmp_path: Path) -> None:
    folder = str(write_movielens(tiny, tmp_path / "ml"))
    url = "redis://127.0.0.1:1"
    result = CliRunner().invoke(command, ["import", folder, "--redis-url", url])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: the store at {url}")
