"""`foldin up` and `foldin demo` start all parts, serve, and leave no process running."""

import csv
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import needs_openssl, self_signed
from client.planted_data import environment, plant
from foldin_client import Client
from foldin_local.stack import free_address
from foldin_trainer.data import Dataset
from planted import Planted
from tiny import tiny_dataset

COMMAND = (sys.executable, "-m", "foldin_client")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]


@pytest.fixture
def data_dir(small: Planted, tmp_path: Path) -> Iterator[Path]:
    plant(small, tmp_path)
    yield tmp_path
    assert running_on(tmp_path) == []


def running_on(data_dir: Path) -> list[str]:
    """The command lines of the processes that were started for a data directory."""
    mark = f"FOLDIN_DATA_DIR={data_dir}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it ended, or is another user's
    return found


def run(data_dir: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*COMMAND, *arguments),
        env=environment(data_dir) | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def start(data_dir: Path, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        (*COMMAND, *arguments),
        env=environment(data_dir) | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Returns what the process printed up to the line with the text."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"it never printed {text!r}:\n{seen}")


def test_the_demo_succeeds_without_a_terminal_and_again(data_dir: Path) -> None:
    for _ in range(2):
        result = run(data_dir, "demo")
        assert result.returncode == 0, result.stdout + result.stderr
        for heading in (
            "would like",
            "Films like",
            "rates 3 films",
            "next recommendations",
            "nobody",
        ):
            assert heading in result.stdout
        assert "\x1b" not in result.stdout
        assert running_on(data_dir) == []


def test_the_demo_learns_from_a_file_of_ratings(tmp_path: Path) -> None:
    ratings, items = write_csv(tiny_dataset(users=60), tmp_path)
    result = run(tmp_path, "demo", "--data", str(ratings), "--items", str(items))
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"✓ Training on {ratings}" in result.stdout
    assert running_on(tmp_path) == []


def write_csv(dataset: Dataset, folder: Path) -> tuple[Path, Path]:
    """Writes the data set as a file of ratings and a table of items; returns their paths."""
    ratings, items = folder / "ratings.csv", folder / "items.csv"
    made, table = dataset.ratings, dataset.items
    with ratings.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("user", "item", "rating"))
        rows.writerows(
            (made.user_ids[user], made.item_ids[item], value)
            for user, item, value in zip(made.users, made.items, made.values, strict=True)
        )
    with items.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "title", "genres", "year"))
        rows.writerows(
            (item_id, title, "|".join(genres), year)
            for item_id, title, genres, year in zip(
                made.item_ids, table.titles, table.genres, table.years, strict=True
            )
        )
    return ratings, items


def test_ctrl_c_in_the_middle_of_the_demo_leaves_no_process(data_dir: Path) -> None:
    process = start(data_dir, "demo")
    read_until(process, "Starting")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT, out + err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_serves_until_it_is_asked_to_stop(data_dir: Path, number: signal.Signals) -> None:
    address = free_address("127.0.0.1:0")
    process = start(data_dir, "up", "--address", address)
    read_until(process, f"foldin is ready at {address}")
    with Client(address) as client:
        assert client.recommend("1").items
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert out.endswith("Stopped.\n")


def test_up_reports_a_server_that_dies(data_dir: Path) -> None:
    process = start(data_dir, "up", "--address", free_address("127.0.0.1:0"))
    read_until(process, "foldin is ready")
    (server,) = children_of(process.pid)
    os.kill(server, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    assert "`foldin serve` ended with exit code -9" in err
    run(data_dir, "store", "size")  # adopts the store that the server could not stop, and stops it


def children_of(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def test_up_refuses_an_address_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        result = run(tmp_path, "up", "--address", address)
    assert result.returncode == 1
    assert f"can't listen at {address}" in result.stderr
    assert "FOLDIN_ADDRESS" in result.stderr


def test_up_takes_a_free_port_for_port_0(data_dir: Path) -> None:
    process = start(data_dir, "up", "--address", "127.0.0.1:0")
    printed = read_until(process, "FOLDIN_ADDRESS=")
    address = printed.rpartition("FOLDIN_ADDRESS=")[2].strip()
    assert f"foldin is ready at {address}" in printed
    with Client(address) as client:
        assert client.is_serving()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)


@needs_openssl
def test_up_serves_with_tls_and_prints_what_a_caller_needs(data_dir: Path) -> None:
    certificate, key = self_signed(data_dir, "server", host="foldin.example")
    tls = {"FOLDIN_TLS_CERTIFICATE": str(certificate), "FOLDIN_TLS_KEY": str(key)}
    tls |= {"FOLDIN_TLS_CLIENT_CA": str(certificate)}
    process = start(data_dir, "up", "--address", "127.0.0.1:0", **tls)
    printed = read_until(process, "There first:  export ")
    settings = printed.rpartition("export ")[2].split()
    asked = run(data_dir, "recommend", "1", **dict(entry.split("=", 1) for entry in settings))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert asked.returncode == 0, asked.stderr


@needs_openssl
def test_up_refuses_tls_that_no_caller_could_use(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "server")
    stranger = self_signed(tmp_path, "stranger").certificate
    tls = {"FOLDIN_TLS_CERTIFICATE": str(certificate), "FOLDIN_TLS_KEY": str(key)}
    tls |= {"FOLDIN_TLS_CLIENT_CA": str(stranger)}
    for command in (("up", "--address", "127.0.0.1:0"), ("demo",)):
        result = run(tmp_path, *command, **tls)
        assert result.returncode == 1
        assert "set FOLDIN_CERTIFICATE and FOLDIN_KEY" in result.stderr
        assert "Starting" not in result.stdout


def test_a_failed_step_is_shown_with_its_last_output(tmp_path: Path) -> None:
    broken = tmp_path / "ratings.csv"
    broken.write_text("user,item,rating\n1,2,many\n")
    result = run(tmp_path, "demo", "--data", str(broken))
    assert result.returncode == 1
    assert "`foldin ratings import` ended with exit code 1" in result.stderr
    assert "many" in result.stderr
    assert running_on(tmp_path) == []
