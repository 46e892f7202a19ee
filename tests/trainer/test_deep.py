"""The neural user encoder: it starts as the linear one, and learns what the linear one cannot."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_trainer.data import Dataset, Ratings
from foldin_trainer.evaluation.encoded import Encoded
from foldin_trainer.evaluation.methods import Case, make_cases
from foldin_trainer.learning.deep.settings import DeepSettings
from foldin_trainer.learning.deep.training import train_deep
from foldin_trainer.learning.encoder.result import EncoderEpoch, EncoderResult
from foldin_trainer.learning.encoder.settings import EncoderSettings
from foldin_trainer.learning.encoder.training import train_encoder
from foldin_trainer.splits import held_out_users

LINEAR = EncoderSettings(dimension=8, start_l2=10.0, batch_users=16)
DEEP = DeepSettings(hidden=8, learning_rate=3e-3, epochs=10)

Parts = tuple[Ratings, tuple[Case, ...], EncoderResult]


@pytest.fixture(scope="module")
def parts(tiny: Dataset) -> Parts:
    fold = next(held_out_users(tiny.ratings, 4, 0))
    given = np.concatenate([case.given_index for case in fold.cases])
    hidden = np.concatenate([case.hidden_index for case in fold.cases])
    train = tiny.ratings.take(fold.train_index)
    cases = make_cases(tiny.ratings.take(given), tiny.ratings.take(hidden))
    return train, cases, train_encoder(train, LINEAR, stop_after=5)


def test_without_a_pass_it_is_the_linear_encoder(parts: Parts) -> None:
    train, cases, linear = parts
    found = train_deep(train, linear, DEEP, LINEAR, stop_after=0)
    assert np.allclose(found.vectors(cases), linear.vectors(cases))
    count = 10
    lists = Encoded("deep", found).recommend(cases, count)
    assert np.array_equal(lists, Encoded("linear", linear).recommend(cases, count))
    for row, case in zip(lists, cases, strict=True):
        assert not np.isin(row, case.given_rows).any()


def test_passes_move_users_off_the_linear_map(parts: Parts) -> None:
    train, cases, linear = parts
    found = train_deep(train, linear, DEEP, LINEAR, stop_after=4)
    straight = found.linear.vectors(cases)
    assert np.linalg.norm(found.vectors(cases) - straight) > 0.01 * np.linalg.norm(straight)


def test_the_best_pass_is_kept_and_comes_again(parts: Parts) -> None:
    train, cases, linear = parts
    heard: list[EncoderEpoch] = []
    found = train_deep(train, linear, DEEP, LINEAR, cases, progress=heard.append)
    assert found.best_epoch == max(heard, key=lambda look: look.quality).epoch
    again = train_deep(train, linear, DEEP, LINEAR, stop_after=found.best_epoch)
    assert np.array_equal(again.vectors(cases), found.vectors(cases))


def test_another_seed_gives_other_layers(parts: Parts) -> None:
    train, _, linear = parts
    first = train_deep(train, linear, DEEP, LINEAR, stop_after=1)
    other = train_deep(train, linear, replace(DEEP, seed=1), LINEAR, stop_after=1)
    assert not np.array_equal(first.layers.inward, other.layers.inward)
