"""The registries of heads: an unknown name is an error wherever one is given."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from foldin_model.errors import FoldinError
from foldin_model.fold_in.kinds import QUADRATIC
from foldin_trainer.commands.train import train as command
from foldin_trainer.data import Dataset
from foldin_trainer.learning.heads import RANKING_HEADS, RATING_HEADS, all_heads, head_named
from foldin_trainer.learning.ranking_heads.ease.trainer import EaseSettings
from foldin_trainer.learning.ranking_heads.ials.head import IalsPlan
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings
from foldin_trainer.learning.rating_heads.mf.trainer import MfSettings
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.train_settings import TrainSettings
from foldin_trainer.learning.training import train
from foldin_trainer.tuning.objectives import method_names, tunable
from foldin_trainer.tuning.settings import changed, read_settings
from tiny import write_movielens


@dataclass(frozen=True, slots=True)
class UnknownPlan:
    head: str = "oracle"
    settings: IalsSettings = field(default_factory=IalsSettings)
    name: str = "oracle, all-seeing"
    learn = IalsPlan.learn


def test_settings_of_a_training_name_registered_heads() -> None:
    with pytest.raises(FoldinError, match="unknown rating head 'oracle'; there are mf"):
        TrainSettings(rating_head="oracle")
    with pytest.raises(FoldinError, match="unknown ranking head 'oracle'; there are ials"):
        replace(TrainSettings(), ranking_head="oracle")


def test_a_rating_head_cannot_order_lists_and_the_other_way_round() -> None:
    with pytest.raises(FoldinError, match="unknown ranking head 'mf'; there are ials"):
        TrainSettings(ranking_head="mf")
    with pytest.raises(FoldinError, match="unknown rating head 'ease'; there are mf"):
        TrainSettings(rating_head="ease")


def test_a_plan_of_an_unknown_head_is_not_taken_for_another() -> None:
    with pytest.raises(FoldinError, match="unknown ranking head 'oracle'"):
        TrainSettings().settled(UnknownPlan())


def test_a_setting_of_an_unknown_head_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FoldinError, match=r"'oracle\.l2': unknown head 'oracle'; there are mf"):
        changed(TrainSettings(), {"oracle.l2": 1.0})


def test_a_file_of_settings_for_an_unknown_head_is_refused_by_name(
    tiny: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "best.json"
    path.write_text(json.dumps({"method": "oracle", "settings": {}}))
    with pytest.raises(FoldinError, match=r"best\.json: unknown head 'oracle'; there are mf"):
        read_settings(path)
    films = write_movielens(tiny, tmp_path / "films")
    refused = CliRunner().invoke(command, [str(films), "--settings", str(path), "--no-publish"])
    assert refused.exit_code == 1
    assert "unknown head 'oracle'" in refused.stderr


@pytest.mark.parametrize("option", ["--rating-head", "--ranking-head"])
def test_the_command_refuses_an_unknown_head_with_the_known_ones(option: str) -> None:
    refused = CliRunner().invoke(command, [option, "oracle"])
    assert refused.exit_code == 2
    assert "'oracle' is not one of" in refused.output


def test_a_method_that_cannot_be_tuned_is_refused_with_those_that_can() -> None:
    with pytest.raises(FoldinError, match="'ensemble' cannot be tuned; choose mf or"):
        tunable("ensemble")
    assert set(method_names()) >= {"mf", "bayes", "ials", "ease", "encoder"}


def test_settings_of_heads_in_a_manifest_can_be_trained_again() -> None:
    for rating in RATING_HEADS:
        for ranking in RANKING_HEADS:
            settings = TrainSettings(rating, ranking)
            kept = {name: value for name, value in settings.flat().items() if "." in name}
            unset = {name for name, value in kept.items() if value is None}
            assert unset <= {"mf.batch_size"}
            again = changed(settings, {n: v for n, v in kept.items() if n not in unset})
            assert again.flat() == settings.flat()


@pytest.mark.parametrize("name", ["mf", "auto", "Mf 2", ""])
def test_a_name_is_registered_once_and_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a new rating head"):
        RATING_HEADS.add(replace(RATING_HEADS["mf"], name=name))


def test_names_are_unique_among_all_heads() -> None:
    assert len(all_heads()) == len(RATING_HEADS) + len(RANKING_HEADS)
    assert [head_named(name).name for name in all_heads()] == list(all_heads())


def test_a_head_that_is_not_served_as_registered_is_refused(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RANKING_HEADS, "ease", replace(RANKING_HEADS["ease"], kind=QUADRATIC))
    quick = TrainSettings(heads=HeadSettings((MfSettings(dimension=4, epochs=1), EASE)))
    with pytest.raises(ValueError, match="ease is registered as quadratic and would be served as"):
        train(tiny, quick)


EASE = EaseSettings(dimension=8)


def test_settings_of_heads_are_found_by_their_class() -> None:
    heads = HeadSettings((EASE,))
    assert heads.of(EaseSettings) is EASE
    assert heads.of(MfSettings) == MfSettings()
    assert heads.replaced(MfSettings(epochs=2)).of(MfSettings).epochs == 2
    with pytest.raises(ValueError, match="two settings objects"):
        HeadSettings((EASE, EASE))


def test_shared_options_reach_every_head_that_has_them() -> None:
    settings = TrainSettings.of(dimension=12, device="cpu", seed=7)
    for head in all_heads().values():
        found = settings.heads.of(head.settings)
        for name, value in (("dimension", 12), ("device", "cpu"), ("seed", 7)):
            assert getattr(found, name, value) == value
