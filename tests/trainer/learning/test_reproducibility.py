"""The same command gives the same model, and the manifest says what it was trained on."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from foldin_model.ids import UserId, Version
from foldin_model.lifecycle.retention import versions
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.trained.manifest import Manifest
from foldin_trainer.commands.train import train
from foldin_trainer.data import load_dataset
from tiny import tiny_dataset, write_movielens

OPTIONS = ("--device", "cpu", "--dimension", "6", "--epochs", "3", "--seed", "5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_movielens(tiny_dataset(users=50, items=80), tmp_path_factory.mktemp("films"))


def trained_twice(folder: Path, url: str, namespace: str) -> tuple[Manifest, Manifest]:
    for _ in range(2):
        command = [str(folder), "--redis-url", url, "--namespace", namespace, *OPTIONS]
        result = CliRunner().invoke(train, command)
        assert result.exit_code == 0, result.output
    store = RedisModelStore(url, namespace)
    second, first = (published.manifest for published in versions(store))
    store.close()
    assert first is not None
    assert second is not None
    return first, second


def test_training_twice_gives_the_same_bytes(folder: Path, valkey_url: str, namespace: str) -> None:
    first, second = trained_twice(folder, valkey_url, namespace)
    store = RedisModelStore(valkey_url, namespace)
    assert first.version != second.version
    assert [(c.name, c.sha256) for c in first.chunks] == [(c.name, c.sha256) for c in second.chunks]
    assert first.sections == second.sections
    assert first.settings == second.settings
    assert first.metrics == second.metrics
    for user in map(UserId, ("1", "20", "50")):
        kept = store.trained_user(Version(first.version), user)
        assert kept is not None
        assert kept == store.trained_user(Version(second.version), user)
    store.close()
    ratings = load_dataset(folder).ratings
    assert first.data_hash == ratings.hash
    assert first.rating_count == len(ratings)
    assert first.seed == 5
    assert {first.settings[f"{part}seed"] for part in ("", "mf.", "ease.")} == {5}
    assert first.settings["mf.dimension"] == 6
    assert {"python", "numpy", "scipy", "scikit-learn", "torch"} <= set(first.libraries)
