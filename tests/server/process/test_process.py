"""The server as a process: how it starts, stops, and outlives its store."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub
from foldin_model.file_lock import try_lock
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.redis.models import RedisModelStore
from planted import Planted
from server.live import failure, publish_version, settled, until
from server.processes import COMMAND, serving

TRAINS = {"torch", "pandas", "sklearn", "implicit", "matplotlib", "pyarrow"}


def publish_into(data_dir: Path, made: Planted) -> None:
    """Publishes a model to the embedded store of a folder and leaves the store stopped."""
    with embedded_store(data_dir) as url:
        models = RedisModelStore(url, "default")
        publish_version(made, models)
        models.close()


def stub_of(channel: grpc.aio.Channel) -> Any:
    return RecommendationServiceStub(channel)


async def submit(stub: Any, user: str, item: str) -> Any:
    return await stub.SubmitRating(pb.SubmitRatingRequest(user_id=user, item_id=item, value=5.0))


async def recommend(stub: Any, user: str) -> Any:
    return await stub.Recommend(pb.RecommendRequest(user_id=user))


async def stored(stub: Any, user: str, item: str) -> bool:
    """Returns whether the server accepts a rating."""
    try:
        await submit(stub, user, item)
    except grpc.aio.AioRpcError:
        return False
    return True


def test_a_server_stopped_while_it_starts_leaves_no_store_behind(
    tmp_path: Path,
) -> None:
    pid = tmp_path / "store" / "valkey.pid"
    command = (*COMMAND, "--address", "127.0.0.1:0", "--data-dir", str(tmp_path))
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        while not (pid.exists() and pid.read_text()):  # the store is there, the server not yet
            assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    with (tmp_path / "store" / "alive").open("wb") as alive:
        assert try_lock(alive)


@pytest.mark.parametrize("transport", ["grpcio", "native"])
async def test_sigterm_ends_no_call_that_is_in_flight(
    small: Planted, tmp_path: Path, transport: str
) -> None:
    publish_into(tmp_path, small)
    with serving(tmp_path, "--transport", transport) as process:
        answered = 0
        stopping = False

        async def load(stub: Any, number: int) -> None:
            nonlocal answered
            while True:
                begun_before_the_stop = not stopping
                try:
                    await submit(stub, f"user-{number}", str(101 + answered % 120))
                    answered += 1
                except grpc.aio.AioRpcError:
                    assert not begun_before_the_stop
                    return

        async with grpc.aio.insecure_channel(process.address) as channel:
            stub = stub_of(channel)
            callers = [asyncio.create_task(load(stub, number)) for number in range(16)]
            await until(lambda: answered >= 200)
            stopping = True
            assert await asyncio.to_thread(process.stop) == 0
            await asyncio.gather(*callers)
    codes = {line["code"] for line in process.lines if line["event"] == "rpc"}
    assert codes == {"OK"}
    assert [line["event"] for line in process.lines][-1] == "stopped"


async def test_a_killed_store_degrades_reads_and_comes_back(small: Planted, tmp_path: Path) -> None:
    publish_into(tmp_path, small)
    with embedded_store(tmp_path), serving(tmp_path) as process:
        async with grpc.aio.insecure_channel(process.address) as channel:
            stub = stub_of(channel)
            revision = (await submit(stub, "new", "101")).user_revision
            before = await recommend(stub, "new")
            os.kill(int((tmp_path / "store" / "valkey.pid").read_text()), signal.SIGKILL)
            during = await recommend(stub, "new")
            assert during.serving_info.degraded
            assert during.items == before.items
            assert (await failure(submit(stub, "new", "102"))).reason == "STORE_UNAVAILABLE"
            with embedded_store(tmp_path):
                after = await settled(
                    lambda: recommend(stub, "new"), lambda a: not a.serving_info.degraded
                )
                assert after.serving_info.user_revision == revision
                assert after.items == before.items
                assert (await submit(stub, "new", "102")).user_revision > revision
                assert await asyncio.to_thread(process.stop) == 0


def test_a_store_that_hangs_does_not_hold_up_the_stop_and_is_not_left_behind(
    small: Planted, tmp_path: Path
) -> None:
    publish_into(tmp_path, small)
    with serving(tmp_path) as process:
        os.kill(int((tmp_path / "store" / "valkey.pid").read_text()), signal.SIGSTOP)
        assert process.stop() == 0
        assert not (tmp_path / "store" / "valkey.pid").exists()
        assert process.line("store_hangs")["signal"] == "SIGTERM"
        assert not process.lines_of("not logged")


async def test_a_store_that_is_not_there_yet_is_waited_for(small: Planted, tmp_path: Path) -> None:
    with embedded_store(tmp_path) as url:
        pass
    with serving(tmp_path / "server", "--redis-url", url) as process:
        async with grpc.aio.insecure_channel(process.address) as channel:
            stub = stub_of(channel)
            assert (await failure(recommend(stub, "new"))).reason == "MODEL_NOT_READY"
            with embedded_store(tmp_path):
                publish_into(tmp_path, small)
                await settled(lambda: stored(stub, "new", "101"), bool)
                assert await asyncio.to_thread(process.stop) == 0


def test_the_settings_are_logged_at_the_start(small: Planted, tmp_path: Path) -> None:
    publish_into(tmp_path, small)
    with serving(tmp_path) as process:
        assert process.stop() == 0
    assert [line["event"] for line in process.lines[:3]] == ["settings", "model", "serving"]
    assert process.line("settings")["settings"]["store_timeout_ms"] == 250.0
    assert process.line("serving")["model_version"]


async def test_a_call_is_logged_and_counted_without_its_user(
    small: Planted, tmp_path: Path
) -> None:
    publish_into(tmp_path, small)
    with serving(tmp_path, "--metrics-address", "127.0.0.1:0") as process:
        async with grpc.aio.insecure_channel(process.address) as channel:
            await recommend(stub_of(channel), "stranger")
        shown = await asyncio.to_thread(
            fetched, f"http://{process.line('metrics')['address']}/metrics"
        )
        assert process.stop() == 0
    assert 'foldin_rpc_seconds_count{code="OK",method="Recommend"} 1.0' in shown
    call = process.line("rpc")
    assert (call["method"], call["code"], call["personalization"]) == ("Recommend", "OK", "popular")
    assert call["model_version"]
    assert call["user"]
    assert "stranger" not in str(process.lines)


def fetched(url: str) -> str:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 (an address of our own)
        return str(answer.read().decode())


@pytest.mark.parametrize(
    ("options", "environment", "complaint"),
    [
        ((), {"FOLDIN_ADRESS": "x"}, "FOLDIN_ADRESS is no setting; did you mean FOLDIN_ADDRESS?"),
        (("--address", "nowhere"), {}, "address is 'nowhere'; write host:port"),
        ((), {"FOLDIN_MAX_IN_FLIGHT": "0"}, "max_in_flight is 0; it must be above 0"),
        (("--metrics-address", "8.8.8.8:1"), {}, "cannot serve metrics on 8.8.8.8:1"),
        (("--keepalive-s", "inf"), {}, "keepalive_s is inf; it must be above 0 and at most"),
        (("--max-message-bytes", "99999999999"), {}, "max_message_bytes is 99999999999; it must"),
        (("--redis-url", "redis://[::1"), {}, "redis_url: is no url of a store"),
        (("--redis-url", "redis://127.0.0.1:1/0?foo=bar"), {}, "unknown option foo"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_the_start_with_its_remedy(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], complaint: str
) -> None:
    ended = subprocess.run(
        [*COMMAND, "--address", "127.0.0.1:0", "--data-dir", str(tmp_path), *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "options", [("--transport", "grpcio"), ("--transport", "native"), ("--workers", "2")]
)
def test_a_port_in_use_ends_the_start(tmp_path: Path, options: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = subprocess.run(
            [*COMMAND, "--address", address, "--data-dir", str(tmp_path), *options],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert f"cannot listen on {address}" in ended.stderr


def test_the_server_never_imports_what_trains(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "import foldin_server.process.command\n"
        "assert 'numpy' not in sys.modules\n"
        "import foldin_server.process.server\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not TRAINS & set(loaded.stdout.split())


def test_the_numeric_libraries_have_one_thread_each() -> None:
    program = (
        "from foldin_server.runtime import threads\n"
        "threads.limit_before_import()\n"
        "import faiss, numpy, threadpoolctl\n"
        "threads.limit_now()\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()},\n"
        "      faiss.omp_get_max_threads())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["{1}", "1"]
