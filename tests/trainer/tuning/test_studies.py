"""`foldin tune`: a search is recorded, continued and pruned, and its result can be trained."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from foldin_model.errors import FoldinError
from foldin_trainer.commands.train import train
from foldin_trainer.commands.tune import tune
from foldin_trainer.data import Dataset, UserTable
from foldin_trainer.data.splits import kfold
from foldin_trainer.learning.heads import RANKING_HEADS
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings, train_mf_twice
from foldin_trainer.learning.registry.search_space import Share
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.tuning import objectives, studies
from foldin_trainer.tuning.objectives import MeasureSettings, Tunable, Values, method_names, tunable
from foldin_trainer.tuning.settings import changed, read_settings
from foldin_trainer.tuning.studies import Found, Search, search
from tiny import tiny_dataset, write_movielens


@pytest.fixture(scope="module")
def ratings_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    return write_movielens(tiny_dataset(users=80, items=100), folder) / "ratings.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(tune, [str(argument) for argument in arguments])


def ease(ratings_csv: Path, journal: Path, *options: object) -> Result:
    return run(ratings_csv, "--method", "reference-ease", "--journal", journal, *options)


def best_of(journal: Path) -> Path:
    """Returns the one file of best settings beside the journal."""
    (best,) = journal.parent.glob(f"{journal.stem}-*.json")
    return best


def test_the_same_search_finds_the_same(ratings_csv: Path, tmp_path: Path) -> None:
    one, other = (
        ease(ratings_csv, tmp_path / f"{name}.journal", "--trials", 4, "--json") for name in "ab"
    )
    assert one.exit_code == 0, one.output
    assert one.stdout == other.stdout


def test_a_search_continues_where_it_stopped(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "search.journal"
    assert ease(ratings_csv, journal, "--trials", 2).exit_code == 0
    again = ease(ratings_csv, journal, "--trials", 3)
    assert [line.split(":")[0] for line in again.stderr.splitlines()] == ["trial 3"]
    assert json.loads(best_of(journal).read_text())["trials"] == 3


def test_poor_settings_are_cut_short(ratings_csv: Path, tmp_path: Path) -> None:
    found = ease(ratings_csv, tmp_path / "s.journal", "--trials", 16, "--json")
    assert json.loads(found.stdout)["pruned"] > 0


def test_another_metric_is_another_search(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    ease(ratings_csv, journal, "--trials", 1)
    found = ease(ratings_csv, journal, "--trials", 1, "--metric", "ndcg-liked", "--json")
    assert json.loads(found.stdout)["trials"] == 1


def searched(dataset: Dataset, journal: Path) -> Found:
    asked = Search("reference-ease", "ndcg", journal, trials=1, folds=2, seed=0)
    found = search(asked, lambda: dataset, 1, lambda _: None)
    assert found is not None
    return found


@pytest.mark.parametrize("known", ["titles", "genres", "years", "tags", "embeddings", "users"])
def test_other_data_of_items_or_users_is_another_search(tmp_path: Path, known: str) -> None:
    dataset, journal = tiny_dataset(users=30, items=90), tmp_path / "s.journal"
    first = searched(dataset, journal)
    if known == "users":
        words = (("old",),) * 30
        other = replace(dataset, users=UserTable({"age": words}))
    else:
        values: dict[str, object] = {
            "titles": "Heat",
            "genres": ("Noir",),
            "years": 1902,
            "tags": ("dark",),
            "embeddings": np.ones(2, np.float32),
        }
        column = (values[known], *getattr(dataset.items, known)[1:])
        other = replace(dataset, items=replace(dataset.items, **{known: column}))
    second = searched(other, journal)
    assert second.finished == 1
    assert second.key != first.key
    assert searched(dataset, journal).key == first.key


def test_every_search_has_a_file_of_its_own(ratings_csv: Path, tmp_path: Path) -> None:
    elsewhere = write_movielens(tiny_dataset(users=40, items=90), tmp_path / "sub") / "ratings.csv"
    options = ("--method", "reference-ease", "--trials", 1, "--data-dir", tmp_path)
    for source, *others in (
        (ratings_csv,),
        (elsewhere,),
        (ratings_csv, "--metric", "ndcg-liked"),
        (ratings_csv, "--folds", 2),
        (ratings_csv, "--seed", 1),
        (ratings_csv, "--json"),  # the first again
    ):
        assert run(source, *options, *others).exit_code == 0
    names = sorted(path.name.rpartition("-")[0] for path in (tmp_path / "tuning").glob("*.json"))
    assert names == ["reference-ease-ratings-ndcg"] * 4 + ["reference-ease-ratings-ndcg-liked"]


def test_the_passes_of_mf_are_not_chosen_on_the_ratings_that_measure_it() -> None:
    dataset = tiny_dataset(users=60, items=90)
    values: Values = {"mf.epochs": 12, "mf.learning_rate": 0.05, "mf.l2": 0.01}
    how = MeasureSettings(folds=2, seed=0, metric="rmse")
    settings = changed(TrainSettings.of(seed=0), values)
    expected = []
    for kept, hidden in kfold(dataset.ratings, 2, 0):
        known, asked = dataset.ratings.take(kept), dataset.ratings.take(hidden)
        found = train_mf_twice(
            known, settings.heads.of(MfSettings), share=settings.validation_share
        )
        expected.append(float(np.sqrt(np.mean((found.predict(asked) - asked.values) ** 2))))
    assert list(tunable("mf").measure(dataset, values, how)) == expected


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["a,x,3"], ("--method", "ease"), "3 folds need as many users, and there are 1; give more"),
        (["a,x,3"], ("--method", "mf"), "3 folds need as many ratings, and there are 1; give more"),
        (["a,x,3", "b,x,4"], ("--method", "ease", "--folds", 2), "1 users rated, at least 10"),
    ],
)
def test_too_few_ratings_for_the_folds_are_an_error_of_one_line(
    tmp_path: Path, lines: list[str], options: tuple[object, ...], message: str
) -> None:
    path = tmp_path / "few.csv"
    path.write_text("\n".join(("user,item,rating", *lines)) + "\n")
    refused = run(path, "--scale", "1:5", "--journal", tmp_path / "s.journal", *options)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: ")
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", ["hello", "hello\n", "hello\nworld\n", '{"a": 1}\n', "3\n"])
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(
    ratings_csv: Path, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    refused = ease(ratings_csv, path, "--trials", 1)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"error: {path} is no journal")
    assert path.read_text() == content


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_has_the_range_of_evaluates(ratings_csv: Path, seed: int) -> None:
    refused = run(ratings_csv, "--method", "mf", "--seed", seed)
    assert refused.exit_code == 2
    assert "--seed" in refused.output
    assert "4294967295" in refused.output


def test_a_metric_that_the_method_lacks_is_refused(ratings_csv: Path) -> None:
    refused = run(ratings_csv, "--method", "mf", "--metric", "ndcg")
    assert refused.exit_code == 2
    assert "mf is measured by rmse, not by ndcg" in refused.output


@pytest.mark.parametrize(
    "method", [name for name in method_names() if not name.startswith("reference")]
)
def test_every_tunable_setting_of_a_head_is_a_setting_of_a_training(method: str) -> None:
    flat = TrainSettings(rating_head="bayes").flat()
    for head in RANKING_HEADS:
        flat |= TrainSettings(ranking_head=head).flat()
    assert set(tunable(method).space) <= set(flat)


def test_an_encoder_is_tuned_and_then_trained_as_found(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    found = run(
        *(ratings_csv, "--method", "encoder", "--journal", journal, "--trials", 2, "--folds", 2)
    )
    assert found.exit_code == 0, found.output
    best = best_of(journal)
    values = read_settings(best)
    settings = changed(TrainSettings(), values).heads.of(EncoderSettings)
    assert settings.kept == (values["encoder.kept.0"], values["encoder.kept.1"])
    assert settings.target_weights[2] == EncoderSettings().target_weights[2]
    trained = trained_with(ratings_csv, best)
    assert trained.exit_code == 0, trained.output
    (attempt,) = json.loads(trained.stdout)["attempts"]
    assert attempt["plan"].startswith("encoder")


def test_a_poor_encoder_is_cut_short_while_it_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(_: Dataset, values: Values, how: MeasureSettings) -> Iterator[float]:
        for _fold in range(how.folds):
            for passes in (5, 10):
                how.look(passes, float(values["x"] or 0.0))
                looks.append(passes)
            yield float(values["x"] or 0.0)

    looks: list[int] = []
    looking = Tunable({"x": Share(0.0, 1.0)}, ("ndcg",), measure)
    for module in (objectives, studies):
        monkeypatch.setattr(module, "tunable", lambda _: looking)
    asked = Search("encoder", "ndcg", tmp_path / "s.journal", trials=20, folds=2, seed=0)
    found = search(asked, tiny_dataset, 1, lambda _: None)
    assert found is not None
    assert found.pruned > 0
    assert len(looks) == 4 * (found.finished - found.pruned)  # pruned at the first look


@pytest.mark.parametrize("option", ["--ranking-head", "--rating-head"])
def test_settings_of_another_head_than_the_options_name_are_refused(
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


def test_a_training_takes_the_settings_of_a_search(ratings_csv: Path, tmp_path: Path) -> None:
    journal = tmp_path / "s.journal"
    found = run(ratings_csv, "--method", "mf", "--journal", journal, "--trials", 1, "--folds", 2)
    assert found.exit_code == 0, found.output
    best = best_of(journal)
    values = read_settings(best)
    assert changed(TrainSettings(), values).heads.of(MfSettings).l2 == values["mf.l2"]
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
