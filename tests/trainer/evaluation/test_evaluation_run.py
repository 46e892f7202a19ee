"""`foldin evaluate` end to end: protocols, options, and the report that it writes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from foldin_model.errors import FoldinError
from foldin_trainer.commands.evaluate import evaluate
from foldin_trainer.data import Dataset
from foldin_trainer.evaluation.evaluation_run import Plan
from foldin_trainer.evaluation.evaluation_run import evaluate as run
from foldin_trainer.evaluation.fold_in.learning_curve import (
    ADAM_RETRAIN,
    EXACT_FOLD_IN,
    NO_FOLD_IN,
    RETRAIN,
    THREE_STEPS,
    learning_curve,
)
from foldin_trainer.evaluation.fold_in.learning_curve import METHODS as CURVE_METHODS
from foldin_trainer.evaluation.protocols.trials import ProtocolSettings
from foldin_trainer.evaluation.report.report_folder import write_report
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.train_settings import TrainSettings
from tiny import tiny_dataset, write_movielens

QUICKLY = ("--device", "cpu", "--dimension", "8")


@pytest.mark.slow
def test_evaluate_prints_tables_and_writes_a_report_and_figures(tmp_path: Path) -> None:
    folder = write_movielens(tiny_dataset(users=120, items=100), tmp_path / "data")
    out = tmp_path / "out"
    arguments = [str(folder), "--protocol", "leave-last-out", "--protocol", "held-out-users"]
    options = ["--folds", "2", "--methods", "popularity", "--methods", "item-mean", *QUICKLY]
    result = CliRunner().invoke(evaluate, [*arguments, *options, "--report", str(out)])
    assert result.exit_code == 0, result.output
    assert "Recommended lists, first 10 · held-out-users" in result.output
    assert "Beyond accuracy, first 10 · leave-last-out" in result.output
    report = json.loads((out / "evaluation.json").read_text())
    assert [p["protocol"] for p in report["protocols"]] == ["leave-last-out", "held-out-users"]
    assert report["data"]["hash"]
    assert report["libraries"]["torch"]
    held_out = {row["method"]: row for row in report["protocols"][1]["rows"]}
    assert set(held_out) == {"popularity", "item mean", "foldin"}
    assert held_out["foldin"]["ndcg@10"] > held_out["popularity"]["ndcg@10"]
    assert held_out["foldin"]["rmse"] < held_out["item mean"]["rmse"]
    apart = report["protocols"][1]["differences"]
    found = next(d for d in apart if (d["metric"], d["method"]) == ("rmse", "item mean"))
    assert found["difference"] == pytest.approx(
        held_out["foldin"]["rmse"] - held_out["item mean"]["rmse"]
    )
    assert found["significant"]
    for name in report["figures"]:
        assert (out / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_page_holds_all_of_the_report_escaped_and_without_outside_references(
    tmp_path: Path,
) -> None:
    dataset = tiny_dataset(users=60, items=90)
    titles = ("<script>alert(1)</script> & $5 $", *dataset.items.titles[1:])
    dataset = replace(dataset, items=replace(dataset.items, titles=titles))
    dataset = replace(dataset, report=replace(dataset.report, name="<b>tiny</b> & co"))
    settings = TrainSettings.of(dimension=4, device="cpu")
    evaluation = run(dataset, Plan(("random",), ProtocolSettings(), settings))
    _, html, *pictures = write_report(evaluation, tmp_path)
    page = html.read_text("utf-8")
    assert "<script" not in page
    assert "<b>" not in page
    assert "<h1>Evaluation · &lt;b&gt;tiny&lt;/b&gt; &amp; co</h1>" in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]*', page) == []
    assert "url(http" not in page
    assert page.count("<svg ") == len(pictures)
    assert page.count('role="img"') == page.count("<figcaption>") == len(pictures)
    assert page.count(" to ") > 40
    assert dataset.ratings.hash in page
    assert "prefers-color-scheme: dark" in page


@pytest.mark.slow
def test_the_curve_of_fold_in_compares_every_method() -> None:
    dataset = tiny_dataset(users=60, items=90)
    settings = TrainSettings.of(dimension=4, device="cpu")
    curve = learning_curve(dataset, settings, (1, 10), count=4, folds=3)
    assert [point.ratings for point in curve.points] == [1, 10]
    first, tenth = curve.points
    assert set(first.comparison.intervals) == set(CURVE_METHODS)
    assert first.estimate(NO_FOLD_IN) == tenth.estimate(NO_FOLD_IN)
    assert tenth.estimate(EXACT_FOLD_IN) < tenth.estimate(NO_FOLD_IN)
    assert tenth.estimate(THREE_STEPS) == pytest.approx(tenth.estimate(EXACT_FOLD_IN), abs=2e-3)
    assert tenth.gap == tenth.estimate(THREE_STEPS) - min(map(tenth.estimate, tenth.retrains))
    for interval in tenth.comparison.intervals[THREE_STEPS].values():
        assert interval.low < interval.estimate < interval.high
    assert set(tenth.comparison.intervals[THREE_STEPS]) == {"rmse", "ndcg@4"}
    assert 12 < tenth.users <= 20


@pytest.mark.slow
def test_a_rating_head_that_adam_does_not_train_has_no_retrain_by_adam() -> None:
    settings = replace(TrainSettings.of(device="cpu"), rating_head="bayes").with_heads(
        BayesSettings(sweeps=40, burn_in=20, device="cpu")
    )
    curve = learning_curve(tiny_dataset(users=60, items=90), settings, (5,), count=4, folds=3)
    (point,) = curve.points
    assert set(point.comparison.intervals) == {*CURVE_METHODS} - {ADAM_RETRAIN}
    assert point.retrains == [RETRAIN]
    assert point.gap == point.estimate(THREE_STEPS) - point.estimate(RETRAIN)


@pytest.mark.slow
def test_fold_in_uses_its_options_and_records_only_those(tmp_path: Path) -> None:
    folder = write_movielens(tiny_dataset(users=60, items=90), tmp_path / "data")
    asked = [str(folder), "--protocol", "fold-in", "--k", "4", "--folds", "3", *QUICKLY]
    result = CliRunner().invoke(evaluate, [*asked, "--json", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["protocol_settings"] == {"folds": 3, "seed": 0}
    assert {row["metric"] for row in report["fold_in"]["rows"]} == {"rmse", "ndcg@4"}
    assert report["fold_in"]["rows"][0]["users"] <= 20
    page = (tmp_path / "out" / "evaluation.html").read_text("utf-8")
    assert "NDCG@4" in page
    assert "one of 3 folds" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fold-in", "--methods", "ease"], "--methods has no effect on fold-in"),
        (["kfold", "--share", "0.5"], "--share has no effect on kfold"),
        (["random", "--leave-last", "2"], "add a protocol that uses it: temporal"),
        (["leave-last-out", "--folds", "2"], "--folds has no effect on leave-last-out"),
    ],
)
def test_an_option_that_no_protocol_uses_is_refused(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    folder = write_movielens(few_ratings_each(4), tmp_path / "data")
    protocol, *options = arguments
    result = CliRunner().invoke(evaluate, [str(folder), "--protocol", protocol, *options])
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_settings_are_recorded_if_a_protocol_uses_them() -> None:
    settings = ProtocolSettings()
    assert settings.used_by(["random"]) == {"share": 0.2, "seed": 0}
    assert settings.used_by(["kfold", "temporal"]) == {"folds": 5, "leave_last": 5, "seed": 0}
    assert settings.used_by(["given"]) == {"seed": 0}


def test_the_curve_of_fold_in_needs_users_with_many_ratings() -> None:
    dataset = few_ratings_each(20)
    with pytest.raises(FoldinError, match=r"after their first 20 ratings, and fewer than 2 of 8"):
        learning_curve(dataset, TrainSettings.of(dimension=4, device="cpu"))
    with pytest.raises(FoldinError, match="41 folds need as many users"):
        learning_curve(dataset, TrainSettings.of(dimension=4, device="cpu"), folds=41)


@pytest.mark.slow
def test_a_default_protocol_that_hides_nothing_is_left_out_with_a_note(
    tmp_path: Path,
) -> None:
    folder = write_movielens(few_ratings_each(4), tmp_path / "data")
    out = ["--methods", "popularity", *QUICKLY, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(evaluate, [str(folder), *out])
    assert result.exit_code == 0, result.output
    assert "note: temporal is left out: nothing is hidden" in " ".join(result.output.split())
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [p["protocol"] for p in report["protocols"]] == ["random", "held-out-users"]
    assert report["notes"][0].startswith("temporal is left out")
    assert "temporal is left out" in (tmp_path / "out" / "evaluation.html").read_text("utf-8")
    asked = CliRunner().invoke(evaluate, [str(folder), "--protocol", "temporal", *out])
    assert asked.exit_code == 1
    assert asked.output.count("error: ") == 1


@pytest.mark.slow
def test_a_protocol_asked_for_twice_is_reported_once(tmp_path: Path) -> None:
    folder = write_movielens(few_ratings_each(4), tmp_path / "data")
    twice = ["--protocol", "random", "--protocol", "random", "--methods", "popularity"]
    arguments = [str(folder), *twice, *QUICKLY, "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(evaluate, arguments)
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["protocols"]) == 1


def few_ratings_each(count: int) -> Dataset:
    """Returns the tiny data set with at most that many ratings of each of 40 users."""
    dataset = tiny_dataset(users=40, items=90)
    users = dataset.ratings.users
    order = np.argsort(users, kind="stable")
    nth = np.arange(len(users)) - np.searchsorted(users[order], users[order])
    return replace(dataset, ratings=dataset.ratings.take(order[nth < count]))


@pytest.mark.slow
def test_a_published_split_without_values_is_ranked_only(tmp_path: Path) -> None:
    dataset = tiny_dataset(users=40, items=90)
    ratings = dataset.ratings
    for name, rows in (("train", range(0, len(ratings), 2)), ("test", range(1, len(ratings), 2))):
        pairs = [(ratings.users[row], ratings.items[row]) for row in rows]
        lines = [f"{ratings.user_ids[user]},{ratings.item_ids[item]}" for user, item in pairs]
        (tmp_path / f"{name}.csv").write_text("\n".join(("user,item", *lines)) + "\n")
    files = ["--train", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv")]
    mask = ["--mask", str(tmp_path / "train.csv"), "--methods", "popularity", "--json"]
    arguments = [*files, *mask, *QUICKLY, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(evaluate, arguments)
    assert result.exit_code == 0, result.output
    (given,) = json.loads(result.stdout)["protocols"]
    assert given["protocol"] == "given"
    assert "pairs of" in given["masking"]
    assert given["rows"][1]["method"] == "foldin"
    assert given["rows"][1]["rmse"] is None
    assert given["rows"][1]["ndcg@10"] > 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--protocol", "given"], "--train is missing"),
        (["--train", "FILE"], "--test is missing"),
        (["--train", "FILE", "--test", "FILE", "--protocol", "random"], "alone, not random"),
        (["ml-100k", "--train", "FILE", "--test", "FILE"], "name two data sets"),
        (["--protocol", "leave-one-out"], "'leave-one-out' is not one of"),
    ],
)
def test_options_that_contradict_each_other_are_refused_by_name(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("user,item\n1,a\n")
    given = [str(file) if argument == "FILE" else argument for argument in arguments]
    result = CliRunner().invoke(evaluate, given)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_evaluate_says_how_to_fetch_a_missing_data_set(tmp_path: Path) -> None:
    result = CliRunner().invoke(evaluate, ["ml-1m", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "foldin data fetch ml-1m" in result.output
