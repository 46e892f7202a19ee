"""Figures are written as PNG files that are not blank, and the map's plane is the principal one."""

from pathlib import Path

import numpy as np
import pytest
from foldin_trainer.evaluation.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.figures import (
    draw_activity,
    draw_item_map,
    draw_learning_curve,
    draw_rating_histogram,
    principal_plane,
)
from foldin_trainer.evaluation.protocols import ProtocolSettings, trials
from foldin_trainer.evaluation.scoring import run
from matplotlib.image import imread
from planted import Planted
from tiny import tiny_dataset


def assert_drawn(path: Path) -> None:
    picture = imread(path)[:, :, :3]
    assert min(picture.shape[:2]) > 400
    assert picture.std() > 0.03


def test_the_learning_curve_is_drawn(tmp_path: Path) -> None:
    losses = [1.2, 0.9, 0.8, 0.75]
    draw_learning_curve(tmp_path / "curve.png", losses, [1.0, 0.93, 0.9, 0.91])
    assert_drawn(tmp_path / "curve.png")


def test_the_rating_histogram_is_drawn(tmp_path: Path) -> None:
    draw_rating_histogram(
        tmp_path / "histogram.png", tiny_dataset(users=60, items=80).ratings.values
    )
    assert_drawn(tmp_path / "histogram.png")


def test_the_item_map_is_drawn(tmp_path: Path, small: Planted) -> None:
    draw_item_map(tmp_path / "map.png", small.model.ranking.vectors, small.model.catalog)
    assert_drawn(tmp_path / "map.png")


def test_metrics_by_activity_are_drawn(tmp_path: Path) -> None:
    scores = run(
        trials("held-out-users", tiny_dataset(users=60, items=80).ratings, ProtocolSettings()),
        lambda train: [Popularity.fit(train), ItemMean.fit(train)],
        10,
    )
    draw_activity(tmp_path / "activity.png", "held-out-users", scores, 10)
    assert_drawn(tmp_path / "activity.png")


def test_the_plane_holds_the_two_greatest_singular_values() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    points, shares = principal_plane(vectors, np.ones(50))
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    values = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)
    assert np.linalg.norm(points, axis=0) == pytest.approx(values[:2])
    assert shares == pytest.approx(values[:2] ** 2 / (values**2).sum())
    assert np.all(points.max(axis=0) >= -points.min(axis=0))
