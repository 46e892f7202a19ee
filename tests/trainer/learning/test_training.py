"""The whole training: folding returns trained vectors, and lists beat those by popularity."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from foldin_model.errors import FoldinError
from foldin_model.fold_in.fold_in import fold
from foldin_model.lifecycle.retention import versions
from foldin_model.store.keys import Keys
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.trained.trained_users import digest
from foldin_trainer.commands.train import train as command
from foldin_trainer.data import Dataset
from foldin_trainer.learning import model_assembly
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.bayes.trainer import train_bayes
from foldin_trainer.learning.rating_heads.factors import Epoch
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Listener, Trained, train
from redis import Redis
from tiny import write_movielens

QUICK = TrainSettings(
    heads=HeadSettings(
        (
            MfSettings(dimension=8, epochs=6, device="cpu"),
            IalsSettings(dimension=8, iterations=5, device="cpu"),
        )
    )
)


STAGES: list[str] = []
EPOCHS: list[Epoch] = []


@pytest.fixture(scope="module")
def trained(tiny: Dataset) -> Trained:
    """A model trained once; STAGES and EPOCHS keep all that the listener was called with."""
    return train(tiny, QUICK, Listener(STAGES.append, EPOCHS.append))


def test_the_same_ratings_and_seed_give_the_same_model(tiny: Dataset, trained: Trained) -> None:
    again = train(tiny, QUICK)
    assert again.model.items.tobytes() == trained.model.items.tobytes()
    assert again.model.similarity.tobytes() == trained.model.similarity.tobytes()
    assert again.model.catalog.cluster_ids.tobytes() == trained.model.catalog.cluster_ids.tobytes()
    assert again.users.ranking_vectors.tobytes() == trained.users.ranking_vectors.tobytes()
    assert again.constants == trained.constants


def test_folding_a_training_history_returns_the_trained_vector(
    tiny: Dataset, trained: Trained
) -> None:
    model, users, ratings = trained.model, trained.users, tiny.ratings
    for place in range(0, len(users.user_ids), 17):
        history = np.flatnonzero(ratings.users == ratings.user_ids.index(users.user_ids[place]))
        history = history[np.argsort(ratings.items[history])]
        rows, values = ratings.items[history], ratings.values[history]
        for head, bases, vectors in (
            (model.ranking, users.ranking_bases, users.ranking_vectors),
            (model.rating, users.rating_bases, users.rating_vectors),
        ):
            folded = fold(head, rows, values, bases[place].astype(np.float64)).vector
            assert np.allclose(folded, vectors[place], atol=1e-5)
        assert users.digests[place] == digest(rows, values)
        assert users.rating_counts[place] == len(rows)


def test_a_large_catalog_is_the_same_model_with_long_rows_first(
    tiny: Dataset, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_assembly, "kind_for", lambda _: "pruned")
    arranged = train(tiny, QUICK)
    rows = arranged.model.catalog.rows(trained.model.catalog.item_ids)
    assert rows.tolist() != list(range(len(rows)))
    np.testing.assert_array_equal(arranged.model.items[rows], trained.model.items)
    np.testing.assert_array_equal(arranged.model.similarity[rows], trained.model.similarity)
    for name in ("titles", "genres", "years", "rating_counts", "cluster_ids"):
        was = getattr(trained.model.catalog, name)
        now = getattr(arranged.model.catalog, name)
        assert [now[row] for row in rows] == list(was)
    lengths = np.linalg.norm(arranged.model.ranking.vectors, axis=1)
    assert lengths[:20].mean() > lengths[-20:].mean()
    users, ratings = arranged.users, tiny.ratings
    user = ratings.user_ids.index(users.user_ids[7])
    history = np.flatnonzero(ratings.users == user)
    assert users.digests[7] == digest(rows[ratings.items[history]], ratings.values[history])


def test_every_row_is_finite_and_every_item_has_a_cluster(trained: Trained) -> None:
    assert np.isfinite(trained.model.items).all()
    assert np.linalg.norm(trained.model.similarity, axis=1).max() <= 1.0 + 1e-6
    known = {cluster.id for cluster in trained.model.catalog.clusters}
    assert set(trained.model.catalog.cluster_ids.tolist()) <= known
    sizes = [cluster.size for cluster in trained.model.catalog.clusters]
    assert sum(sizes) == len(trained.model.catalog)


def test_users_with_planted_tastes_are_served_what_they_like(
    tiny: Dataset, trained: Trained
) -> None:
    model, ratings = trained.model, tiny.ratings
    counts = np.bincount(ratings.items, minlength=len(ratings.item_ids)).astype(np.float64)
    better = 0
    for user in range(100):
        mine = np.flatnonzero(ratings.users == user)
        hidden, given = mine[::4], np.sort(np.setdiff1d(mine, mine[::4]))
        rows, values = ratings.items[given], ratings.values[given]
        query = model.query(
            fold(model.ranking, rows, values, model.ranking_prior).vector,
            fold(model.rating, rows, values, model.rating_prior).vector,
        )
        scores, popular = model.items @ query, counts.copy()
        scores[rows], popular[rows] = -np.inf, -np.inf
        asked = ratings.items[hidden]
        hits = np.isin(np.argsort(-scores)[:20], asked).sum()
        better += int(hits) - int(np.isin(np.argsort(-popular)[:20], asked).sum())
    assert better > 0


def test_the_listener_is_called_with_what_happened(trained: Trained) -> None:
    tried = [stage for stage in STAGES if stage.startswith("tried ")]
    assert len(tried) == len(trained.attempts)
    assert len(STAGES) - len(tried) == 4
    assert tuple(EPOCHS) == trained.history


def test_a_sampled_rating_head_serves_the_posterior_mean(tiny: Dataset) -> None:
    bayes = BayesSettings(factors=4, dimension=8, sweeps=16, burn_in=6, thin=2, device="cpu")
    sampled = train(tiny, replace(QUICK.with_heads(bayes), rating_head="bayes"))
    model, users, ratings = sampled.model, sampled.users, tiny.ratings
    factors = train_bayes(ratings, tiny.items, bayes).factors
    for place in range(0, len(users.user_ids), 40):
        user = ratings.user_ids.index(users.user_ids[place])
        history = np.flatnonzero(ratings.users == user)
        history = history[np.argsort(ratings.items[history])]
        rows = np.arange(len(ratings.item_ids), dtype=np.int32)
        expected = factors.mean + factors.user_biases[user] + factors.item_biases
        expected = expected + factors.item_vectors @ factors.user_vectors[user]
        rated, values = ratings.items[history], ratings.values[history]
        base = users.rating_bases[place].astype(np.float64)
        folded = fold(model.rating, rated, values, base).vector
        assert np.allclose(model.rating.score(rows, folded), expected, atol=1e-3)
    assert sampled.settings.method == "bayes+ease"
    assert sampled.settings.flat()["bayes.factors"] == 4


def test_too_few_users_are_refused_with_the_number_needed(tiny: Dataset) -> None:
    few = replace(tiny, ratings=tiny.ratings.take(tiny.ratings.users < 4))
    with pytest.raises(FoldinError, match="4 users rated, at least 10"):
        train(few, QUICK)


def test_the_command_publishes_and_activates_what_it_learned(
    tiny: Dataset, tmp_path: Path, valkey_url: str, namespace: str
) -> None:
    folder = write_movielens(tiny, tmp_path / "films")
    options = ["--redis-url", valkey_url, "--namespace", namespace, "--device", "cpu"]
    result = CliRunner().invoke(
        command, [str(folder), *options, "--dimension", "8", "--epochs", "3"]
    )
    assert result.exit_code == 0, result.output
    with closing(RedisModelStore(valkey_url, namespace)) as models:
        [published] = versions(models)
    assert published.state == "current"
    manifest = published.manifest
    assert manifest is not None
    assert manifest.ranking_dimension == 8
    assert manifest.version in result.stdout
    assert manifest.metrics["held_out_users_rmse"] > 0.0
    assert "epoch 1/3: loss" in result.stderr


def test_the_command_samples_prints_diagnostics_and_resumes(
    tiny: Dataset, tmp_path: Path, valkey_url: str, namespace: str
) -> None:
    folder, kept = write_movielens(tiny, tmp_path / "films"), tmp_path / "kept"
    options = ["--redis-url", valkey_url, "--namespace", namespace, "--device", "cpu"]
    options += ["--rating-head", "bayes", "--sweeps", "84", "--chains", "1", "--dimension", "8"]
    options += ["--checkpoint", str(kept)]
    result = CliRunner().invoke(command, [str(folder), *options])
    assert result.exit_code == 0, result.output
    with closing(RedisModelStore(valkey_url, namespace)) as models:
        [published] = versions(models)
    manifest = published.manifest
    assert manifest is not None
    assert manifest.settings["bayes.sweeps"] == 84
    assert manifest.settings["bayes.tags"] is False
    assert manifest.metrics["samples"] == 8.0
    assert manifest.metrics["worst_rhat"] > 0.9
    assert manifest.metrics["smallest_effective_samples"] > 0.0
    assert "8 samples, worst R-hat" in result.stdout
    assert "epoch 74/84: loss" in result.stderr
    assert "RMSE" in result.stderr
    assert sorted(path.name for path in kept.iterdir()) == ["everyone.pt", "part.pt"]
    other = CliRunner().invoke(command, [str(folder), *options, "--seed", "1"])
    assert other.exit_code == 1
    assert "other ratings or with other settings" in other.stderr


def test_the_command_trains_nothing_for_a_store_that_cannot_be_used(
    tiny: Dataset, tmp_path: Path, valkey_url: str, namespace: str
) -> None:
    folder = write_movielens(tiny, tmp_path / "films")
    with Redis.from_url(valkey_url) as client:
        client.hset(Keys(namespace).control, "partitions", "32")
    gone = f"unix://{tmp_path}/nowhere.sock"
    for url, name, complaint in (
        (gone, namespace, "nowhere.sock cannot be used"),
        (valkey_url, namespace, "was created with 32 partitions"),
        (valkey_url, "a b", "namespace: 'a b' is not"),
    ):
        options = ["--redis-url", url, "--namespace", name, "--device", "cpu"]
        result = CliRunner().invoke(command, [str(folder), *options])
        assert result.exit_code == 1
        [line] = result.stderr.splitlines()
        assert complaint in line


def test_the_command_says_which_data_set_is_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["ml-1m", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "foldin data fetch ml-1m" in result.stderr
