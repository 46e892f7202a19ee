"""The programs in examples/, each run as a process against a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.planted_data import plant
from planted import Planted
from project.checkout import ROOT
from server.processes import serving

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def address(small: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("examples")
    plant(small, data_dir)
    with serving(data_dir, "--no-log-calls", "--store-timeout-ms", "5000") as process:
        yield process.address


@pytest.fixture
def run(address: str) -> Run:
    """Runs an example by its name."""

    def invoke(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        program = str(ROOT / "examples" / f"{name}.py")
        return subprocess.run(
            [sys.executable, program, *arguments],
            env={**os.environ, "FOLDIN_ADDRESS": address},
            capture_output=True,
            text=True,
            check=True,
        )

    return invoke


def test_a_user_who_rates_reads_their_own_write(run: Run) -> None:
    lines = run("recommend_and_rate", "newcomer").stdout.splitlines()
    before, after = lines[1:6], lines[8:13]
    rated = before[0].split(maxsplit=1)[1]
    assert rated in lines[7]
    assert all(f"(because of {rated})" in line for line in after)
    assert not any(line.split(maxsplit=1)[1].startswith(rated + " ") for line in after)
    assert run("recommend_and_rate", "newcomer").stdout.splitlines()[1:6] == before


def test_lists_of_many_users_have_their_length_and_no_item_twice(run: Run, small: Planted) -> None:
    unrated = {str(user): len(small.model.catalog.item_ids) for user in ("new", "newer")}
    for user, (rows, _) in list(small.histories.items())[:30]:
        unrated[str(user)] = len(small.model.catalog.item_ids) - len(rows)
    printed = run("nightly_lists", "--length", "110", *unrated, "").stdout.splitlines()
    lists = {line["user_id"]: line for line in map(json.loads, printed)}
    assert lists.pop("") == {"user_id": "", "error": "INVALID_FIELD"}
    assert {user: len(set(line["items"])) for user, line in lists.items()} == {
        user: min(items, 110) for user, items in unrated.items()
    }


def test_a_failed_call_of_a_stub_names_the_field(run: Run) -> None:
    printed = run("raw_stub").stdout
    assert "request id: raw-stub-1\n" in printed
    assert "INVALID_ARGUMENT: " in printed
    assert "  reason INVALID_FIELD of foldin.v1\n" in printed
    assert "  page_size: " in printed


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_how_to_run_it(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert f"    python examples/{example.name}" in text
