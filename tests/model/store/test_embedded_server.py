"""The embedded server: one a data directory, shared, taken over, stopped by the last process."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from foldin_model.errors import InvalidField, StoreUnavailable
from foldin_model.store import embedded_server
from foldin_model.store.embedded_server import embedded_store
from foldin_model.store.location import default_data_dir, running_store_url
from redis import Redis

HOLD = """
import sys
from pathlib import Path
from foldin_model.store.embedded_server import embedded_store
with embedded_store(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder with a name short enough for a socket; a server left in it is killed at the end."""
    with TemporaryDirectory(prefix="foldin-") as name:
        folder = Path(name)
        yield folder
        if (pid := server_pid(folder)) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def server_pid(data_dir: Path) -> int | None:
    """Returns the process id that the server wrote; a clean stop removes the file."""
    file = data_dir / "store" / "valkey.pid"
    return int(file.read_text()) if file.exists() else None


def running_pid(data_dir: Path) -> int:
    pid = server_pid(data_dir)
    assert pid is not None
    return pid


def connect(url: str) -> Redis:
    return Redis.from_url(url, protocol=2)


@contextmanager
def holder(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Runs another process that uses the store until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("unix://")
        yield process
        process.kill()


def test_data_survives_a_restart(data_dir: Path) -> None:
    with embedded_store(data_dir) as url, connect(url) as client:
        client.set("word", "kept")
    assert server_pid(data_dir) is None
    with embedded_store(data_dir) as url, connect(url) as client:
        assert client.get("word") == b"kept"


def test_it_listens_on_no_port_and_only_its_owner_may_connect(data_dir: Path) -> None:
    with embedded_store(data_dir) as url, connect(url) as client:
        settings = client.config_get("port")
        socket = Path(url.removeprefix("unix://"))
        assert settings == {"port": "0"}
        assert socket.stat().st_mode & 0o077 == 0


def test_users_in_one_process_share_it_and_the_last_stops_it(data_dir: Path) -> None:
    with embedded_store(data_dir) as first:
        pid = running_pid(data_dir)
        with embedded_store(data_dir) as second:
            assert second == first
            assert running_pid(data_dir) == pid
        with connect(first) as client:
            client.ping()
    assert server_pid(data_dir) is None


def test_two_processes_share_it_and_the_last_stops_it(data_dir: Path) -> None:
    with embedded_store(data_dir) as url:
        pid = running_pid(data_dir)
        with holder(data_dir) as other:
            assert running_pid(data_dir) == pid
            other.communicate()
            assert other.returncode == 0
        with connect(url) as client:
            client.ping()
    assert server_pid(data_dir) is None


def test_the_process_that_started_it_may_leave_first(data_dir: Path) -> None:
    with holder(data_dir) as starter:
        with embedded_store(data_dir) as url:
            starter.communicate()
            with connect(url) as client:
                client.ping()
        assert server_pid(data_dir) is None


def test_a_server_left_by_a_killed_process_is_taken_over(data_dir: Path) -> None:
    with holder(data_dir) as owner:
        pid = running_pid(data_dir)
        owner.kill()
        owner.wait()
    with embedded_store(data_dir) as url, connect(url) as client:
        assert running_pid(data_dir) == pid
        client.ping()
    assert server_pid(data_dir) is None


def test_ctrl_c_in_the_terminal_of_its_owner_does_not_reach_it(data_dir: Path) -> None:
    with embedded_store(data_dir) as url, holder(data_dir) as other:
        assert os.getpgid(running_pid(data_dir)) != os.getpgid(0)
        assert os.getsid(running_pid(data_dir)) != os.getsid(0)
        os.killpg(other.pid, signal.SIGINT)
        other.wait()
        with connect(url) as client:
            client.ping()


def test_a_killed_server_is_started_again_with_its_data(data_dir: Path) -> None:
    with embedded_store(data_dir, appendfsync="always") as url, connect(url) as client:
        client.set("word", "kept")
        os.kill(running_pid(data_dir), signal.SIGKILL)
        with embedded_store(data_dir) as again, connect(again) as other:
            assert again == url
            assert other.get("word") == b"kept"


def test_leaving_a_killed_server_is_no_failure(data_dir: Path) -> None:
    with embedded_store(data_dir):
        os.kill(running_pid(data_dir), signal.SIGKILL)


def test_a_stopped_server_is_woken_to_end_in_order(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded_server, "ANSWER_TIMEOUT_S", 0.2)
    with embedded_store(data_dir, appendfsync="no") as url, connect(url) as client:
        client.set("word", "kept")
        os.kill(running_pid(data_dir), signal.SIGSTOP)
    assert server_pid(data_dir) is None
    assert [signal_sent(record) for record in caplog.records] == ["SIGTERM"]
    with embedded_store(data_dir) as url, connect(url) as client:
        assert client.get("word") == b"kept"


def test_a_server_that_ignores_signals_is_killed_and_loses_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded_server, "ANSWER_TIMEOUT_S", 0.2)
    monkeypatch.setattr(embedded_server, "SIGNAL_TIMEOUT_S", 0.5)
    with embedded_store(data_dir, appendfsync="no") as url, connect(url) as client:
        pid = running_pid(data_dir)
        client.set("word", "kept")
        connection = client.connection_pool.get_connection()
        connection.send_command("EVAL", "while true do end", 0)
    assert [signal_sent(record) for record in caplog.records] == ["SIGTERM", "SIGKILL"]
    with embedded_store(data_dir) as url, connect(url) as client:
        assert running_pid(data_dir) != pid
        assert client.get("word") == b"kept"


def signal_sent(record: logging.LogRecord) -> object:
    """Returns the signal that a log line about a hanging store names."""
    assert record.getMessage() == "store_hangs"
    return vars(record)["signal"]


def test_damaged_data_are_reported_with_the_log_and_a_remedy(data_dir: Path) -> None:
    with embedded_store(data_dir) as url, connect(url) as client:
        for i in range(100):
            client.set(f"key {i}", "x" * 50)
    (log,) = (data_dir / "store" / "appendonlydir").glob("*.incr.aof")
    content = bytearray(log.read_bytes())
    content[2000:2100] = b"?" * 100
    log.write_bytes(content)
    with (
        pytest.raises(StoreUnavailable, match="Bad file format") as caught,
        embedded_store(data_dir),
    ):
        pass
    assert "move" in str(caught.value)
    assert str(data_dir / "store") in str(caught.value)


def test_a_long_path_gets_a_short_socket(data_dir: Path) -> None:
    deep = data_dir / ("d" * 60) / ("e" * 60)
    with embedded_store(deep) as url, connect(url) as client:
        client.ping()
        assert len(os.fsencode(url.removeprefix("unix://"))) <= 100
        with embedded_store(deep) as again:
            assert again == url


def test_a_path_may_hold_spaces_and_signs(data_dir: Path) -> None:
    odd = data_dir / "a b%20#?ü"
    with embedded_store(odd) as url, connect(url) as client:
        client.ping()


def test_a_url_is_used_as_it_is(data_dir: Path) -> None:
    with running_store_url("redis://elsewhere:1/0", data_dir) as url:
        assert url == "redis://elsewhere:1/0"
    assert not (data_dir / "store").exists()


def test_without_a_url_the_embedded_store_is_used(data_dir: Path) -> None:
    with running_store_url(None, data_dir) as url, connect(url) as client:
        client.ping()


@pytest.mark.parametrize(
    "url", ["http://a:secret@c", "redis://[::1", "redis://h:99999", "redis://:secret#@h"]
)
def test_a_url_of_no_store_is_refused_before_anything_starts(url: str, tmp_path: Path) -> None:
    with (
        pytest.raises(
            InvalidField, match=r"redis_url: is no url of a store: .* redis://"
        ) as refused,
        running_store_url(url, tmp_path),
    ):
        pass
    assert "secret" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["foo=secret", "db=secret", "retry=3"])
def test_an_unknown_option_of_a_url_is_named(option: str, tmp_path: Path) -> None:
    name = option.partition("=")[0]
    with (
        pytest.raises(InvalidField, match=f"redis_url: .* option {name}") as refused,
        running_store_url(f"redis://h:1/0?{option}", tmp_path),
    ):
        pass
    assert "secret" not in str(refused.value)


def test_the_data_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOLDIN_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_data_dir() == Path("/data/foldin")
    monkeypatch.setenv("FOLDIN_DATA_DIR", "/elsewhere")
    assert default_data_dir() == Path("/elsewhere")
