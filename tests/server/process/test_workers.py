"""Several worker processes on one port: started, restarted and stopped by their parent."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub
from foldin_server.process.workers import settings_of
from foldin_server.settings import Settings
from planted import Planted
from server.live import until
from server.process.test_process import publish_into, submit
from server.processes import COMMAND, Process, serving


def numbers(process: Process, event: str) -> list[int]:
    """Returns the number of the worker of each line with the event."""
    return [line["worker"] for line in process.lines_of(event)]


async def all_serve(process: Process, count: int) -> None:
    await until(lambda: set(numbers(process, "serving")) == set(range(count)))


def alive(pid: int) -> bool:
    """Returns whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def recommend_anew(address: str) -> Any:
    """Recommends over a new connection, for which the kernel chooses a worker."""
    alone = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(address, options=alone) as channel:
        stub: Any = RecommendationServiceStub(channel)
        return await stub.Recommend(pb.RecommendRequest(user_id="1"), wait_for_ready=True)


def policies(pid: int, names: tuple[str, ...]) -> set[int]:
    """Returns the scheduling policies of the threads of a process with these names."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    found = (each for each in threads if (each / "comm").read_text().startswith(names))
    return {os.sched_getscheduler(int(thread.name)) for thread in found}


@pytest.mark.parametrize("transport", ["grpcio", "native"])
async def test_workers_share_a_port_and_a_dead_one_is_replaced(
    small: Planted, tmp_path: Path, transport: str
) -> None:
    publish_into(tmp_path, small)
    options = ("--workers", "2", "--transport", transport, "--metrics-address", "127.0.0.1:0")
    with serving(tmp_path, *options) as process:
        await all_serve(process, 2)
        address = process.address
        assert {line["address"] for line in process.lines_of("serving")} == {address}
        assert {line["transport"] for line in process.lines_of("serving")} == {transport}
        assert Counter(numbers(process, "metrics")) == {0: 1, 1: 1}
        versions = {(await recommend_anew(address)).serving_info.model_version for _ in range(40)}
        await until(lambda: len(numbers(process, "rpc")) >= 40)
        assert set(numbers(process, "rpc")) == {0, 1}
        assert len(versions) == 1

        os.kill(process.line("worker_started")["pid"], signal.SIGKILL)
        await until(lambda: numbers(process, "serving").count(0) == 2)
        assert process.line("worker_ended")["code"] == -signal.SIGKILL
        assert (await recommend_anew(address)).items

        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = RecommendationServiceStub(channel)
            for item in range(101, 121):  # taken by one, seen at once by each
                revision = (await submit(stub, "1", str(item))).user_revision
                seen = await recommend_anew(address)
                assert seen.serving_info.user_revision == revision
        assert await asyncio.to_thread(process.stop) == 0
    assert not any(alive(line["pid"]) for line in process.lines_of("worker_started"))
    assert Counter(numbers(process, "stopped")) == {0: 1, 1: 1}
    assert process.lines[-1]["event"] == "workers_stopped"


async def has_usual_policy(pid: int) -> None:
    """Returns when the loop's own thread has its usual policy back, soon after the start."""
    await until(lambda: os.sched_getscheduler(pid) == os.SCHED_OTHER)


@pytest.mark.parametrize("transport", ["grpcio", "native"])
@pytest.mark.parametrize(("workers", "policy"), [(1, os.SCHED_OTHER), (2, os.SCHED_BATCH)])
async def test_threads_that_hand_calls_over_give_way_where_processes_share_the_cores(
    small: Planted, tmp_path: Path, transport: str, workers: int, policy: int
) -> None:
    publish_into(tmp_path, small)
    with serving(tmp_path, "--workers", str(workers), "--transport", transport) as process:
        await until(lambda: len(process.lines_of("serving")) == workers)
        started = [line["pid"] for line in process.lines_of("worker_started")]
        for pid in started or [process.running.pid]:
            assert policies(pid, ("event_engine", "grpc-native-io")) == {policy}
            await has_usual_policy(pid)
        assert await asyncio.to_thread(process.stop) == 0


async def test_workers_leave_when_their_parent_is_killed(small: Planted, tmp_path: Path) -> None:
    publish_into(tmp_path, small)
    with serving(tmp_path, "--workers", "2") as process:
        await all_serve(process, 2)
        workers = [line["pid"] for line in process.lines_of("worker_started")]
        process.running.kill()
        await until(lambda: not any(alive(pid) for pid in workers))
        process.reader.join(10)
    assert Counter(numbers(process, "stopped")) == {0: 1, 1: 1}
    with serving(tmp_path) as process:  # it adopts the store that was left behind
        assert process.stop() == 0


async def test_a_worker_that_cannot_start_ends_them_all(small: Planted, tmp_path: Path) -> None:
    publish_into(tmp_path, small)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await asyncio.to_thread(
            subprocess.run,
            [
                *(*COMMAND, "--address", "127.0.0.1:0", "--data-dir", str(tmp_path)),
                *("--workers", "2", "--metrics-address", f"127.0.0.1:{port - 1}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert f"cannot serve metrics on 127.0.0.1:{port}" in ended.stderr
    assert "worker 1 can't start" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_parent_never_imports_grpc() -> None:
    program = (
        "import sys\n"
        "import foldin_server.process.command, foldin_server.process.workers\n"
        "import foldin_model.errors, foldin_server.runtime.json_log\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"grpc", "pygrpc_native", "faiss"} & set(loaded.stdout.split())


def test_each_worker_has_metrics_of_its_own() -> None:
    several = Settings(workers=3, metrics_address="[::1]:9000")
    assert [settings_of(n, several).metrics_address for n in (0, 2)] == ["[::1]:9000", "[::1]:9002"]
    any_port = Settings(workers=3, metrics_address="host:0")
    assert settings_of(2, any_port).metrics_address == "host:0"
    assert settings_of(2, Settings()).metrics_address is None
