"""`foldin tune`: a search that remembers, goes on, cuts short what is hopeless, and is used."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from foldin_model.errors import FoldinError
from foldin_trainer.commands.train import train
from foldin_trainer.commands.tune import tune
from foldin_trainer.learning.training import TrainSettings
from foldin_trainer.tuning.objectives import TUNABLE
from foldin_trainer.tuning.settings import changed, read_settings
from tiny import tiny_dataset, write_movielens


@pytest.fixture(scope="module")
def ratings_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    return write_movielens(tiny_dataset(users=80, items=100), folder) / "ratings.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(tune, [str(argument) for argument in arguments])


def ease(ratings_csv: Path, journal: Path, *options: object) -> Result:
    return run(ratings_csv, "--method", "reference-ease", "--journal", journal, *options)


def test_the_same_search_finds_the_same(ratings_csv: Path, tmp_path: Path) -> None:
    one, other = (
        ease(ratings_csv, tmp_path / f"{name}.journal", "--trials", 4, "--json") for name in "ab"
    )
    assert one.exit_code == 0, one.output
    assert one.stdout == other.stdout


def test_a_search_goes_on_where_it_stopped(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "search.journal"
    assert ease(ratings_csv, journal, "--trials", 2).exit_code == 0
    again = ease(ratings_csv, journal, "--trials", 3)
    assert [line.split(":")[0] for line in again.stderr.splitlines()] == ["trial 3"]
    assert json.loads(journal.with_suffix(".json").read_text())["trials"] == 3


def test_processes_share_one_search(ratings_csv: Path, tmp_path: Path) -> None:
    found = ease(ratings_csv, tmp_path / "s.journal", "--trials", 4, "--jobs", 2, "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["trials"] >= 4


def test_settings_that_lead_nowhere_are_cut_short(ratings_csv: Path, tmp_path: Path) -> None:
    found = ease(ratings_csv, tmp_path / "s.journal", "--trials", 16, "--json")
    assert json.loads(found.stdout)["pruned"] > 0


def test_another_metric_is_another_search(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    ease(ratings_csv, journal, "--trials", 1)
    found = ease(ratings_csv, journal, "--trials", 1, "--metric", "ndcg-liked", "--json")
    assert json.loads(found.stdout)["trials"] == 1


def test_a_metric_that_the_method_lacks_is_refused(ratings_csv: Path) -> None:
    refused = run(ratings_csv, "--method", "mf", "--metric", "ndcg")
    assert refused.exit_code == 2
    assert "mf is measured by rmse, not by ndcg" in refused.output


@pytest.mark.parametrize("method", [name for name in TUNABLE if not name.startswith("reference")])
def test_every_tunable_setting_of_a_head_is_a_setting_of_a_training(method: str) -> None:
    flat = TrainSettings(ranking_head="ials").flat() | TrainSettings(rating_head="bayes").flat()
    assert set(TUNABLE[method].space) <= set(flat)


def test_what_is_found_is_what_a_training_takes(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    found = run(ratings_csv, "--method", "mf", "--journal", journal, "--trials", 1, "--folds", 2)
    assert found.exit_code == 0, found.output
    best = journal.with_suffix(".json")
    values = read_settings(best)
    assert changed(TrainSettings(), values).mf.l2 == values["mf.l2"]
    options = [ratings_csv, "--settings", best, "--no-publish", "--json"]
    trained = CliRunner().invoke(train, [str(option) for option in options])
    assert trained.exit_code == 0, trained.output


@pytest.mark.parametrize("values", [{"mf.l3": 1.0}, {"l2": 1.0}, {"mf.l2": "much"}])
def test_settings_that_do_not_exist_or_fit_are_named(values: dict[str, float | str]) -> None:
    with pytest.raises(FoldinError, match=next(iter(values))):
        changed(TrainSettings(), values)


@pytest.mark.parametrize("content", ["", "[]", '{"settings": 3}'])
def test_a_file_that_holds_no_settings_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "best.json"
    path.write_text(content)
    with pytest.raises(FoldinError, match=r"best\.json"):
        read_settings(path)
