"""The group `foldin` lists and completes commands without importing what they need."""

import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points

import pytest
from click.testing import CliRunner
from foldin_client.cli import group, main


def test_help_lists_every_command_without_importing_it() -> None:
    code = """
import sys
from click.testing import CliRunner
from foldin_client.cli import main
print(CliRunner().invoke(main, ["--help"]).output)
heavy = {"grpc", "rich", "google", "foldin_trainer", "foldin_server", "foldin_model", "numpy"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    for name in (*group.CLIENT_COMMANDS, *group.OTHER_COMMANDS):
        assert f"  {name} " in result.stdout
    assert {point.name for point in entry_points(group=group.ENTRY_POINTS)} == set(
        group.OTHER_COMMANDS
    )


def test_commands_are_completed_without_importing_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group.CommandGroup, "get_command", lambda *_: pytest.fail("imported"))
    environment = {"_FOLDIN_COMPLETE": "bash_complete", "COMP_WORDS": "foldin r", "COMP_CWORD": "1"}
    result = CliRunner().invoke(main, prog_name="foldin", env=environment)
    assert result.output.split() == [
        "plain,recommend",
        "plain,rate",
        "plain,rollback",
        "plain,ratings",
    ]


def test_a_missing_extra_is_an_error_that_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = EntryPoint("train", "foldin_trainer.commands.train:train", group.ENTRY_POINTS)

    def load(_: EntryPoint) -> object:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr(group, "_entry_points", lambda: {"train": point})
    result = CliRunner().invoke(main, ["train"])
    assert result.exit_code == 1
    assert "`foldin train` needs torch" in result.stderr
    assert "pip install 'foldin[trainer]'" in result.stderr
