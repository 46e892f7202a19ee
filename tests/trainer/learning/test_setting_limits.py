"""Settings of a training: each has limits, and options win over a file of settings."""

import json
import math
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from foldin_model.errors import FoldinError
from foldin_model.trained.manifest import Setting
from foldin_trainer.commands.train import train
from foldin_trainer.learning.heads import all_heads, head_named
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.registry.search_space import Real, Share, Whole
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.tuning.objectives import method_names, tunable
from foldin_trainer.tuning.settings import changed, read_settings
from tiny import tiny_dataset, write_movielens


@pytest.mark.parametrize("name", all_heads())
def test_every_number_of_a_head_has_limits(name: str) -> None:
    head = head_named(name)
    names = {field.name for field in fields(head.settings)}
    assert set(head.limits) == names - {"tags"}  # on or off


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mf.dimension", 0),
        ("mf.dimension", -5),
        ("mf.dimension", 100_000),
        ("mf.epochs", 0),
        ("mf.epochs", 10**400),
        ("mf.learning_rate", 0.0),
        ("mf.l2", -1.0),
        ("mf.l2", math.nan),
        ("mf.l2", 10**400),
        ("mf.batch_size", 0),
        ("mf.device", "abacus"),
        ("mf.seed", -1),
        ("bayes.factors", 0),
        ("bayes.thin", 0),
        ("bayes.noise_degrees", math.inf),
        ("ials.user_l2", 0),
        ("ials.steps", 0),
        ("ease.l2", 0),
        ("ease.l2", -1),
        ("ease.relief", 1.5),
        ("encoder.kept.1", 2.0),
        ("encoder.kept.0", 0.95),
        ("ensemble.weights.0", -0.5),
    ],
)
def test_an_impossible_value_is_refused_by_its_name(name: str, value: Setting) -> None:
    with pytest.raises(FoldinError, match=f"^{name} is .*, it must be "):
        changed(TrainSettings(), {name: value})


def test_values_whose_limits_depend_on_each_other_are_set_together() -> None:
    settings = changed(TrainSettings(), {"bayes.sweeps": 30, "bayes.burn_in": 10})
    bayes = settings.heads.of(BayesSettings)
    assert (bayes.sweeps, bayes.burn_in) == (30, 10)


@pytest.mark.parametrize(
    "method", [name for name in method_names() if not name.startswith("reference")]
)
def test_search_spaces_lie_within_the_limits(method: str) -> None:
    for end in ("low", "high"):
        ends: dict[str, Setting] = {}
        for name, within in tunable(method).space.items():
            assert isinstance(within, Real | Share | Whole)
            ends[name] = getattr(within, end)
        assert changed(TrainSettings(), ends)


@pytest.fixture(scope="module")
def ratings_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    return write_movielens(tiny_dataset(users=40, items=90), folder) / "ratings.csv"


def trained_with(
    ratings_csv: Path, tmp_path: Path, values: dict[str, Setting], *options: str, method: str = "mf"
) -> Result:
    path = tmp_path / "best.json"
    path.write_text(json.dumps({"method": method, "settings": values}))
    arguments = [str(ratings_csv), "--settings", str(path), "--no-publish", "--json", *options]
    return CliRunner().invoke(train, arguments)


def test_an_impossible_value_of_a_file_is_one_line_with_the_file(
    ratings_csv: Path, tmp_path: Path
) -> None:
    refused = trained_with(ratings_csv, tmp_path, {"mf.dimension": 0})
    assert refused.exit_code == 1
    path = tmp_path / "best.json"
    assert refused.stderr == f"error: {path}: mf.dimension is 0, it must be 2 to 1,024\n"


def test_an_option_wins_over_the_file(ratings_csv: Path, tmp_path: Path) -> None:
    values: dict[str, Setting] = {"mf.epochs": 12, "mf.dimension": 20, "mf.l2": -1.0}
    refused = trained_with(ratings_csv, tmp_path, values, "--epochs", "1")
    assert "mf.l2 is -1.0" in refused.stderr  # no option was given for it
    values |= {"mf.l2": 0.2, "mf.dimension": 0}
    trained = trained_with(ratings_csv, tmp_path, values, "--epochs", "1", "--dimension", "6")
    assert trained.exit_code == 0, trained.output
    assert "epoch 1/1:" in trained.stderr
    assert "/12" not in trained.stderr


def test_settings_of_a_reference_cannot_be_trained(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    path.write_text('{"method": "reference-als", "settings": {"factors": 8}}')
    with pytest.raises(FoldinError, match=r"best\.json is for reference-als, .*can't be trained"):
        read_settings(path)
