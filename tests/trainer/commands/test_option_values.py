"""Impossible values are refused in one line that names the option and its limit."""

from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner
from foldin_trainer.commands.evaluate import evaluate
from foldin_trainer.commands.train import train
from foldin_trainer.commands.tune import tune

METHOD = ("--method", "ials")


@pytest.mark.parametrize(("command", "needed"), [(train, ()), (evaluate, ()), (tune, METHOD)])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_is_in_the_range_of_every_library(
    command: click.Command, needed: tuple[str, ...], seed: int
) -> None:
    refused = CliRunner().invoke(command, [*needed, "--seed", str(seed)])
    assert refused.exit_code == 2
    assert f"'--seed': {seed} is not in the range 0<=x<=4294967295" in refused.stderr


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (train, ("--time-budget", "nan")),
        (train, ("--time-budget", "inf")),
        (tune, (*METHOD, "--timeout", "nan")),
        (evaluate, ("--share", "nan")),
    ],
)
def test_a_number_is_finite(command: click.Command, arguments: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(command, arguments)
    assert refused.exit_code == 2
    assert f"'{arguments[-2]}': {arguments[-1]} is not a finite number" in refused.stderr


@pytest.mark.parametrize("scale", ["1:inf", "nan:5", "-inf:5"])
def test_both_ends_of_a_scale_are_finite(scale: str) -> None:
    refused = CliRunner().invoke(train, ["--scale", scale])
    assert refused.exit_code == 2
    assert "'--scale'" in refused.stderr


@pytest.mark.parametrize("command", [train, evaluate])
def test_a_missing_device_is_refused_before_data_are_read(
    command: click.Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    arguments = ["ml-1m", "--data-dir", str(tmp_path), "--device", "cuda"]
    refused = CliRunner().invoke(command, arguments)
    assert refused.exit_code == 1
    assert refused.stderr == "error: device: torch finds no 'cuda' here; choose auto or cpu\n"
