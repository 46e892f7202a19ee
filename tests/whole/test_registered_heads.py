"""A head of one's own, registered here alone: it is trained, tuned, evaluated and served."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import ClassVar

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from foldin_client import Client
from foldin_model.fold_in.kinds import ENCODER, QUADRATIC
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_trainer.commands.evaluate import evaluate
from foldin_trainer.commands.train import train
from foldin_trainer.commands.tune import tune
from foldin_trainer.data import ItemTable, Ratings
from foldin_trainer.learning.heads import RANKING_HEADS, RATING_HEADS
from foldin_trainer.learning.ranking_heads.ranking_head import Plans, RankingHead
from foldin_trainer.learning.ranking_heads.trained_head import Ranking, no_weight
from foldin_trainer.learning.rating_heads.factors import Epoch, RatingFactors
from foldin_trainer.learning.rating_heads.rating_head import RatingHead, RatingTask
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.limits import COUNT, DIMENSIONS, POSITIVE, Limits, check
from foldin_trainer.learning.registry.search_space import Real, Whole
from server.processes import serving
from tiny import tiny_dataset, write_movielens

NEIGHBOR_LIMITS: Limits = {"dimension": DIMENSIONS, "popularity": POSITIVE}
MEAN_LIMITS: Limits = {"shrinkage": POSITIVE, "rounds": COUNT}


@dataclass(frozen=True, slots=True)
class NeighborSettings:
    dimension: int = 8
    popularity: float = 1.0

    def __post_init__(self) -> None:
        check("neighbors", self, NEIGHBOR_LIMITS)


@dataclass(frozen=True, slots=True)
class NeighborPlan:
    head: ClassVar[str] = "neighbors"
    settings: NeighborSettings

    @property
    def name(self) -> str:
        return f"neighbors, popularity {self.settings.popularity:g}"

    def learn(self, ratings: Ratings, items: ItemTable) -> Ranking:
        """Returns a head by the singular vectors of the matrix of ratings."""
        del items
        rated = np.zeros((len(ratings.user_ids), len(ratings.item_ids)))
        rated[ratings.users, ratings.items] = 1.0
        count = self.settings.dimension - 1
        directions = np.linalg.svd(rated, full_matrices=False)[2][:count].T
        shares = self.settings.popularity * rated.mean(axis=0)
        inputs = np.column_stack((directions, np.zeros(len(shares))))
        scale = ratings.scale
        return Ranking(
            vectors=np.column_stack((directions, shares)).astype(np.float32),
            popular=np.eye(count + 1)[-1],
            user_vectors=rated @ inputs,
            rule=no_weight(scale),
            encoder=LinearEncoder(
                inputs.astype(np.float32), EncoderRule((scale.low, scale.high), (0.5, 1.0)), 0.0
            ),
        )


def neighbor_plans(plans: Plans) -> Iterator[NeighborPlan]:
    yield NeighborPlan(plans.heads.of(NeighborSettings))


NEIGHBORS = RankingHead(
    name="neighbors",
    summary="singular vectors",
    settings=NeighborSettings,
    limits=NEIGHBOR_LIMITS,
    kind=ENCODER,
    space=MappingProxyType({"dimension": Whole(4, 12), "popularity": Real(0.1, 10.0)}),
    plans=neighbor_plans,
)


@dataclass(frozen=True, slots=True)
class MeanSettings:
    shrinkage: float = 5.0
    rounds: int = 3

    def __post_init__(self) -> None:
        check("means", self, MEAN_LIMITS)


def shrunk_means(ratings: Ratings, settings: MeanSettings, watched: Ratings) -> RatingFactors:
    """Returns biases of users and items by turns, and small vectors in which nothing is learned."""
    users, items, mean = len(ratings.user_ids), len(ratings.item_ids), float(ratings.values.mean())
    of_users, of_items = np.zeros(users), np.zeros(items)
    for _ in range(settings.rounds):
        for biases, other, rows, others in (
            (of_items, of_users, ratings.items, ratings.users),
            (of_users, of_items, ratings.users, ratings.items),
        ):
            left = ratings.values - mean - other[others]
            counts = np.bincount(rows, minlength=len(biases)) + settings.shrinkage
            biases[:] = np.bincount(rows, left, len(biases)) / counts
    rng = np.random.default_rng(0)
    factors = RatingFactors(
        mean=mean,
        user_biases=of_users.astype(np.float32),
        user_vectors=0.01 * rng.normal(size=(users, 2)).astype(np.float32),
        item_biases=of_items.astype(np.float32),
        item_vectors=0.01 * rng.normal(size=(items, 2)).astype(np.float32),
        epochs=(),
        best_epoch=1,
    )
    rmse = float(np.sqrt(np.mean((factors.predict(watched) - watched.values) ** 2)))
    return RatingFactors(
        mean,
        factors.user_biases,
        factors.user_vectors,
        factors.item_biases,
        factors.item_vectors,
        epochs=(Epoch(1, 1, rmse**2, rmse),),
        best_epoch=1,
    )


def learn_part(task: RatingTask, heads: HeadSettings) -> RatingFactors:
    return shrunk_means(task.ratings, heads.of(MeanSettings), task.validation or task.ratings)


def learn_all(
    task: RatingTask, heads: HeadSettings, part: RatingFactors
) -> tuple[RatingFactors, Mapping[str, float]]:
    del part
    return learn_part(task, heads), {"means_of_their_own": 1.0}


def learn_alone(task: RatingTask, heads: HeadSettings, share: float) -> RatingFactors:
    del share
    return learn_part(task, heads)


MEANS = RatingHead(
    name="means",
    summary="shrunk means",
    settings=MeanSettings,
    limits=MEAN_LIMITS,
    kind=QUADRATIC,
    space=MappingProxyType({"shrinkage": Real(0.5, 50.0)}),
    learn_part=learn_part,
    learn_all=learn_all,
    learn_alone=learn_alone,
)


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    RANKING_HEADS.add(NEIGHBORS)
    RATING_HEADS.add(MEANS)
    yield
    del RANKING_HEADS[NEIGHBORS.name], RATING_HEADS[MEANS.name]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_movielens(tiny_dataset(users=60, items=90), tmp_path_factory.mktemp("films"))


def run(command: click.Command, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.slow
def test_it_is_trained_published_and_served(films: Path) -> None:
    with TemporaryDirectory(prefix="foldin-") as folder:
        heads = ("--ranking-head", "neighbors", "--rating-head", "means", "--dimension", 6)
        trained = run(train, films, "--data-dir", folder, "--json", *heads)
        account = json.loads(trained.stdout)
        assert account["attempts"][0]["plan"] == "neighbors, popularity 1"
        assert account["metrics"]["means_of_their_own"] == 1.0
        with serving(Path(folder)) as process, Client(process.address) as client:
            (model,) = client.list_models().models
            assert model.method == "means+neighbors"
            before = client.recommend("newcomer", page_size=5).items
            client.submit_rating("newcomer", before[-1].item_id, 5.0)
            after = client.recommend("newcomer", page_size=5).items
            assert len(after) == 5
            assert before[-1].item_id not in {item.item_id for item in after}


def test_auto_tries_it(films: Path) -> None:
    trained = run(
        train, films, "--ranking-head", "auto", "--no-publish", "--json", "--time-budget", 1000
    )
    plans = {attempt["plan"].split(",")[0] for attempt in json.loads(trained.stdout)["attempts"]}
    assert plans == {"ials", "ease", "encoder", "ensemble", "neighbors"}


@pytest.mark.parametrize("method", ["neighbors", "means"])
def test_it_is_tuned_and_trained_as_found(films: Path, tmp_path: Path, method: str) -> None:
    best = tmp_path / "best.json"
    options = ("--method", method, "--trials", 2, "--folds", 2, "--out", best)
    run(tune, films, "--journal", tmp_path / "s.journal", *options)
    values = json.loads(best.read_text())["settings"]
    assert {name.partition(".")[0] for name in values} == {method}
    run(train, films, "--settings", best, "--no-publish")


def test_it_is_evaluated(films: Path, tmp_path: Path) -> None:
    heads = ("--ranking-head", "neighbors", "--rating-head", "means")
    methods = ("--methods", "popularity", "--methods", "rating-head")
    options = ("--protocol", "random", "--out", tmp_path, *methods)
    found = json.loads(run(evaluate, films, *heads, *options, "--json").stdout)
    assert "means alone" in json.dumps(found)


def test_commands_offer_it() -> None:
    for command in (train, evaluate, tune):
        assert "neighbors" in run(command, "--help").output
