"""Figures are not blank, their SVG stands alone, and the item map is the principal plane."""

import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from foldin_trainer.evaluation.methods.baselines import ItemMean, Popularity
from foldin_trainer.evaluation.outcome import Outcome
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings, trials
from foldin_trainer.evaluation.report.canvas import ReportFigure
from foldin_trainer.evaluation.report.comparison_figures import reliability
from foldin_trainer.evaluation.report.data_figures import (
    draw_item_map,
    draw_learning_curve,
    draw_rating_histogram,
    principal_plane,
)
from foldin_trainer.evaluation.report.figures import protocol_figures
from foldin_trainer.evaluation.trial_scores import run_trials
from matplotlib.image import imread
from planted import Planted
from tiny import tiny_dataset


def assert_drawn(drawing: ReportFigure) -> None:
    picture = imread(BytesIO(drawing.png()))[:, :, :3]
    assert min(picture.shape[:2]) > 300
    assert picture.std() > 0.02
    assert len(drawing.alt) > 20


def test_the_learning_curve_is_drawn() -> None:
    assert_drawn(draw_learning_curve([1.2, 0.9, 0.8, 0.75], [1.0, 0.93, 0.9, 0.91]))


def test_the_rating_histogram_is_drawn() -> None:
    assert_drawn(draw_rating_histogram(tiny_dataset(users=60, items=80).ratings.values))


def test_the_item_map_is_drawn(small: Planted) -> None:
    assert_drawn(draw_item_map(small.model.ranking.vectors, small.model.catalog))


def test_every_figure_of_a_protocol_is_drawn() -> None:
    scores = run_trials(
        trials("held-out-users", tiny_dataset(users=60, items=80).ratings, ProtocolSettings()),
        lambda train: [Popularity.fit(train), replace(ItemMean.fit(train), name="foldin")],
        10,
    )
    figures = protocol_figures(Outcome("held-out-users", 10, 1.0, scores))
    assert [figure.name.partition("_")[0] for figure in figures] == [
        "methods",
        "users",
        "reliability",
        "popularity",
        "variety",
    ]
    for figure in figures:
        assert_drawn(figure)


def test_an_svg_is_the_same_every_time_and_has_no_outside_references() -> None:
    drawing = draw_learning_curve([1.2, 0.9], [1.0, 0.9])
    svg = drawing.svg()
    assert svg == drawing.svg()
    assert svg.startswith("<svg ")
    assert 'role="img"' in svg
    assert re.findall(r'(?:href="|url\()(?!#)', svg) == []
    ids = set(re.findall(r'\bid="([^"]*)"', svg))
    assert ids
    assert all(id_.startswith("learning_curve-") for id_ in ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', svg)) <= ids


def test_predictions_that_are_right_on_average_lie_on_the_diagonal() -> None:
    predicted = np.repeat([2.0, 3.0, 4.0], 50)
    actual = predicted + np.tile([-1.0, 1.0], 75)
    means, given, errors, edges = reliability(predicted, actual)
    assert means == pytest.approx([2.0, 3.0, 4.0])
    assert given == pytest.approx(means)
    assert errors == pytest.approx(1.0 / np.sqrt(50))
    assert (edges[0], edges[-1]) == (2.0, 4.0)


def test_the_plane_holds_the_two_greatest_singular_values() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    points, shares = principal_plane(vectors, np.ones(50))
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    values = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)
    assert np.linalg.norm(points, axis=0) == pytest.approx(values[:2])
    assert shares == pytest.approx(values[:2] ** 2 / (values**2).sum())
    assert np.all(points.max(axis=0) >= -points.min(axis=0))
