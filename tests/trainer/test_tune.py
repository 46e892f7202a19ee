"""`foldin tune`: a search that remembers, goes on, cuts short what is hopeless, and is used."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result
from foldin_model.errors import FoldinError
from foldin_trainer.commands.train import train
from foldin_trainer.commands.tune import tune
from foldin_trainer.data import Dataset
from foldin_trainer.learning.choosing import RankingHead
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.tuning import objectives, studies
from foldin_trainer.tuning.objectives import TUNABLE, Measuring, Tunable, Values
from foldin_trainer.tuning.settings import changed, read_settings
from foldin_trainer.tuning.spaces import Share
from foldin_trainer.tuning.studies import Search, search
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
    flat = TrainSettings(rating_head="bayes").flat()
    for head in get_args(RankingHead):
        flat |= TrainSettings(ranking_head=head).flat()
    assert set(TUNABLE[method].space) <= set(flat)


def test_an_encoder_is_tuned_and_then_trained_as_found(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    found = run(
        *(ratings_csv, "--method", "encoder", "--journal", journal, "--trials", 2, "--folds", 2)
    )
    assert found.exit_code == 0, found.output
    best = journal.with_suffix(".json")
    values = read_settings(best)
    settings = changed(TrainSettings(), values).encoder
    assert settings.kept == (values["encoder.kept.0"], values["encoder.kept.1"])
    assert settings.target_weights[2] == TrainSettings().encoder.target_weights[2]
    trained = trained_with(ratings_csv, best)
    assert trained.exit_code == 0, trained.output
    (attempt,) = json.loads(trained.stdout)["attempts"]
    assert attempt["plan"].startswith("encoder")


def test_an_encoder_that_leads_nowhere_is_cut_short_while_it_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(_: Dataset, values: Values, how: Measuring) -> Iterator[float]:
        for _fold in range(how.folds):
            for passes in (5, 10):
                how.looked(passes, float(values["x"] or 0.0))
                heard.append(passes)
            yield float(values["x"] or 0.0)

    heard: list[int] = []
    tunable = Tunable({"x": Share(0.0, 1.0)}, ("ndcg",), measure)
    monkeypatch.setattr(objectives, "TUNABLE", {"encoder": tunable})
    monkeypatch.setattr(studies, "TUNABLE", {"encoder": tunable})
    asked = Search("encoder", "ndcg", tmp_path / "s.journal", trials=20, folds=2, seed=0)
    found = search(asked, tiny_dataset, 1, lambda _: None)
    assert found is not None
    assert found.pruned > 0
    assert len(heard) == 4 * (found.finished - found.pruned)  # pruned at the first look


@pytest.mark.parametrize("option", ["--ranking-head", "--rating-head"])
def test_settings_of_another_head_than_is_asked_for_are_refused(
    ratings_csv: Path, tmp_path: Path, option: str
) -> None:
    best = tmp_path / "best.json"
    best.write_text('{"settings": {"encoder.anchor": 0.01, "bayes.factors": 9}}')
    other = {"--ranking-head": "ials", "--rating-head": "mf"}[option]
    refused = trained_with(ratings_csv, best, option, other)
    assert refused.exit_code == 1
    assert f"not for {other}" in refused.output


def trained_with(ratings_csv: Path, best: Path, *options: str) -> Result:
    arguments = [str(ratings_csv), "--settings", str(best), "--no-publish", "--json", *options]
    return CliRunner().invoke(train, arguments)


def test_what_is_found_is_what_a_training_takes(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    found = run(ratings_csv, "--method", "mf", "--journal", journal, "--trials", 1, "--folds", 2)
    assert found.exit_code == 0, found.output
    best = journal.with_suffix(".json")
    values = read_settings(best)
    assert changed(TrainSettings(), values).mf.l2 == values["mf.l2"]
    trained = trained_with(ratings_csv, best)
    assert trained.exit_code == 0, trained.output


@pytest.mark.parametrize(
    "values",
    [
        {"mf.l3": 1.0},
        {"l2": 1.0},
        {"mf.l2": "much"},
        {"encoder.kept.2": 0.5},
        {"encoder.kept.0": "some"},
        {"mf.l2.0": 1.0},
        {"encoder.kept": 0.5},
    ],
)
def test_settings_that_do_not_exist_or_fit_are_named(values: dict[str, float | str]) -> None:
    with pytest.raises(FoldinError, match=next(iter(values))):
        changed(TrainSettings(), values)


@pytest.mark.parametrize("content", ["", "[]", '{"settings": 3}'])
def test_a_file_that_holds_no_settings_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "best.json"
    path.write_text(content)
    with pytest.raises(FoldinError, match=r"best\.json"):
        read_settings(path)
