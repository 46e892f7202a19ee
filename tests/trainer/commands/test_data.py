"""`foldin data`: what its commands print, and how they exit."""

from pathlib import Path

from click.testing import CliRunner
from foldin_trainer.commands.data import data


def test_the_commands_exit_with_1_for_bad_data_and_2_for_bad_usage(tmp_path: Path) -> None:
    bad = tmp_path / "own.csv"
    bad.write_text("user,item,rating\na,x,3\na,y,none\n")
    result = CliRunner().invoke(data, ["check", str(bad)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {bad}, line 3: the rating 'none' is not a number")
    assert CliRunner().invoke(data, ["check", str(bad), "--scale", "5"]).exit_code == 2
    assert CliRunner().invoke(data, ["fetch", "ml-2m"]).exit_code == 2


def test_check_prints_the_report(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("user,item,rating\na,x,1\na,x,5\nb,x,3\n")
    result = CliRunner().invoke(data, ["check", str(own)])
    assert result.exit_code == 0
    assert "scale          1 to 5 (inferred)" in result.stdout
    assert "duplicates     1 dropped, the last by file order kept" in result.stdout
