"""`foldin store` prints sizes, removes old models and purges a user."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from foldin_model.commands.store import store as command
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.lifecycle import installation, publisher, retention
from foldin_model.lifecycle.publisher import Description
from foldin_model.store.keys import Keys
from foldin_model.store.protocols import RatingWrite
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.operations import KINDS, RedisOperations
from foldin_model.store.redis.ratings import RedisRatingStore
from planted import Planted
from redis import Redis

ABOUT = Description("planted", 600, 0, "", {}, {})


def run(url: str, namespace: str, data_dir: Path, *arguments: str) -> str:
    options = ["--redis-url", url, "--namespace", namespace, "--data-dir", str(data_dir)]
    result = CliRunner().invoke(command, [*options, *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def publish(models: RedisModelStore, small: Planted, count: int) -> list[Version]:
    return [
        Version(publisher.publish(small.model, small.users, ABOUT, models).version)
        for _ in range(count)
    ]


def write(url: str, namespace: str, *users: str) -> None:
    async def write_all() -> None:
        store = RedisRatingStore(url, namespace)
        for user in users:
            for item in "abc":
                await store.write(RatingWrite(UserId(user), ItemId(item), 3.0))
        await store.close()

    asyncio.run(write_all())


def names(url: str, namespace: str) -> list[str]:
    with Redis.from_url(url, protocol=2, decode_responses=True) as client:
        return sorted(map(str, client.scan_iter(f"*{namespace}*")))


def test_size_counts_every_key_once_by_kind(
    valkey_url: str, namespace: str, tmp_path: Path, small: Planted
) -> None:
    models = RedisModelStore(valkey_url, namespace)
    publish(models, small, 1)
    models.close()
    write(valkey_url, namespace, "1", "2")
    operator = RedisOperations(valkey_url, namespace)
    sizes = operator.sizes()
    operator.close()
    counts = {kind: keys for kind, (keys, _) in sizes.items()}
    assert counts == dict.fromkeys(KINDS, 0) | {
        "ratings": 2,
        "revisions": 2,
        "trained users": 40,
        "models": 3,
        "logs": 2,
        "control": 2,
    }
    assert sum(counts.values()) == len(names(valkey_url, namespace))
    assert all((keys > 0) == (size > 0) for keys, size in sizes.values())
    output = run(valkey_url, namespace, tmp_path, "size")
    assert "trained users" in output
    assert "all" in output


def test_gc_keeps_current_previous_and_the_newest(
    valkey_url: str, namespace: str, tmp_path: Path, small: Planted
) -> None:
    models = RedisModelStore(valkey_url, namespace)
    versions = publish(models, small, 5)
    publisher.activate(models, versions[0])
    publisher.activate(models, versions[2])
    folder = installation.install(models, versions[1], tmp_path / "models")
    output = run(valkey_url, namespace, tmp_path, "gc", "--keep", "1")
    assert f"removed {versions[1]}" in output
    assert f"removed {versions[3]}" in output
    assert "3 of 5 versions stay" in output
    assert not folder.exists()
    left = [name for name, _ in models.versions()]
    models.close()
    assert sorted(left) == sorted([versions[0], versions[2], versions[4]])
    gone = [n for n in names(valkey_url, namespace) if versions[1] in n or versions[3] in n]
    assert gone == []


def test_gc_names_a_damaged_version_and_removes_it_when_asked(
    valkey_url: str, namespace: str, tmp_path: Path, small: Planted
) -> None:
    models = RedisModelStore(valkey_url, namespace)
    versions = publish(models, small, 5)
    publisher.activate(models, versions[4])
    with Redis.from_url(valkey_url, protocol=2) as client:
        for version in (versions[2], versions[4]):
            client.set(Keys(namespace).manifest(version), '{"schema": 1,')
    output = run(valkey_url, namespace, tmp_path, "gc")
    assert f"{versions[2]} is damaged: the manifest is not JSON" in output
    assert (
        f"removed {versions[0]}" in output
    )  # though a damaged one is newer: two undamaged ones are
    assert "4 of 5 versions stay" in output
    output = run(valkey_url, namespace, tmp_path, "gc", "--damaged")
    assert f"removed {versions[2]}" in output
    assert f"{versions[4]} is damaged: the manifest is not JSON" in output
    assert "activate another one" in output
    models.close()
    assert [name for name in names(valkey_url, namespace) if versions[2] in name] == []
    assert any(versions[4] in name for name in names(valkey_url, namespace))


def test_gc_removes_installed_versions_that_the_store_no_longer_has(
    valkey_url: str, namespace: str, tmp_path: Path, small: Planted
) -> None:
    models = RedisModelStore(valkey_url, namespace)
    forgotten, *kept = publish(models, small, 3)
    publisher.activate(models, kept[0])
    publisher.activate(models, kept[1])
    others = RedisModelStore(valkey_url, f"{namespace}-other")
    kept += publish(others, small, 1)
    directory = tmp_path / "models"
    for version in (forgotten, *kept[:2]):
        installation.install(models, version, directory)
    installation.install(others, kept[2], directory)
    others.close()
    foreign = directory / "notes" / "manifest.txt"
    foreign.parent.mkdir()
    foreign.touch()
    _, served, _ = installation.load(directory / forgotten)
    retention.remove(models, forgotten)  # by a gc beside another data directory
    models.close()
    output = run(valkey_url, namespace, tmp_path, "gc")
    assert f"removed {forgotten} from {directory}" in output
    assert retention.installed(directory) == sorted(kept)
    assert foreign.exists()
    assert (
        served.items.tobytes() == small.model.items.tobytes()
    )  # a process that has it mapped can still use it


def test_gc_removes_an_interrupted_publishing_when_asked(
    valkey_url: str, namespace: str, tmp_path: Path, small: Planted
) -> None:
    models = RedisModelStore(valkey_url, namespace)
    (version,) = publish(models, small, 1)
    models.put_chunk(Version("half"), "items:0", b"...")
    models.put_users(Version("half"), [(UserId("1"), b"...")])
    models.close()
    assert "half" not in run(valkey_url, namespace, tmp_path, "gc")
    assert "removed 2 keys that were left of half" in run(
        valkey_url, namespace, tmp_path, "gc", "--unfinished"
    )
    left = names(valkey_url, namespace)
    assert not any("half" in name for name in left)
    assert any(version in name for name in left)


def test_purge_removes_one_user_alone(
    valkey_url: str, namespace: str, tmp_path: Path, small: Planted
) -> None:
    models = RedisModelStore(valkey_url, namespace)
    versions = publish(models, small, 2)
    write(valkey_url, namespace, "1", "2")
    before = names(valkey_url, namespace)
    assert "removed 7 keys and log entries" in run(valkey_url, namespace, tmp_path, "purge", "1")
    after = names(valkey_url, namespace)
    assert {name.rpartition(":")[2] for name in set(before) - set(after)} == {"1"}
    assert len(before) - len(after) == 4
    assert all(models.trained_user(version, UserId("1")) is None for version in versions)
    assert all(models.trained_user(version, UserId("2")) for version in versions)
    models.close()
    with Redis.from_url(valkey_url, protocol=2) as client:
        kept = [client.xlen(name) for name in after if name.endswith("log")]
    assert sorted(kept) == [0, 3]


def test_a_store_that_is_gone_is_reported_in_one_line(tmp_path: Path, namespace: str) -> None:
    url = f"unix://{tmp_path}/nowhere.sock"
    result = CliRunner().invoke(command, ["--redis-url", url, "--namespace", namespace, "size"])
    assert result.exit_code == 1
    assert "nowhere.sock cannot be used" in result.output


@pytest.mark.parametrize("name", ["", "a b", "{x}", "a" * 65])
def test_a_namespace_with_other_characters_is_refused(valkey_url: str, name: str) -> None:
    result = CliRunner().invoke(command, ["--redis-url", valkey_url, "--namespace", name, "size"])
    assert result.exit_code == 1
    assert "namespace" in result.output
