"""`foldin tune` in several processes: no trial too many, and a quiet end at Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from foldin_trainer.commands.tune import tune
from tiny import tiny_dataset, write_movielens

FAILED = 3  # optuna's code of a trial that failed
TUNE = """
import signal
from foldin_trainer.commands.tune import tune

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
tune()
"""


@pytest.fixture(scope="module")
def ratings_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    return write_movielens(tiny_dataset(users=80, items=100), folder) / "ratings.csv"


def test_processes_share_one_search_and_run_no_trial_too_many(
    ratings_csv: Path, tmp_path: Path
) -> None:
    options = ["--journal", str(tmp_path / "s.journal"), "--trials", "3", "--jobs", "2", "--json"]
    found = CliRunner().invoke(tune, [str(ratings_csv), "--method", "reference-ease", *options])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["trials"] == 3


@pytest.mark.parametrize(("jobs", "whom"), [(1, "the first"), (2, "everyone"), (2, "the first")])
def test_ctrl_c_ends_quietly_and_unfinished_trials_do_not_count(
    ratings_csv: Path, tmp_path: Path, jobs: int, whom: str
) -> None:
    journal = tmp_path / "s.journal"
    command = [sys.executable, "-c", TUNE]
    command += [str(ratings_csv), "--method", "mf", "--journal", str(journal)]
    with subprocess.Popen(
        [*command, "--trials", "500", "--jobs", str(jobs)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        while not (line := running.stderr.readline()).startswith("trial 2"):
            assert line, "it ended by itself"
        while journal.read_text().count('"mf.epochs"') < 3:  # the last setting that a trial draws
            time.sleep(0.01)
        if whom == "everyone":  # as a terminal does
            os.killpg(running.pid, signal.SIGINT)
        else:
            running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 1
    lines = [line for line in rest.splitlines() if line and not line.startswith("trial ")]
    assert lines == ["Aborted!"]
    operations = [json.loads(line) for line in journal.read_text().splitlines()]
    assert not [one for one in operations if one.get("state") == FAILED]
