"""A model is served as it is evaluated: a server returns the lists that the evaluator scored.

Models are trained, published to a real store and served by a separate process. The evaluator has
another store and another index; the lists must be equal.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from foldin_client import Client
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.lifecycle.publisher import Description, activate, publish
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.protocols import ImportedRating
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_trainer.data import Dataset
from foldin_trainer.evaluation.methods.served_model import Served, published
from foldin_trainer.learning.ranking_heads.ease.trainer import EaseSettings
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.ensemble.head import EnsembleSettings
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import Trained, train
from foldin_trainer.metrics.cases import Case
from server.processes import serving
from tiny import tiny_dataset

COUNT = 20
PAST_US = 1_500_000_000_000_000
MF_IALS = TrainSettings(
    ranking_head="ials",
    heads=HeadSettings(
        (
            MfSettings(dimension=8, epochs=4, device="cpu"),
            IalsSettings(dimension=8, iterations=4, device="cpu"),
        )
    ),
)
HEADS = {
    "mf+ials": MF_IALS,
    "mf+ease": replace(MF_IALS.with_heads(EaseSettings(dimension=8)), ranking_head="ease"),
    "mf+ensemble": replace(
        MF_IALS.with_heads(
            EncoderSettings(dimension=8, epochs=5),
            EnsembleSettings(dimension=8, ease_dimension=12),
        ),
        ranking_head="ensemble",
    ),
    "bayes+ials": replace(
        MF_IALS.with_heads(
            BayesSettings(factors=4, dimension=8, sweeps=12, burn_in=4, thin=2, device="cpu")
        ),
        rating_head="bayes",
    ),
}


@dataclass(frozen=True)
class Both:
    """The evaluator's method, the cases, and a client of the server with the same ratings."""

    served: Served
    cases: Sequence[Case]
    client: Client


@pytest.fixture(scope="module", params=list(HEADS))
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    """A model with those heads, evaluated and served."""
    dataset = tiny_dataset(users=60, items=90)
    trained = train(dataset, HEADS[request.param])
    served = Served.of(published(trained, dataset.ratings), trained.users, dataset.ratings.item_ids)
    cases = users_of_every_kind(dataset)
    with TemporaryDirectory(prefix="foldin-") as folder:
        fill_store(Path(folder), trained, dataset, cases)
        with serving(Path(folder)) as process, Client(process.address) as client:
            yield Both(served, cases, client)


def users_of_every_kind(dataset: Dataset) -> list[Case]:
    """Returns trained users, one with a rating more and one with a rating less, and new users."""
    ratings = dataset.ratings
    cases = []
    for user in range(12):
        mine = np.flatnonzero(ratings.users == user)
        mine = mine[np.argsort(ratings.items[mine])]
        rows, values = ratings.items[mine], ratings.values[mine]
        name = ratings.user_ids[user]
        if user == 4:
            extra = np.setdiff1d(np.arange(90, dtype=np.int32), rows)[:1]
            order = np.argsort(np.append(rows, extra))
            rows, values = np.append(rows, extra)[order], np.append(values, 5.0)[order]
        elif user == 5:
            rows, values = rows[1:], values[1:]
        elif user >= 6:
            name, kept = f"stranger {user}", (0, 1, 2, 5, 10, len(rows))[user - 6]
            rows, values = rows[:kept], values[:kept]
        none = np.zeros(0, np.int32)
        cases.append(Case(UserId(name), rows, values, none, np.zeros(0)))
    return cases


def fill_store(data_dir: Path, trained: Trained, dataset: Dataset, cases: Sequence[Case]) -> None:
    """Publishes the model to the folder's store, makes it current and writes the cases' ratings."""
    ratings, settings = dataset.ratings, trained.settings
    described = Description(
        settings.method, len(ratings), settings.seed, ratings.hash, trained.metrics, settings.flat()
    )
    with embedded_store(data_dir) as url:
        models = RedisModelStore(url, "default")
        manifest = publish(trained.model, trained.users, described, models)
        activate(models, Version(manifest.version))
        models.close()
        asyncio.run(import_given(url, ratings.item_ids, cases))


async def import_given(url: str, item_ids: Sequence[str], cases: Sequence[Case]) -> None:
    store = RedisRatingStore(url, "default", timeout_s=10.0)
    for case in cases:
        pairs = zip(case.given_rows.tolist(), case.given_values.tolist(), strict=True)
        given = [ImportedRating(ItemId(item_ids[row]), value, PAST_US) for row, value in pairs]
        if given:
            await store.import_ratings(case.user_id, given)
    await store.close()


@pytest.mark.slow
def test_the_server_gives_the_lists_that_the_evaluator_scores(both: Both) -> None:
    lists = both.served.recommend(both.cases, COUNT)
    for case, rows in zip(both.cases, lists, strict=True):
        expected = [both.served.item_ids[row] for row in rows.tolist() if row >= 0]
        page = both.client.recommend(case.user_id, page_size=COUNT)
        assert [item.item_id for item in page.items] == expected, case.user_id


@pytest.mark.slow
def test_the_server_predicts_the_ratings_that_the_evaluator_scores(both: Both) -> None:
    for case in both.cases:
        hidden = np.setdiff1d(np.arange(90, dtype=np.int32), case.given_rows)[:10]
        asked = replace(case, hidden_rows=hidden, hidden_values=np.zeros(10))
        ids = [both.served.item_ids[row] for row in hidden.tolist()]
        found = both.client.predict_ratings(case.user_id, ids)
        predicted = [prediction.predicted_rating for prediction in found.predictions]
        assert predicted == pytest.approx(both.served.predict([asked]).tolist(), abs=1e-4)
